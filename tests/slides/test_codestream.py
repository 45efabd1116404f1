"""JPEG 2000 that is not whole is damage, in either lane; what encoders write by any of their options is not."""

import io
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from damage import overwrite, set_tile_number, stored_span
from dicom_files import write_dicom
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames, parse_basic_offsets
from tiff_files import tissue_like, write_aperio_jpeg2000

from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, inspect, read_around_damage
from wsi_area.slides.stored.codestream import claimed_size_px, refuse_torn

PICTURE = tissue_like(768, 768)
FIFTH = Region(256, 256, 256, 256)  # stored tile 4 of 3 × 3


@cache
def encoded(seed: int = 7, height: int = 256, width: int = 256, **options: object) -> bytes:
    given = {"level": 0, "mct": False, "reversible": True, **options}
    return bytes(imagecodecs.jpeg2k_encode(tissue_like(height, width, seed), codecformat="j2k", **given))


# ---- what is whole


@pytest.mark.parametrize("progression", ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"])
@pytest.mark.parametrize("tile", [None, (128, 128), (100, 70)])
@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("lengths", [False, True])  # of packets, in the heads of tiles
def test_no_option_of_an_encoder_makes_damage(
    progression: str, tile: tuple[int, int] | None, lossy: bool, lengths: bool
) -> None:
    options = {"tile_size": tile} if tile else {}
    if lossy:
        options |= {"quality_mode": "rates", "quality_layers": [20, 10, 2], "precinct_size": (128, 128)}
    for picture in (tissue_like(300, 420), np.full((200, 256, 3), 230, np.uint8)):
        file = io.BytesIO()
        Image.fromarray(picture).save(
            file, "JPEG2000", no_jp2=True, progression=progression, irreversible=lossy, plt=lengths, **options
        )
        data = file.getvalue()
        assert claimed_size_px(data) == (picture.shape[1], picture.shape[0])
        refuse_torn(data)
        refuse_torn(data + bytes(7))  # padding
        refuse_torn(data.removesuffix(b"\xff\xd9"))  # some encoders leave the end out: nothing else is lost


@pytest.mark.parametrize("reversible", [False, True])
def test_the_codestreams_of_another_coder_are_whole(reversible: bool) -> None:
    refuse_torn(bytes(imagecodecs.htj2k_encode(tissue_like(300, 420), reversible=reversible)))


@pytest.mark.parametrize(
    "name", ["JPEG2000.dcm", "SC_rgb_gdcm_KY.dcm", "examples_jpeg2k.dcm", "693_J2KI.dcm",
             "MR_small_jp2klossless.dcm", "J2K_pixelrep_mismatch.dcm"],
)  # fmt: skip
def test_what_devices_wrote_is_whole(name: str) -> None:
    scan = dcmread(str(get_testdata_file(name, download=False)))
    for frame in generate_frames(scan.PixelData, number_of_frames=int(scan.get("NumberOfFrames", 1))):
        refuse_torn(frame)


def test_markers_round_packets_and_the_last_part_without_a_length_are_whole() -> None:
    whole = encoded(height=64, width=64)
    body = whole.index(b"\xff\x93") + 2
    packets = b"".join(b"\xff\x91\x00\x04" + n.to_bytes(2) + b"\x95\x80\xff\x92\xff\x8f" for n in (0, 0xFF, 0xFFFF))
    endless = whole[: body - 14 + 6] + bytes(4) + whole[body - 14 + 10 : body]  # the head of its only part
    assert endless[body - 14 : body - 12] == b"\xff\x90"
    refuse_torn(endless + packets + b"\xff\xd9")
    with pytest.raises(ValueError, match="ends at byte"):
        refuse_torn(endless + packets)


# ---- what is not


def cut(whole: bytes, at: int) -> bytes:
    return whole[:at]


def bytes_lost(whole: bytes, at: int) -> bytes:
    return whole[:at] + whole[at + 5 :] + b"\x11\x22\x33\x44\x55"


def bytes_doubled(whole: bytes, at: int) -> bytes:
    return (whole[:at] + whole[at - 9 :])[: len(whole)]


def another_tile_from_here_on(whole: bytes, at: int) -> bytes:
    return whole[:at] + encoded(seed=5)[: len(whole) - at]


def filled_with_ones(whole: bytes, at: int) -> bytes:
    return whole[:at] + b"\xff" * 64 + whole[at + 64 :]


def another_file_in_between(whole: bytes, at: int) -> bytes:
    return whole[:at] + random.Random(at).randbytes(8192) + whole[at + 8192 :]


KINDS = (cut, bytes_lost, bytes_doubled, another_tile_from_here_on, filled_with_ones, another_file_in_between)


@pytest.mark.parametrize("damaged", KINDS)
def test_what_is_torn_is_refused_wherever_it_is_torn(damaged: Callable[[bytes, int], bytes]) -> None:
    for whole in (encoded(), encoded(level=40, mct=True, reversible=False), encoded(level=30, reversible=False)):
        refuse_torn(whole)
        for at in range(200, len(whole) - 8192 - 200, len(whole) // 11):
            with pytest.raises(ValueError, match="JPEG 2000"):
                refuse_torn(damaged(whole, at))


def test_a_codestream_cut_anywhere_in_its_head_is_refused() -> None:
    whole = encoded()
    for length in range(whole.index(b"\xff\x93") + 20):
        with pytest.raises(ValueError, match="JPEG 2000"):
            refuse_torn(whole[:length])


def test_a_part_that_is_missing_is_refused_though_the_markers_fit() -> None:
    file = io.BytesIO()
    Image.fromarray(tissue_like(256, 256)).save(file, "JPEG2000", no_jp2=True, tile_size=(128, 128))
    whole = file.getvalue()
    at = whole.index(b"\xff\x90\x00\x0a\x00\x03")
    with pytest.raises(ValueError, match="3 of 4 tiles"):
        refuse_torn(whole[:at] + b"\xff\xd9")


# ---- in slides


def damaged_boxes(info: SlideInfo, lane: str) -> set[Region]:
    with borrow_reader(info, lane) as reader:
        return {part.region_level_px for part in read_around_damage(reader, 0, Region(0, 0, 768, 768))[1]}


@pytest.mark.parametrize("damaged", KINDS)
@pytest.mark.parametrize("compression", [33003, 33005])
def test_a_torn_tile_of_an_aperio_slide_is_lost_alone_in_both_lanes(
    tmp_path: Path, compression: int, damaged: Callable[[bytes, int], bytes]
) -> None:
    path = write_aperio_jpeg2000(tmp_path / "s.svs", PICTURE, compression)
    at, count = stored_span(path, 4)
    torn = damaged(path.read_bytes()[at : at + count], count // 2)
    overwrite(path, at, torn)
    set_tile_number(path, "TileByteCounts", 4, len(torn))
    info = inspect(path)
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide") == {FIFTH}


@pytest.mark.parametrize("damaged", [kind for kind in KINDS if kind is not cut])
@pytest.mark.parametrize("coding", ["jpeg2000-rct", "jpeg2000-lossy-rgb"])
def test_a_torn_frame_of_a_dicom_slide_is_lost_alone_in_both_lanes(
    tmp_path: Path, coding: str, damaged: Callable[[bytes, int], bytes]
) -> None:
    path = write_dicom(tmp_path / "a.dcm", PICTURE, coding)
    scan = dcmread(path)
    content = path.read_bytes()
    at = content.index(scan.PixelData) + 8 + 4 * int(scan.NumberOfFrames) + parse_basic_offsets(scan.PixelData)[4] + 8
    count = int.from_bytes(content[at - 4 : at], "little")
    overwrite(path, at, damaged(content[at : at + count], count // 2))
    info = inspect(path)
    assert damaged_boxes(info, "direct") == damaged_boxes(info, "openslide") == {FIFTH}
