"""What a result says of other thresholds is what the slide gives when it is measured again with them."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from scipy.ndimage import gaussian_filter

from wsi_area.audit.verify import verify_run
from wsi_area.cli.commands.explain import command
from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

POINTS = 0.02  # of the tissue: what is claimed and what a second run gives differ by no more
FILTERS = ("objects.min_tissue_um2=60", "objects.max_hole_um2=60")
SHIFTED = ("-5%", "+5%")


def textured_slide(path: Path, side_px: int = 1024, um: float = 1.0) -> Path:
    """A body of tissue with a rim that fades, and specks near the threshold and near a filter's size."""
    random = np.random.default_rng(5)
    y, x = np.mgrid[:side_px, :side_px] - side_px / 2
    body = 60 / (1 + np.exp((np.hypot(x, y) - 0.3 * side_px) / 25))
    grain = gaussian_filter(random.normal(0, 1, (side_px, side_px)), 2.5)
    darkness = 12 + body + 12 * grain / grain.std() * 0.6
    rgb = (255 - np.clip(darkness, 0, 255)).astype(np.uint8)[..., None].repeat(3, axis=-1)
    size = {"resolution": (1e4 / um, 1e4 / um), "resolutionunit": "CENTIMETER"}
    tifffile.imwrite(path, rgb, tile=(128, 128), photometric="rgb", compression="deflate", metadata=None, **size)
    return path


def measured(slide: Path, out: Path, *assignments: str, preset: str | None = None) -> dict:
    run_slides(collect_slides([str(slide)]), load(preset, list(assignments)), out)
    (name,) = open_run(out)
    return open_run(out)[name].result.model_dump()


def claimed_and_again(
    slide: Path, out: Path, *assignments: str, preset: str | None = None
) -> list[tuple[float, float]]:
    """The share of the tissue at each shifted threshold: as the result has it, and from a run with it typed."""
    first = measured(slide, out / "used", *assignments, preset=preset)
    used_px = first["tissue"]["n_px"]
    pairs = []
    for moved in first["tissue_by_threshold"]["moved"]:
        if moved["shift"] == "used":
            assert moved["share_of_used"] == 1
            continue
        typed = f"segmenter.threshold={moved['threshold']}"
        again = measured(slide, out / moved["shift"], *assignments, typed, preset=preset)
        pairs.append((moved["share_of_used"], again["tissue"]["n_px"] / used_px))
        by_area = first["tissue_mm2_by_threshold"][moved["shift"]] / first["tissue"]["area_mm2"]
        assert by_area == pytest.approx(moved["share_of_used"])
    return pairs


FLAT = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=40")


def test_without_filters_every_tile_counted_gives_exactly_what_a_run_with_that_threshold_gives(tmp_path):
    pairs = claimed_and_again(textured_slide(tmp_path / "s.tif"), tmp_path, *FLAT, "tiling.skip_glass=false")
    assert all(claimed == again for claimed, again in pairs)
    assert abs(pairs[0][0] - 1) > 0.01  # there is something to claim


def test_without_filters_no_class_map_is_counted_again_for_the_other_thresholds(tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr("wsi_area.run.work.probing.probed_tile.count_class_map", lambda *given: counted.append(given))
    first = measured(textured_slide(tmp_path / "s.tif"), tmp_path / "run", *FLAT, "run.executor=serial")
    lower, used, higher = (moved["share_of_used"] for moved in first["tissue_by_threshold"]["moved"])
    assert lower > used == 1 > higher
    assert counted == []


@pytest.mark.parametrize("work_um", [1.0, 2.0])
def test_with_many_specks_and_filters_the_claim_is_within_two_points_of_a_run_with_that_threshold(tmp_path, work_um):
    slide = textured_slide(tmp_path / "s.tif")
    pairs = claimed_and_again(slide, tmp_path, *FLAT, *FILTERS, f"tiling.work_mpp={work_um}")
    for claimed, again in pairs:
        assert claimed == pytest.approx(again, abs=POINTS)


def test_with_exclusions_asked_for_the_claim_is_within_two_points_of_a_run_with_that_threshold(tmp_path):
    settings = (*FLAT, *FILTERS, "exclusions.pen=true", "exclusions.out_of_focus=true", "tiling.work_mpp=1.0")
    for claimed, again in claimed_and_again(textured_slide(tmp_path / "s.tif"), tmp_path, *settings):
        assert claimed == pytest.approx(again, abs=POINTS)


def test_a_sample_of_the_tiles_says_how_large_it_is_and_is_as_sure_as_it_says(tmp_path):
    slide = textured_slide(tmp_path / "s.tif", 2048)
    settings = (*FLAT, "tiling.tile_px=128", "tiling.skip_glass=false")
    sample = measured(slide, tmp_path / "sample", *settings)
    told = sample["tissue_by_threshold"]
    assert (told["tiles"], told["of_tiles"]) == (16, 256)
    for moved in told["moved"]:
        if moved["shift"] in SHIFTED:
            again = measured(slide, tmp_path / moved["shift"], *settings, f"segmenter.threshold={moved['threshold']}")
            real = again["tissue"]["n_px"] / sample["tissue"]["n_px"]
            assert 0 < moved["share_u"] < 0.05
            assert moved["share_of_used"] == pytest.approx(real, abs=3 * moved["share_u"])


def test_who_does_the_work_and_a_run_that_is_continued_count_the_same(tmp_path):
    slide = textured_slide(tmp_path / "s.tif")
    settings = (*FLAT, *FILTERS, "tiling.tile_px=128")
    threads = measured(slide, tmp_path / "a", *settings)
    serial = measured(slide, tmp_path / "b", *settings, "run.executor=serial")
    again = measured(slide, tmp_path / "a", *settings)
    assert threads["tissue_by_threshold"] == serial["tissue_by_threshold"] == again["tissue_by_threshold"]


@pytest.mark.parametrize("name", ["OS-2-ndpi.tif", "CMU-1-Small-Region.svs"])
@pytest.mark.parametrize("preset", ["he_tissue", "he_tissue_clean"])
def test_on_real_slides_the_claim_is_within_two_points_of_a_run_with_that_threshold(testdata, tmp_path, name, preset):
    for claimed, again in claimed_and_again(testdata / "slides" / name, tmp_path, preset=preset):
        assert claimed == pytest.approx(again, abs=POINTS)


ROI = {"type": "Polygon", "coordinates": [[[100, 90], [900, 120], [700, 950], [60, 700]]]}


@pytest.mark.parametrize(
    "settings",
    [
        ("tiling.skip_glass=false",),
        (*FILTERS, "tiling.tile_px=64"),
        ("tiling.tile_px=64", "roi"),
        (*FILTERS, "run.executor=serial", "exclusions.pen=true", "roi"),
    ],
)
def test_verify_makes_the_tissue_at_other_thresholds_again_from_the_ledger(tmp_path, settings):
    slide, roi = textured_slide(tmp_path / "s.tif"), None
    if "roi" in settings:
        roi = tmp_path / "roi.geojson"
        roi.write_text(json.dumps({"type": "Feature", "geometry": ROI, "properties": {}}))
    own = [assignment for assignment in settings if assignment != "roi"]
    run_slides(collect_slides([str(slide)], roi=roi), load(None, [*FLAT, *own]), tmp_path / "out")
    assert not verify_run(tmp_path / "out").disagreements


def falsified(document, part):
    moved = document["tissue_by_threshold"]["moved"][0]
    if part == "tissue_mm2_by_threshold":
        document[part]["+5%"] *= 1.01
    else:
        moved[part] = moved[part] + 1 if isinstance(moved[part], int) else moved[part] / 2 + 0.001


@pytest.mark.parametrize("part", ["n_px", "threshold", "share_of_used", "share_u", "tissue_mm2_by_threshold"])
def test_verify_finds_what_was_changed_of_other_thresholds(tmp_path, part):
    measured(textured_slide(tmp_path / "s.tif"), tmp_path / "out", *FLAT)
    place = tmp_path / "out/slides/s/result.json"
    document = json.loads(place.read_text())
    falsified(document, part)
    place.write_text(json.dumps(document))
    named = {fault.what for fault in verify_run(tmp_path / "out").disagreements}
    assert named & {"tissue_by_threshold", "tissue_mm2_by_threshold"}


def test_explain_says_what_the_tissue_would_be_at_other_thresholds(tmp_path):
    found = measured(textured_slide(tmp_path / "s.tif"), tmp_path / "out", *FLAT)
    said = CliRunner().invoke(command, [str(tmp_path / "out")]).stdout
    assert "with the threshold moved" in said
    for shift in SHIFTED:
        assert f"at {shift.replace('-', '−')}" in said
    told = json.loads(CliRunner().invoke(command, [str(tmp_path / "out"), "--json"]).stdout)
    assert [m["n_px"] for m in told["tissue_by_threshold"]["moved"]] == [
        m["n_px"] for m in found["tissue_by_threshold"]["moved"]
    ]
