"""Where no glass was seen the number stays and its grade goes, at every place where a person reads it."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from command_line import Ended, wsi_area

import wsi_area as face
from wsi_area.notebook.notebook_run import open_run

LEVELS = [150, 120, 135]  # of a lamp and a glass that nothing of the slide tells from tissue
MM2 = 600 * 800 * 0.5e-3**2


def dark_glass(path: Path, level: int, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    rgb = rng.normal(level, 12, (600, 800, 1)) + rng.normal(0, 1, (600, 800, 3))
    return written(path, rgb)


def healthy(path: Path, radius_px: float, seed: int = 0) -> Path:
    rows, columns = np.mgrid[:600, :800]
    disc = (rows - 300) ** 2 + (columns - 400) ** 2 < radius_px**2
    rgb = np.where(disc[..., None], (190, 110, 170), (243, 241, 244))
    return written(path, rgb + np.random.default_rng(seed).normal(0, 2, rgb.shape))


def written(path: Path, rgb: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.clip(rgb, 0, 255).astype(np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(256, 256), resolution=(20000, 20000), resolutionunit=3)
    return path


def run(configs: Path, slide: Path, out: Path) -> Ended:
    ended = wsi_area("run", slide, "--config", configs / "he_tissue.toml", "--set", "tiling.work_mpp=0.5", "--out", out)
    assert ended.code == 0
    return ended


def summary(out: Path) -> dict[str, str]:
    with (out / "summary.csv").open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    return row


@pytest.mark.parametrize("level", LEVELS)
def test_the_number_stays_and_its_quality_is_gone_wherever_it_is_read(
    configs: Path, tmp_path: Path, level: int
) -> None:
    ended = run(configs, dark_glass(tmp_path / "s.tif", level), tmp_path / "out")
    row = summary(tmp_path / "out")
    assert float(row["tissue_area_mm2"]) == pytest.approx(MM2, rel=0.05)
    assert row["mpp_quality"] == "B"
    assert row["area_quality"] == "C"
    told = "light C (GLASS_NOT_SEEN)"
    assert told in " ".join((ended.err + ended.out).split())
    assert told in (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert told in open_run(tmp_path / "out")._repr_html_()


@pytest.mark.parametrize("radius_px", [80, 150, 230])
def test_a_healthy_slide_keeps_the_quality_of_its_pixel_size(configs: Path, tmp_path: Path, radius_px: int) -> None:
    ended = run(configs, healthy(tmp_path / "s.tif", radius_px), tmp_path / "out")
    row = summary(tmp_path / "out")
    assert (row["mpp_quality"], row["area_quality"]) == ("B", "B")
    assert "light C" not in ended.err + ended.out


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_change_from_or_to_such_a_slide_has_no_verdict(configs: Path, tmp_path: Path, when: str) -> None:
    lit, unlit = healthy(tmp_path / "lit/anna.tif", 150), dark_glass(tmp_path / "unlit/anna.tif", 150)
    again = healthy(tmp_path / "again/anna.tif", 90, seed=1)
    for slide in (lit, unlit, again):
        run(configs, slide, tmp_path / "runs" / slide.parent.name)
    order = ("unlit", "lit") if when == "before" else ("lit", "unlit")
    found = face.change_between(*(tmp_path / "runs" / name for name in order))
    assert {row.exceeds_ci95 for row in found.rows} == {None}
    assert all(f"{when}: light C (GLASS_NOT_SEEN); no interval" in str(row.remarks) for row in found.rows)
    sound = face.change_between(tmp_path / "runs/lit", tmp_path / "runs/again")
    assert {row.exceeds_ci95 for row in sound.rows if row.class_name == "tissue"} == {True}
