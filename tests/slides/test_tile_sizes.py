"""A tile that is said to be larger than any tile is: refused before OpenSlide allocates it, which ends the process."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from synthetic import FileForm, disc, write_slide

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Size
from wsi_area.slides import inspect
from wsi_area.slides.header.tile_sizes import MAX_TILE_BYTES
from wsi_area.slides.stored.tile_codecs import decode_tile
from wsi_area.slides.stored.tiled_level import JPEG2000_RGB, TiledLevel

SIZE = Size(600, 500)
BIG = FileForm("aperio", bigtiff=True, compression="jpeg", downsamples=(1, 2))


def claiming(path: Path, form: FileForm, claim_bytes: int, page: int = 0, dtype: str = "Q") -> Path:
    """A slide of which one tile of a level is said to have so many bytes."""
    write_slide(path, SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, form)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tag = tiff.pages[page].tags["TileByteCounts"]
        counts = list(tag.value)
        counts[-1] = claim_bytes
        tag.overwrite(tuple(counts), dtype=dtype)
    return path


@pytest.mark.parametrize("claim_bytes", [MAX_TILE_BYTES + 1, 1 << 32, 1 << 60, (1 << 64) - 1])
@pytest.mark.parametrize("page", [0, 1])
def test_a_bigtiff_that_would_end_the_process_is_refused_by_name(tmp_path: Path, claim_bytes: int, page: int) -> None:
    path = claiming(tmp_path / "s.svs", BIG, claim_bytes, page)
    with pytest.raises(SlideOpenError, match=rf"s\.svs: its header claims a stored tile of {claim_bytes} bytes"):
        inspect(path)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_either_byte_order_is_read(tmp_path: Path, byteorder: str) -> None:
    form = FileForm(bigtiff=True, byteorder=byteorder)  # type: ignore[arg-type]
    with pytest.raises(SlideOpenError, match="claims a stored tile"):
        inspect(claiming(tmp_path / "s.tif", form, 1 << 40))


def test_a_classic_tiff_too(tmp_path: Path) -> None:
    path = claiming(tmp_path / "s.svs", FileForm("aperio", compression="jpeg"), (1 << 32) - 1, dtype="I")
    with pytest.raises(SlideOpenError, match="claims a stored tile of 4294967295 bytes"):
        inspect(path)


@pytest.mark.parametrize("claim_bytes", [1, 5000, MAX_TILE_BYTES])
def test_a_wrong_size_that_harms_nobody_stays_one_bad_tile(tmp_path: Path, claim_bytes: int) -> None:
    assert inspect(claiming(tmp_path / "s.svs", BIG, claim_bytes)).vendor == "aperio"


@pytest.mark.parametrize("keep_bytes", [0, 3, 8, 15, 16, 40])
def test_a_header_that_ends_early_is_not_followed_further(tmp_path: Path, keep_bytes: int) -> None:
    path = claiming(tmp_path / "s.svs", BIG, 1 << 60)
    path.write_bytes(path.read_bytes()[:keep_bytes])
    with pytest.raises(SlideOpenError) as refused:
        inspect(path)
    assert "stored tile" not in str(refused.value)


@pytest.mark.parametrize("side_px", [255, 257, 30_000, (1 << 32) - 1])
def test_a_jpeg_2000_tile_that_claims_another_size_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch, side_px: int
) -> None:
    whole = imagecodecs.jpeg2k_encode(np.full((256, 256, 3), 200, np.uint8), level=0, codecformat="j2k", mct=False)
    tile = Size(256, 256)
    level = TiledLevel(tile, tile, 1, 1, (1,), (1,), JPEG2000_RGB, 1, False, b"")
    out = np.zeros((256, 256, 3), np.uint8)
    decode_tile(whole, level, out)
    assert (out == 200).all()
    bomb = bytearray(whole)
    struct.pack_into(">II", bomb, 8, side_px, side_px)
    monkeypatch.setattr(imagecodecs, "jpeg2k_decode", None)  # it would take a gigabyte for tiles of 60 000 px
    with pytest.raises(ValueError, match=rf"claims \({side_px}, {side_px}\) px"):
        decode_tile(bytes(bomb), level, out)


def test_directories_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    path = write_slide(tmp_path / "s.svs", SIZE, {"tissue": disc(SIZE, 300, 250, 100)}, BIG).path
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        first, second = (page.offset for page in tiff.pages)
    entries = int.from_bytes(data[second : second + 8], "little")
    end = second + 8 + 20 * entries
    data[end : end + 8] = first.to_bytes(8, "little")
    path.write_bytes(data)
    with pytest.raises(SlideOpenError, match="OpenSlide"):
        inspect(path)
