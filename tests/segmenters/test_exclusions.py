import json
import pickle
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import pytest
from pictures import all_valid, noisy, overview_of
from pydantic import ValidationError
from synthetic_artefacts import box, overview_of_picture, slide, stroke

from wsi_area.errors import MissingMppError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNSCANNED_CODE, ClassScheme, TissueClass
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.segmenters.colour.colour_rule import ColourRuled
from wsi_area.segmenters.colour.stain import StainSegmenter
from wsi_area.segmenters.colour.tissue import TissueSegmenter
from wsi_area.segmenters.contract import SegmenterContract, check_crops
from wsi_area.segmenters.exclusions.fit import with_exclusions
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.protocol import FittedSegmenter, PlacedSegmenter

ONE_UM = Mpp(1.0, 1.0)
ALL = {"pen": True, "fold": True, "out_of_focus": True, "bubble": True}
SMALL = {
    "pen_window_um": 6, "fold_window_um": 7, "focus_window_um": 14, "focus_scale_um": 2, "bubble_line_um": 12,
    "fold_ratio": 1.2, "fold_chroma_ratio": 0.5,
}  # fmt: skip


def marked():
    """A small slide with something of everything."""
    picture = slide(200, 240, tissue=box((200, 240), 40, 40, 170, 200))
    picture.pen("green", stroke((200, 240), (20, 20), (60, 160), 16))
    picture.fold(box((200, 240), 80, 50, 160, 75))
    picture.blur(box((200, 240), 0, 140, 200, 240), 5)
    picture.bubble((185, 30), 8, 4)
    picture.paint_black(box((200, 240), 0, 225, 200, 240))
    return picture.pixels()


@dataclass(frozen=True)
class Excluding:
    """Settings of a segmenter with exclusions over another's classes."""

    exclusions: dict
    inner: object = field(default_factory=TissueSegmenter)

    def fit(self, overview):
        return with_exclusions(self.inner.fit(overview), ExclusionSettings(**self.exclusions), overview, ONE_UM)


class OnMarked(SegmenterContract):
    exclusions: dict = {}  # noqa: RUF012
    inner = TissueSegmenter()

    def segmenter(self):
        return Excluding(self.exclusions, self.inner)

    def pictures(self):
        pixels = marked()
        return replace(overview_of_picture(pixels, factor=1), mpp=ONE_UM), pixels

    def test_it_is_not_the_inner_segmenter_and_finds_something(self):
        overview, pixels = self.pictures()
        fitted = self.segmenter().fit(overview)
        excluded = [c.class_id for c in fitted.scheme.classes if c.is_excluded]
        assert set(excluded) <= set(np.unique(fitted.class_map(pixels)).tolist())


class TestPen(OnMarked):
    exclusions = {**SMALL, "pen": True}  # noqa: RUF012


class TestFold(OnMarked):
    exclusions = {**SMALL, "fold": True}  # noqa: RUF012


class TestFocus(OnMarked):
    exclusions = {**SMALL, "out_of_focus": True}  # noqa: RUF012


class TestBubble(OnMarked):
    exclusions = {**SMALL, "bubble": True}  # noqa: RUF012


class TestPaintedBlack(OnMarked):
    pass  # it is on by itself


class TestAllOverAStain(OnMarked):
    exclusions = {**SMALL, **ALL}  # noqa: RUF012
    inner = StainSegmenter(vectors="h-e", target="eosin")


def test_the_windows_that_are_used_as_a_rule_keep_the_contract_on_crops_too():
    pixels = marked()
    overview = replace(overview_of_picture(pixels, factor=1), mpp=ONE_UM)
    fitted = Excluding(ALL).fit(overview)
    assert fitted.context_um == 50 + 2 * 4 * 2  # the focus window, and the larger detail at its rim
    check_crops(fitted, pixels, ONE_UM)


@pytest.mark.parametrize("inner", [TissueSegmenter(), StainSegmenter(vectors="h-e", target="eosin")])
@pytest.mark.parametrize("limits", [SMALL, {"pen_window_um": 3, "focus_window_um": 30, "bubble_line_um": 20}])
def test_a_core_has_the_classes_that_it_has_in_the_whole_tile_at_each_threshold(inner, limits):
    pixels = marked()
    valid = pixels.valid.copy()
    valid[60:90, 100:130] = False
    pixels = replace(pixels, valid=valid)
    overview = replace(overview_of_picture(pixels, factor=1), mpp=ONE_UM)
    fitted = Excluding({**ALL, **limits}, inner).fit(overview)
    place = TilePlace(Region(512, 1024, 240, 200), np.arange(240) + 512.5, np.arange(200) + 1024.5)
    whole = fitted.class_map(pixels)
    np.testing.assert_array_equal(fitted.class_map_at(pixels, place), whole)
    for core in (Region(512, 1024, 240, 200), Region(560, 1084, 128, 90), Region(751, 1024, 1, 200)):
        expected = whole[core.y_px - 1024 : core.bottom_px - 1024, core.x_px - 512 : core.right_px - 512]
        np.testing.assert_array_equal(fitted.core_class_map_at(pixels, place, core), expected)
        by_shift = fitted.core_class_maps_by_shift(pixels, place, core)
        np.testing.assert_array_equal(by_shift["used"], expected)
        for shift, threshold in fitted.thresholds_by_shift.items():
            moved = replace(fitted.inner, colour_rule=replace(fitted.inner.colour_rule, threshold=threshold))
            np.testing.assert_array_equal(
                by_shift[shift], replace(fitted, inner=moved).core_class_map_at(pixels, place, core)
            )


def test_a_segmenter_that_looks_round_a_pixel_is_shown_the_halo_under_exclusions_too():
    pixels = marked()
    overview = replace(overview_of_picture(pixels, factor=1), mpp=ONE_UM)
    scheme = TissueSegmenter().fit(overview).scheme
    place = TilePlace(Region(0, 0, 240, 200), np.arange(240) + 0.5, np.arange(200) + 0.5)
    for context_um, shape in ((30.0, (200, 240)), (0.0, (50, 60))):
        shown = []

        def class_map(pixels, shown=shown):
            shown.append(pixels.valid.shape)
            return np.ones(pixels.valid.shape, np.uint8) * pixels.valid

        inner = SimpleNamespace(
            scheme=scheme, class_map=class_map, context_um=context_um, work_mpp=None, signal=None, facts={}
        )
        fitted = with_exclusions(inner, ExclusionSettings(**ALL), overview, ONE_UM)
        core = fitted.core_class_map_at(pixels, place, Region(40, 30, 60, 50))
        assert shown == [shape]
        np.testing.assert_array_equal(core, fitted.class_map(pixels)[30:80, 40:100])


def test_nothing_to_exclude_gives_the_same_segmenter_back_and_with_it_the_fused_kernel():
    overview = replace(overview_of(noisy(240, 2)), mpp=ONE_UM)
    fitted = TissueSegmenter().fit(overview)
    assert with_exclusions(fitted, ExclusionSettings(), overview, ONE_UM) is fitted
    assert with_exclusions(fitted, ExclusionSettings(), replace(overview, mpp=None), None) is fitted


def test_the_excluded_classes_follow_the_inner_ones_and_hold_neither_tissue_nor_tumour():
    pixels = marked()
    overview = overview_of_picture(pixels)
    inner = StainSegmenter().fit(overview)
    fitted = with_exclusions(inner, ExclusionSettings(**ALL), overview, ONE_UM)
    assert isinstance(fitted, FittedSegmenter)
    assert isinstance(fitted, PlacedSegmenter)
    assert not isinstance(fitted, ColourRuled)
    assert fitted.scheme.classes[:5] == inner.scheme.classes
    assert [(c.class_id, c.name) for c in fitted.scheme.classes[5:]] == [
        (5, "unscanned_black"), (6, "pen"), (7, "bubble"), (8, "fold"), (9, "out_of_focus"),
    ]  # fmt: skip
    assert all(c.is_excluded and not c.is_tissue for c in fitted.scheme.classes[5:])
    assert pickle.loads(pickle.dumps(fitted)).scheme == fitted.scheme


def test_where_nothing_is_excluded_the_inner_classes_stand():
    pixels = marked()
    overview = overview_of_picture(pixels)
    inner = TissueSegmenter().fit(overview)
    classes = with_exclusions(inner, ExclusionSettings(**ALL), overview, ONE_UM).class_map(pixels)
    np.testing.assert_array_equal(classes[classes < 2], inner.class_map(pixels)[classes < 2])
    assert 0.3 < (classes == 1).sum() / (inner.class_map(pixels) == 1).sum() < 0.9


def test_only_ink_and_painted_black_may_lie_on_glass():
    pixels = marked()
    overview = overview_of_picture(pixels)
    inner = replace_tissue_by_nothing(TissueSegmenter().fit(overview))
    fitted = with_exclusions(inner, ExclusionSettings(**SMALL, **ALL), overview, ONE_UM)
    names = {c.class_id: c.name for c in fitted.scheme.classes}
    assert {names[int(code)] for code in np.unique(fitted.class_map(pixels))} == {
        "background", "pen", "unscanned_black",
    }  # fmt: skip


@dataclass(frozen=True)
class Constant:
    """A fitted segmenter that says the same everywhere, and knows where it was asked."""

    scheme: ClassScheme
    code: int = 0
    context_um: float = 500.0
    work_mpp: float | None = None
    signal: None = None
    facts: dict = field(default_factory=lambda: {"constant": True})
    places: list = field(default_factory=list)

    def class_map(self, pixels):
        return np.where(pixels.valid, self.code, UNSCANNED_CODE).astype(np.uint8)

    def class_map_at(self, pixels, place):
        self.places.append(place)
        return self.class_map(pixels)

    def may_hold_foreground(self, overview):
        return np.zeros(overview.valid.shape, bool)


def replace_tissue_by_nothing(fitted):
    return Constant(fitted.scheme, context_um=0.0)


def test_a_placed_segmenter_is_asked_with_its_place_and_its_larger_context_is_kept():
    pixels = marked()
    overview = overview_of_picture(pixels)
    inner = Constant(TissueSegmenter().fit(overview).scheme, code=1)
    fitted = with_exclusions(inner, ExclusionSettings(**SMALL, pen=True), overview, ONE_UM)
    place = TilePlace(Region(0, 0, 240, 200), np.arange(240) + 0.5, np.arange(200) + 0.5)
    np.testing.assert_array_equal(fitted.class_map_at(pixels, place), fitted.class_map(pixels))
    assert inner.places == [place]
    assert fitted.context_um == 500.0


def test_ink_must_be_read_even_where_the_inner_segmenter_needs_nothing():
    pixels = marked()
    overview = overview_of_picture(pixels)
    inner = Constant(TissueSegmenter().fit(overview).scheme)
    fitted = with_exclusions(inner, ExclusionSettings(**SMALL, pen=True), overview, ONE_UM)
    found = fitted.class_map(pixels)[:200, :240].reshape(50, 4, 60, 4) > 1
    assert fitted.may_hold_foreground(overview)[found.any(axis=(1, 3))].mean() > 0.95
    no_ink = with_exclusions(inner, ExclusionSettings(fold=True, unscanned_black="off"), overview, ONE_UM)
    assert not no_ink.may_hold_foreground(overview).any()


def test_reserved_codes_are_never_written_over():
    pixels = marked()
    overview = overview_of_picture(pixels)
    outside = Constant(TissueSegmenter().fit(overview).scheme, code=OUTSIDE_ROI_CODE)
    fitted = with_exclusions(outside, ExclusionSettings(**ALL), overview, ONE_UM)
    valid = pixels.valid.copy()
    valid[:30] = False
    classes = fitted.class_map(TilePixels(pixels.rgb, valid))
    assert (classes[:30] == UNSCANNED_CODE).all()
    assert (classes[30:] == OUTSIDE_ROI_CODE).all()


def test_the_facts_keep_the_inner_ones_and_can_be_written_as_json():
    pixels = marked()
    overview = overview_of_picture(pixels)
    inner = StainSegmenter().fit(overview)
    facts = json.loads(json.dumps(with_exclusions(inner, ExclusionSettings(**ALL), overview, ONE_UM).facts))
    assert facts["threshold"] == inner.facts["threshold"]
    own = facts["exclusions"]
    assert own["order"] == ["unscanned_black", "pen", "bubble", "fold", "out_of_focus"]
    assert own["pen"]["window_px"] == 51
    assert own["out_of_focus"]["scale_px"] == 2
    assert own["fold"]["least_od"] >= 0.6
    assert own["white"] == pytest.approx([243, 242, 244], abs=1)
    assert own["signal_dropped"] is True  # the fused kernel that would add it up does not run


def test_a_class_of_that_name_serves_if_it_is_excluded_and_is_refused_if_not():
    pixels = marked()
    overview = overview_of_picture(pixels)
    background = TissueClass(0, "background", (255, 255, 255))
    for excluded in (True, False):
        scheme = ClassScheme((background, TissueClass(1, "pen", (0, 0, 9), is_excluded=excluded)))
        if excluded:
            fitted = with_exclusions(
                Constant(scheme), ExclusionSettings(pen=True, unscanned_black="off"), overview, ONE_UM
            )
            assert fitted.scheme == scheme
            assert (fitted.class_map(pixels) == 1).any()
        else:
            with pytest.raises(SettingsError, match=r"class 'pen' that is not excluded.*rename"):
                with_exclusions(Constant(scheme), ExclusionSettings(pen=True), overview, ONE_UM)


@pytest.mark.parametrize(
    ("exclusions", "mpp", "words"),
    [
        ({"pen": True}, None, "pen have scales in µm and this slide has no pixel size"),
        ({"out_of_focus": True}, Mpp(1.2, 1.2), "at most 1 µm, these are 1.2 µm; set tiling.work_mpp to 1"),
        ({"out_of_focus": True, "focus_scale_um": 3}, Mpp(2.1, 2.0), "at most 2 µm"),
        ({"fold": True}, Mpp(4.5, 4.5), "at most 4 µm"),
    ],
)
def test_a_pixel_size_that_is_unknown_or_too_coarse_is_refused(exclusions, mpp, words):
    overview = overview_of_picture(marked())
    with pytest.raises(MissingMppError if mpp is None else SettingsError, match=words):
        with_exclusions(TissueSegmenter().fit(overview), ExclusionSettings(**exclusions), overview, mpp)


def test_ink_folds_and_bubbles_are_refused_on_a_dark_field_but_focus_is_not():
    rgb = noisy(6, 2)
    rgb[60:140, 60:140] = np.random.default_rng(1).integers(60, 200, (80, 80, 3))
    overview = replace(overview_of(rgb), mpp=ONE_UM)
    inner = TissueSegmenter().fit(overview)
    for name in ("pen", "fold", "bubble"):
        with pytest.raises(SettingsError, match=f"exclusions {name} are of bright-field slides"):
            with_exclusions(inner, ExclusionSettings(**{name: True}), overview, ONE_UM)
    fitted = with_exclusions(inner, ExclusionSettings(out_of_focus=True), overview, ONE_UM)
    assert set(np.unique(fitted.class_map(all_valid(rgb))).tolist()) == {0, 1}


def test_painted_black_is_excluded_without_a_pixel_size_too_and_left_alone_if_so_set():
    pixels = marked()
    overview = replace(overview_of_picture(pixels), mpp=None)
    inner = TissueSegmenter().fit(overview)
    fitted = with_exclusions(inner, ExclusionSettings(), overview, None)
    assert fitted.context_um == 0
    assert (fitted.class_map(pixels)[:, 225:] == 2).all()
    assert with_exclusions(inner, ExclusionSettings(unscanned_black="off"), overview, None) is inner


def test_a_slide_without_tissue_has_no_folds():
    overview = replace(overview_of(noisy(240, 2)), mpp=ONE_UM)
    fitted = with_exclusions(TissueSegmenter().fit(overview), ExclusionSettings(fold=True), overview, ONE_UM)
    assert fitted.facts["exclusions"]["fold"]["least_od"] is None
    assert (fitted.class_map(all_valid(noisy(150, 30))) < 2).all()


def test_a_slide_of_which_nothing_is_valid_can_still_be_fitted():
    picture = marked()
    nothing = Overview(
        np.zeros((50, 60, 3), np.uint8), np.zeros((50, 60), bool), overview_of_picture(picture).size_l0_px, ONE_UM
    )
    fitted = with_exclusions(TissueSegmenter().fit(nothing), ExclusionSettings(**ALL), nothing, ONE_UM)
    assert fitted.facts["exclusions"]["white"] is None
    assert fitted.class_map(picture).shape == (200, 240)


def test_settings_refuse_unknown_keys_and_windows_that_hold_no_detail():
    with pytest.raises(ValidationError, match="pens"):
        ExclusionSettings(pens=True)
    with pytest.raises(ValidationError, match="at least 20"):
        ExclusionSettings(focus_window_um=10, focus_scale_um=4)
