"""The ONNX segmenter through the whole line: the same integers however a slide is cut and whoever does the work."""

import numpy as np
import pytest
from measuring import class_maps_of, counts_of
from onnx import numpy_helper
from onnx_networks import (
    THREE_CLASSES,
    darker_than_window,
    pooled_red_below,
    random_unet,
    red_below,
    write_network,
)
from synthetic import FileForm, box, disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.run.pipeline import run_slides
from wsi_area.segmenters.onnx import session as onnx_session
from wsi_area.settings.run_settings import load

SIZE = Size(640, 500)


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    """Two paints on noisy glass, 0.25 µm/px, one stored tile never scanned."""
    shapes = {"tissue": box(SIZE, 40, 60, 250, 400), "dab": disc(SIZE, 450, 330, 120)}
    form = FileForm(downsamples=(1, 2), mpp=Mpp(0.25, 0.25), tile_px=64)
    path = tmp_path_factory.mktemp("slide") / "two.tif"
    return write_slide(path, SIZE, shapes, form, noise_sd=5, unscanned=(Region(512, 0, 128, 128),))


def run(slide, network, out, *assignments):
    settings = load(None, ["segmenter.name=onnx", f'segmenter.model="{network}"', *assignments])
    return run_slides(collect_slides([str(slide.path)]), settings, out)


def test_a_network_that_looks_at_one_pixel_counts_the_painted_pixels(slide, tmp_path):
    network = write_network(tmp_path, red_below(170), mpp_um=0.25)  # between the two paints
    (counts,) = counts_of(run(slide, network, tmp_path / "out"))
    assert not onnx_session._sessions  # nothing is kept for tiles that are done
    dab, unscanned = slide.truth.px["dab"], slide.truth.unscanned_px
    assert counts == (SIZE.area_px - dab - unscanned, dab, unscanned, 0, 0)


NETWORKS = {
    # name: network, classes, card; the slide is shown at 0.25, 0.5 and, resampled, 0.6 and 0.4 µm/px
    "pooled": (pooled_red_below(225, 8), None, {"context_px": 7, "divisible_by": 8, "mpp_um": 0.5}),
    "window": (darker_than_window(), None, {"context_px": "window", "overlap_px": 8, "mpp_um": 0.6}),
    "coarser": (pooled_red_below(225, 8), None, {"context_px": 7, "divisible_by": 8, "mpp_um": 0.6}),
    "skips": (
        random_unet(base=4),
        THREE_CLASSES,
        {"context_px": 20, "divisible_by": 4, "window_px": 104, "mpp_um": 0.4},
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_counts_and_the_class_map_do_not_depend_on_the_tiles(slide, tmp_path, name):
    model, classes, card = NETWORKS[name]
    network = write_network(tmp_path, model, classes=classes or THREE_CLASSES[:2], background_is_glass=False, **card)
    outcomes = {
        tile_px: run(slide, network, tmp_path / f"{tile_px}", f"tiling.tile_px={tile_px}", "run.workers=2")
        for tile_px in (64, 100, 256, 777)
    }
    counts = {tile_px: counts_of(outcome) for tile_px, outcome in outcomes.items()}
    assert counts[64] == counts[100] == counts[256] == counts[777]
    (only,) = counts[64]
    assert sum(only) == SIZE.area_px
    assert sum(n > 0 for n in only[:-3]) > 1  # it has an opinion
    maps = [class_maps_of(tmp_path / f"{tile_px}") for tile_px in outcomes]
    for other in maps[1:]:
        assert np.array_equal(other["two"], maps[0]["two"])


def test_the_record_says_which_network_it_was(slide, tmp_path):
    network = write_network(tmp_path, red_below(170), mpp_um=0.5)
    (record,) = run(slide, network, tmp_path / "out").documents
    facts = record["segmenter"]["facts"]
    assert facts["network"] == "small"
    assert facts["card"]["model_sha256"] == facts["model_sha256"]
    assert facts["provider"] == "CPUExecutionProvider"


def test_a_slide_without_a_pixel_size_is_not_measured_with_a_guess(tmp_path):
    plain = write_slide(tmp_path / "plain.tif", Size(256, 256), {"dab": box(Size(256, 256), 20, 20, 90, 90)},
                        FileForm(mpp=None))  # fmt: skip
    network = write_network(tmp_path, red_below(170))
    outcome = run(plain, network, tmp_path / "out")
    (record,) = outcome.documents
    assert record["status"] == "needs_calibration"
    assert "has no pixel size; give one with --mpp" in record["reason"]


def test_the_settings_that_come_along_need_only_a_network(configs, tmp_path):
    network = write_network(tmp_path, red_below(170))
    settings = load(configs / "onnx_model.toml", [f'segmenter.model="{network}"'])
    assert settings.segmenter.own == {"model": str(network)}
    with pytest.raises(SettingsError, match=r"model.onnx cannot be read .*; give its .onnx file as segmenter.model"):
        load(configs / "onnx_model.toml")


ACCURATE = {"accuracy": {"measure": "Dice", "value": 0.9, "held_out": "three painted slides"}}
PAINTED = {"groups": 5, "ranges": {"red_share_median": (0.05, 0.2), "blue_share_median": (0.2, 0.4)}}
UNLIKE = {"groups": 5, "ranges": {"red_share_median": (0.9, 1.0)}}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Glass without noise, most of which need not be read."""
    shapes = {"tissue": box(SIZE, 40, 60, 150, 200), "dab": disc(SIZE, 250, 130, 50)}
    form = FileForm(downsamples=(1, 2), mpp=Mpp(0.25, 0.25), tile_px=64)
    return write_slide(tmp_path_factory.mktemp("clean") / "clean.tif", SIZE, shapes, form, noise_sd=0)


def above(limit):
    """The classes of ``red_below`` the wrong way round: glass is class 1."""
    model = red_below(limit)
    for tensor in model.graph.initializer:
        values = -numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model


@pytest.mark.parametrize(
    ("model", "also", "is_glass", "expected"),
    [
        (red_below(200), ACCURATE, True, set()),
        (red_below(200), {}, True, {"ACCURACY_UNKNOWN"}),
        (red_below(200), {**ACCURATE, "appearance": PAINTED}, True, set()),
        (red_below(200), {**ACCURATE, "appearance": UNLIKE}, True, {"MODEL_UNLIKE_TRAINING"}),
        (above(200), ACCURATE, True, {"GLASS_NOT_BACKGROUND", "ALL_TISSUE", "SKIP_BOUND_HIGH"}),
        (above(-10), ACCURATE, True, {"GLASS_NOT_BACKGROUND", "ALL_TISSUE", "SKIP_BOUND_HIGH"}),
        (above(-10), ACCURATE, False, {"ALL_TISSUE"}),
    ],
)
def test_what_is_doubtful_of_a_network_is_told_and_nothing_else(clean, tmp_path, model, also, is_glass, expected):
    network = write_network(tmp_path, model, also=also, background_is_glass=is_glass, mpp_um=0.25)
    more = ("tiling.tile_px=32", "tiling.skip_margin_um=1")
    (document,) = run(clean, network, tmp_path / "out", *more).documents
    assert {f["code"] for f in document["findings"] if f["severity"] == "warning"} == expected


def test_a_misspelt_key_of_the_segmenter_is_refused_before_anything_starts(tmp_path):
    network = write_network(tmp_path, red_below(170))
    with pytest.raises(SettingsError, match=r"key of segmenter 'onnx': 'devise'; did you mean 'device'"):
        load(None, ["segmenter.name=onnx", f'segmenter.model="{network}"', "segmenter.devise=cpu"])


def network_runs(outcome):
    (ended,) = outcome.slides
    return ended.timing.network_runs


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_each_window_of_the_slide_is_shown_to_the_network_once(slide, tmp_path, executor):
    card = {"context_px": 8, "window_px": 64, "mpp_um": 0.25}
    network = write_network(tmp_path, red_below(170), background_is_glass=False, **card)
    outcome = run(slide, network, tmp_path / "out", f"run.executor={executor}")
    # a window keeps 48 px: 14 columns and 11 rows, of which 3 × 2 lie wholly where nothing was scanned
    assert network_runs(outcome) == 14 * 11 - 3 * 2
    pinned = run(slide, network, tmp_path / "pinned", "tiling.tile_px=96", f"run.executor={executor}")
    assert network_runs(pinned) == 14 * 11 - 3 * 2  # two windows a tile
    assert counts_of(pinned) == counts_of(outcome)
    across = run(slide, network, tmp_path / "across", "tiling.tile_px=100", f"run.executor={executor}")
    assert network_runs(across) > network_runs(pinned)  # a tile's edge cuts windows: it is counted, not assumed


def test_a_run_without_a_network_has_shown_it_nothing(slide, tmp_path):
    assert network_runs(run_slides([str(slide.path)], load(None, []), tmp_path / "out")) == 0
