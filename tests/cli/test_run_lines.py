"""`wsi-area run`: the lines before and after the table, and --fail-fast."""

import json
from pathlib import Path

import pytest
from command_line import wsi_area
from stain_settings import POSITIVE_IS_TUMOUR
from synthetic import FileForm, disc, write_slide, write_text_slide

from wsi_area.model.geometry import Size

SIZE = Size(400, 300)
ONE_BY_ONE = ("--set", "run.slides_in_flight=1", "--set", "run.executor=serial")


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files that are no slides, one that is, one without a pixel size."""
    folder = tmp_path_factory.mktemp("slides")
    for name in ("a.svs", "b.svs"):
        write_text_slide(folder / name)
    write_slide(folder / "c.tif", SIZE, {"tissue": disc(SIZE, 200, 150, 80)})
    write_slide(folder / "d.tif", SIZE, {"tissue": disc(SIZE, 200, 150, 60)}, FileForm(mpp=None))
    return folder


def test_who_gives_no_settings_is_told_what_is_used_and_who_does_is_not(
    slides: Path, tmp_path: Path, configs: Path
) -> None:
    bare = wsi_area("run", slides / "c.tif", "--out", tmp_path / "1", "--no-report")
    (line,) = (text for text in bare.err.splitlines() if "--config" in text)
    assert "segmenter tissue (background auto, threshold otsu) at the finest level" in line
    assert "--config he_tissue" in line
    settings = json.loads((tmp_path / "1" / "run.json").read_text())["settings"]
    assert (settings["segmenter"]["name"], settings["tiling"]["work_mpp"]) == ("tissue", None)  # which is true
    scaled = wsi_area("run", slides / "c.tif", "--out", tmp_path / "2", "--no-report", "--set", "tiling.work_mpp=1")
    assert "at 1 µm/px" in scaled.err
    for said in (("--config", configs / "he_tissue.toml"), ("--set", "segmenter.threshold=60")):
        told = wsi_area("run", slides / "c.tif", "--out", tmp_path / str(said[1])[-4:], "--no-report", *said)
        assert "--config" not in told.err


def test_fail_fast_starts_nothing_after_the_first_failure(slides: Path, tmp_path: Path) -> None:
    asked = ("run", slides, "--set", "segmenter.threshold=60", *ONE_BY_ONE, "--no-report", "--json")
    fast = wsi_area(*asked, "--out", tmp_path / "fast", "--fail-fast")
    assert fast.code == 2
    assert [r["slide_id"] for r in fast.document["slides"] if r.get("error") == "Interrupted"] == ["b", "c", "d"]
    run = json.loads((tmp_path / "fast/run.json").read_text())
    assert (run["settings"]["run"]["fail_fast"], run["settings_origin"]["run.fail_fast"]) == (True, "command line")
    slow = wsi_area(*asked, "--out", tmp_path / "slow")
    assert [r["status"] for r in slow.document["slides"]] == ["failed", "failed", "complete", "needs_calibration"]


def test_a_failure_is_told_in_full_once_under_one_heading(slides: Path, tmp_path: Path) -> None:
    ended = wsi_area("run", slides, "--out", tmp_path / "o", "--set", "segmenter.threshold=60", "--no-report")
    assert ended.out.splitlines().count("FAILED") == 1
    reason = json.loads((tmp_path / "o/run.json").read_text())["slides"]["a"]["reason"]
    both = ended.out + ended.err
    assert both.count(reason) == 1
    assert max(map(len, (line for line in ended.err.splitlines() if line.startswith("[")))) < 100


def test_a_shard_counts_its_own_slides_and_promises_no_table_that_is_not_there(slides: Path, tmp_path: Path) -> None:
    asked = ("run", slides, "--out", tmp_path / "o", "--set", "segmenter.threshold=60")
    done = 0
    for index in (1, 2):
        ended = wsi_area(*asked, "--shard", f"{index}/2")
        assert "summary.csv" not in ended.out
        assert f"after the last: wsi-area merge {tmp_path / 'o'}" in ended.out
        counted = [line for line in ended.err.splitlines() if line.startswith("[")]
        assert counted[-1].startswith(f"[{len(counted)}/{len(counted)}] ")
        done += len(counted)
    assert done == 4
    assert not (tmp_path / "o/summary.csv").exists()
    merged = wsi_area("merge", tmp_path / "o")
    assert f"Tables: {tmp_path / 'o' / 'summary.csv'}" in merged.out
    assert (tmp_path / "o/summary.csv").exists()


def test_people_read_tumour_of_a_total_and_programs_its_key(tmp_path: Path, configs: Path) -> None:
    runs = []
    for date, radius in (("march", 90), ("june", 70)):
        (tmp_path / date).mkdir()
        slide = write_slide(tmp_path / date / "s.tif", SIZE, {"dab": disc(SIZE, 200, 150, radius)}).path
        runs.append(tmp_path / f"{date}-out")
        asked = (
            "run",
            slide,
            "--config",
            configs / "ihc_dab.toml",
            "--set",
            POSITIVE_IS_TUMOUR,
            "--out",
            runs[-1],
            "--no-report",
        )
        assert wsi_area(*asked).code == 0
    explained = wsi_area("explain", runs[0]).out
    assert "tumour pixels" in explained
    assert "tumor" not in explained
    assert "tumor" in [entry["name"] for entry in wsi_area("explain", runs[0], "--json").document["classes"]]
    changed = [line.split() for line in wsi_area("change", *runs).out.splitlines() if line.startswith("s ")]
    assert "tumour" in {line[1] for line in changed}
    assert "tumor" not in {line[1] for line in changed}
    assert "tumor" in {row["class_name"] for row in wsi_area("change", *runs, "--json").document["changes"]}
    assert wsi_area("diff", *runs).out.splitlines()[-1] == "1 slide in both: 1 differs"


def test_check_says_what_the_letter_beside_a_pixel_size_means(slides: Path) -> None:
    line = next(text for text in wsi_area("check", slides / "c.tif").out.splitlines() if text.startswith("Quality"))
    assert "(± 3.9 %)" in line  # 1.96 times twice the 1 % of a TIFF tag, which is quality B
    assert "Quality" not in wsi_area("check", slides / "d.tif").out
