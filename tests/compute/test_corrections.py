"""Corrections on arrays: the same however the map is cut, nothing painted where nothing is known, components whole."""

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from wsi_area.compute.corrections import component as component_module
from wsi_area.compute.corrections.component import component_at
from wsi_area.compute.corrections.painting import TALLIES, painted, place_of
from wsi_area.compute.corrections.strokes import BY_HAND, class_strokes, corrected_scheme, tissue_strokes
from wsi_area.errors import AnnotationError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.corrections.correction import Correction
from wsi_area.model.geometry import Region, Size

SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (0, 0, 0)),
        TissueClass(1, "stroma", (1, 1, 1), is_tissue=True),
        TissueClass(2, "tumor", (2, 2, 2), is_tissue=True, is_tumor=True),
        TissueClass(3, "pen", (3, 3, 3), is_excluded=True),
    )
)
CODES = np.array([0, 1, 2, 3, 253, 254, 255], np.uint8)
KINDS = ("add", "erase", "exclude", "tissue", "not_tissue")


def random_map(seed: int, height: int, width: int) -> Any:
    random = np.random.default_rng(seed)
    coarse = CODES[random.integers(0, len(CODES), (-(-height // 3), -(-width // 3)))]
    return np.repeat(np.repeat(coarse, 3, 0), 3, 1)[:height, :width].copy()


def edges(seed: int, count: int) -> Any:
    return np.concatenate([[0], np.cumsum(np.random.default_rng(seed).integers(1, 4, count))]).astype(np.int64)


def drawn(kind: Any, x: float, y: float, size: float, name: str) -> Correction:
    shape = shapely.box(x, y, x + size, y + size * 0.7)
    return Correction(kind, name if kind in {"add", "erase"} else "", "r", "", shape.wkb)


corrections = st.lists(
    st.builds(
        drawn, st.sampled_from(KINDS), st.floats(-5, 60), st.floats(-5, 60), st.floats(2, 50),
        st.sampled_from([c.name for c in SCHEME.classes]),
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(listed=corrections, seed=st.integers(0, 2**32), cut=st.tuples(st.integers(3, 30), st.integers(3, 30)))
def test_any_cut_is_painted_as_one_piece_and_what_is_unknown_stays(
    listed: list[Correction], seed: int, cut: tuple[int, int]
) -> None:
    height, width = 26, 31
    codes, columns, rows = random_map(seed, height, width), edges(seed, width), edges(seed + 1, height)
    scheme = corrected_scheme(SCHEME, listed)
    strokes = class_strokes(listed, scheme, {}, has_layer=False)
    whole = painted(codes, strokes, *place_of(Region(0, 0, width, height), columns, rows), len(listed))
    assert ((whole.codes >= 253) == (codes >= 253)).all()
    assert (whole.codes[codes >= 253] == codes[codes >= 253]).all()
    assert not whole.held[codes >= 253].any()
    assert not ((whole.codes != codes) & ~whole.held).any()
    tallies = np.zeros_like(whole.tallies)
    for y in range(0, height, cut[0]):
        for x in range(0, width, cut[1]):
            box = Region(x, y, min(cut[1], width - x), min(cut[0], height - y))
            at = np.s_[y : y + box.height_px, x : x + box.width_px]
            part = painted(codes[at], strokes, *place_of(box, columns, rows), len(listed))
            assert np.array_equal(part.codes, whole.codes[at])
            assert np.array_equal(part.held, whole.held[at])
            tallies += part.tallies
    assert np.array_equal(tallies, whole.tallies)
    if len(listed) == 1:
        weights = np.multiply.outer(np.diff(rows), np.diff(columns))
        of = dict(zip(TALLIES, whole.tallies[0].tolist(), strict=True))
        assert of["changed"] == weights[whole.codes != codes].sum()


def test_exclude_takes_the_class_that_is_named_and_else_one_of_its_own() -> None:
    square = shapely.box(0, 0, 9, 9).wkb
    named, unnamed = Correction("exclude", "pen", wkb_l0_px=square), Correction("exclude", wkb_l0_px=square)
    assert corrected_scheme(SCHEME, [named]) == SCHEME
    scheme = corrected_scheme(SCHEME, [unnamed])
    assert [c.name for c in scheme.classes[4:]] == [BY_HAND]
    assert corrected_scheme(scheme, [unnamed]) == scheme  # of a version that has it already
    for one, becomes in ((named, 3), (unnamed, 4)):
        (stroke,) = class_strokes([one], scheme, {}, has_layer=True)
        assert set(stroke.becomes[:5].tolist()) == {becomes}
        assert stroke.becomes[253:].tolist() == [253, 254, 255]


def test_tissue_tools_leave_the_classes_alone_where_there_is_a_layer() -> None:
    square = shapely.box(0, 0, 9, 9).wkb
    listed = [Correction("tissue", wkb_l0_px=square), Correction("not_tissue", wkb_l0_px=square)]
    assert class_strokes(listed, SCHEME, {}, has_layer=True) == []
    of_layer = tissue_strokes([*listed, Correction("add", "tumor", wkb_l0_px=square)], SCHEME)
    assert [stroke.correction for stroke in of_layer] == [0, 1]
    assert of_layer[0].becomes[:4].tolist() == [1, 1, 2, 1]
    assert of_layer[1].becomes[:4].tolist() == [0, 0, 0, 3]


def test_what_is_no_tissue_is_the_class_that_is_named_or_all_that_are_tissue() -> None:
    square = shapely.box(0, 0, 9, 9).wkb
    for name, becomes in (("", [0, 0, 0, 3]), ("background", [0, 0, 0, 3]), ("tumor", [0, 1, 0, 3])):
        (stroke,) = class_strokes([Correction("not_tissue", name, wkb_l0_px=square)], SCHEME, {}, has_layer=False)
        assert stroke.becomes[:4].tolist() == becomes
    with pytest.raises(AnnotationError, match="'pen' is no tissue already"):
        class_strokes([Correction("not_tissue", "pen", wkb_l0_px=square)], SCHEME, {}, has_layer=False)
    (of_layer,) = tissue_strokes([Correction("not_tissue", "of_the_classes", wkb_l0_px=square)], SCHEME)
    assert of_layer.becomes[:4].tolist() == [0, 0, 0, 3]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), tile_px=st.integers(1, 40), x=st.integers(0, 36), y=st.integers(0, 28))
def test_a_component_is_that_of_the_whole_map_whatever_the_tiles(seed: int, tile_px: int, x: int, y: int) -> None:
    height, width = 29, 37
    codes, columns, rows = random_map(seed, height, width), edges(seed, width), edges(seed + 1, height)
    labels, _ = ndimage.label(codes == codes[y, x], np.ones((3, 3)))
    expected = labels == labels[y, x]
    weights = np.diff(columns), np.diff(rows)
    n_px = int((np.multiply.outer(weights[1], weights[0]) * expected).sum())

    def part(box: Region) -> Any:
        return codes[box.y_px : box.bottom_px, box.x_px : box.right_px]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(component_module, "_TILE_PX", tile_px)
        found = component_at(part, (x, y), Size(width, height), *weights, n_px)
        assert (found.is_whole, found.n_px, found.code) == (True, n_px, codes[y, x])
        assert np.array_equal(found.mask(Region(0, 0, width, height)), expected)
        assert np.array_equal(found.mask(Region(5, 3, 20, 17)), expected[3:20, 5:25])
        if n_px > 1:
            assert not component_at(part, (x, y), Size(width, height), *weights, n_px - 1).is_whole
