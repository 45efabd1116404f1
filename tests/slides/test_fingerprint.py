"""What a slide's file holds has a digest that copies share; its fingerprint is that of one file at one time."""

import os
import shutil
from pathlib import Path

import pytest

from wsi_area.slides.header.fingerprint import digests, fingerprint

LONG = os.urandom(40 << 16)  # longer than the blocks that are looked at


def written(path: Path, content: bytes, time_s: float = 1e9) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time_s, time_s))
    return path


def test_a_copy_of_another_day_under_another_name_holds_the_same_and_has_another_fingerprint(tmp_path: Path) -> None:
    first, copy = written(tmp_path / "a.svs", LONG), written(tmp_path / "b.svs", LONG, 1.1e9)
    assert digests(first, "q")[1] == digests(copy, "q")[1]
    assert digests(first, "q")[0] != digests(copy, "q")[0]
    assert digests(first, "q")[0] == fingerprint(first, "q")


@pytest.mark.parametrize("place", [0, len(LONG) - 1])
def test_another_byte_at_either_end_or_another_length_is_another_content(tmp_path: Path, place: int) -> None:
    other = bytearray(LONG)
    other[place] ^= 1
    contents = (LONG, bytes(other), LONG + b"0")
    assert len({digests(written(tmp_path / f"{n}.svs", c), None)[1] for n, c in enumerate(contents)}) == 3


def test_a_file_whose_pixels_lie_in_others_holds_them_too(tmp_path: Path) -> None:
    slide = written(tmp_path / "a.mrxs", b"a small picture")
    written(tmp_path / "a/Data0000.dat", b"12345")
    copy = Path(shutil.copy(slide, tmp_path / "b.mrxs"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert digests(slide, None)[1] == digests(copy, None)[1]
    written(tmp_path / "b/Data0000.dat", b"123456")
    assert digests(slide, None)[1] != digests(copy, None)[1]
