"""`wsi-area run`: the contract that scripts rely on."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from command_line import Ended, wsi_area
from synthetic import FileForm, disc, nothing, write_slide, write_text_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run

SIZE = Size(600, 500)
# as in conventions.md §1, without what belongs to later versions (foci, filled areas)
COLUMNS = (
    "slide_id", "path", "sha_sample", "vendor", "objective_power", "width_px", "height_px", "mpp_x_um", "mpp_y_um",
    "mpp_source", "mpp_quality", "work_mpp_um", "n_px_total", "n_px_unscanned", "n_px_background", "n_px_excluded",
    "n_px_tissue", "n_px_tumor", "tissue_area_mm2", "tumor_area_mm2", "tumor_area_u_mm2", "tumor_area_ci95_low_mm2",
    "tumor_area_ci95_high_mm2", "tumor_area_scale_ci95_low_mm2", "tumor_area_scale_ci95_high_mm2",
    "tumor_pct_tissue", "threshold", "threshold_method", "status",
    "flags", "config_hash", "wsi_area_version",
)  # fmt: skip
CONFIG = """
[segmenter]
name = "tissue"
background = "bright"
threshold = 60

[[segmenter.classes]]
id = 0
name = "glass"
color = "#ffffff"

[[segmenter.classes]]
id = 1
name = "node_7"
color = "#d6609c"
is_tissue = true
is_tumor = true
"""


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a disc of tissue, an empty slide, one without a pixel size, and a settings file."""
    folder = tmp_path_factory.mktemp("slides")
    write_slide(folder / "disc.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, FileForm(mpp=Mpp(0.25, 0.26)))
    write_slide(folder / "empty.tif", SIZE, {"tissue": nothing(SIZE)})
    write_slide(folder / "unknown.tif", SIZE, {"tissue": disc(SIZE, 300, 250, 50)}, FileForm(mpp=None))
    (folder / "flat.toml").write_text(CONFIG)
    return folder


def run(slides: Path, out: Path, *arguments: str | Path, names: tuple[str, ...] = ("disc.tif",)) -> Ended:
    paths = [slides / name for name in names]
    return wsi_area("run", *paths, "--config", slides / "flat.toml", "--out", out, *arguments)


@pytest.fixture(scope="module")
def measured(slides: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """All three slides, measured; and what was printed."""
    out = tmp_path_factory.mktemp("measured") / "out"
    return out, run(slides, out, names=("disc.tif", "empty.tif", "unknown.tif"))


def cells(out: Path) -> dict[str, dict[str, str]]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        return {r["slide_id"]: r for r in csv.DictReader(file)}


# --- exit codes


def test_0_if_all_is_good(slides: Path, tmp_path: Path) -> None:
    assert run(slides, tmp_path / "out").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--help"),
        (["no-such-command"], "no-such-command"),
        (["run"], "--out"),
        (["run", "{disc}"], "--out"),
        (["run", "--out", "{out}"], "no slides were given"),
        (["run", "{disc}", "--out", "{out}", "--bogus"], "--bogus"),
        (["run", "{disc}", "--out", "{out}", "--workers", "0"], "--workers"),
        (["run", "{disc}", "--out", "{out}", "--workers", "two"], "--workers"),
        (["run", "{disc}", "--out", "{out}", "--set", "tiling.work_mpp"], "section.key=value"),
        (["run", "{disc}", "--out", "{out}", "--set", "tiling.work_mp=1"], "did you mean tiling.work_mpp?"),
        (["run", "{disc}", "--out", "{out}", "--set", "run.executor=gpu"], "run.executor"),
        (["run", "{disc}", "--out", "{out}", "--config", "absent.toml"], "absent.toml"),
        (["run", "{disc}", "--out", "{out}", "--manifest", "absent.csv"], "absent.csv"),
        (["run", "{disc}", "--out", "{out}", "--mpp", "0"], "--mpp"),
        (["run", "{disc}", "--out", "{out}", "--mpp-reason", "why not"], "--mpp"),
        (["plan", "{disc}", "--out", "{out}"], "--out"),
        (["check", "{disc}", "--bogus"], "--bogus"),
    ],
)
def test_1_for_what_cannot_be_meant_and_nothing_is_written(
    slides: Path, tmp_path: Path, arguments: list[str], says: str
) -> None:
    places = {"disc": slides / "disc.tif", "out": tmp_path / "out"}
    ended = wsi_area(*(a.format(**places) for a in arguments))
    assert ended.code == 1
    assert says in ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert not (tmp_path / "out").exists()


def test_2_if_a_slide_failed_and_3_if_one_lacks_a_pixel_size(slides: Path, tmp_path: Path) -> None:
    write_text_slide(tmp_path / "note.svs")
    assert run(slides, tmp_path / "3", names=("disc.tif", "unknown.tif")).code == 3
    # what failed outranks what is not calibrated
    assert run(slides, tmp_path / "2", names=("disc.tif", "unknown.tif", str(tmp_path / "note.svs"))).code == 2
    assert {name: r["status"] for name, r in cells(tmp_path / "2").items()} == {
        "disc": "complete", "unknown": "needs_calibration", "note": "failed",
    }  # fmt: skip


# --- what is printed


def test_json_is_all_there_is_on_standard_output(slides: Path, tmp_path: Path) -> None:
    ended = run(slides, tmp_path / "out", "--json", names=("disc.tif", "unknown.tif"))
    assert ended.code == ended.document["exit_code"] == 3
    disc_record, unknown = ended.document["slides"]
    assert disc_record == json.loads((tmp_path / "out/slides/disc/result.json").read_text())
    assert disc_record["tissue"]["n_px"] == 31_428
    assert unknown["tissue"]["area_mm2"] is None
    assert "[2/2]" in ended.err


def test_a_pipe_gets_whole_lines_without_colour_and_progress_goes_to_stderr(measured: tuple[Path, Ended]) -> None:
    out, ended = measured
    lines = ended.out.splitlines()
    assert lines[0].split("  ")[0] == "slide"
    by_slide = {line.split()[0]: line for line in lines[1:4]}
    assert list(by_slide) == ["disc", "empty", "unknown"]
    assert "complete" in by_slide["disc"]
    assert "0.002043 ± 0.000082" in by_slide["disc"]  # mm², with as many digits as its uncertainty leaves; k is 2
    assert "± 0.000080" in by_slide["disc"]  # of the pixel size alone: 1.96
    assert "0.25 × 0.26 openslide.mpp-x" in by_slide["disc"]
    assert "needs_calibration" in by_slide["unknown"]
    assert "\x1b" not in ended.out + ended.err
    assert str(out / "summary.csv") in ended.out
    assert sum(line.startswith(("[1/3]", "[2/3]", "[3/3]")) for line in ended.err.splitlines()) == 3


def test_a_long_name_is_neither_cut_nor_folded_in_a_pipe(tmp_path: Path) -> None:
    name = "TCGA-A2-A0YE-01Z-00-DX1.8A2E3094-5755-42BC-969D-7F0A2ECA0F39"
    slide = write_slide(tmp_path / f"{name}.tif", SIZE, {}, FileForm(mpp=None)).path
    for command in (("run", slide, "--out", tmp_path / "out"), ("plan", slide)):
        ended = wsi_area(*command)
        assert ended.code == 3
        row = ended.out.splitlines()[1]
        assert row.startswith(f"{name} ")
        assert "needs_calibration" in row or "direct" in row


@pytest.mark.parametrize("command", ["check", "plan", "run", "explain", "demo", None])
def test_every_command_has_a_help_that_can_be_read(command: str | None) -> None:
    ended = wsi_area(*([] if command is None else [command]), "--help")
    assert ended.code == 0
    assert ended.err == ""
    assert ended.out.startswith("Usage: wsi-area")
    assert "\\b" not in ended.out
    assert "\b" not in ended.out
    if command in {"check", "plan", "run", "explain", None}:  # examples stand on lines of their own
        assert any(line.strip().startswith(f"wsi-area {command or 'run'} ") for line in ended.out.splitlines()[1:])


def test_the_version_is_printed() -> None:
    from wsi_area import __version__

    assert wsi_area("--version").out.strip().endswith(__version__)


# --- options


def test_set_outranks_the_settings_file_and_both_are_on_record(slides: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = run(slides, out, "--set", "tiling.work_mpp=0.52", "--set", "segmenter.threshold=70", "--workers", "1")
    assert ended.code == 0
    about = open_run(out).run_record.model_dump(mode="json")
    assert about["settings"]["tiling"]["work_mpp"] == 0.52
    assert about["settings"]["segmenter"]["threshold"] == 70
    assert about["settings"]["segmenter"]["background"] == "bright"
    assert about["settings"]["run"]["workers"] == about["workers"] == 1
    assert about["argv"][:2] == ["wsi-area", "run"]
    assert about["slides_planned"] == ["disc"]
    assert (about["state"], about["exit_code"]) == ("finished", 0)
    row = cells(out)["disc"]
    assert row["asked_work_mpp_um"] == row["work_mpp_um"] == "0.52"
    assert float(row["threshold"]) == 70
    assert row["config_hash"] == about["config_hash"]


def test_a_manifest_names_the_slides_their_sizes_and_who_says_so(slides: Path, tmp_path: Path) -> None:
    lines = ["path,mpp_x,mpp_y,mpp_reason,slide_id", f"{slides / 'unknown.tif'},0.5,0.4,stage micrometer,S-1"]
    lines.append(f"{slides / 'disc.tif'},,,,S-2")
    (tmp_path / "m.csv").write_text("\n".join(lines))
    out = tmp_path / "out"
    ended = wsi_area("run", "--manifest", tmp_path / "m.csv", "--config", slides / "flat.toml", "--out", out)
    assert ended.code == 0
    found = cells(out)
    assert list(found) == ["S-1", "S-2"]
    assert (found["S-1"]["mpp_x_um"], found["S-1"]["mpp_y_um"]) == ("0.5", "0.4")
    assert found["S-1"]["mpp_note"] == "stage micrometer"
    assert "MPP_OVERRIDE" in found["S-1"]["flags"].split()
    n_px = int(found["S-1"]["n_px_class_node_7"])
    assert float(found["S-1"]["class_node_7_area_mm2"]) == pytest.approx(n_px * 0.2e-6)
    assert "MPP_OVERRIDE" not in found["S-2"]["flags"]


def test_a_list_of_slides_is_read_from_a_file(slides: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"# two slides\n{slides / 'disc.tif'}\n\n{slides / 'empty.tif'}\n")
    ended = wsi_area("run", f"@{tmp_path / 'list.txt'}", "--out", tmp_path / "out", "--json")
    assert [r["slide_id"] for r in ended.document["slides"]] == ["disc", "empty"]


def test_the_same_command_again_measures_nothing_and_another_is_refused_unless_forced(
    slides: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = run(slides, out, "--json")
    again = run(slides, out, "--json")
    assert again.code == 0
    assert "already measured" in again.err
    assert again.document["slides"] == first.document["slides"]  # its timing too: it is the earlier document
    other = run(slides, out, "--set", "segmenter.threshold=200")
    assert other.code == 1
    assert "--force" in other.err
    assert json.loads((out / "slides/disc/result.json").read_text()) == first.document["slides"][0]
    forced = run(slides, out, "--set", "segmenter.threshold=200", "--force", "--json")
    assert forced.code == 0
    assert forced.document["slides"][0]["tissue"]["n_px"] == 0


def test_who_wants_no_report_does_not_pay_for_its_pictures(slides: Path, tmp_path: Path) -> None:
    def pictures(*arguments: str) -> list[str]:
        assert run(slides, tmp_path / "out", *arguments).code == 0
        return [path.name for path in tmp_path.glob("out/slides/disc/*.png")]

    assert pictures("--no-report") == []
    assert pictures("--no-report", "--shard=1/1", "--force") == []
    assert pictures("--shard=1/1") == ["classes.png"]
    assert pictures("--shard=1/1", "--no-report", "--force") == []
    assert wsi_area("merge", tmp_path / "out").code == 0
    assert pictures() == ["classes.png"]


def test_verbose_says_one_line_for_each_slide(slides: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        wsi_area("-v", "run", slides / "disc.tif", "--out", tmp_path / "out")
    assert sum(record.message.startswith("disc: complete") for record in caplog.records) == 1


# --- tables


def test_the_summary_has_the_columns_that_were_promised(measured: tuple[Path, Ended]) -> None:
    with (measured[0] / "summary.csv").open(newline="", encoding="utf-8") as file:
        columns = next(csv.reader(file))
    assert len(set(columns)) == len(columns)
    by_class = ["class_glass_area_mm2", "class_node_7_area_mm2", "n_px_class_glass", "n_px_class_node_7"]
    assert not {*COLUMNS, *by_class} - set(columns)


def test_what_is_unknown_is_empty_and_what_is_nothing_is_0(measured: tuple[Path, Ended]) -> None:
    found = cells(measured[0])
    disc_row, empty, unknown = found["disc"], found["empty"], found["unknown"]
    assert (empty["tumor_area_mm2"], empty["tissue_area_mm2"], empty["n_px_tissue"]) == ("0.0", "0.0", "0")
    assert empty["tumor_pct_tissue"] == ""  # 0 of 0
    assert unknown["n_px_tissue"] != ""
    assert {unknown[c] for c in unknown if c.endswith(("_mm2", "_um"))} == {""}
    assert disc_row["objective_power"] == disc_row["reason"] == ""
    assert not {"nan", "NaN", "None", "NA", "null"} & {value for row in found.values() for value in row.values()}


def test_the_areas_are_the_counts_times_the_pixel(measured: tuple[Path, Ended]) -> None:
    row = cells(measured[0])["disc"]
    pixel_mm2 = float(row["mpp_x_um"]) * float(row["mpp_y_um"]) * 1e-6
    for n_px, area in (
        ("n_px_class_node_7", "class_node_7_area_mm2"),
        ("n_px_class_glass", "class_glass_area_mm2"),
        ("n_px_tumor", "tumor_area_mm2"),
        ("n_px_tissue", "tissue_area_mm2"),
        ("n_px_total", "total_area_mm2"),
    ):
        assert float(row[area]) == pytest.approx(int(row[n_px]) * pixel_mm2, rel=1e-12)
    low, high = float(row["tumor_area_scale_ci95_low_mm2"]), float(row["tumor_area_scale_ci95_high_mm2"])
    assert (low + high) / 2 == pytest.approx(float(row["tumor_area_mm2"]))
    assert high - low == pytest.approx(2 * 1.96 * float(row["tumor_area_u_mm2"]))
    assert float(row["tumor_pct_tissue"]) == 100


def test_csv_parquet_and_the_opened_run_are_one_table(measured: tuple[Path, Ended]) -> None:
    out, _ = measured
    opened = open_run(out).summary
    parquet = pd.read_parquet(out / "summary.parquet").set_index("slide_id")
    pd.testing.assert_frame_equal(opened, parquet)
    from_csv = pd.read_csv(out / "summary.csv").set_index("slide_id")
    assert list(from_csv.columns) == list(parquet.columns)
    for column in parquet.columns:
        seen, stored = from_csv[column], parquet[column]
        assert seen.isna().tolist() == stored.isna().tolist(), column
        # to the last bit, since floats are written in full
        assert seen.dropna().tolist() == stored.dropna().tolist(), column


def test_the_long_table_has_a_row_for_each_slide_and_class(measured: tuple[Path, Ended]) -> None:
    run_read = open_run(measured[0])
    areas = run_read.areas
    assert list(zip(areas["slide_id"], areas["class_name"], strict=True)) == [
        (slide, name) for slide in ("disc", "empty", "unknown") for name in ("glass", "node_7")
    ]
    assert areas.groupby("slide_id")["n_px"].sum().to_dict() == dict.fromkeys(("disc", "empty", "unknown"), 300_000)
    codes = run_read.findings.groupby("slide_id")["code"].apply(list).to_dict()
    assert "MPP_MISSING" in codes["unknown"]
    assert "TISSUE_ZERO" in codes["empty"]


# --- from a result back to its arithmetic


def test_explain_derives_the_recorded_area_of_a_run(measured: tuple[Path, Ended]) -> None:
    out, _ = measured
    ended = wsi_area("explain", out, "disc", "--class", "node_7", "--json")
    assert ended.code == 0
    (explained,) = ended.document["classes"]
    row = cells(out)["disc"]
    assert explained["n_px"] == int(row["n_px_class_node_7"])
    assert explained["area_mm2"] == pytest.approx(float(row["class_node_7_area_mm2"]), rel=1e-12)
    assert wsi_area("explain", out, "unknown").code == 3
    assert wsi_area("explain", out).code == 1  # which of the three?
    assert wsi_area("explain", out, "nobody").code == 1


def test_check_speaks_json_and_nothing_else(slides: Path) -> None:
    ended = wsi_area("check", slides, "--json")
    assert ended.code == ended.document["exit_code"] == 3
    assert [s["slide_id"] for s in ended.document["slides"]] == ["disc", "empty", "unknown"]
