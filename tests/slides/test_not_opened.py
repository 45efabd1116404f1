"""A file that is not opened is called what it is: unsupported, a label, or a slide whose other files are not there."""

from pathlib import Path

import dicom_files
import numpy as np
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from tiff_files import tissue_like

from wsi_area.errors import SlideOpenError
from wsi_area.slides import inspect

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
WRONG_REMEDIES = ("begins with zeros", "copy the slide again", "truncated")


def write_dicom(path: Path, sop_class: str, **further: object) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slide = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    slide.SOPClassUID, slide.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    slide.StudyInstanceUID, slide.SeriesInstanceUID = generate_uid(), generate_uid()
    slide.Rows = slide.Columns = 64
    slide.SamplesPerPixel, slide.PhotometricInterpretation, slide.PlanarConfiguration = 3, "RGB", 0
    slide.BitsAllocated = slide.BitsStored = 8
    slide.HighBit, slide.PixelRepresentation, slide.NumberOfFrames = 7, 0, 1
    for key, value in further.items():
        setattr(slide, key, value)
    slide.PixelData = np.zeros((64, 64, 3), np.uint8).tobytes()
    slide["PixelData"].VR = "OB"
    slide.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.parametrize(
    ("sop_class", "name"),
    [
        ("1.2.840.10008.5.1.4.1.1.77.1.5.1", "Ophthalmic Photography 8 Bit"),
        ("1.2.840.10008.5.1.4.1.1.77.1.4", "VL Photographic"),
        ("1.2.840.10008.5.1.4.1.1.2", "CT"),
    ],
)
@pytest.mark.parametrize("file", ["s.dcm", "IM0001"])
def test_a_dicom_file_of_another_class_is_called_by_it(tmp_path: Path, sop_class: str, name: str, file: str) -> None:
    with pytest.raises(SlideOpenError, match=f"no whole-slide image .*class {name}.*export.*--mpp") as refused:
        inspect(write_dicom(tmp_path / file, sop_class))
    assert not any(remedy in str(refused.value) for remedy in WRONG_REMEDIES)


VOLUME = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]


@pytest.mark.parametrize(
    ("further", "says"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, "the label of a slide"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "OVERVIEW", "NONE"]}, "the overview of a slide"),
        ({"ImageType": VOLUME}, "lacks TotalPixelMatrixColumns, TotalPixelMatrixRows"),
        ({}, "lacks ImageType"),
        (
            {"ImageType": VOLUME, "TotalPixelMatrixColumns": 64, "TotalPixelMatrixRows": 64,
             "TotalPixelMatrixFocalPlanes": 5},
            "5 focal planes",
        ),
    ],
)  # fmt: skip
def test_a_whole_slide_image_that_cannot_be_read_says_what_is_in_the_way(
    tmp_path: Path, further: dict[str, object], says: str
) -> None:
    with pytest.raises(SlideOpenError, match=says) as refused:
        inspect(write_dicom(tmp_path / "s.dcm", WHOLE_SLIDE, **further))
    assert not any(remedy in str(refused.value) for remedy in WRONG_REMEDIES)


@pytest.mark.parametrize(
    "parts", [[(1, 0, 4)], [(2, 4, 9)], [(3, 8, 9)], [(2, 4, 7), (3, 7, 9)], [(1, 0, 2), (3, 8, 9)]]
)
def test_a_dicom_slide_of_which_a_part_is_not_there_is_to_be_copied_whole(
    tmp_path: Path, parts: list[tuple[int, int, int]]
) -> None:
    for part in parts:
        found = dicom_files.write_dicom(tmp_path / f"{part[0]}.dcm", tissue_like(700, 600), part=part)
    with pytest.raises(SlideOpenError, match=r"some are not there .*copy all files of the series") as refused:
        inspect(found)
    assert "--mpp" not in str(refused.value)


def test_a_mirax_slide_without_its_folder_or_a_part_of_it_names_them(tmp_path: Path) -> None:
    slide = tmp_path / "a.mrxs"
    slide.write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    with pytest.raises(SlideOpenError, match=r"several files, of which the folder a/ is not there"):
        inspect(slide)
    (tmp_path / "a").mkdir()
    with pytest.raises(SlideOpenError, match=r"of which a/Slidedat\.ini is not there"):
        inspect(slide)
    (tmp_path / "a" / "Slidedat.ini").write_text(
        "[HIERARCHICAL]\nINDEXFILE=Index.dat\n[DATAFILE]\nFILE_COUNT=2\nFILE_0=Data0000.dat\nFILE_1=Data0001.dat\n"
    )
    (tmp_path / "a" / "Data0000.dat").write_bytes(b"x")
    with pytest.raises(SlideOpenError, match=r"of which a/Index\.dat, a/Data0001\.dat are not there"):
        inspect(slide)


@pytest.mark.parametrize(("suffix", "tile"), [("vms", "a.jpg"), ("vmu", "a.ngr")])
def test_a_hamamatsu_slide_names_the_tiles_that_are_not_there(tmp_path: Path, suffix: str, tile: str) -> None:
    text = f"[Virtual Microscope Specimen]\nNoLayers=1\nImageFile={tile}\nMapFile=a_map.jpg\nMacroImage=m.jpg\n"
    (tmp_path / f"a.{suffix}").write_text(text)
    (tmp_path / "m.jpg").write_bytes(b"x")
    with pytest.raises(SlideOpenError, match=rf"of which {tile}, a_map\.jpg are not there"):
        inspect(tmp_path / f"a.{suffix}")


def test_a_list_of_slides_is_called_one_and_names_them(tmp_path: Path) -> None:
    (tmp_path / "a.ndpis").write_text(
        "[NanoZoomer Digital Pathology Image Set]\nNoImages=2\nImage0=a-1.ndpi\nImage1=a-2.ndpi\n"
    )
    with pytest.raises(SlideOpenError, match=r"a list of slides, not a slide \(it names a-1\.ndpi, a-2\.ndpi\)"):
        inspect(tmp_path / "a.ndpis")
