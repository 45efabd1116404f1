"""Plain images of painted discs: their area in mm² from dots per inch, and their grey value per mm², in closed form."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from command_line import wsi_area
from PIL import Image

HEIGHT_PX, WIDTH_PX = 400, 600
RADIUS_PX = 80.25
DPI = 300  # 84.667 µm per pixel
DISC_MM2 = math.pi * (RADIUS_PX * 25.4 / DPI) ** 2
ON_A_GRID = 2e-3  # a disc of this size counted by pixel centres


def inside(radius_px: float = RADIUS_PX) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT_PX, :WIDTH_PX]
    return (x - 300.3) ** 2 + (y - 199.6) ** 2 < radius_px**2


def picture(background: int, feature: int, noise: float = 4.0) -> np.ndarray:
    """uint8 (h, w, 3): a disc of one grey level on another."""
    grey = np.where(inside(), feature, background) + np.random.default_rng(0).normal(0, noise, (HEIGHT_PX, WIDTH_PX))
    return np.repeat(np.clip(np.rint(grey), 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def save(path: Path, pixels: np.ndarray, dpi: float = DPI) -> Path:
    Image.fromarray(pixels).save(path, dpi=(dpi, dpi))
    return path


def measured(configs: Path, out: Path, image: Path, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    config = () if "--config" in arguments else ("--config", configs / "plain_image.toml")
    ended = wsi_area("run", image, *config, *arguments, "--out", out, "--json")
    assert ended.code == code, ended.err
    (record,) = ended.document["slides"]
    return dict(json.loads((out / "slides" / record["slide_id"] / "result.json").read_text()))


@pytest.mark.parametrize(
    ("background", "feature", "side"),
    [
        (245, 60, "bright"),  # print on paper
        (140, 40, "bright"),  # wound on skin, lesion on a fundus
        (70, 12, "bright"),  # pores in dark metal
        (5, 170, "dark"),  # fluorescence
        (60, 180, "dark"),  # drusen on a fundus
        (150, 230, "dark"),  # inclusion in bright metal
    ],
)
def test_a_feature_darker_or_brighter_than_its_surroundings_has_its_area(
    configs: Path, tmp_path: Path, background: int, feature: int, side: str
) -> None:
    image = save(tmp_path / "disc.png", picture(background, feature))
    record = measured(configs, tmp_path / "out", image, "--set", f"segmenter.background={side}")
    foreground = record["classes"][1]
    assert foreground["n_px"] == inside().sum()
    assert foreground["area_mm2"] == pytest.approx(DISC_MM2, rel=ON_A_GRID)
    assert record["calibration"]["source"] == "png.pHYs"
    # the mean grey value of the disc: integrated over its mm², per mm²
    seen = np.asarray(Image.open(image))[..., 0][inside()].mean()
    assert foreground["mean_signal"] == pytest.approx(seen, abs=1e-4)
    assert record["signal"]["integrated_mm2"] == pytest.approx(seen * foreground["area_mm2"], rel=1e-6)


def test_pure_black_is_a_feature_of_a_photograph_though_it_is_none_of_a_slide(configs: Path, tmp_path: Path) -> None:
    grey = picture(140, 140)
    grey[inside()] = 0
    image = save(tmp_path / "pores.png", grey)
    record = measured(configs, tmp_path / "out", image, "--set", "segmenter.background=bright")
    assert record["classes"][1]["n_px"] == inside().sum()
    assert record["segmenter"]["facts"]["painted_black_fraction"] == 0.0


def test_absorption_per_mm2_is_the_mean_optical_density(configs: Path, tmp_path: Path) -> None:
    rgb = np.full((HEIGHT_PX, WIDTH_PX, 3), 255, np.uint8)
    rgb[inside()] = (51, 102, 204)
    record = measured(
        configs, tmp_path / "out", save(tmp_path / "film.png", rgb), "--set", "segmenter.signal=od",
        "--set", "segmenter.background=bright",
    )  # fmt: skip
    mean_od = -math.log10(0.2 * 0.4 * 0.8) / 3
    assert record["classes"][1]["mean_signal"] == pytest.approx(mean_od, abs=1e-6)
    assert (tmp_path / "out" / "summary.csv").read_text().splitlines()[0].count("mean_od") == 1


def test_the_size_of_a_pixel_is_read_from_png_tiff_and_jpeg_and_each_says_so(configs: Path, tmp_path: Path) -> None:
    grey = picture(245, 60, noise=0)
    save(tmp_path / "a.png", grey)
    tifffile.imwrite(tmp_path / "b.tif", grey, photometric="rgb", resolution=(DPI, DPI), resolutionunit="INCH")
    Image.fromarray(grey).save(tmp_path / "c.jpg", dpi=(DPI, DPI), quality=95)
    found = {}
    for name in ("a.png", "b.tif", "c.jpg"):
        record = measured(configs, tmp_path / name[0], tmp_path / name)
        found[record["calibration"]["source"]] = record["classes"][1]["area_mm2"], record["calibration"]["quality"]
    assert {source: quality for source, (_, quality) in found.items()} == {
        "png.pHYs": "C", "tiff.XResolution": "B", "jfif.density": "C",
    }  # fmt: skip
    assert [area for area, _ in found.values()] == pytest.approx([DISC_MM2] * 3, rel=ON_A_GRID)


def test_without_a_density_the_size_is_asked_for_and_what_is_given_is_believed(configs: Path, tmp_path: Path) -> None:
    image = tmp_path / "photo.png"
    Image.fromarray(picture(245, 60)).save(image)
    asked = measured(configs, tmp_path / "none", image, code=3)
    assert (asked["status"], asked["classes"][1]["area_mm2"]) == ("needs_calibration", None)
    told = measured(configs, tmp_path / "mpp", image, "--mpp", "20", "--mpp-reason", "ruler in the picture")
    assert told["classes"][1]["area_mm2"] == pytest.approx(math.pi * (RADIUS_PX * 0.02) ** 2, rel=ON_A_GRID)
    assert told["calibration"]["note"] == "ruler in the picture"


def test_a_12_bit_microscope_photograph_is_measured_on_its_stored_values(configs: Path, tmp_path: Path) -> None:
    deep = np.where(inside(), 3000, 400).astype(np.uint16)
    tifffile.imwrite(
        tmp_path / "deep.tif", deep, photometric="minisblack", resolution=(10_000 / 0.65, 10_000 / 0.65),
        resolutionunit="CENTIMETER", extratags=[(281, "H", 1, 4095, True)], metadata=None,
    )  # fmt: skip
    record = measured(configs, tmp_path / "out", tmp_path / "deep.tif", "--set", "segmenter.background=dark")
    assert record["classes"][1]["n_px"] == inside().sum()
    assert record["classes"][1]["area_mm2"] == pytest.approx(math.pi * (RADIUS_PX * 0.65e-3) ** 2, rel=ON_A_GRID)
    assert record["classes"][1]["mean_signal"] == pytest.approx(3000)  # stored values
    (finding,) = [f for f in record["findings"] if f["code"] == "SAMPLES_SCALED"]
    assert (finding["severity"], finding["measured"]) == ("info", 16.0)
    assert "12 are used (by TIFF MaxSampleValue 4095)" in finding["message"]


def test_a_feature_drawn_on_a_png_has_the_area_of_its_outline(configs: Path, tmp_path: Path) -> None:
    image = save(tmp_path / "skin.png", picture(180, 175))
    turns = np.linspace(0, 2 * math.pi, 361)
    ring = [[300.3 + RADIUS_PX * math.cos(t), 199.6 + RADIUS_PX * math.sin(t)] for t in turns]
    ring[-1] = ring[0]
    feature = {
        "type": "Feature", "properties": {"classification": {"name": "Tumor"}},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }  # fmt: skip
    drawn = tmp_path / "skin.geojson"
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    record = measured(
        configs, tmp_path / "out", image, "--config", configs / "regions.toml", "--annotations", drawn,
        "--set", "calibration.profile=plain",
    )  # fmt: skip
    assert record["tumor"]["area_mm2"] == pytest.approx(DISC_MM2, rel=ON_A_GRID)
    (outline,) = record["outlines"]
    assert outline["area_mm2"] == pytest.approx(DISC_MM2, rel=1e-4)  # a polygon of 360 corners
