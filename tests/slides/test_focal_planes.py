"""Focal planes and optical paths that a format's only reader does not offer are listed, and never taken in silence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from ndpi_files import append_picture, empty_ndpi
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from wsi_area.compute.judge.pictures import picture_findings
from wsi_area.errors import SlideOpenError
from wsi_area.model.picture import PictureChoice
from wsi_area.slides import inspect, pictures_of


def write_ndpi(path: Path, offsets_nm: Sequence[int]) -> Path:
    """Write an NDPI file with two levels of each focal plane, then a macro; plane n is grey of 40 + 50 n."""
    out, link = empty_ndpi(), 4
    for step in (1, 2):
        for n, offset_nm in enumerate(offsets_nm):
            grey = Image.new("RGB", (384 // step, 256 // step), (40 + 50 * n,) * 3)
            link = append_picture(out, link, grey, 20 / step, offset_nm)
    append_picture(out, link, Image.new("RGB", (128, 64)), -1.0, None)
    path.write_bytes(out)
    return path


@pytest.mark.parametrize("offsets_nm", [(0, -3000, 3000), (-3000, 0, 3000), (2000, 1000, 0), (-500, 0)])
def test_of_the_focal_planes_of_ndpi_the_one_at_offset_0_is_taken_and_that_is_said(
    tmp_path: Path, offsets_nm: tuple[int, ...]
) -> None:
    path = write_ndpi(tmp_path / "s.ndpi", offsets_nm)
    info = inspect(path)
    planes = [
        (picture.plane, picture.plane_name, picture.taken) for picture in info.pictures if picture.role == "plane"
    ]
    near = sorted(offsets_nm, key=lambda z: (abs(z), z))
    assert planes == [(n, f"ZOffset {z} nm", z == 0) for n, z in enumerate(near)]
    assert [finding.code for finding in picture_findings(info)] == ["PICTURE_CHOSEN"]
    assert f"{len(offsets_nm)} focal planes; picture 0 plane 0 'ZOffset 0 nm' was taken" in info.picture_note
    assert "another one cannot be chosen here" in info.picture_note
    with openslide.OpenSlide(path) as slide:  # the picture that is read is the one that is named
        shown = np.asarray(slide.read_region((0, 0), 0, (64, 64)))
    assert set(shown[shown[..., 3] > 0][:, 0].tolist()) == {40 + 50 * offsets_nm.index(0)}


@pytest.mark.parametrize("plane", [1, 2, "ZOffset 3000 nm"])
def test_another_focal_plane_of_ndpi_is_refused_and_no_setting_is_named_as_the_remedy(
    tmp_path: Path, plane: int | str
) -> None:
    path = write_ndpi(tmp_path / "s.ndpi", (-3000, 0, 3000))
    with pytest.raises(
        SlideOpenError, match=r"cannot be chosen here.*'ZOffset -3000 nm'.*'ZOffset 3000 nm'"
    ) as refused:
        inspect(path, choice=PictureChoice(plane=plane))
    assert "--set" not in str(refused.value)
    assert len(pictures_of(path)) == 3


def test_a_plane_that_an_ndpi_file_has_not_is_refused_without_a_setting_for_another(tmp_path: Path) -> None:
    with pytest.raises(SlideOpenError, match=r"reader\.plane = 7 was asked for, and there is none") as refused:
        inspect(write_ndpi(tmp_path / "s.ndpi", (0, 3000)), choice=PictureChoice(plane=7))
    assert "--set" not in str(refused.value)


@pytest.mark.parametrize("offsets_nm", [(1000, 2000), (-1, 5), (-2000, 3000, 4000)])
def test_focal_planes_of_ndpi_without_one_at_offset_0_are_refused_with_their_list(
    tmp_path: Path, offsets_nm: tuple[int, ...]
) -> None:
    with pytest.raises(SlideOpenError, match=rf"{len(offsets_nm)} pictures .*only the one at offset 0.*ZOffset"):
        inspect(write_ndpi(tmp_path / "s.ndpi", offsets_nm))


def test_an_ndpi_file_of_one_focal_plane_says_nothing(tmp_path: Path) -> None:
    info = inspect(write_ndpi(tmp_path / "s.ndpi", (0,)))
    assert ([p.role for p in info.pictures][:2], info.picture_note) == (["slide", "reduced level"], "")


# ---- DICOM


def write_scan(
    path: Path, value: int, *, side_px: int = 128, paths: Sequence[str] = ("1",), planes: int = 1, z_mm: float = 0.0,
    counted: int | None = None, uid: str | None = None,
) -> Path:  # fmt: skip
    """Write one file of a series, of a single grey; `counted` paths are stated without a sequence that names them."""
    meta = FileMetaDataset()
    uid = uid or f"1.2.3.{sum(path.name.encode())}.{side_px}"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID("1.2.840.10008.5.1.4.1.1.77.1.6"), UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    scan = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    scan.SOPClassUID, scan.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    scan.StudyInstanceUID, scan.SeriesInstanceUID, scan.Modality = "1.2.4", "1.2.5", "SM"
    scan.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    scan.Rows = scan.Columns = 64
    scan.SamplesPerPixel, scan.PhotometricInterpretation, scan.PlanarConfiguration = 3, "RGB", 0
    scan.BitsAllocated = scan.BitsStored = 8
    scan.HighBit, scan.PixelRepresentation = 7, 0
    scan.TotalPixelMatrixColumns = scan.TotalPixelMatrixRows = side_px
    scan.TotalPixelMatrixFocalPlanes, scan.NumberOfOpticalPaths = planes, counted or max(1, len(paths))
    scan.NumberOfFrames = (side_px // 64) ** 2 * planes * scan.NumberOfOpticalPaths
    scan.DimensionOrganizationType = "TILED_FULL"
    if paths:
        scan.OpticalPathSequence = [Dataset() for _ in paths]
        for item, name in zip(scan.OpticalPathSequence, paths, strict=True):
            item.OpticalPathIdentifier = name
    scan.TotalPixelMatrixOriginSequence = [Dataset()]
    scan.TotalPixelMatrixOriginSequence[0].ZOffsetInSlideCoordinateSystem = z_mm
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.064 / side_px, 0.064 / side_px]
    shared.PixelMeasuresSequence = [measures]
    scan.SharedFunctionalGroupsSequence = [shared]
    scan.PixelData = np.full((scan.NumberOfFrames, 64, 64, 3), value, np.uint8).tobytes()
    scan["PixelData"].VR = "OB"
    scan.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("further", "pictures", "says"),
    [
        ({"planes": 3}, 3, "3 focal planes"),
        ({"paths": ("DAPI", "FITC")}, 2, "2 channels.*channel 0 'DAPI'.*channel 1 'FITC'"),
        ({"paths": ("1", "2", "3", "4", "5")}, 5, "5 channels"),
        ({"paths": (), "counted": 4}, 4, "4 channels"),
        ({"paths": ("1", "2"), "planes": 2}, 4, "2 channels, 2 focal planes"),
    ],
)
@pytest.mark.parametrize("choice", [PictureChoice(), PictureChoice(plane=1), PictureChoice(channel=1)])
def test_planes_and_paths_of_one_dicom_file_are_listed_and_none_is_taken(
    tmp_path: Path, further: dict[str, Any], pictures: int, says: str, choice: PictureChoice
) -> None:
    path = write_scan(tmp_path / "s.dcm", 90, **further)
    with pytest.raises(SlideOpenError, match=r"cannot be chosen here.*It holds: picture 0") as refused:
        inspect(path, choice=choice)
    assert "--set" not in str(refused.value)
    assert len(pictures_of(path)) == pictures
    with pytest.raises(SlideOpenError, match=rf"{pictures} pictures \(.*{says}"):
        inspect(path)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"z_mm": 0.0}, {"z_mm": 0.003}, "2 focal planes.*a.dcm' plane 0 'Z 0.0'.*b.dcm' plane 1 'Z 0.003'"),
        ({"paths": ("DAPI",)}, {"paths": ("Cy5",)}, "2 channels.*'a.dcm' channel 0 'DAPI'.*'b.dcm' channel 1 'Cy5'"),
        ({"paths": ("1",)}, {"paths": ("2",), "side_px": 64}, "2 channels"),  # OpenSlide takes b for a level of a
        ({}, {}, "2 images"),
    ],
)
@pytest.mark.parametrize("named", ["a.dcm", "b.dcm"])
def test_the_scans_of_several_files_of_a_dicom_series_are_listed_and_none_is_taken(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], says: str, named: str
) -> None:
    write_scan(tmp_path / "a.dcm", 50, **first)
    write_scan(tmp_path / "b.dcm", 90, **second)
    with pytest.raises(SlideOpenError, match=r"2 pictures.*a folder of their own") as refused:
        inspect(tmp_path / named)
    assert "--set" not in str(refused.value)
    if named == "a.dcm":
        with pytest.raises(SlideOpenError, match=says):
            inspect(tmp_path / named)
    alone = tmp_path / "alone"
    alone.mkdir()
    assert inspect((tmp_path / named).rename(alone / named)).picture_note == ""  # the remedy that is named works


@pytest.mark.parametrize("paths", [("1",), ("Brightfield",), ()])
def test_the_levels_of_a_dicom_scan_are_one_picture(tmp_path: Path, paths: tuple[str, ...]) -> None:
    write_scan(tmp_path / "a.dcm", 50, paths=paths)
    write_scan(tmp_path / "b.dcm", 50, paths=paths, side_px=64)
    info = inspect(tmp_path / "b.dcm")
    assert ([p.role for p in info.pictures], info.picture_note) == (["slide", "reduced level"], "")
    assert len(info.levels) == 2


@pytest.mark.parametrize("unnamed", ["a.dcm", "b.dcm"])
def test_a_level_that_names_no_optical_path_is_no_other_picture(tmp_path: Path, unnamed: str) -> None:
    write_scan(tmp_path / "a.dcm", 50, paths=() if unnamed == "a.dcm" else ("Brightfield",))
    write_scan(tmp_path / "b.dcm", 50, side_px=64, paths=() if unnamed == "b.dcm" else ("Brightfield",))
    assert len(inspect(tmp_path / "a.dcm").levels) == 2


def test_a_copy_of_a_dicom_file_beside_it_is_no_other_picture(tmp_path: Path) -> None:
    write_scan(tmp_path / "a.dcm", 50, uid="1.2.3.9")
    write_scan(tmp_path / "a copy.dcm", 50, uid="1.2.3.9")
    assert inspect(tmp_path / "a.dcm").picture_note == ""
