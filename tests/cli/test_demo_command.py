"""`wsi-area demo`: the first thing a newcomer runs; it must end well, say why, and say what is next."""

import shutil
from pathlib import Path

import pytest
from command_line import Ended, wsi_area

from wsi_area.demo import measured as measured_module
from wsi_area.demo import slide as slide_module
from wsi_area.demo.islands import ISLANDS
from wsi_area.demo.measured import DEMO_SETTINGS
from wsi_area.demo.slide import DemoTruth
from wsi_area.results.opened_run import open_run
from wsi_area.settings.run_settings import load


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """The demo, run once; and what it printed."""
    out = tmp_path_factory.mktemp("demo") / "out"
    return out, wsi_area("demo", "--out", out)


@pytest.fixture
def built_already(demo: tuple[Path, Ended], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of that demo, with the painting of the same bytes made short."""
    out, _ = demo
    kept = out / "kept.svs"
    shutil.copyfile(out / "demo.svs", kept)
    monkeypatch.setattr(slide_module, "_write", lambda path, seed: shutil.copyfile(kept, path))
    return out


def test_the_demo_ends_well_with_the_truth_beside_what_was_measured(demo: tuple[Path, Ended]) -> None:
    out, ended = demo
    assert ended.code == 0
    for text in ("Held against the truth", "true mm²", "measured mm²", "tissue", "DAB-positive"):
        assert text in ended.out
    assert ended.out.count("✓") == 3 + len(ISLANDS) + 1  # areas of the slide, a region for each island, the burden
    assert "✗" not in ended.out
    assert "= 64000000 = 8000 × 8000 px" in ended.out
    assert "wsi-area run" in ended.out  # what is next
    assert str(out / "run" / "summary.csv") in ended.out
    assert "demo.svs" in ended.err


def test_its_numbers_are_within_a_thousandth_and_its_pixels_add_up(demo: tuple[Path, Ended]) -> None:
    record = open_run(demo[0] / "run")["demo"].result.model_dump(mode="json")
    # the areas of the islands and their nests, in mm²
    assert record["tissue"]["area_mm2"] == pytest.approx(6.51859, rel=1e-3)
    assert record["tumor"]["area_mm2"] == pytest.approx(1.78339, rel=1e-3)
    assert sum(record["counts"]["n_px_by_class"]) == 8000 * 8000
    assert record["vendor"] == "aperio"
    assert record["work"]["tiles_skipped"] == 0  # so few tiles look bare that all of them are in the sample


def test_the_same_again_measures_nothing_anew_and_speaks_json(built_already: Path) -> None:
    written = (built_already / "demo.svs").stat().st_mtime_ns
    ended = wsi_area("demo", "--out", built_already, "--json")
    assert ended.code == 0
    assert "already measured" in ended.err
    assert ended.document["passed"] is True
    told = {line["name"]: line["ok"] for line in ended.document["comparison"]}
    assert set(told) > {f"region: {island.name}, tissue" for island in ISLANDS}
    assert all(told.values())
    for line in ended.document["comparison"]:
        assert line["measured_mm2"] == pytest.approx(line["true_mm2"], rel=line["tolerance_relative"])
    assert [s["slide_id"] for s in ended.document["slides"]] == ["demo"]
    assert (built_already / "demo.svs").stat().st_mtime_ns == written


def test_a_measurement_that_misses_the_truth_is_exit_4(
    built_already: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build = slide_module.build_demo_slide

    def stricter(path: Path) -> DemoTruth:
        truth = build(path)
        return DemoTruth(truth.path, truth.size_px, truth.mpp, truth.islands, tolerance_relative=1e-9)

    monkeypatch.setattr(measured_module, "build_demo_slide", stricter)
    ended = wsi_area("demo", "--out", built_already)
    assert ended.code == 4
    assert "✗" in ended.out
    assert wsi_area("demo", "--out", built_already, "--json").document["passed"] is False


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ended = wsi_area("demo", "--out", tmp_path / "file" / "deeper")
    assert ended.code == 1
    assert str(tmp_path / "file" / "deeper") in ended.err


def test_the_demo_measures_as_the_ihc_config_does_and_says_that_what_is_positive_is_its_tumour(configs: Path) -> None:
    config = load(configs / "ihc_dab.toml").canonical()
    demo = DEMO_SETTINGS.canonical()
    said = [c.pop("is_tumor", False) for c in demo["segmenter"]["classes"]]
    assert said == [False, False, True, True, True]
    assert not any(c.pop("is_tumor", False) for c in config["segmenter"]["classes"])
    assert demo["segmenter"] == config["segmenter"]
    assert demo["tiling"]["work_mpp"] == config["tiling"]["work_mpp"] == 0.5
