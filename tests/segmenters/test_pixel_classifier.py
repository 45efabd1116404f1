import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pixel_models import SMALL, blobs, small_model
from pydantic import ValidationError
from traced import with_peak_bytes

from wsi_area.errors import PlanError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.segmenters import contract
from wsi_area.segmenters.contract import SegmenterContract
from wsi_area.segmenters.pixels.classifier import PixelClassifierSegmenter
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.model import save_model
from wsi_area.segmenters.protocol import PlacedSegmenter

HEIGHT, WIDTH = 190, 230


def _saved(tmp_path, **change):
    features = FeatureSet(**{"scales_um": SMALL.scales_um, "work_mpp_um": 1.0, "pitch_um": 2.0, **change})
    found = save_model(small_model(features), tmp_path / "model")
    return tmp_path / "model", found


def _slide():
    rgb = blobs(HEIGHT, WIDTH)
    valid = np.ones(rgb.shape[:2], bool)
    valid[:12, :30] = False
    return Overview(rgb, valid, Size(WIDTH, HEIGHT), Mpp(1.0, 1.0)), TilePixels(rgb, valid)


def _place(top, left, shape):
    return TilePlace(
        Region(left, top, shape[1], shape[0]), left + np.arange(shape[1]) + 0.5, top + np.arange(shape[0]) + 0.5
    )


def _by_tiles(fitted, pixels, tile_px, halo_px):
    out = np.full(pixels.valid.shape, 99, np.uint8)
    for top in range(0, HEIGHT, tile_px):
        for left in range(0, WIDTH, tile_px):
            y0, x0 = max(0, top - halo_px), max(0, left - halo_px)
            box = np.s_[y0 : top + tile_px + halo_px, x0 : left + tile_px + halo_px]
            part = TilePixels(pixels.rgb[box], pixels.valid[box])
            place = _place(y0, x0, part.valid.shape)
            core = fitted.class_map_at(part, place)[top - y0 :, left - x0 :][:tile_px, :tile_px]
            core_px = Region(left, top, core.shape[1], core.shape[0])
            np.testing.assert_array_equal(fitted.core_class_map_at(part, place, core_px), core)
            out[top : top + tile_px, left : left + tile_px] = core
    return out


class TestContract(SegmenterContract):
    @pytest.fixture(autouse=True)
    def _model(self, tmp_path):
        self.folder, _ = _saved(tmp_path, balanced=True)

    def segmenter(self):
        return PixelClassifierSegmenter(model=self.folder)

    def pictures(self):
        return _slide()


@settings(max_examples=8, deadline=None)
@given(
    tile_px=st.integers(25, 150),
    pitch_um=st.sampled_from([1.0, 2.0, 3.0, 5.0]),
    smoothing_um=st.sampled_from([0.0, 4.0]),
)
def test_the_class_map_is_the_same_bit_for_bit_for_every_tile_size(tmp_path_factory, tile_px, pitch_um, smoothing_um):
    overview, pixels = _slide()
    features = FeatureSet(scales_um=SMALL.scales_um, work_mpp_um=1.0, pitch_um=pitch_um)
    folder = tmp_path_factory.mktemp("any") / "model"
    save_model(small_model(features, smoothing_um), folder)
    fitted = PixelClassifierSegmenter(model=folder).fit(overview)
    halo_px = int(np.ceil(fitted.context_um))
    np.testing.assert_array_equal(_by_tiles(fitted, pixels, tile_px, halo_px), fitted.class_map(pixels))


def test_it_is_asked_with_its_place(tmp_path):
    fitted = PixelClassifierSegmenter(model=_saved(tmp_path)[0]).fit(_slide()[0])
    assert isinstance(fitted, PlacedSegmenter)


def test_too_small_a_halo_would_be_seen(tmp_path):
    overview, pixels = _slide()
    fitted = PixelClassifierSegmenter(model=_saved(tmp_path)[0]).fit(overview)
    assert not np.array_equal(_by_tiles(fitted, pixels, 37, 2), fitted.class_map(pixels))


def test_classes_pixel_size_and_facts_come_from_the_card(tmp_path):
    folder, found = _saved(tmp_path)
    fitted = PixelClassifierSegmenter(model=folder).fit(_slide()[0])
    assert [c.name for c in fitted.scheme.classes] == ["background", "stroma", "tumor"]
    assert fitted.scheme.names_tumor
    assert fitted.work_mpp == 1.0
    assert fitted.signal is None
    assert fitted.facts["model_sha256"] == found
    assert fitted.facts["about"]["accuracy"] == {"dice": 0.5}
    json.dumps(fitted.facts, allow_nan=False)


def test_the_configuration_may_rename_but_not_add_classes(tmp_path):
    folder, _ = _saved(tmp_path)
    entries = [{"id": i, "name": n, "color": "#102030"} for i, n in enumerate(("glass", "other", "focus"))]
    fitted = PixelClassifierSegmenter(model=folder, classes=entries).fit(_slide()[0])
    assert [c.name for c in fitted.scheme.classes] == ["glass", "other", "focus"]
    with pytest.raises(ValidationError, match="lists the ids"):
        PixelClassifierSegmenter(model=folder, classes=entries[:2])


def test_another_model_than_the_one_asked_for_is_refused(tmp_path):
    folder, found = _saved(tmp_path)
    assert PixelClassifierSegmenter(model=folder, model_sha256=found[:12]).model == folder
    with pytest.raises(ValidationError, match="give the folder of that model"):
        PixelClassifierSegmenter(model=folder, model_sha256="0" * 64)
    with pytest.raises(ValidationError, match="hexadecimal"):
        PixelClassifierSegmenter(model=folder, model_sha256="latest")


def test_a_missing_model_is_refused_before_any_slide_is_read(tmp_path):
    with pytest.raises(ValidationError, match="cannot be read"):
        PixelClassifierSegmenter(model=tmp_path / "nowhere")


def test_the_balance_is_found_on_the_overview_and_recorded(tmp_path):
    folder, _ = _saved(tmp_path, balanced=True)
    fitted = PixelClassifierSegmenter(model=folder).fit(_slide()[0])
    assert fitted.facts["colour_gain"] == list(fitted.balance.gain)
    assert PixelClassifierSegmenter(model=_saved(tmp_path / "b")[0]).fit(_slide()[0]).facts["colour_gain"] is None


def test_it_reads_all_tissue_and_what_was_not_wholly_scanned(tmp_path):
    overview, pixels = _slide()
    fitted = PixelClassifierSegmenter(model=_saved(tmp_path)[0]).fit(overview)
    asked = fitted.may_hold_foreground(overview)
    assert asked[~overview.valid].all()
    assert asked[pixels.rgb.min(axis=-1) < 180].all()


@pytest.mark.parametrize("mpp", [0.46, 0.5, 0.63, 0.75, 0.9, 0.97, 1.0, 1.02])
def test_for_any_pixel_size_a_plan_may_come_to_the_halo_is_enough(tmp_path, mpp):
    folder, _ = _saved(tmp_path)
    overview, pixels = _slide()
    fitted = PixelClassifierSegmenter(model=folder).fit(overview)
    own = fitted.at_work_mpp(Mpp(mpp, mpp))
    halo_px = int(np.ceil(fitted.context_um / mpp))
    np.testing.assert_array_equal(_by_tiles(own, pixels, 61, halo_px), own.class_map(pixels))
    assert pickle.loads(pickle.dumps(own)).model.features == own.model.features


@pytest.mark.parametrize("mpp", [0.3, 1.2, 30.0])
def test_a_pixel_size_far_from_the_models_is_refused(tmp_path, mpp):
    fitted = PixelClassifierSegmenter(model=_saved(tmp_path)[0]).fit(_slide()[0])
    with pytest.raises(PlanError, match="was trained at 1 µm/px"):
        fitted.at_work_mpp(Mpp(mpp, mpp))


def test_a_tile_without_a_scanned_pixel_is_all_unscanned(tmp_path):
    fitted = PixelClassifierSegmenter(model=_saved(tmp_path)[0]).fit(_slide()[0])
    nothing = TilePixels(np.zeros((9, 7, 3), np.uint8), np.zeros((9, 7), bool))
    assert (fitted.class_map_at(nothing, _place(40, 50, (9, 7))) == UNSCANNED_CODE).all()


def test_the_declarations_can_be_planned_with(tmp_path):
    contract.check_declarations(PixelClassifierSegmenter(model=_saved(tmp_path)[0]).fit(_slide()[0]))


@pytest.mark.parametrize("pitch_um", [1.0, 2.0])
def test_the_features_of_a_tile_are_never_held_at_once(pitch_um):
    features = FeatureSet(scales_um=(2.0, 3.0, 6.0), work_mpp_um=1.0, pitch_um=pitch_um)
    model, rgb = small_model(features), np.tile(blobs(100, 600), (6, 1, 1))
    pixels = TilePixels(rgb, np.ones(rgb.shape[:2], bool))
    model.class_map(pixels)  # whatever is compiled or loaded by the first
    _, peak = with_peak_bytes(lambda: model.class_map(pixels))
    cells = (600 // features.pitch_px) ** 2
    assert peak < 0.7 * len(features.names) * 4 * cells  # bytes
