"""Every number of an amended version is that of a run from scratch over the corrected picture, given as a mask."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amending import Measured, ids_of, measured_run, outline
from painting_by_hand import box, operation, painted
from PIL import Image
from synthetic import disc

from wsi_area.compute.cut import planning
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.opened_run import open_run
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(601, 443)
SETTINGS = """
[segmenter]
name = "regions"
unmatched = "error"
[[segmenter.classes]]
id = 1
name = "tumor"
color = "#d62728"
is_tissue = true
is_tumor = true
role = "tumor"
[[segmenter.classes]]
id = 2
name = "necrosis"
color = "#7f7f7f"
is_tissue = true
is_tumor = true
role = "necrosis"
[[segmenter.classes]]
id = 3
name = "fold"
color = "#2ca02c"
is_excluded = true
[[segmenter.classes]]
id = 0
name = "background"
color = "#ffffff"
[tissue]
name = "tissue"
work_mpp = 1.0
background = "bright"
threshold = 60
[bands]
edges_um = [-40, -10, 0, 15, 60]
[hotspots]
areas_mm2 = [0.002, 0.004]
step_um = 10
best = 3
tissue_share = 0.2
[objects]
foci = true
"""
DRAWN = {"tumor": box(120.3, 90.3, 420.7, 330.2), "necrosis": box(220.3, 190.3, 300.7, 250.2)}
NAMED = {"north": box(60.3, 40.3, 400.7, 200.2), "south": box(60.3, 180.3, 560.7, 420.2)}
CORRECTIONS = [
    [
        operation("add", box(430.3, 100.3, 520.7, 180.2), **{"class": "tumor"}),
        operation("add", box(140.3, 110.3, 200.7, 170.2), **{"class": "necrosis"}),
        operation("add", box(350.3, 250.3, 430.7, 300.2), **{"class": "fold"}),
    ],
    [
        operation("erase", box(200.3, 80.3, 260.7, 340.2)),
        operation("erase", box(260.3, 100.3, 330.7, 260.2), **{"class": "necrosis"}),
        operation("add", box(20.3, 350.3, 60.7, 420.2), **{"class": "tumor"}),
    ],
]
WHOLE = (
    "counts", "tumor", "tissue", "tissue_layer", "tissue_envelope", "analyzed", "ratios", "bands", "hotspots", "foci",
    "regions", "size_filters", "classes", "budgets",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 13)
        yield


@pytest.fixture(scope="module", params=["", "objects.min_focus_um2=300"], ids=["unfiltered", "filtered"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "lab.toml").write_text(SETTINGS)
    further = [request.param] if request.param else []
    return measured_run(
        folder, SIZE, disc(SIZE, 290, 220, 180), *further, config=folder / "lab.toml", tissue=("tumor",),
        annotations=DRAWN, regions_from=NAMED,
    )  # fmt: skip


def from_scratch(run: Measured, codes: Any, folder: Path) -> CountedSlide:
    """The same slide with the same settings, its classes from a mask."""
    folder.mkdir()
    mask = folder / "s.png"
    Image.fromarray(codes).save(mask)
    names = {c.id: c.name for c in run.slide.counted.classes}
    lines = [f"{code},{name}" for code, name in names.items()]
    (folder / "s_class_codes.csv").write_text("\n".join(["code,name", *lines]))
    inputs = collect_slides(
        [run.slide.counted.path], annotations=mask, regions_from=outline(folder / "named.geojson", **NAMED)
    )
    settings = load(run.out.parent / "lab.toml", run.settings)
    assert run_slides(inputs, settings, folder / "out").exit_code == 0
    return open_run(folder / "out")["s"].counted


def comparable(slide: CountedSlide, name: str) -> Any:
    """A part of a result without the keys of stores, and the regions without the mask's own and the files' names."""
    part = getattr(slide, name)
    if name == "regions":
        return [row.model_dump() for row in part.listed if row.source == "regions"]
    if isinstance(part, tuple):
        return [one.model_dump(exclude={"mean_signal"}) if hasattr(one, "model_dump") else one for one in part]
    return None if part is None else part.model_dump(exclude={"key", "settings", "reason"})


@pytest.mark.parametrize("corrections", [0, 1])
def test_every_number_is_that_of_a_run_from_scratch_over_the_corrected_picture(
    run: Measured, tmp_path: Path, corrections: int
) -> None:
    features, slide = CORRECTIONS[corrections], run.slide
    version = run.laid(features, str(corrections), drawn_are_filtered=True)
    has_raw = (slide.layout.root / "raw").is_dir()
    place = type(slide.layout)(slide.layout.root / "raw") if has_raw else slide.layout
    before = OpenedSlide(place, slide.counted).class_map()
    codes, _ = painted(before, features, slide.grid.edges_l0_px, ids_of(slide), run.tissue, has_layer=True)
    scratch = from_scratch(run, codes, tmp_path / "scratch")
    told = {name: comparable(version.result, name) for name in WHOLE}
    made = {name: comparable(scratch, name) for name in WHOLE}
    assert told["bands"] is not None
    assert told["hotspots"] is not None
    assert len(told["regions"]) == 2
    assert told["foci"]["count"] > 1
    for name in WHOLE:
        assert told[name] == made[name], name
    assert np.array_equal(OpenedSlide(version.layout, version.result).class_map(), open_map(tmp_path))


def open_map(folder: Path) -> Any:
    return open_run(folder / "scratch" / "out")["s"].class_map()
