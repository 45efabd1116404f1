"""A description that libvips, Philips or anybody else left in a file is held against the picture that it lies in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from dicom_files import write_dicom
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom import Dataset, dcmread
from tiff_files import tissue_like

from wsi_area.compute.calibration.calibrate import CalibrationPolicy, calibrate
from wsi_area.model.calibration import Calibration
from wsi_area.slides import inspect

SCAN = tissue_like(256, 384)
HALF = np.ascontiguousarray(SCAN[::2, ::2])
TILED: dict[str, Any] = {"tile": (128, 128), "compression": "deflate", "photometric": "rgb", "metadata": None}
HALF_UM = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
ONE_UM = {"resolution": (10_000, 10_000), "resolutionunit": "CENTIMETER"}


def vips(**told: object) -> str:
    """The properties of an image as libvips writes them."""
    rows = "\n".join(
        f'    <property>\n      <name>{name}</name>\n      <value type="VipsRefString">{value}</value>\n    </property>'
        for name, value in told.items()
    )
    return f'<?xml version="1.0"?>\n<image xmlns="http://www.vips.ecs.soton.ac.uk//dzsave">\n{rows}\n</image>'


OF_SLIDE = {"openslide.mpp-x": 0.5, "openslide.mpp-y": 0.5}
FULL = {"openslide.level[0].width": 384, "openslide.level[0].height": 256}


def philips(columns: int, rows: int) -> str:
    """The text of a Philips TIFF whose finest level has 0.25 µm and this size."""

    def attribute(name: str, place: str, kind: str, value: str) -> str:
        group, element = place.split(",")
        return f'<Attribute Name="{name}" Group="0x{group}" Element="0x{element}" PMSVR="{kind}">{value}</Attribute>'

    spacing = attribute("DICOM_PIXEL_SPACING", "0028,0030", "IDoubleArray", '"0.00025" "0.00025"')
    level = "PIIM_PIXEL_DATA_REPRESENTATION"
    finest = (
        attribute(f"{level}_COLUMNS", "2001,115E", "IUInt32", str(columns))
        + attribute(f"{level}_NUMBER", "1001,8B02", "IUInt16", "0")
        + attribute(f"{level}_ROWS", "2001,115D", "IUInt32", str(rows))
        + spacing
    )
    levels = f'<Array><DataObject ObjectType="PixelDataRepresentation">{finest}</DataObject></Array>'
    scan = (
        attribute("PIM_DP_IMAGE_TYPE", "301D,1004", "IString", "WSI")
        + spacing
        + attribute(f"{level}_SEQUENCE", "1001,8B01", "IDataObjectArray", levels)
    )
    scans = f'<Array><DataObject ObjectType="DPScannedImage">{scan}</DataObject></Array>'
    made_by = attribute("DICOM_MANUFACTURER", "0008,0070", "IString", "PHILIPS")
    listed = attribute("PIM_DP_SCANNED_IMAGES", "301D,1003", "IDataObjectArray", scans)
    return f'<?xml version="1.0" encoding="UTF-8" ?><DataObject ObjectType="DPUfsImport">{made_by}{listed}</DataObject>'


def calibrated(path: Path, picture: Any, description: str, **kwargs: Any) -> Calibration:
    tifffile.imwrite(path, picture, description=description.encode(), **{**TILED, **kwargs})
    return calibrate(inspect(path))


def found(calibration: Calibration) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in calibration.findings]


@pytest.mark.parametrize("density", [{}, HALF_UM])
@pytest.mark.parametrize("tile", [(128, 128), None])
def test_what_libvips_copied_of_the_slide_is_not_the_size_of_what_it_reduced(
    tmp_path: Path, density: dict[str, Any], tile: tuple[int, int] | None
) -> None:
    text = vips(width=192, height=128, **OF_SLIDE, **FULL)
    calibration = calibrated(tmp_path / "s.tif", HALF, text, tile=tile, **density)
    assert (calibration.mpp, found(calibration)) == (None, [("MPP_OF_ANOTHER_PICTURE", "refusal")])
    assert "384 × 256 px" in calibration.findings[0].message


def test_a_density_that_was_kept_up_to_date_settles_what_libvips_copied(tmp_path: Path) -> None:
    text = vips(width=192, height=128, **OF_SLIDE, **FULL)
    calibration = calibrated(tmp_path / "s.tif", HALF, text, **ONE_UM)
    assert calibration.mpp is not None
    assert calibration.mpp.x == pytest.approx(1.0)
    assert found(calibration) == [("MPP_OF_ANOTHER_PICTURE", "info")]


@pytest.mark.parametrize("density", [{}, HALF_UM])
def test_a_whole_slide_that_libvips_wrote_again_has_its_size(tmp_path: Path, density: dict[str, Any]) -> None:
    calibration = calibrated(tmp_path / "s.tif", SCAN, vips(width=384, height=256, **OF_SLIDE, **FULL), **density)
    assert calibration.mpp is not None
    assert calibration.mpp.x == pytest.approx(0.5)
    assert found(calibration) == []


def test_a_size_of_libvips_without_its_picture_is_on_record_and_not_used(tmp_path: Path) -> None:
    calibration = calibrated(tmp_path / "s.tif", SCAN, vips(width=384, height=256, **OF_SLIDE))
    assert (calibration.mpp, found(calibration)) == (None, [("MPP_MISSING", "refusal")])
    assert "vips.openslide.mpp-x says '0.5 × 0.5" in calibration.findings[0].message


@pytest.mark.parametrize(("size", "stands"), [((384, 256), True), ((768, 512), False), ((1536, 256), False)])
def test_a_philips_text_is_of_a_picture_of_the_size_that_it_states(
    tmp_path: Path, size: tuple[int, int], stands: bool
) -> None:
    calibration = calibrated(tmp_path / "s.tiff", SCAN, philips(*size), software="Philips DP v1.0")
    assert (calibration.mpp is not None) is stands
    assert found(calibration) == ([] if stands else [("MPP_OF_ANOTHER_PICTURE", "refusal")])


@pytest.mark.parametrize(
    "text",
    [
        '{"shape": [256, 384, 3], "mpp": 0.5}',
        "Scanner X, 20x, Pixel Size: 0.5 µm",
        "<root><PixelSizeMicrons>0.5</PixelSizeMicrons></root>",
        "microns per pixel = 0,5; operator 12",
    ],
)
def test_words_of_a_pixel_size_are_on_record_where_nothing_reads_them(tmp_path: Path, text: str) -> None:
    calibration = calibrated(tmp_path / "s.tif", SCAN, text)
    assert (calibration.mpp, found(calibration)) == (None, [("MPP_MISSING", "refusal")])
    assert "nothing in the file says" not in calibration.findings[0].message
    assert "tiff.ImageDescription says" in calibration.findings[0].message


@pytest.mark.parametrize(("number", "said"), [("0.5", []), ("0.25", [("MPP_UNREADABLE", "info")])])
def test_words_that_repeat_the_resolution_say_nothing_and_others_are_told(
    tmp_path: Path, number: str, said: list[tuple[str, str]]
) -> None:
    calibration = calibrated(tmp_path / "s.tif", SCAN, f'{{"mpp": {number}}}', **HALF_UM)
    assert calibration.mpp is not None
    assert found(calibration) == said


@pytest.mark.parametrize("text", ["pixel size: 384 x 256", "Exported from slide 12, 20x", "mpp unknown"])
def test_other_numbers_of_a_description_are_no_pixel_size(tmp_path: Path, text: str) -> None:
    assert "nothing in the file says" in calibrated(tmp_path / "s.tif", SCAN, text).findings[0].message


def _saved(path: Path, how: str) -> Path:
    picture, told = Image.fromarray(SCAN), "microns per pixel: 0.5"
    if how == "a text of a PNG":
        texts = PngInfo()
        texts.add_text("Description", told)
        picture.save(path / "s.png", pnginfo=texts)
        return path / "s.png"
    described = Image.Exif()
    described[270] = told
    picture.save(path / "s.jpg", **({"comment": told.encode()} if how == "a comment" else {"exif": described}))
    return path / "s.jpg"


@pytest.mark.parametrize("how", ["a text of a PNG", "a comment", "EXIF"])
def test_words_in_a_png_or_jpeg_are_on_record_too(tmp_path: Path, how: str) -> None:
    calibration = calibrate(inspect(_saved(tmp_path, how)), policy=CalibrationPolicy(profile="plain"))
    assert found(calibration) == [("MPP_MISSING", "refusal")]
    assert "microns per pixel: 0.5" in calibration.findings[0].message


def frame_by_frame(path: Path, *spacings: tuple[float, float]) -> Path:
    """A DICOM slide whose frames have these spacings in turn, in mm, and none that holds for all of them."""
    scan = dcmread(write_dicom(path, SCAN))
    del scan.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    groups = []
    for number in range(int(scan.NumberOfFrames)):
        group, measures = Dataset(), Dataset()
        measures.PixelSpacing = list(spacings[number % len(spacings)])
        group.PixelMeasuresSequence = [measures]
        groups.append(group)
    scan.PerFrameFunctionalGroupsSequence = groups
    scan.save_as(path)
    return path


@pytest.mark.parametrize(("row_mm", "column_mm"), [(0.0005, 0.0005), (0.00025, 0.000251), (0.001, 0.00102)])
def test_a_spacing_that_every_frame_of_a_dicom_slide_states_is_its_own(
    tmp_path: Path, row_mm: float, column_mm: float
) -> None:
    calibration = calibrate(inspect(frame_by_frame(tmp_path / "s.dcm", (row_mm, column_mm))))
    assert calibration.mpp is not None, calibration.findings
    assert (calibration.mpp.x, calibration.mpp.y) == pytest.approx((1000 * column_mm, 1000 * row_mm))
    assert calibration.chosen is not None
    assert calibration.chosen.source == "dicom.PixelSpacing of each frame"


def test_frames_of_several_spacings_have_none_and_that_is_told(tmp_path: Path) -> None:
    calibration = calibrate(inspect(frame_by_frame(tmp_path / "s.dcm", (0.0005, 0.0005), (0.00025, 0.00025))))
    assert (calibration.mpp, found(calibration)) == (None, [("MPP_MISSING", "refusal")])
    assert "2 sizes" in calibration.findings[0].message
