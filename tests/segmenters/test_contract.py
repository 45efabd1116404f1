from dataclasses import dataclass, field

import numpy as np
import pytest
import skimage.data
from pictures import all_valid, overview_of

from wsi_area.errors import SegmentationError
from wsi_area.model.classes import UNSCANNED_CODE, ClassScheme, TissueClass
from wsi_area.segmenters.colour.stain import StainSegmenter
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.contract import SegmenterContract, check_segmenter, stained_disc

SCHEME = ClassScheme(
    (TissueClass(0, "background", (0, 0, 0)), TissueClass(1, "smooth_dark", (9, 9, 9), is_tissue=True))
)


@dataclass(frozen=True)
class BlurredThreshold:
    """A third-party segmenter with context: a 5 × 5 mean of the valid pixels, then a threshold."""

    context_um: float = 2.0
    fault: str = ""

    def fit(self, overview):
        return FittedBlur(self.context_um, self.fault)


@dataclass(frozen=True)
class FittedBlur:
    context_um: float
    fault: str
    scheme: ClassScheme = SCHEME
    work_mpp: float | None = 1.0
    signal: None = None
    facts: dict = field(default_factory=lambda: {"radius_px": 2})

    def class_map(self, pixels):
        grey = np.where(pixels.valid, pixels.rgb.sum(axis=-1, dtype=np.int64), 0)
        total, seen = _box_sum(grey), _box_sum(pixels.valid.astype(np.int64))
        cut = grey.mean() if self.fault == "looks at the tile as a whole" else 600
        classes = (total < cut * np.maximum(seen, 1)).astype(np.uint8)
        if self.fault == "stray code":
            classes[0] = 7
        if self.fault == "changes its input":
            pixels.rgb[0, 0] ^= 1
        if self.fault == "other dtype":
            return classes.astype(np.int64)
        if self.fault == "random":
            classes ^= np.random.default_rng().integers(0, 2, classes.shape).astype(np.uint8)
        if self.fault != "ignores valid":
            classes[~pixels.valid] = UNSCANNED_CODE
        return classes

    def may_hold_foreground(self, overview):
        shape = (1, 1) if self.fault == "foreground shape" else overview.valid.shape
        return np.ones(shape, bool)


def _box_sum(values):
    padded = np.pad(values, 2)
    height, width = values.shape
    return sum(padded[dy : dy + height, dx : dx + width] for dy in range(5) for dx in range(5))


class TestTissue(SegmenterContract):
    def segmenter(self):
        return TissueSegmenter()


class TestStain(SegmenterContract):
    def segmenter(self):
        return StainSegmenter()


class TestStainByOtsuOnARealImmunostain(SegmenterContract):
    def segmenter(self):
        return StainSegmenter(threshold="otsu", vectors="h-e-dab")

    def pictures(self):
        rgb = skimage.data.immunohistochemistry()
        return overview_of(rgb[::2, ::2].copy()), all_valid(rgb[:200, :240].copy())


class TestOneFromAnotherPackage(SegmenterContract):
    def segmenter(self):
        return BlurredThreshold()


@pytest.mark.parametrize("segmenter", [TissueSegmenter(), StainSegmenter(), BlurredThreshold()])
def test_the_contract_can_be_checked_without_pytest(segmenter):
    check_segmenter(segmenter, *stained_disc())


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("stray code", r"codes \[7\]"),
        ("changes its input", "changes its input"),
        ("other dtype", "must return uint8"),
        ("random", "answers differently"),
        ("ignores valid", "not valid a class"),
        ("looks at the tile as a whole", "halo of 2 px"),
        ("foreground shape", "may_hold_foreground must return bool"),
    ],
)
def test_a_broken_promise_is_found(fault, words):
    with pytest.raises(SegmentationError, match=words):
        check_segmenter(BlurredThreshold(fault=fault), *stained_disc())


def test_a_context_that_is_stated_too_small_is_found():
    with pytest.raises(SegmentationError, match=r"context_um = 0.0 is too small"):
        check_segmenter(BlurredThreshold(context_um=0.0), *stained_disc())


@pytest.mark.parametrize("context_um", [-1.0, float("nan"), float("inf")])
def test_a_context_that_no_halo_can_be_made_of_is_found(context_um):
    with pytest.raises(SegmentationError, match="context_um"):
        check_segmenter(BlurredThreshold(context_um=context_um), *stained_disc())


def test_what_has_no_fit_or_fits_nothing_is_found():
    overview, pixels = stained_disc()
    with pytest.raises(SegmentationError, match="has no fit"):
        check_segmenter(object(), overview, pixels)

    class FitsNothing:
        def fit(self, overview):
            return object()

    with pytest.raises(SegmentationError, match="without scheme, context_um"):
        check_segmenter(FitsNothing(), overview, pixels)
