"""`wsi-area change`: discs of known area at two dates, and what they gained or lost in mm²."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Ended, wsi_area
from PIL import Image

import wsi_area as face
from wsi_area.errors import ResultError, SettingsError

DPI = 300
MM_PER_PX = 25.4 / DPI
ON_A_GRID = 2e-3  # of a disc of 60 px radius counted by pixel centres
FIXED = ("--set", "segmenter.background=bright", "--set", "segmenter.threshold=100")


def disc(path: Path, radius_px: float, *, dpi: float | None = DPI, seed: int = 0, paper: int = 240) -> Path:
    """A dark disc on bright paper with a little noise, which makes each image another."""
    y, x = np.mgrid[:300, :400]
    grey = np.where((x - 200.3) ** 2 + (y - 149.6) ** 2 < radius_px**2, 60, paper)
    grey = grey + np.random.default_rng(seed).normal(0, 3, grey.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    image.save(path, **({} if dpi is None else {"dpi": (dpi, dpi)}))
    return path


def disc_mm2(radius_px: float) -> float:
    return math.pi * (radius_px * MM_PER_PX) ** 2


def run(configs: Path, images: Path, out: Path, *arguments: str | Path) -> Ended:
    return wsi_area("run", images, "--config", configs / "plain_image.toml", *FIXED, *arguments, "--out", out)


@pytest.fixture(scope="module")
def dates(configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs: ``anna`` heals, ``ben`` stays as he is, ``cleo`` came once."""
    folder = tmp_path_factory.mktemp("dates")
    disc(folder / "images/march/anna.png", 70, seed=1)
    disc(folder / "images/march/ben.png", 60, seed=2)
    disc(folder / "images/march/cleo.png", 50, seed=3)
    disc(folder / "images/june/anna.png", 40, seed=4)
    disc(folder / "images/june/ben.png", 60.4, seed=5)
    for name in ("march", "june"):
        assert run(configs, folder / "images" / name, folder / name).code == 0
    return folder


def foreground(ended: Ended) -> dict[str, dict[str, Any]]:
    return {
        row["subject"]: row
        for row in ended.document["changes"]
        if (row["kind"], row["class_name"]) == ("class", "foreground")
    }


def test_images_named_alike_are_one_subject_and_the_change_is_that_of_the_discs(dates: Path) -> None:
    ended = wsi_area("change", dates / "march", dates / "june", "--json")
    assert ended.code == 2  # cleo
    rows = foreground(ended)
    anna = rows["anna"]
    assert anna["before_area_mm2"] == pytest.approx(disc_mm2(70), rel=ON_A_GRID)
    assert anna["change_mm2"] == pytest.approx(disc_mm2(40) - disc_mm2(70), rel=ON_A_GRID)
    assert anna["change_pct"] == pytest.approx(100 * ((40 / 70) ** 2 - 1), rel=ON_A_GRID)
    assert anna["exceeds_ci95"]
    # a print density is 3 % sure on either axis, 6 % of an area: independent errors of both dates
    spread_mm2 = 0.06 * math.hypot(disc_mm2(70), disc_mm2(40))
    assert anna["change_u_mm2"] == pytest.approx(spread_mm2, rel=0.01)
    assert anna["change_ci95_high_mm2"] - anna["change_ci95_low_mm2"] == pytest.approx(2 * 1.96 * spread_mm2, rel=0.01)
    assert not rows["ben"]["exceeds_ci95"]
    assert ended.document["not_compared"] == [
        {"subject": "cleo", "reason": f"it is in {dates / 'march'} only", "needs_calibration": False}
    ]


def test_background_and_foreground_lose_and_gain_the_same(dates: Path) -> None:
    rows = wsi_area("change", dates / "march", dates / "june", "--json").document["changes"]
    of_anna = {row["class_name"]: row["change_mm2"] for row in rows if row["subject"] == "anna"}
    assert of_anna["background"] == pytest.approx(-of_anna["foreground"])
    assert of_anna["tissue"] == of_anna["foreground"]


def test_with_one_scale_what_is_left_is_counting_and_the_scale_of_the_change(dates: Path) -> None:
    ended = wsi_area("change", dates / "march", dates / "june", "--same-scale", "--json")
    anna, ben = (foreground(ended)[name] for name in ("anna", "ben"))
    assert anna["change_u_mm2"] == pytest.approx(0.06 * abs(anna["change_mm2"]), rel=0.01)
    assert anna["change_u_pct"] < 0.5  # the scale leaves the percentage; counting is left
    # ben's rim grew by 0.4 px: 1.3 %, four times what counting a disc on a grid can do
    assert ben["change_pct"] == pytest.approx(1.34, abs=0.2)
    assert ben["exceeds_ci95"]


def test_the_table_says_who_changed_and_what_the_interval_leaves_out(dates: Path) -> None:
    shown = wsi_area("change", dates / "march", dates / "june")
    lines = shown.out.splitlines()
    assert next(line for line in lines if line.startswith("anna")).split()[-1] == "yes"
    assert next(line for line in lines if line.startswith("ben")).split()[-1] == "no"
    assert "−74" in shown.out
    assert "cleo: not compared: it is in" in shown.out
    assert "how well the rule finds the feature" in shown.out
    assert not any(line.split()[1:2] == ["background"] for line in lines)


def test_the_csv_has_every_row_and_is_not_overwritten(dates: Path, tmp_path: Path) -> None:
    out = tmp_path / "changes.csv"
    wsi_area("change", dates / "march", dates / "june", "--out", out)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["subject"], row["class_name"]) for row in rows] == [
        (name, part) for name in ("anna", "ben") for part in ("tissue", "background", "foreground")
    ]
    assert float(rows[2]["change_mm2"]) == pytest.approx(disc_mm2(40) - disc_mm2(70), rel=ON_A_GRID)
    assert (rows[2]["exceeds_ci95"], rows[2]["before_date"]) == ("true", "")
    again = wsi_area("change", dates / "march", dates / "june", "--out", out)
    assert (again.code, "--force" in again.err) == (1, True)


def test_a_list_of_pairs_says_who_belongs_to_whom(dates: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("subject,before,after\nfamily,cleo,anna\n")
    ended = wsi_area("change", dates / "march", dates / "june", "--pairs", pairs, "--json")
    assert foreground(ended)["family"]["change_mm2"] == pytest.approx(disc_mm2(40) - disc_mm2(50), rel=2 * ON_A_GRID)
    assert sorted(missing["subject"] for missing in ended.document["not_compared"]) == ["anna", "ben", "ben"]
    pairs.write_text("subject,before,after\nfamily,cleo,dora\n")
    refused = wsi_area("change", dates / "march", dates / "june", "--pairs", pairs)
    assert (refused.code, "has no slide 'dora'; it has anna, ben" in refused.err) == (1, True)


def test_one_run_of_all_dates_goes_by_the_manifest_it_was_measured_from(configs: Path, tmp_path: Path) -> None:
    lines = ["path,mpp_x,mpp_reason,subject,date"]
    for number, (subject, day, radius) in enumerate(
        [("dora", "2026-06-01", 50), ("dora", "2026-03-01", 60), ("dora", "2026-09-01", 30), ("emil", "2026-03-01", 45)]
    ):
        disc(tmp_path / f"{number}.png", radius, dpi=None, seed=number)
        lines.append(f"{number}.png,20,ruler,{subject},{day}")
    manifest = tmp_path / "visits.csv"
    manifest.write_text("\n".join(lines) + "\n")
    out = tmp_path / "out"
    ran = wsi_area("run", "--manifest", manifest, "--config", configs / "plain_image.toml", *FIXED, "--out", out)
    assert ran.code == 0, ran.err
    ended = wsi_area("change", out, "--manifest", manifest, "--json")
    assert ended.code == 2
    rows = [row for row in ended.document["changes"] if row["class_name"] == "foreground"]
    assert [(row["before_date"], row["after_date"]) for row in rows] == [
        ("2026-03-01", "2026-06-01"), ("2026-06-01", "2026-09-01"),
    ]  # fmt: skip
    expected = [math.pi * (b**2 - a**2) * 0.02**2 for a, b in ((60, 50), (50, 30))]
    assert [row["change_mm2"] for row in rows] == pytest.approx(expected, rel=0.01)
    assert ended.document["not_compared"][0]["reason"] == "it has one date only (2026-03-01, 3)"
    assert "2026-03-01 → 2026-06-01" in wsi_area("change", out, "--manifest", manifest).out
    assert wsi_area("change", out, "--json").document == ended.document  # the run knows who is on its slides, and when


def test_two_runs_whose_slides_have_other_names_are_paired_by_subject_and_block(configs: Path, tmp_path: Path) -> None:
    slides = {
        "march": [("m1", "dora", "A", 60), ("m2", "dora", "B", 40), ("m3", "emil", "", 50)],
        "june": [("j1", "dora", "B", 30), ("j2", "dora", "A", 50), ("j3", "frieda", "", 45)],
    }
    for month, rows in slides.items():
        lines = ["path,mpp_x,mpp_reason,subject,block,date"]
        for name, subject, block, radius in rows:
            disc(tmp_path / month / f"{name}.png", radius, dpi=None, seed=radius)
            day = "2026-03-01" if month == "march" else "2026-06-01"
            lines.append(f"{month}/{name}.png,20,ruler,{subject},{block},{day}")
        (tmp_path / f"{month}.csv").write_text("\n".join(lines) + "\n")
        options = ("--config", configs / "plain_image.toml", *FIXED, "--out", tmp_path / f"{month}_out")
        assert wsi_area("run", "--manifest", tmp_path / f"{month}.csv", *options).code == 0
    ended = wsi_area("change", tmp_path / "march_out", tmp_path / "june_out", "--json")
    rows = [row for row in ended.document["changes"] if row["class_name"] == "foreground"]
    assert [(r["subject"], r["before_slide_id"], r["after_slide_id"], r["before_date"]) for r in rows] == [
        ("dora, A", "m1", "j2", "2026-03-01"), ("dora, B", "m2", "j1", "2026-03-01"),
    ]  # fmt: skip
    expected = [math.pi * (b**2 - a**2) * 0.02**2 for a, b in ((60, 50), (40, 30))]
    assert [row["change_mm2"] for row in rows] == pytest.approx(expected, rel=0.01)
    assert [missing["subject"] for missing in ended.document["not_compared"]] == ["m3", "j3"]
    assert ended.code == 2


def test_other_rules_are_refused_with_their_difference_unless_told(configs: Path, dates: Path, tmp_path: Path) -> None:
    other = ("--set", "segmenter.threshold=120")
    assert run(configs, dates / "images/june", tmp_path / "june", *other).code == 0
    refused = wsi_area("change", dates / "march", tmp_path / "june")
    assert refused.code == 1
    assert "segmenter.threshold: 100 → 120" in refused.err
    told = wsi_area("change", dates / "march", tmp_path / "june", "--despite-settings", "--json")
    assert "other rules: segmenter.threshold: 100 → 120" in foreground(told)["anna"]["remarks"]


def test_a_threshold_fitted_to_each_picture_is_remarked_on(configs: Path, tmp_path: Path) -> None:
    for name, paper in (("march", 240), ("june", 200)):  # less light
        disc(tmp_path / "images" / name / "anna.png", 40, seed=paper, paper=paper)
        run(configs, tmp_path / "images" / name, tmp_path / name, "--set", "segmenter.threshold=otsu")
    ended = wsi_area("change", tmp_path / "march", tmp_path / "june", "--json")
    before, after = (
        json.loads((tmp_path / name / "slides/anna/result.json").read_text())["segmenter"]["facts"]["threshold"]
        for name in ("march", "june")
    )
    assert before < after
    assert f"the threshold was fitted to each picture: {before} → {after}" in foreground(ended)["anna"]["remarks"]


def test_what_has_no_pixel_size_is_named_and_not_compared(configs: Path, dates: Path, tmp_path: Path) -> None:
    disc(tmp_path / "images/anna.png", 40, dpi=None, seed=9)
    assert run(configs, tmp_path / "images", tmp_path / "june").code == 3
    disc(tmp_path / "march/anna.png", 70, seed=1)
    assert run(configs, tmp_path / "march", tmp_path / "before").code == 0
    ended = wsi_area("change", tmp_path / "before", tmp_path / "june", "--json")
    assert (ended.code, ended.document["changes"]) == (3, [])
    assert "anna is needs_calibration: pixels only: MPP_MISSING" in ended.document["not_compared"][0]["reason"]


def test_two_scales_are_not_one_and_an_image_is_not_held_against_itself(
    configs: Path, dates: Path, tmp_path: Path
) -> None:
    given = ("--mpp", "84", "--mpp-reason", "ruler")
    assert run(configs, dates / "images/june", tmp_path / "june", *given).code == 0
    refused = wsi_area("change", dates / "march", tmp_path / "june", "--same-scale")
    assert (refused.code, "one calibration serves both" in refused.err) == (1, True)
    told = foreground(wsi_area("change", dates / "march", tmp_path / "june", "--json"))["anna"]
    assert told["remarks"].startswith("pixel sizes from png.pHYs and --mpp")
    itself = wsi_area("change", dates / "march", dates / "march", "--json")
    assert "one and the same image" in itself.document["not_compared"][0]["reason"]


def test_who_is_meant_must_be_said(dates: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="name two runs"):
        face.change_between(dates / "march")
    with pytest.raises(SettingsError, match="goes with one run"):
        face.change_between(dates / "march", dates / "june", manifest=tmp_path / "x.csv")
    (tmp_path / "pairs.csv").write_text("subject,before\n")
    with pytest.raises(SettingsError, match="no column 'after'"):
        face.change_between(dates / "march", dates / "june", pairs=tmp_path / "pairs.csv")


def test_runs_without_a_name_in_common_ask_for_pairs(configs: Path, dates: Path, tmp_path: Path) -> None:
    disc(tmp_path / "images/zoe.png", 40)
    run(configs, tmp_path / "images", tmp_path / "out")
    with pytest.raises(ResultError, match=r"named alike.*--pairs"):
        face.change_between(dates / "march", tmp_path / "out")


def test_python_has_the_same_as_a_frame(dates: Path) -> None:
    change = face.change_between(dates / "march", dates / "june")
    table = change.table.set_index(["subject", "class_name"])
    assert table.loc[("anna", "foreground"), "change_mm2"] == pytest.approx(disc_mm2(40) - disc_mm2(70), rel=ON_A_GRID)
    assert change.subjects == ("anna", "ben")
    assert repr(change) == "<change of 2 subjects; 1 not compared>"
    grey = table["before_mean_signal"].dropna()  # the mean grey value of either disc, painted with 60
    assert list(grey.index) == [("anna", "foreground"), ("ben", "foreground")]
    assert list(grey) == pytest.approx([60, 60], abs=0.2)


def doubtful(path: Path, radius_px: float, kind: str, *, seed: int) -> Path:
    """A disc on which a warning falls: it fades about the threshold, or there is none."""
    disc(path, radius_px, seed=seed)
    image = Image.open(path)
    grey, dpi = np.array(image).astype(float), image.info["dpi"]
    y, x = np.mgrid[:300, :400]
    away = np.hypot(x - 200.3, y - 149.6)
    if kind == "fading":
        grey = np.where(away < 140, 60 + 180 * away / 140, grey)
    else:
        grey[away < radius_px + 5] = 240
    image = Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8))
    image.save(path, dpi=dpi)
    return path


@pytest.mark.parametrize(
    ("when", "kind", "code"),
    [
        ("march", "fading", "THRESHOLD_UNSTABLE"),
        ("june", "fading", "THRESHOLD_UNSTABLE"),
        ("june", "none", "TISSUE_ZERO"),
    ],
)
def test_a_warning_against_the_area_leaves_no_verdict_and_is_told_again(
    configs: Path, tmp_path: Path, when: str, kind: str, code: str
) -> None:
    for name, radius_px in (("march", 70), ("june", 40)):
        image = tmp_path / "images" / name / "anna.png"
        if name == when:
            doubtful(image, radius_px, kind, seed=radius_px)
        else:
            disc(image, radius_px, seed=radius_px)
        run(configs, image, tmp_path / name)
    rows = wsi_area("change", tmp_path / "march", tmp_path / "june", "--json").document["changes"]
    (found,) = (row for row in rows if (row["kind"], row["class_name"]) == ("class", "foreground"))
    assert found["exceeds_ci95"] is None
    assert f"{'before' if when == 'march' else 'after'}: {code}" in found["remarks"]
    assert "no verdict" in found["remarks"]
    assert found["change_mm2"] != 0  # the numbers stay
    assert code in wsi_area("change", tmp_path / "march", tmp_path / "june").out
