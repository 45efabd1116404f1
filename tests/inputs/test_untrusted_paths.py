"""Slides and manifests come from strangers: a path cannot leave its folder, a header cannot take the memory."""

import json
import shutil
import struct
import zlib
from pathlib import Path

import pydicom
import pytest
from measuring import measure
from synthetic import disc, write_slide
from traced import with_peak_bytes

from wsi_area.errors import ResultError, SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.manifest import read_manifest
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run

SMALL_BYTES = 64 << 20


@pytest.mark.parametrize("slide_id", ["../up", "a/b", "/etc/passwd", "..", ".", "a\\..\\b", "C:x", "con", "a\0b", "-"])
def test_an_id_that_would_leave_its_folder_is_refused(tmp_path: Path, slide_id: str) -> None:
    (tmp_path / "s.tif").write_bytes(b"x")
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"path,slide_id\ns.tif,{slide_id}\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_manifest(manifest)


@pytest.mark.parametrize("name", ["..tif", ". .tif", "~.tif", "$(touch x).tif", "a;b.tif", "--out.tif"])
def test_an_odd_file_name_becomes_the_name_of_one_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    (slide,) = collect_slides([str(tmp_path / name)])
    assert Path(slide.slide_id).name == slide.slide_id
    assert slide.slide_id.strip("._") == slide.slide_id


@pytest.mark.parametrize("slide_id", ["../outside", "..", "", "a/b", "a\\b", "a\0b", "/etc"])
def test_a_strangers_run_cannot_lead_out_of_its_folder(tmp_path: Path, slide_id: str) -> None:
    size, out = Size(96, 80), tmp_path / "out"
    write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 48, 40, 20)})
    assert measure(tmp_path / "s.tif", out, "run.executor=serial").exit_code == 0
    shutil.copytree(out / "slides/s", tmp_path / "outside")  # so that there is something to be found
    about = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**about, "slides_planned": [slide_id]}))
    with pytest.raises(ResultError, match=r"cannot be the name of a slide|run\.json is damaged"):
        list(open_run(out))
    with pytest.raises(ResultError, match="cannot be the name"):
        RunLayout(out).slide(slide_id)


# --- headers


def tiff(width: int, height: int, tile: int, directories: int = 1, *, data: bytes = b"\xff" * 64) -> bytes:
    """A little-endian TIFF of one tile's data that claims these sizes; further directories are reduced images."""
    whole = bytearray(struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data)
    for n in range(directories):
        entries = [
            (254, 4, 1, int(n > 0)), (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1),
            (262, 3, 1, 1), (277, 3, 1, 1), (322, 4, 1, tile), (323, 4, 1, tile), (324, 4, 1, 8),
            (325, 4, 1, len(data)),
        ]  # fmt: skip
        start = len(whole)
        whole += struct.pack("<H", len(entries))
        for entry in entries:
            whole += struct.pack("<HHII", *entry)
        follows = start + 2 + 12 * len(entries) + 4
        whole += struct.pack("<I", follows if n + 1 < directories else 0)
    return bytes(whole)


@pytest.mark.parametrize(
    "header",
    [
        tiff(2**31, 2**31, 256),
        tiff(2**31 - 1, 16, 256),
        tiff(957, 15_663_819, 256),
        tiff(2**24, 2**24, 256),
        tiff(2**22, 2**22, 2**15),
        tiff(2**16, 2**16, 2**15),
        tiff(0, 0, 256),
        tiff(512, 512, 0),
        tiff(256, 256, 256, directories=1000),
    ],
    ids=["2^31", "one side", "hours long", "2^48 px", "2^44 px", "tile of 2^30 px", "empty", "no tile", "1000 levels"],
)
def test_a_header_that_claims_the_impossible_is_refused_before_anything_is_allocated(
    tmp_path: Path, header: bytes
) -> None:
    reason = refused_in_little_memory(tmp_path / "bomb.tif", header, tmp_path / "out")
    assert "bomb" in reason


def png(width: int, height: int) -> bytes:
    """A PNG of a few bytes of pixels that claims this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def jpeg(width: int, height: int) -> bytes:
    """The head of a baseline JPEG that claims this size, and no pixels."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    scan = bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
    return (
        b"\xff\xd8\xff\xc0"
        + struct.pack(">H", 2 + len(frame))
        + frame
        + (b"\xff\xda" + struct.pack(">H", 2 + len(scan)) + scan + b"\xff\xd9")
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", png(2**31 - 1, 2**31 - 1)),
        ("bomb.png", png(2**16, 2**16)),
        ("bomb.png", png(2**31 - 1, 1)),
        ("bomb.jpg", jpeg(65535, 65535)),
    ],
    ids=["PNG of 2^62 px", "PNG of 2^32 px", "PNG of one row", "JPEG of 2^32 px"],
)
def test_a_plain_image_that_claims_the_impossible_is_refused_too(tmp_path: Path, name: str, content: bytes) -> None:
    refused_in_little_memory(tmp_path / name, content, tmp_path / "out")


def refused_in_little_memory(path: Path, content: bytes | None, out: Path) -> str:
    """Measure a file, which is written unless it is there; return why it failed or is incomplete."""
    if content is not None:
        path.write_bytes(content)
    outcome, peak_bytes = with_peak_bytes(lambda: measure(path, out, "run.executor=serial"))
    (record,) = outcome.documents
    assert outcome.exit_code == 2
    assert record["status"] in {"failed", "incomplete"}
    assert peak_bytes < SMALL_BYTES
    return str(record["reason"])


@pytest.mark.parametrize("side", [2**31 - 1, 2**32 - 1])
def test_a_dicom_slide_that_claims_the_impossible_is_refused_too(testdata: Path, tmp_path: Path, side: int) -> None:
    (path,) = (testdata / "slides/wsi2dcm_jpeg2000").glob("*.dcm")
    image = pydicom.dcmread(path)
    image.TotalPixelMatrixColumns = image.TotalPixelMatrixRows = side
    image.save_as(tmp_path / "bomb.dcm")
    refused_in_little_memory(tmp_path / "bomb.dcm", None, tmp_path / "out")
