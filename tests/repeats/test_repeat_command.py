"""`wsi-area repeat`: slides of known areas measured again by scanners, readers and on days that find more or less."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, box, write_slide

from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.uncertainty.repeat_file import read_repeat

SIZE, FORM = Size(640, 512), FileForm(mpp=Mpp(1.0, 1.0))
TALL = {"s1": 100, "s2": 160, "s3": 220, "s4": 300}
WIDE_A, WIDE_B = 200, 220


def slide(path: Path, width: int, height: int, shift: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_slide(path, SIZE, {"tissue": box(SIZE, 40 + shift, 40, width, height)}, FORM)
    return path


def scanner(folder: Path, width: int, names: dict[str, int] = TALL, *assignments: str) -> Path:
    files = [slide(folder / f"{name}.tif", width, height) for name, height in names.items()]
    measure(files, folder / "run", "tiling.skip_glass=false", *assignments)
    return folder / "run"


def manifest(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def scanners(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("scanners")
    return scanner(folder / "a", WIDE_A), scanner(folder / "b", WIDE_B)


@pytest.fixture
def two(scanners: tuple[Path, Path], tmp_path: Path) -> tuple[Path, Path]:
    first, second = (shutil.copytree(run, tmp_path / run.parent.name / "run") for run in scanners)
    return first, second


def test_a_scanner_that_finds_a_tenth_more_on_every_slide_has_that_bias_and_no_spread_of_it(
    two: tuple[Path, Path],
) -> None:
    ended = wsi_area("repeat", *two, "--json")
    assert ended.code == 0, ended.err
    (tissue,) = [a for a in ended.document["areas"] if (a["kind"], a["name"]) == ("class", "tissue")]
    (pair,) = tissue["pairs"]
    assert (tissue["subjects"], tissue["occasions"]) == (4, 2)
    assert (pair["first"], pair["second"]) == ("a/run", "b/run")
    for name in ("bias_ratio", "lower_limit_ratio", "upper_limit_ratio"):
        assert pair[name]["value"] == pytest.approx(1.1)
    assert tissue["repeatability_sd"]["value"] == pytest.approx(0, abs=1e-9)
    # two values a factor 1.1 apart: their standard deviation is |ln 1.1| / √2
    assert tissue["reproducibility_sd"]["value"] == pytest.approx(np.log(1.1) / np.sqrt(2))
    assert tissue["degrees_of_freedom"] == pytest.approx(1)
    assert tissue["area_low_mm2"] == pytest.approx(np.sqrt(1.1) * 0.02)


def test_the_file_is_under_the_seal_of_the_first_run_and_a_change_of_it_is_found(two: tuple[Path, Path]) -> None:
    assert wsi_area("repeat", *two).code == 0
    place = two[0] / "repeat.json"
    assert wsi_area("verify", two[0]).code == 0
    told = json.loads(place.read_text("utf-8"))
    told["areas"][0]["variation_pct"]["value"] = 0.1
    place.write_text(json.dumps(told), "utf-8")
    assert wsi_area("verify", two[0]).code == 4
    with pytest.raises(ResultError, match="was changed since it was written"):
        read_repeat(place)


def test_the_same_study_is_the_same_file_and_another_one_does_not_replace_it(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "kept.json"
    assert wsi_area("repeat", *two, "--out", out).code == 0
    before = out.read_bytes()
    assert wsi_area("repeat", *two, "--out", out).code == 0
    assert out.read_bytes() == before
    ended = wsi_area("repeat", *reversed(two), "--out", out)
    assert ended.code == 1
    assert "--force" in ended.err
    assert out.read_bytes() == before
    assert wsi_area("repeat", *reversed(two), "--out", out, "--force").code == 0


def test_slides_of_a_subject_in_one_run_are_repeats_in_the_order_of_their_dates(tmp_path: Path) -> None:
    rows = []
    for subject, height in TALL.items():
        for day, width in (("2026-03-02", 180), ("2026-03-01", 200)):  # the later day stands first
            name = f"{subject}_{width}"
            slide(tmp_path / f"{name}.tif", width, height)
            rows.append({"path": f"{name}.tif", "subject": subject, "date": day})
    table = manifest(tmp_path / "m.csv", rows)
    measure([], tmp_path / "out", "tiling.skip_glass=false", manifest=table)
    ended = wsi_area("repeat", tmp_path / "out", "--by", "subject", "--json")
    assert ended.code == 0, ended.err
    (pair,) = ended.document["areas"][0]["pairs"]
    assert (pair["first"], pair["second"]) == ("1", "2")
    assert pair["bias_ratio"]["value"] == pytest.approx(0.9)


def test_a_subject_that_cannot_be_compared_is_named_with_why_and_the_others_are(tmp_path: Path) -> None:
    names = {"s1": 100, "s2": 160, "s3": 220}
    first = scanner(tmp_path / "a", 200, {**names, "only_here": 50, "nothing": 120, "twin": 90})
    second = tmp_path / "b"
    files = [slide(second / f"{name}.tif", 210 + 2 * n, height) for n, (name, height) in enumerate(names.items())]
    write_slide(second / "nothing.tif", SIZE, {}, FORM)
    shutil.copy(tmp_path / "a" / "twin.tif", second / "twin.tif")
    measure([*files, second / "nothing.tif", second / "twin.tif"], second / "run", "tiling.skip_glass=false")
    ended = wsi_area("repeat", first, second / "run", "--json")
    assert ended.code == 2, ended.err
    told = {(left["subject"], left["name"]): left["reason"] for left in ended.document["left_out"]}
    assert "it is not in b/run" in told["only_here", ""]
    assert "one image" in told["twin", ""]
    assert "0 mm² has no logarithm" in told["nothing", "tissue"]
    assert {a["subjects"] for a in ended.document["areas"]} == {3}


@pytest.mark.parametrize(
    ("names", "why"), [({"s1": 100, "s2": 160}, "3 with an area above 0"), ({"x": 100}, "3 with an area above 0")]
)
def test_too_few_subjects_are_refused(tmp_path: Path, names: dict[str, int], why: str) -> None:
    ended = wsi_area("repeat", scanner(tmp_path / "a", 200, names), scanner(tmp_path / "b", 210, names))
    assert ended.code == 1
    assert why in ended.err


def test_other_rules_are_refused_and_on_record_where_somebody_wants_them(
    two: tuple[Path, Path], tmp_path: Path
) -> None:
    other = scanner(tmp_path / "c", WIDE_B, TALL, "tiling.work_mpp=2")
    ended = wsi_area("repeat", two[0], other)
    assert ended.code == 1
    assert "tiling.work_mpp" in ended.err
    ended = wsi_area("repeat", two[0], other, "--despite-settings", "--json")
    assert ended.code == 0, ended.err
    assert any("tiling.work_mpp" in note for note in ended.document["notes"])


def test_one_run_that_does_not_know_its_subjects_is_refused_with_the_remedy(two: tuple[Path, Path]) -> None:
    for options in ((), ("--by", "subject"), ("--by", "block"), ("--by", "slide")):
        ended = wsi_area("repeat", two[0], *options)
        assert ended.code == 1
        assert "subject" in ended.err


def test_the_terminal_says_bias_limits_and_spread(two: tuple[Path, Path]) -> None:
    ended = wsi_area("repeat", *two)
    assert ended.code == 0, ended.err
    for text in ("1.1", "ICC(2,1)", "CV %", "lower limit", "4 × 2", "b/run ÷ a/run"):
        assert text in ended.out
