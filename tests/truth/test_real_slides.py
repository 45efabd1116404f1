"""The whole line on public slides: what their README states, and what other programs find in the same pixels."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
import tifffile
from command_line import wsi_area
from measuring import class_maps_of
from PIL import Image
from skimage import color
from skimage.data import retina

from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import load


def measured(slide: Path, out: Path, *assignments: str, config: Path | None = None, **options: Any) -> RunOutcome:
    return run_slides(collect_slides([str(slide)], **options), load(config, assignments), out)


def row(out: Path) -> dict[str, str]:
    """The only row of a run's summary.csv, as text."""
    with (out / "summary.csv").open(newline="", encoding="utf-8") as file:
        (only,) = csv.DictReader(file)
    return only


def pixels(slide: Path, level: int = 0) -> np.ndarray:
    """uint8 (h, w, 3) RGB of a level, as OpenSlide gives it; all of it must have been scanned."""
    with openslide.OpenSlide(slide) as opened:
        rgba = np.asarray(opened.read_region((0, 0), level, opened.level_dimensions[level]))
    assert (rgba[..., 3] == 255).all()
    return rgba[..., :3]


def otherwise_counted(record: dict[str, Any], rgb: np.ndarray) -> np.ndarray:
    """Foreground of full-resolution pixels by the threshold on record, in plain numpy."""
    facts = record["segmenter"]["facts"]
    grey = {"darkness": 255 - rgb.min(axis=2), "brightness": rgb.max(axis=2)}[facts["feature"]]
    return np.asarray(grey > facts["threshold"])


# --- H&E: CMU-1-Small-Region


def test_cmu_is_1_6401_mm2_by_its_class_sums_and_its_tissue_lies_where_other_methods_have_it(
    testdata: Path, configs: Path, tmp_path: Path
) -> None:
    outcome = measured(testdata / "slides/CMU-1-Small-Region.svs", tmp_path / "out", config=configs / "he_tissue.toml")
    assert outcome.exit_code == 0
    (record,) = outcome.documents
    assert sum(c["area_mm2"] for c in record["classes"]) == pytest.approx(1.64010, abs=5e-6)
    assert record["counts"]["n_px_total"] == sum(record["counts"]["n_px_by_class"]) == 2220 * 2967
    assert 0.46 < record["tissue"]["area_mm2"] < 0.77  # histolab's two masks of this slide
    assert record["work"]["reduce_factor"] == 4  # 1.996 µm/px for the 2 that were asked for
    assert row(tmp_path / "out")["work_mpp_um"] == "1.996"
    assert record["tumor"]["area_mm2"] is None  # no class is tumour: unknown, not 0


def test_at_level_0_the_tissue_of_cmu_is_what_numpy_counts_in_openslides_pixels(testdata: Path, tmp_path: Path) -> None:
    slide = testdata / "slides/CMU-1-Small-Region.svs"
    (record,) = measured(slide, tmp_path / "out", "tiling.skip_glass=false").documents
    tissue = otherwise_counted(record, pixels(slide))
    assert record["tissue"]["n_px"] == int(tissue.sum())
    assert np.array_equal(class_maps_of(tmp_path / "out")["CMU-1-Small-Region"] == 1, tissue)


# --- no pixel size, or one that cannot be


def test_tcga_without_a_pixel_size_ends_in_pixels_and_exit_3(testdata: Path, tmp_path: Path) -> None:
    slide = testdata / "slides/TCGA-CR-7395-01A-01-TS1.svs"
    ended = wsi_area("run", slide, "--out", tmp_path / "out", "--json")
    assert ended.code == 3
    (record,) = ended.document["slides"]
    assert record["status"] == "needs_calibration"
    assert record["calibration"]["mpp_x_um"] is None
    cells = row(tmp_path / "out")
    assert cells["flags"].split()[0] == "MPP_MISSING"
    assert {value for name, value in cells.items() if name.endswith("_mm2")} == {""}
    assert int(cells["n_px_class_background"]) + int(cells["n_px_class_tissue"]) == 4443 * 3567


def test_tcga_with_an_override_has_mm2_and_says_who_vouches_for_them(testdata: Path, tmp_path: Path) -> None:
    slide = testdata / "slides/TCGA-CR-7395-01A-01-TS1.svs"
    override = ("--mpp", "0.25", "--mpp-reason", "scanner log of 2012")
    ended = wsi_area("run", slide, "--out", tmp_path / "out", *override)
    assert ended.code == 0
    cells = row(tmp_path / "out")
    assert "MPP_OVERRIDE" in cells["flags"].split()
    assert (cells["mpp_source"], cells["mpp_x_um"]) == ("'--mpp", "0.25")  # the ' guards a leading -
    assert "scanner log of 2012" in cells["mpp_note"]
    tissue_px = int(cells["n_px_tissue"])
    assert float(cells["tissue_area_mm2"]) == pytest.approx(tissue_px * 0.0625e-6)
    # histolab's mask is a small picture without holes, 108 853 of its 157 708 px; ours leaves the gaps out
    assert 0.5 < tissue_px / (4443 * 3567) < 108_853 / 157_708
    (finding,) = [f for f in open_run(tmp_path / "out").findings.to_dict("records") if f["code"] == "MPP_OVERRIDE"]
    assert "scanner log of 2012" in finding["message"]


def test_72_dpi_of_an_editor_are_not_believed(testdata: Path, tmp_path: Path) -> None:
    outcome = measured(testdata / "slides/boxes-72dpi.tiff", tmp_path / "out")
    assert outcome.exit_code == 3
    (record,) = outcome.documents
    assert (record["status"], record["tissue"]["area_mm2"]) == ("needs_calibration", None)
    assert [f["code"] for f in record["findings"] if f["severity"] == "refusal"] == ["MPP_DPI_DEFAULT"]
    assert record["calibration"]["candidates"][0]["mpp_x_um"] == pytest.approx(352.78, abs=0.005)


# --- DICOM


@pytest.mark.parametrize("work_mpp", [None, 34.0])
def test_one_dicom_slide_in_two_encodings_gives_the_same_integers_and_maps(
    testdata: Path, tmp_path: Path, work_mpp: float | None
) -> None:
    coarser = () if work_mpp is None else (f"tiling.work_mpp={work_mpp}",)
    found = {}
    for name in ("wsi2dcm_raw", "wsi2dcm_jpeg2000"):
        outcome = measured(testdata / "slides" / name, tmp_path / name, *coarser)
        assert outcome.exit_code == 0
        (record,) = outcome.documents
        assert record["work"]["reduce_factor"] == (1 if work_mpp is None else 2)
        found[name] = (record["counts"], record["tissue"], class_maps_of(tmp_path / name)[name])
    raw, jpeg2000 = found.values()
    assert raw[:2] == jpeg2000[:2]
    assert raw[0]["n_px_by_class"][1] > 100_000
    assert np.array_equal(raw[2], jpeg2000[2])


def test_a_whole_slide_at_28_97_um_is_measured_as_it_is(testdata: Path, tmp_path: Path) -> None:
    outcome = measured(testdata / "slides/camelyon16_tumor_072", tmp_path / "out")
    assert outcome.exit_code == 0
    (record,) = outcome.documents
    assert (record["calibration"]["mpp_x_um"], record["calibration"]["mpp_y_um"]) == (28.969, 28.968)
    assert record["work"]["work_mpp_x_um"] == 28.969
    # PixelSpacing is [row, column] = [y, x] in mm
    assert sum(c["area_mm2"] for c in record["classes"]) == pytest.approx(1152 * 700 * 0.028969 * 0.028968)
    # two sections of a lymph node; the pathologist's four tumour polygons alone are 6.0142 mm²
    assert 100 < record["tissue"]["area_mm2"] < 300


# --- IHC: OS-2


def test_os2_has_the_dab_positive_mm2_that_scikit_image_finds_with_both_axes_used(
    testdata: Path, configs: Path, tmp_path: Path
) -> None:
    slide = testdata / "slides/OS-2-ndpi.tif"
    # scikit-image takes densities against white, so the slide's own glass is left out here
    level_0 = ("tiling.work_mpp=0.2271", "tiling.skip_glass=false", "segmenter.glass=[255,255,255]")
    (record,) = measured(slide, tmp_path / "out", *level_0, config=configs / "ihc_dab.toml").documents
    assert record["work"]["reduce_factor"] == 1
    # scikit-image divides the logarithm by ln(1e-6): its density × 6 is the optical density (log10)
    dab_od = 6 * color.separate_stains(pixels(slide), color.hdx_from_rgb)[..., 1]
    positive_px = int((dab_od >= 0.2).sum())
    near_px = int((np.abs(dab_od - 0.2) < 1e-9).sum())  # where the last bit of a logarithm decides
    assert abs(record["positive"]["n_px"] - positive_px) <= near_px
    bands = [int(((dab_od >= low) & (dab_od < high)).sum()) for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 99))]
    assert record["counts"]["n_px_by_class"][2:] == pytest.approx(bands, abs=10)
    assert sum(bands) > 100_000
    with openslide.OpenSlide(slide) as opened:
        density = [float(opened.properties[f"tiff.{axis}Resolution"]) for axis in "XY"]
    mpp_x, mpp_y = (10_000 / per_cm for per_cm in density)
    assert mpp_x != mpp_y
    area_mm2 = record["positive"]["area_mm2"]
    assert area_mm2 == pytest.approx(record["positive"]["n_px"] * mpp_x * mpp_y * 1e-6, rel=1e-12)
    for wrong in (mpp_x * mpp_x, mpp_y * mpp_y, ((mpp_x + mpp_y) / 2) ** 2):
        assert abs(area_mm2 / (record["positive"]["n_px"] * wrong * 1e-6) - 1) > 1e-11


def test_the_ihc_config_sorts_os2_into_bands_whose_sum_is_positive_and_no_tumour(
    testdata: Path, configs: Path, tmp_path: Path
) -> None:
    outcome = measured(testdata / "slides/OS-2-ndpi.tif", tmp_path / "out", config=configs / "ihc_dab.toml")
    assert outcome.exit_code == 0
    cells = row(tmp_path / "out")
    bands = [float(cells[f"class_{name}_area_mm2"]) for name in ("weak", "moderate", "strong")]
    assert min(bands) > 0
    assert float(cells["positive_area_mm2"]) == pytest.approx(sum(bands))
    assert 0 < float(cells["positive_pct_tissue"]) < 100
    assert (cells["tumor_area_mm2"], cells["n_px_tumor"]) == ("", "")  # that nobody said
    assert float(cells["mean_od"]) > 0
    assert float(cells["total_area_mm2"]) == pytest.approx(0.25007, abs=5e-6)


# --- fluorescence and plain images


def test_the_ndpi_is_1_00485_mm2_and_glows_where_a_dark_field_threshold_says(
    testdata: Path, configs: Path, tmp_path: Path
) -> None:
    slide = testdata / "slides/test3-DAPI-2-387.ndpi"
    outcome = measured(slide, tmp_path / "out", "tiling.skip_glass=false", config=configs / "fluorescence.toml")
    assert outcome.exit_code == 0
    (record,) = outcome.documents
    assert sum(c["area_mm2"] for c in record["classes"]) == pytest.approx(1.00485, abs=5e-6)
    assert record["segmenter"]["facts"]["background"] == "dark"
    level, factor = record["work"]["level"], record["work"]["reduce_factor"]
    assert factor == 1  # a level with 0.91 µm/px is in the file: nothing has to be averaged
    glows = otherwise_counted(record, pixels(slide, level))
    l0_px_per_level_px = 3968 * 4864 // glows.size
    assert record["tissue"]["n_px"] == int(glows.sum()) * l0_px_per_level_px
    assert 0.02 < record["tissue"]["area_mm2"] < 0.9


def test_a_plain_image_is_measured_with_the_pixel_size_somebody_gives(configs: Path, tmp_path: Path) -> None:
    fundus = retina()
    Image.fromarray(fundus).save(tmp_path / "retina.png")
    outcome = measured(
        tmp_path / "retina.png",
        tmp_path / "out",
        config=configs / "plain_image.toml",
        mpp="8.5",
        mpp_reason="fundus camera",
    )
    assert outcome.exit_code == 0
    (record,) = outcome.documents
    assert (record["vendor"], record["reader"]) == ("plain-image", "plain")
    foreground = otherwise_counted(record, fundus)
    assert record["tissue"]["n_px"] == int(foreground.sum())
    assert record["tissue"]["area_mm2"] == pytest.approx(int(foreground.sum()) * 8.5**2 * 1e-6)
    # the picture is a disc that all but touches its frame
    assert foreground.mean() == pytest.approx(np.pi / 4, abs=0.06)


def test_without_a_pixel_size_a_plain_image_is_counted_in_pixels(configs: Path, tmp_path: Path) -> None:
    Image.fromarray(retina()).save(tmp_path / "retina.png")
    outcome = measured(tmp_path / "retina.png", tmp_path / "out", config=configs / "plain_image.toml")
    assert outcome.exit_code == 3
    assert outcome.documents[0]["tissue"]["area_mm2"] is None
    assert outcome.documents[0]["tissue"]["n_px"] > 1_000_000


# --- two lanes, one truth


@pytest.mark.parametrize(
    ("name", "work_mpp", "level", "factor", "reader"),
    [
        ("CMU-1-Small-Region.svs", None, 0, 1, "direct"),
        ("CMU-1-Small-Region.svs", 0.8, 0, 2, "direct"),
        ("TCGA-CR-7395-01A-01-TS1.svs", None, 0, 1, "direct"),
        # 2221 × 1783 of 4443 × 3567 px: OpenSlide itself interpolates there, so only it can read the level
        ("TCGA-CR-7395-01A-01-TS1.svs", 0.8, 1, 1, "openslide"),
        ("OS-2-ndpi.tif", None, 0, 1, "direct"),
        ("OS-2-ndpi.tif", 1.2, 0, 3, "direct"),
        ("boxes-72dpi.tiff", None, 0, 1, "direct"),
        ("boxes-72dpi.tiff", 0.8, 1, 1, "direct"),
        ("test3-DAPI-2-387.ndpi", None, 0, 1, "direct"),
        ("test3-DAPI-2-387.ndpi", 1.0, 1, 1, "direct"),
        # 248 × 304 px, which OpenSlide makes of a finer level while it decodes
        ("test3-DAPI-2-387.ndpi", 6.2, 4, 1, "openslide"),
        ("camelyon16_tumor_072/multiframe_camelyon_challenge_image.dcm", None, 0, 1, "direct"),
        ("wsi2dcm_raw/raw.dcm", None, 0, 1, "direct"),
        ("wsi2dcm_jpeg2000/jpeg2000.dcm", None, 0, 1, "direct"),
    ],
)
def test_both_lanes_give_the_same_integers_on_every_real_slide(
    testdata: Path, tmp_path: Path, name: str, work_mpp: float | None, level: int, factor: int, reader: str
) -> None:
    settings = () if work_mpp is None else (f"tiling.work_mpp={work_mpp}",)
    override = {} if name.endswith(".dcm") else {"mpp": "0.38", "mpp_reason": "two of them have none of their own"}
    found = {}
    for lane in ("auto", "openslide"):
        slide, lane_is = testdata / "slides" / name, f"reader.lane={lane}"
        (record,) = measured(slide, tmp_path / lane, *settings, lane_is, **override).documents
        assert record["status"] == "complete"
        assert record["reader"] == (reader if lane == "auto" else "openslide")
        assert (record["work"]["level"], record["work"]["reduce_factor"]) == (level, factor)
        (class_map,) = class_maps_of(tmp_path / lane).values()
        found[lane] = (record["counts"], record["key"], class_map)
    assert found["auto"][:2] == found["openslide"][:2]
    assert np.array_equal(found["auto"][2], found["openslide"][2])


# --- the same pixels, stored as three grey planes


@pytest.mark.parametrize(
    ("name", "config", "um"),
    [("CMU-1-Small-Region.svs", "he_tissue.toml", 0.499), ("OS-2-ndpi.tif", "ihc_dab.toml", 0.227)],
)
@pytest.mark.parametrize("form", ["planes", "planar"])
def test_a_slide_stored_as_three_grey_planes_is_counted_as_in_colour(
    testdata: Path, configs: Path, tmp_path: Path, name: str, config: str, um: float, form: str
) -> None:
    colours = pixels(testdata / "slides" / name)
    size = {"PhysicalSizeX": um, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": um, "PhysicalSizeYUnit": "µm"}
    tiled: dict[str, Any] = {"tile": (256, 256), "compression": "deflate"}
    whole, planes = tmp_path / "rgb.ome.tif", tmp_path / f"{form}.ome.tif"
    tifffile.imwrite(whole, colours, ome=True, photometric="rgb", metadata={"axes": "YXS", **size}, **tiled)
    if form == "planar":
        tiled |= {"planarconfig": "separate", "photometric": "rgb"}
    axes = {"axes": "CYX" if form == "planes" else "SYX", **size}
    stored = np.moveaxis(colours, -1, 0).copy()
    tifffile.imwrite(planes, stored, ome=True, metadata=axes, **{"photometric": "minisblack", **tiled})
    counts = [
        measured(path, tmp_path / path.stem, "tiling.work_mpp=0.5", config=configs / config).documents[0]["counts"]
        for path in (whole, planes)
    ]
    assert counts[0] == counts[1]
