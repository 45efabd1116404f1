"""Named regions: held against a rasteriser for one region at a time, and against scipy's connected components."""

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.compute.regions.boundaries import boundaries_of, mask_spans, ordered, spans_in
from wsi_area.compute.regions.merged_tallies import RegionCounts, merged
from wsi_area.compute.regions.tally import Groups, Place, tally_box
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.drawn_mask import mask_of

SCHEME = ClassScheme(
    (
        TissueClass(0, "background", (255, 255, 255), False, False, False),
        TissueClass(1, "stroma", (0, 255, 0), True, False, False),
        TissueClass(2, "tumor", (255, 0, 0), True, True, False),
    )
)
HEIGHT, WIDTH = 130, 150
RANDOM = np.random.default_rng(1)
X = np.cumsum(np.r_[0, RANDOM.integers(3, 5, WIDTH)])  # work pixels of unequal width, as levels make them
Y = np.cumsum(np.r_[0, RANDOM.integers(2, 4, HEIGHT)])
CENTRES = (X[1:] + X[:-1]) / 2, (Y[1:] + Y[:-1]) / 2
PX = np.outer(np.diff(Y), np.diff(X))
SIGNAL = RANDOM.integers(0, 6_000_000, (HEIGHT, WIDTH)).astype(np.int32)
WHOLE = shapely.box(0, 0, X[-1], Y[-1])


def class_map() -> NDArray[np.uint8]:
    field = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((HEIGHT, WIDTH)), 1.2)
    found = np.digitize(field, [-0.1, 0.05]).astype(np.uint8)
    found[10:20, 10:30] = 253
    found[:, :3] = 255
    found[100:, 120:] = 254
    return found


def outlines() -> list[bytes | None]:
    random = np.random.default_rng(3)
    discs = [
        shapely.Point(random.uniform(0, X[-1]), random.uniform(0, Y[-1])).buffer(random.uniform(1, 300))
        for _ in range(20)
    ]
    holed = shapely.box(4, 4, 400, 300).difference(shapely.box(50, 50, 100, 100))
    apart = shapely.MultiPolygon([shapely.box(5, 5, 100, 100), shapely.box(200, 5, 300, 100)])
    on_centres = shapely.box(CENTRES[0][4], CENTRES[1][4], CENTRES[0][9], CENTRES[1][9])
    return [*(disc.intersection(WHOLE).wkb for disc in discs), WHOLE.wkb, holed.wkb, apart.wkb, on_centres.wkb, None]


def places(side_px: int) -> list[Place]:
    return [
        Place(row, col, x, y, X[x : x + side_px + 1], Y[y : y + side_px + 1])
        for row, y in enumerate(range(0, HEIGHT, side_px))
        for col, x in enumerate(range(0, WIDTH, side_px))
    ]


def counted(side_px: int, wanted: list[bytes | None]) -> RegionCounts:
    codes, groups, boundaries, tallies = class_map(), Groups.of(SCHEME), boundaries_of(wanted), []
    for place in places(side_px):
        h, w = place.shape
        x, y = place.centres_l0_px
        box = codes[place.y_px : place.y_px + h, place.x_px : place.x_px + w]
        signal = SIGNAL[place.y_px : place.y_px + h, place.x_px : place.x_px + w]
        tallies.append(tally_box(box, None, place, groups, spans_in(boundaries.near(x, y), x, y), signal))
    return merged(reversed(tallies), len(wanted), groups.count)


@pytest.mark.parametrize("side_px", [16, 33, 200])
def test_each_region_has_the_pixels_whose_centres_are_inside_it_and_its_largest_focus(side_px: int) -> None:
    codes, found = class_map(), counted(side_px, outlines())
    for number, wkb in enumerate(outlines()):
        inside = np.zeros_like(codes, bool) if wkb is None else inside_at(wkb, *CENTRES)
        due = [int(PX[inside & (codes == code)].sum()) for code in (0, 1, 2, 255, 254, 253)]
        assert found.px[number].tolist() == due
        label, count = ndimage.label(inside & (codes == 2), np.ones((3, 3)))
        sizes = ndimage.sum_labels(PX, label, np.arange(1, count + 1)) if count else [0]
        assert found.largest_focus_px[number] == max(sizes)


@pytest.mark.parametrize("side_px", [16, 33, 200])
def test_each_region_has_the_signal_of_its_pixels_as_often_as_they_have_level_0_pixels(side_px: int) -> None:
    codes, found = class_map(), counted(side_px, outlines())
    for number, wkb in enumerate(outlines()):
        inside = np.zeros_like(codes, bool) if wkb is None else inside_at(wkb, *CENTRES)
        weighed = PX * SIGNAL
        due = [int(weighed[inside & (codes == code)].sum()) for code in (0, 1, 2, 255, 254, 253)]
        assert found.signal[number].tolist() == due


def test_regions_that_lie_beside_each_other_and_the_rest_add_up_to_the_slide() -> None:
    middle = shapely.Point(X[-1] / 2, Y[-1] / 2).buffer(120)
    left = shapely.box(0, 0, X[-1] / 2, Y[-1]).difference(middle)
    right = WHOLE.difference(middle).difference(left)
    found = counted(33, [middle.wkb, left.wkb, right.wkb, WHOLE.wkb])
    assert found.px[:3].sum(axis=0).tolist() == found.px[3].tolist()
    assert found.px[3].sum() == X[-1] * Y[-1]


def test_a_region_that_overlaps_others_is_counted_for_itself() -> None:
    alone = counted(33, [WHOLE.wkb]).px[0]
    assert (counted(33, [WHOLE.wkb] * 3).px == alone).all()


def test_a_tumour_that_only_touches_at_a_corner_over_four_boxes_is_one_focus() -> None:
    codes = np.zeros((4, 4), np.uint8)
    codes[1, 1] = codes[2, 2] = 2
    edges = np.arange(5)
    tallies = []
    whole = boundaries_of([shapely.box(0, 0, 4, 4).wkb, shapely.box(0, 0, 2, 4).wkb])
    for row in range(2):
        for col in range(2):
            place = Place(row, col, 2 * col, 2 * row, edges[2 * col : 2 * col + 3], edges[2 * row : 2 * row + 3])
            x, y = place.centres_l0_px
            box = codes[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
            tallies.append(tally_box(box, None, place, Groups.of(SCHEME), spans_in(whole.near(x, y), x, y)))
    assert merged(tallies, 2, 6).largest_focus_px.tolist() == [2, 1]  # the second region cuts it


def test_codes_of_a_mask_are_regions_of_the_pixels_that_they_hold() -> None:
    random = np.random.default_rng(5)
    blobs = np.kron(random.integers(0, 4, (13, 10)), np.ones((3, 5))).astype(np.uint8)
    mask = mask_of(blobs, {1: "a", 2: "b"}, 11.0)
    region_of_code = np.full(256, -1, np.int32)
    region_of_code[1:3] = 0, 1
    codes, tallies = class_map(), []
    for place in places(40):
        h, w = place.shape
        pieces = list(mask_spans(mask, region_of_code, *place.centres_l0_px))
        box = codes[place.y_px : place.y_px + h, place.x_px : place.x_px + w]
        tallies.append(tally_box(box, None, place, Groups.of(SCHEME), [ordered(pieces)]))
    found = merged(tallies, 2, 6)
    rows = np.minimum(CENTRES[1] // 11, 38).astype(int)
    columns = np.minimum(CENTRES[0] // 11, 49).astype(int)
    for region, code in enumerate((1, 2)):
        inside = blobs[np.ix_(rows, columns)] == code
        assert found.px[region].sum() == PX[inside].sum()
        assert found.px[region, 2] == PX[inside & (codes == 2)].sum()


def test_tissue_of_a_layer_is_told_by_the_class_that_lies_on_it() -> None:
    codes, place = class_map(), Place(0, 0, 0, 0, X, Y)
    tissue = (PX * (np.arange(WIDTH) % 3 == 0)).astype(np.uint32)
    region = boundaries_of([shapely.Point(300, 200).buffer(150).wkb])
    spans = spans_in(region.near(*CENTRES), *CENTRES)
    found = tally_box(codes, tissue, place, Groups.of(SCHEME), spans)
    assert not found.signal.any()  # nobody told of any
    inside = inside_at(shapely.Point(300, 200).buffer(150).wkb, *CENTRES)
    assert found.tissue_px[0, :3].tolist() == [int(tissue[inside & (codes == c)].sum()) for c in range(3)]
