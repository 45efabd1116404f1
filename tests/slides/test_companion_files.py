"""What belongs to a slide of several files is one answer: for copies, fingerprints and lists of slides alike."""

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from wsi_area.inputs.slide_files import found_slides
from wsi_area.slides.header.companion_files import companions_of, files_of, is_dicom
from wsi_area.slides.header.fingerprint import fingerprint

# the slide, what belongs to it, and what lies beside both and belongs to nobody
KINDS = {
    "vms": ("s.vms", ("s_0.jpg", "s_1.JPG", "macro.jpeg", "s.opt"), ("notes.txt", "other.svs")),
    "vmu": ("s.vmu", ("s_0.ngr", "macro.jpg"), ("notes.txt",)),
    "mrxs": ("s.mrxs", ("s/Slidedat.ini", "s/Data0001.dat"), ("t/Data0001.dat", "readme.md")),
    "mrxs in capitals": ("s.MRXS", ("s/Slidedat.ini", "s/Preview.png"), ("readme.md",)),
    "dicom": ("a.dcm", ("b.dcm", "c.dicom"), ("notes.txt",)),
    "dicom by its other suffix": ("a.dicom", ("b.dicom",), ("notes.txt",)),
    "dicom without suffixes": ("IM0001", ("IM0002", "IM0003"), ()),
    "dicom named by UIDs": ("1.2.840.113", ("1.2.840.114", "1.2.840.115"), ()),
    "one file": ("s.svs", (), ("s.jpg", "t.svs", "IM0001")),
}


def dicom(path: Path, size_bytes: int) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    header = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID = meta.MediaStorageSOPClassUID
    header.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    header.SeriesInstanceUID = "1.2.3"
    header.ImageComments = "x" * size_bytes
    header.save_as(path, enforce_file_format=True)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[Path], list[Path]]:
    slide, its_own, others = KINDS[request.param]
    for number, name in enumerate((slide, *its_own, *others)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if "dicom" in request.param and name not in others:
            dicom(path, 900 if name == slide else number)
        else:
            path.write_bytes(name.encode())
    return tmp_path / slide, [tmp_path / name for name in its_own], [tmp_path / name for name in others]


def test_a_copy_takes_what_belongs_to_the_slide_and_nothing_else(kind: tuple[Path, list[Path], list[Path]]) -> None:
    slide, its_own, _ = kind
    assert files_of(slide)[0] == slide
    assert set(files_of(slide)) == {slide, *its_own}


def test_a_slide_is_another_one_once_a_file_of_it_is(kind: tuple[Path, list[Path], list[Path]]) -> None:
    slide, its_own, others = kind
    before = fingerprint(slide, None)
    for file in others:
        file.write_bytes(b"longer than it was, and about something else")
    assert fingerprint(slide, None) == before
    for file in its_own:
        content = file.read_bytes()
        file.write_bytes(content + b"1")
        assert fingerprint(slide, None) != before, file
        file.write_bytes(content)


def test_a_folder_gives_the_slide_and_none_of_its_files_as_another(kind: tuple[Path, list[Path], list[Path]]) -> None:
    slide, its_own, _ = kind
    found = {str(found.path) for found in found_slides([str(slide.parent)], recursive=True).slides}
    assert str(slide) in found
    assert not found & set(map(str, its_own))


def test_a_directory_of_dicom_files_and_other_bare_names_are_no_slides_of_several_files(tmp_path: Path) -> None:
    dicom(tmp_path / "DICOMDIR", 10)
    (tmp_path / "README").write_bytes(b"DICM is a magic word, 128 bytes into a file")
    (tmp_path / "short").write_bytes(b"")
    for name in ("DICOMDIR", "README", "short"):
        assert not is_dicom(tmp_path / name)
        assert companions_of(tmp_path / name) is None
        assert files_of(tmp_path / name) == [tmp_path / name]
