"""Corrections laid over measured slides: to the pixel what painting by hand gives, whatever was measured and how."""

from typing import Any

import numpy as np
import pytest
from amending import Measured, ids_of, measured_run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from measuring import FLAT
from painting_by_hand import box, operation, painted, painted_layer, px_by_code, seed
from synthetic import ring

from wsi_area.compute.cut import planning
from wsi_area.errors import AnnotationError
from wsi_area.model.geometry import Size
from wsi_area.results.opened_slide import OpenedSlide

SIZE = Size(601, 443)
DRAWN = ("segmenter.name=regions",)
LAYER = ("tissue.name=tissue", "tissue.background=bright", "tissue.threshold=60", "tissue.work_mpp=1.0")


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 13)
        yield


KINDS = {
    "threshold": (FLAT, ("tissue",), {}),
    "coarse": ((*FLAT, "tiling.work_mpp=1.2"), ("tissue",), {}),
    "with_roi": (FLAT, ("tissue",), {"roi": box(40.3, 30.3, 520.7, 400.2)}),
    "drawn": (DRAWN, ("tumor",), {"annotations": {"Tumor": box(120.3, 90.3, 420.7, 330.2)}}),
    "layered": ((*DRAWN, *LAYER), ("tumor",), {"annotations": {"Tumor": box(120.3, 90.3, 420.7, 330.2)}}),
}


@pytest.fixture(scope="module", params=[*((kind, 64) for kind in KINDS), ("layered", 96)], ids=str)
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    kind, tile_px = request.param
    folder = tmp_path_factory.mktemp(kind)
    told, tissue, drawn = KINDS[kind]
    return measured_run(folder, SIZE, ring(SIZE, 290, 220, 170, 90), *told, tile_px=tile_px, tissue=tissue, **drawn)


coordinate_x = st.integers(0, SIZE.width_px - 2).map(lambda n: n + 0.37)
coordinate_y = st.integers(0, SIZE.height_px - 2).map(lambda n: n + 0.41)


@st.composite
def drawings(draw: st.DrawFn, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """One to five corrections with boxes and triangles anywhere, some over each other."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        kinds = ["add", "erase", "erase_class", "exclude", "tissue", "not_tissue", "fill"]
        kind = draw(st.sampled_from(kinds if len(classes) == 2 else [k for k in kinds if k != "tissue"]))
        x, y = draw(coordinate_x), draw(coordinate_y)
        width, height = draw(st.integers(3, 220)), draw(st.integers(3, 220))
        right, bottom = min(x + width, SIZE.width_px - 0.2), min(y + height, SIZE.height_px - 0.2)
        shape = box(x, y, right, bottom)
        if draw(st.booleans()):
            shape = {"type": "Polygon", "coordinates": [[[x, y], [right, y + 0.23], [x + 0.11, bottom], [x, y]]]}
        if kind == "fill":
            shape = seed(x, y)
        named = {"class": draw(st.sampled_from(classes))} if kind in {"add", "fill", "erase_class"} else {}
        found.append(operation(kind.removesuffix("_class"), shape, **named))
    return found


def expected(measured: Measured, features: list[dict[str, Any]], codes: Any) -> tuple[Any, Any]:
    slide = measured.slide
    has_layer = slide.counted.tissue_layer is not None
    return painted(codes, features, slide.grid.edges_l0_px, ids_of(slide), measured.tissue, has_layer=has_layer)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_random_corrections_are_to_the_pixel_what_painting_by_hand_gives(
    measured: Measured, data: st.DataObject
) -> None:
    slide = measured.slide
    names = tuple(c.name for c in slide.counted.classes)
    features = data.draw(drawings(names))
    has_layer = slide.counted.tissue_layer is not None
    if not has_layer and any(f["properties"]["operation"] == "tissue" for f in features) and names[1:] != ("tissue",):
        return  # no class of theirs is plain tissue: refused, see below
    seeds = [f["geometry"]["coordinates"] for f in features if f["properties"]["operation"] == "fill"]
    grid = slide.grid.edges_l0_px
    codes = slide.class_map()
    on_nothing = [
        codes[np.searchsorted(grid[1], y, "right") - 1, np.searchsorted(grid[0], x, "right") - 1] >= 253
        for x, y in seeds
    ]
    if any(on_nothing):
        with pytest.raises(AnnotationError, match="such pixels are never painted"):
            measured.laid(features)
        return
    version = measured.laid(features, or_none=True)
    if version is None:
        truth, _ = expected(measured, features, codes)
        assert np.array_equal(truth, codes)
        return
    amended = OpenedSlide(version.layout, version.result)
    truth, _ = expected(measured, features, codes)
    assert np.array_equal(amended.class_map(), truth)
    told = version.result.counts
    account = {254: told.n_px_outside_roi, 255: told.n_px_unscanned, 253: told.n_px_unreadable}
    seen = {**dict(enumerate(told.n_px_by_class)), **{k: v for k, v in account.items() if v}}
    assert {k: v for k, v in seen.items() if v} == px_by_code(truth, grid)
    if has_layer:
        layer, before = amended.tissue, slide.tissue
        assert layer is not None
        assert before is not None
        of_layer = painted_layer(before.class_map(), features, before.grid.edges_l0_px, 1, len(before.counted.classes))
        assert np.array_equal(layer.class_map(), of_layer)
        assert version.result.tissue.n_px == px_by_code(of_layer, before.grid.edges_l0_px).get(1, 0)
