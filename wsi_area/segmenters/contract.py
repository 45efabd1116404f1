"""segmenters: what every segmenter promises, as a test that authors of other packages can import.

Subclass ``SegmenterContract`` in a test module and say what is to be tried; pytest does the rest::

    class TestMine(SegmenterContract):
        def segmenter(self):
            return MySegmenter()

Override ``pictures`` too where a stained disc on glass is nothing your segmenter has something to say about.
``check_segmenter`` runs the same checks without pytest.
"""

import json
import math
import pickle

import numpy as np

from wsi_area.errors import SegmentationError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import ClassMap, Overview, TilePixels, TilePlace
from wsi_area.segmenters.protocol import FittedSegmenter, PlacedSegmenter, Segmenter

_CUTS = 5  # the picture is cut into about 5 × 5 tiles
_RESERVED = (UNREADABLE_CODE, OUTSIDE_ROI_CODE, UNSCANNED_CODE)


class SegmenterContract:
    """The checks as tests of their own; needs nothing of pytest but its way of finding tests."""

    def segmenter(self) -> Segmenter:
        """Return the segmenter to be tried; override it."""
        raise NotImplementedError("override segmenter() to return the settings to be tried")

    def pictures(self) -> tuple[Overview, TilePixels]:
        """Return a slide's overview and a tile of it."""
        return stained_disc()

    def test_it_has_the_members_of_a_segmenter(self) -> None:
        """Its settings fit, and what they fit has every member."""
        _fitted(self.segmenter(), self.pictures()[0])

    def test_its_declarations_can_be_planned_with_and_recorded(self) -> None:
        """Context, pixel size and facts are usable."""
        check_declarations(self.segmenter().fit(self.pictures()[0]))

    def test_its_class_map_holds_declared_classes_and_respects_validity(self) -> None:
        """Shape, codes, holes, and an input left alone."""
        overview, pixels = self.pictures()
        check_answer(self.segmenter().fit(overview), pixels)

    def test_it_answers_the_same_after_another_fit_and_after_pickling(self) -> None:
        """Fitting is deterministic and the journey to a worker changes nothing."""
        check_repeats(self.segmenter(), *self.pictures())

    def test_its_answer_does_not_depend_on_where_the_tile_was_cut(self) -> None:
        """A core with its halo has the classes it has in the larger tile."""
        overview, pixels = self.pictures()
        check_crops(self.segmenter().fit(overview), pixels, overview.mpp)

    def test_it_says_where_the_slide_must_be_read(self) -> None:
        """The foreground mask has the overview's shape."""
        overview, _ = self.pictures()
        check_foreground(self.segmenter().fit(overview), overview)


def check_segmenter(segmenter: Segmenter, overview: Overview, pixels: TilePixels) -> None:
    """Raise ``SegmentationError`` at the first promise that the segmenter breaks; return nothing.

    Parameters
    ----------
    segmenter
        The settings to be tried.
    overview, pixels
        A slide and a tile of it; the pixels should be of the pixel size the segmenter works at.
    """
    fitted = _fitted(segmenter, overview)
    check_declarations(fitted)
    check_answer(fitted, pixels)
    check_repeats(segmenter, overview, pixels)
    check_crops(fitted, pixels, overview.mpp)
    check_foreground(fitted, overview)


def check_declarations(fitted: FittedSegmenter) -> None:
    """Refuse a context, a pixel size or facts that cannot be planned with or recorded."""
    context = fitted.context_um
    _require(math.isfinite(context) and context >= 0, f"context_um is {context}; it must be 0 or more")
    work_mpp = fitted.work_mpp
    _require(work_mpp is None or 0 < work_mpp < math.inf, f"work_mpp is {work_mpp}; it must be above 0, or None")
    try:
        json.dumps(fitted.facts, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SegmentationError(f"facts cannot be written as JSON: {error}") from error


def check_answer(fitted: FittedSegmenter, pixels: TilePixels) -> None:
    """Refuse a class map of the wrong shape, with stray codes, blind to ``valid``, or a changed input."""
    rgb, valid = pixels.rgb.copy(), pixels.valid.copy()
    classes = _class_map(fitted, pixels)
    _require(np.array_equal(rgb, pixels.rgb) and np.array_equal(valid, pixels.valid), "changes its input")
    declared = {c.class_id for c in fitted.scheme.classes} | set(_RESERVED)
    stray = sorted(set(np.unique(classes).tolist()) - declared)
    _require(not stray, f"writes the codes {stray}, which its scheme does not declare")
    holes = valid.copy()
    holes[::3, ::2] = False
    with_holes = _class_map(fitted, TilePixels(rgb, holes))
    _require(bool((with_holes[~holes] == UNSCANNED_CODE).all()), "gives pixels that are not valid a class")
    _require(bool((with_holes[holes] != UNSCANNED_CODE).all()), "calls valid pixels unscanned")


def check_repeats(segmenter: Segmenter, overview: Overview, pixels: TilePixels) -> None:
    """Refuse another answer from a second fit, or after the journey to a worker."""
    first, second = segmenter.fit(overview), segmenter.fit(overview)
    expected = _class_map(first, pixels)
    _require(np.array_equal(_class_map(first, pixels), expected), "answers differently when asked again")
    _require(np.array_equal(_class_map(second, pixels), expected), "answers differently after a second fit")
    _require(first.facts == second.facts, "records other facts after a second fit")
    travelled = pickle.loads(pickle.dumps(first))
    _require(np.array_equal(_class_map(travelled, pixels), expected), "answers differently after pickling")


def check_crops(fitted: FittedSegmenter, pixels: TilePixels, mpp: Mpp | None) -> None:
    """Refuse a core whose classes depend on where the tile round it was cut, beyond ``context_um``."""
    pixel_um = fitted.work_mpp or (min(mpp.x, mpp.y) if mpp else 1.0)
    halo_px = math.ceil(fitted.context_um / pixel_um)
    height, width = pixels.valid.shape
    whole = _class_map_in(fitted, pixels, Region(0, 0, width, height))
    tile_px = max(1, min(height, width) // _CUTS)
    differing = 0
    for top in range(0, height, tile_px):
        for left in range(0, width, tile_px):
            y0, x0 = max(0, top - halo_px), max(0, left - halo_px)
            tile = np.s_[y0 : top + tile_px + halo_px, x0 : left + tile_px + halo_px]
            cut = TilePixels(pixels.rgb[tile], pixels.valid[tile])
            classes = _class_map_in(fitted, cut, Region(x0, y0, cut.valid.shape[1], cut.valid.shape[0]))
            core = classes[top - y0 :, left - x0 :][:tile_px, :tile_px]
            expected = whole[top : top + tile_px, left : left + tile_px]
            differing += int(np.count_nonzero(core != expected))
    _require(
        differing == 0,
        f"gives {differing} of {whole.size} pixels another class in tiles with a halo of {halo_px} px; "
        f"context_um = {fitted.context_um} is too small, or it looks at the tile as a whole",
    )


def check_foreground(fitted: FittedSegmenter, overview: Overview) -> None:
    """Refuse a foreground mask of another kind or shape than the overview's."""
    mask = fitted.may_hold_foreground(overview)
    _require(
        isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.shape == overview.valid.shape,
        f"may_hold_foreground must return bool {overview.valid.shape}",
    )


def stained_disc(size_px: int = 96) -> tuple[Overview, TilePixels]:
    """Return an overview and a tile: a stained disc with a brown core on glass, one corner unscanned.

    >>> overview, pixels = stained_disc(32)
    >>> overview.rgb.shape, bool(pixels.valid.all())
    ((32, 32, 3), False)
    """
    y, x = np.mgrid[:size_px, :size_px]
    radius = np.hypot(y - size_px / 2, x - size_px / 2) / size_px
    noise = np.random.default_rng(20).integers(-3, 4, (size_px, size_px, 3))
    rgb = np.full((size_px, size_px, 3), (242, 241, 243))
    rgb[radius < 0.36] = (196, 148, 190)
    rgb[radius < 0.16] = (128, 84, 52)
    valid = (x + y) >= size_px // 8
    pixels = TilePixels(np.clip(rgb + noise, 0, 255).astype(np.uint8), valid)
    return Overview(pixels.rgb, valid, Size(size_px, size_px), Mpp(1.0, 1.0)), pixels


def _fitted(segmenter: Segmenter, overview: Overview) -> FittedSegmenter:
    _require(isinstance(segmenter, Segmenter), "has no fit(overview)")
    fitted = segmenter.fit(overview)
    members = ("scheme", "context_um", "work_mpp", "signal", "facts", "class_map", "may_hold_foreground")
    missing = [member for member in members if not hasattr(fitted, member)]
    _require(not missing, f"fits something without {', '.join(missing)}")
    return fitted


def _class_map_in(fitted: FittedSegmenter, pixels: TilePixels, work_px: Region) -> ClassMap:
    """Return the class map of a box of a picture whose work pixels are its level-0 pixels."""
    if not isinstance(fitted, PlacedSegmenter):
        return _class_map(fitted, pixels)
    x = np.arange(work_px.x_px, work_px.right_px, dtype=np.float64) + 0.5
    y = np.arange(work_px.y_px, work_px.bottom_px, dtype=np.float64) + 0.5
    return fitted.class_map_at(pixels, TilePlace(work_px, x, y))


def _class_map(fitted: FittedSegmenter, pixels: TilePixels) -> ClassMap:
    classes = fitted.class_map(pixels)
    _require(
        isinstance(classes, np.ndarray) and classes.dtype == np.uint8 and classes.shape == pixels.valid.shape,
        f"class_map must return uint8 {pixels.valid.shape}",
    )
    return classes


def _require(kept: bool, fault: str) -> None:
    if not kept:
        raise SegmentationError(f"segmenter breaks its contract: it {fault}")
