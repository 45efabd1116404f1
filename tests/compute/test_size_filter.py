"""Small objects take the class around them: judged on whole objects, and never what must not change."""

import numpy as np
import pytest
from class_map_cuts import SCHEME, TUMOUR, cleaned
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from wsi_area.compute.objects.size_filter import stages_of
from wsi_area.errors import PlanError
from wsi_area.model.calibration import Mpp
from wsi_area.model.objects import SizeFilters

PEN, UNREADABLE, OUTSIDE, UNSCANNED = 4, 253, 254, 255
CORNERS = np.ones((3, 3))


def random_map(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    sd = random.choice([0.0, 0.6, 1.2])
    weights = random.dirichlet([2, 2, 2, 1, 1])
    fields = [ndimage.gaussian_filter(random.standard_normal((height, width)), sd) * w for w in weights]
    class_map = np.argmax(fields, axis=0).astype(np.uint8)
    for code in (UNREADABLE, OUTSIDE, UNSCANNED):
        class_map[random.random((height, width)) < random.choice([0, 0.01])] = code
    return class_map


def cleaned_in_one_piece(class_map: NDArray[np.uint8], filters: SizeFilters) -> NDArray[np.uint8]:
    """The same rule once more, pixel by pixel on the whole map: slow, and with nothing in common with the package."""
    stages = [
        (TUMOUR, CORNERS, filters.min_focus_um2, False),
        ((1, 2, 3), CORNERS, filters.min_tissue_um2, False),
        ((0,), None, filters.max_hole_um2, True),
    ]
    for ids, structure, limit, enclosed in stages:
        before, class_map = class_map, class_map.copy()
        numbered, count = ndimage.label(np.isin(before, ids), structure)
        for n in range(1, count + 1):
            mask = numbered == n
            if mask.sum() >= limit:
                continue
            framed = np.pad(mask, 1)
            if enclosed and (mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()):
                continue
            codes = np.pad(before, 1, constant_values=99)  # beyond the border: nothing
            touched: dict[int, int] = {}
            for shift in (1, -1):
                for axis in (0, 1):
                    edge = np.roll(framed, shift, axis) & ~framed
                    for code in codes[edge]:
                        touched[int(code)] = touched.get(int(code), 0) + 1
            if enclosed and any(code in touched for code in (UNREADABLE, OUTSIDE, UNSCANNED)):
                continue
            plain = {c: k for c, k in touched.items() if c < PEN} or {c: k for c, k in touched.items() if c == PEN}
            if plain:
                class_map[mask] = min(plain, key=lambda c: (-plain[c], c))
    return class_map


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    box_px=st.integers(1, 31),
    sizes=st.tuples(*[st.sampled_from([0.0, 2.0, 5.0, 40.0])] * 3),
)
def test_any_cut_gives_what_one_piece_gives(
    seed: int, height: int, width: int, box_px: int, sizes: tuple[float, float, float]
) -> None:
    class_map = random_map(seed, height, width)
    filters = SizeFilters(*sizes)
    whole, changes = cleaned(class_map, filters)
    cut, changes_of_cut = cleaned(class_map, filters, box_px)
    assert np.array_equal(whole, cleaned_in_one_piece(class_map, filters))
    assert np.array_equal(cut, whole)
    assert changes_of_cut == changes


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), box_px=st.integers(2, 31))
def test_what_is_excluded_or_of_unknown_class_never_changes(seed: int, box_px: int) -> None:
    class_map = random_map(seed, 30, 30)
    after, _ = cleaned(class_map, SizeFilters(25.0, 25.0, 25.0), box_px)
    fixed = class_map >= PEN
    assert np.array_equal(after[fixed], class_map[fixed])
    assert np.isin(after[~fixed], [0, 1, 2, 3, PEN]).all()


def test_a_change_is_counted_in_objects_and_pixels() -> None:
    class_map = np.zeros((40, 40), np.uint8)
    class_map[5:35, 5:35] = 1
    class_map[10, 10:13], class_map[20, 15:17], class_map[25:30, 25:30] = 2, 3, 2  # foci of 3, 2 and 25
    class_map[12:14, 20] = 0  # a hole of 2
    class_map[1, 1] = 1  # a speck
    after, changes = cleaned(class_map, SizeFilters(4.0, 4.0, 4.0), 7)
    assert [(c.name, c.objects, c.area_px) for c in changes] == [("focus", 2, 5), ("tissue", 1, 1), ("hole", 1, 2)]
    assert [(after == n).sum() for n in range(4)] == [40 * 40 - 900, 875, 25, 0]


@pytest.mark.parametrize("box_px", [3, 50])
def test_a_filter_that_follows_sees_what_the_one_before_has_left(box_px: int) -> None:
    class_map = np.zeros((12, 12), np.uint8)
    class_map[3:9, 3:9] = 1
    class_map[5:7, 5:7] = 2  # within the tissue
    # without its focus the speck would be a ring of 32; with it, it is one object of 36
    after, _ = cleaned(class_map, SizeFilters(min_tissue_um2=36.0, min_focus_um2=5.0), box_px)
    assert np.array_equal(after, np.where(class_map > 0, 1, 0))
    gone, changes = cleaned(class_map, SizeFilters(min_tissue_um2=37.0, min_focus_um2=5.0), box_px)
    assert not gone.any()
    assert [c.area_px for c in changes] == [4, 36]


@pytest.mark.parametrize("box_px", [2, 50])
def test_a_focus_takes_the_class_it_has_most_contact_with_and_of_equal_ones_the_lowest(box_px: int) -> None:
    class_map = np.zeros((6, 6), np.uint8)
    class_map[:, 3:] = 1
    class_map[2, 3] = 2  # 1 side on glass, 3 on stroma
    assert cleaned(class_map, SizeFilters(min_focus_um2=2.0), box_px)[0][2, 3] == 1
    class_map[2, 2] = 2  # now 3 and 3
    assert cleaned(class_map, SizeFilters(min_focus_um2=3.0), box_px)[0][2, 2:4].tolist() == [0, 0]


@pytest.mark.parametrize("box_px", [2, 50])
def test_pen_is_taken_only_where_there_is_nothing_else_and_what_was_never_seen_not_at_all(box_px: int) -> None:
    class_map = np.full((7, 7), PEN, np.uint8)
    class_map[3, 3] = 2
    assert cleaned(class_map, SizeFilters(min_focus_um2=2.0), box_px)[0][3, 3] == PEN
    class_map[3, 4] = 1
    assert cleaned(class_map, SizeFilters(min_focus_um2=2.0), box_px)[0][3, 3] == 1
    class_map = np.full((7, 7), UNSCANNED, np.uint8)
    class_map[3, 3] = 2
    assert cleaned(class_map, SizeFilters(min_focus_um2=2.0), box_px)[0][3, 3] == 2


@pytest.mark.parametrize("box_px", [2, 3, 50])
def test_a_hole_at_the_border_or_beside_what_was_never_seen_is_not_filled(box_px: int) -> None:
    class_map = np.full((9, 9), 1, np.uint8)
    class_map[0, 4] = class_map[4, 4] = class_map[6, 6] = 0
    for code in (UNREADABLE, OUTSIDE, UNSCANNED):
        class_map[6, 7] = code
        after, _ = cleaned(class_map, SizeFilters(max_hole_um2=2.0), box_px)
        assert (after[0, 4], after[4, 4], after[6, 6]) == (0, 1, 0)


def test_a_size_is_in_square_micrometres_of_both_axes_and_equal_to_the_limit_stays() -> None:
    class_map = np.zeros((10, 10), np.uint8)
    class_map[4, 2:6] = 1  # 4 px of 0.5 × 0.25 µm: 0.5 µm²
    mpp = Mpp(0.5, 0.25)
    assert np.array_equal(cleaned(class_map, SizeFilters(min_tissue_um2=0.5), 3, mpp)[0], class_map)
    assert not cleaned(class_map, SizeFilters(min_tissue_um2=0.51), 3, mpp)[0].any()


def test_without_a_pixel_size_no_size_can_be_asked_for_and_without_filters_none_is_needed() -> None:
    assert stages_of(SizeFilters(), SCHEME, None) == ()
    with pytest.raises(PlanError, match=r"µm².*--mpp"):
        stages_of(SizeFilters(max_hole_um2=1.0), SCHEME, None)
