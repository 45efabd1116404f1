"""Slides under another light, from the file to the number and what is said of it."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from wsi_area.inputs.collect import collect_slides
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE_PX, RADIUS_PX, UM = 900, 260, 0.5
DISC_MM2 = np.pi * (RADIUS_PX * UM * 1e-3) ** 2
PINK = np.array((0.88, 0.62, 0.78))  # what the tissue lets through
ASKED = ("tiling.work_mpp=0.5", "run.executor=serial")


def written(path: Path, light: np.ndarray, noise: float = 3.0, filled: tuple[int, tuple[int, int, int]] | None = None):
    """A slide with a disc of tissue in a field of light, (h, w, 3) or (3,); its left columns filled."""
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    disc = (x - 500) ** 2 + (y - 450) ** 2 < RADIUS_PX**2
    picture = np.broadcast_to(light, (SIZE_PX, SIZE_PX, 3)) * np.where(disc[..., None], PINK, np.ones(3))
    picture = np.clip(picture + np.random.default_rng(9).normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
    if filled is not None:
        picture[:, : filled[0]] = filled[1]
    tifffile.imwrite(
        path, picture, tile=(256, 256), photometric="rgb", compression="deflate",
        resolution=(1e4 / UM, 1e4 / UM), resolutionunit="CENTIMETER", metadata=None,
    )  # fmt: skip
    return path


def measured(path: Path, configs: Path, *settings: str, config: str = "he_tissue.toml"):
    out = path.with_suffix(".out")
    (record,) = run_slides(collect_slides([str(path)]), load(configs / config, [*ASKED, *settings]), out).documents
    return record, {f["code"]: f["severity"] for f in record["findings"]}


QUIET = {"TISSUE_TOUCHES_EDGE"}  # what may be tissue begins within the noise of a picture that is not averaged


@pytest.mark.parametrize(
    "glass", [(243, 241, 244), (182, 182, 182), (140, 140, 140), (238, 224, 190), (225, 175, 148), (200, 215, 245)]
)
def test_a_slide_has_its_area_under_any_lamp_and_tint_and_nothing_is_said(glass, configs, tmp_path):
    record, said = measured(written(tmp_path / "s.tif", np.array(glass)), configs)
    assert record["tissue"]["area_mm2"] == pytest.approx(DISC_MM2, rel=0.01)
    assert record["segmenter"]["facts"]["method"] == "otsu-clamped-to-glass"
    assert record["light"]["glass_rgb"] == pytest.approx(list(glass), abs=2)
    assert (record["light"]["glass_source"], record["light"]["leans_on_glass"]) == ("seen", True)
    assert set(said) <= QUIET


@pytest.mark.parametrize("fall", [0.15, 0.3])
@pytest.mark.parametrize("axis", [0, 1])
def test_light_that_falls_over_the_field_is_warned_of(fall, axis, configs, tmp_path):
    along = np.mgrid[:SIZE_PX, :SIZE_PX][axis] / SIZE_PX
    record, said = measured(written(tmp_path / "s.tif", 243 * (1 - fall * along)[..., None]), configs)
    assert said["GLASS_UNEVEN"] == "warning"
    assert record["light"]["glass_fall"] == pytest.approx(fall, abs=0.03)


def _shaded(where: str) -> np.ndarray:
    """Light that ends at an edge: beyond a coverslip, under something that lies on it, at the rim of the field."""
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    dark, part = {
        "beyond a coverslip": (0.88, x < 150),
        "under a label": (0.6, (x + y < 330)),
        "unlit rim": (0.035, np.maximum(abs(x - SIZE_PX / 2), abs(y - SIZE_PX / 2)) > 0.47 * SIZE_PX),
        "unlit round the field": (0.05, np.hypot(x - SIZE_PX / 2, y - SIZE_PX / 2) > 0.52 * SIZE_PX),
    }[where]
    return np.array((243, 241, 244)) * np.where(part, dark, 1.0)[..., None]


@pytest.mark.parametrize("config", ["he_tissue.toml", "ihc_dab.toml"])
@pytest.mark.parametrize("where", ["beyond a coverslip", "under a label", "unlit rim", "unlit round the field"])
def test_glass_in_the_shade_that_is_counted_as_tissue_is_warned_of(where, config, configs, tmp_path):
    record, said = measured(written(tmp_path / "s.tif", _shaded(where), noise=2.0), configs, config=config)
    assert record["tissue"]["area_mm2"] > 1.05 * DISC_MM2  # its rule takes what is darker than the glass
    assert said["GLASS_UNEVEN"] == "warning"


@pytest.mark.parametrize("colour", [(4, 4, 4), (16, 16, 16), (128, 128, 128), (70, 20, 90)])
def test_a_strip_that_software_filled_is_no_tissue_and_has_its_own_area(colour, configs, tmp_path):
    record, said = measured(written(tmp_path / "s.tif", np.array((243, 241, 244)), filled=(120, colour)), configs)
    assert record["tissue"]["area_mm2"] == pytest.approx(DISC_MM2, rel=0.01)
    (excluded,) = [c for c in record["classes"] if c["is_excluded"]]
    assert excluded["name"] == ("unscanned_black" if max(colour) <= 8 else "unscanned_fill")
    assert excluded["area_mm2"] == pytest.approx(120 * SIZE_PX * (UM * 1e-3) ** 2, rel=0.01)
    assert set(said) <= QUIET


def test_a_filled_strip_is_tissue_where_that_is_asked_for(configs, tmp_path):
    path = written(tmp_path / "s.tif", np.array((243, 241, 244)), filled=(120, (128, 128, 128)))
    record, _ = measured(path, configs, "exclusions.unscanned_fill=off")
    assert record["tissue"]["area_mm2"] == pytest.approx(DISC_MM2 + 120 * SIZE_PX * (UM * 1e-3) ** 2, rel=0.01)


@pytest.mark.parametrize("colour", [(215, 150, 190), (150, 130, 190), (120, 60, 110)])
def test_a_field_of_nothing_but_tissue_is_one_line_on_record(colour, configs, tmp_path):
    light = np.array(colour) / PINK  # so that the disc has the colour, and all around it is filled
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    whole = np.where(((x - 500) ** 2 + (y - 450) ** 2 < RADIUS_PX**2)[..., None], light, np.array(colour, float))
    record, said = measured(written(tmp_path / "s.tif", whole), configs)
    assert record["tissue"]["n_px"] == SIZE_PX**2
    assert {code: severity for code, severity in said.items() if code.startswith(("GLASS", "ALL"))} == {
        "GLASS_NOT_SEEN": "info"
    }


def test_dim_glass_that_a_fixed_threshold_takes_is_a_warning(configs, tmp_path):
    record, said = measured(written(tmp_path / "s.tif", np.array((170, 170, 170))), configs, "segmenter.threshold=40")
    assert record["tissue"]["n_px"] > 0.99 * SIZE_PX**2
    assert said["ALL_TISSUE"] == "warning"


def test_glass_of_the_colour_of_tissue_is_told_by_hand(configs, tmp_path):
    path = written(tmp_path / "s.tif", np.array((190, 125, 160)))
    record, said = measured(path, configs)
    assert record["tissue"]["n_px"] == SIZE_PX**2
    assert "GLASS_NOT_SEEN" in said
    path = written(tmp_path / "t.tif", np.array((190, 125, 160)))
    record, said = measured(path, configs, "segmenter.glass=[190,125,160]")
    assert record["tissue"]["area_mm2"] == pytest.approx(DISC_MM2, rel=0.01)
    assert record["light"]["glass_source"] == "given"
    assert set(said) <= QUIET


@pytest.mark.parametrize("glass", [(245, 245, 245), (200, 200, 200), (225, 175, 148)])
def test_a_brown_disc_is_positive_on_any_glass_and_the_glass_is_not(glass, configs, tmp_path):
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    brown = 10 ** -(0.5 * np.array((0.268, 0.570, 0.776)))
    inside = ((x - 500) ** 2 + (y - 450) ** 2 < RADIUS_PX**2)[..., None]
    light = np.array(glass) * np.where(inside, brown / PINK, np.ones(3))
    record, _ = measured(written(tmp_path / "s.tif", light, noise=1.0), configs, config="ihc_dab.toml")
    assert record["positive"]["area_mm2"] == pytest.approx(DISC_MM2, rel=0.01)
    by_name = {c["name"]: c["area_mm2"] for c in record["classes"]}
    assert by_name["moderate"] == pytest.approx(DISC_MM2, rel=0.02)
