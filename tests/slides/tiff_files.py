"""Tiled TIFFs of every kind the direct lane claims to read, written by tifffile, from known pixels."""

from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

APERIO = "Aperio Image Library v12.0.0 \r\n{w}x{h} (256x256) JPEG/RGB Q=85|AppMag = 20|MPP = 0.5"


def tissue_like(height: int, width: int, seed: int = 7) -> NDArray[np.uint8]:
    """Smooth colours with texture: chroma subsampling and JPEG blocks all have something to do."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(rows / a) + np.cos(columns / b) for a, b in ((23, 31), (17, 41), (37, 13))]
    picture = np.stack(waves, axis=-1) * 50 + 140 + rng.normal(0, 12, (height, width, 3))
    return picture.clip(0, 255).astype(np.uint8)


def halved(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture[::2, ::2])


def write_tiled(
    path: Path,
    levels: list[NDArray[np.uint8]],
    *,
    tile_px: int = 256,
    compression: str | None = "jpeg",
    photometric: str = "rgb",
    subsampling: tuple[int, int] | None = None,
    predictor: bool = False,
    bigtiff: bool = False,
    byteorder: str = "<",
    description: str | None = None,
    resolution: tuple[float, float] | None = None,
    resolutionunit: str | None = None,
    software: str | bool = False,
) -> Path:
    """Write a pyramid, finest level first; reduced levels are marked as OpenSlide wants them."""
    with tifffile.TiffWriter(path, bigtiff=bigtiff, byteorder=byteorder) as writer:
        for index, picture in enumerate(levels):
            writer.write(
                picture,
                tile=(tile_px, tile_px),
                compression=compression,
                compressionargs={"level": 85} if compression == "jpeg" else None,
                photometric=photometric,
                subsampling=subsampling,
                predictor=predictor or None,
                subfiletype=int(index > 0),
                description=description,
                metadata=None,
                resolution=resolution,
                resolutionunit=resolutionunit,
                software=software,
            )
    return path


def write_aperio_jpeg2000(path: Path, picture: NDArray[np.uint8], compression: int, tile_px: int = 256) -> Path:
    """Write ``picture`` as Aperio does with JPEG 2000: 33003 holds YCbCr samples, 33005 RGB."""
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((0, -height % tile_px), (0, -width % tile_px), (0, 0)), mode="edge")
    tiles = [
        imagecodecs.jpeg2k_encode(
            np.ascontiguousarray(padded[y : y + tile_px, x : x + tile_px]),
            level=0, codecformat="j2k", mct=False, reversible=True,
        )
        for y in range(0, height, tile_px)
        for x in range(0, width, tile_px)
    ]  # fmt: skip
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            iter(tiles), shape=picture.shape, dtype="uint8", tile=(tile_px, tile_px), photometric="rgb",
            compression=compression, description=APERIO.format(w=width, h=height), metadata=None,
        )  # fmt: skip
    return path


def write_shared_tables(path: Path, picture: NDArray[np.uint8], tile_px: int = 256) -> Path:
    """Write abbreviated JPEG tiles whose quantisation and Huffman tables stand once, in JPEGTables."""
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((0, -height % tile_px), (0, -width % tile_px), (0, 0)), mode="edge")
    tables, tiles = b"", []
    for y in range(0, height, tile_px):
        for x in range(0, width, tile_px):
            tile = np.ascontiguousarray(padded[y : y + tile_px, x : x + tile_px])
            tables, abbreviated = _without_tables(imagecodecs.jpeg8_encode(tile, level=80))
            tiles.append(abbreviated)
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            iter(tiles), shape=picture.shape, dtype="uint8", tile=(tile_px, tile_px), photometric="ycbcr",
            subsampling=(2, 2), compression="jpeg", metadata=None, software=False,
            extratags=[(347, 7, len(tables), tables, True)],
        )  # fmt: skip
    return path


def _without_tables(jpeg: bytes) -> tuple[bytes, bytes]:
    """Split a JPEG into its tables (DQT, DHT) and the rest, each with start and end marker."""
    tables, rest, at = b"", b"", 2
    while jpeg[at + 1] != 0xDA:  # start of scan
        length = 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        segment = jpeg[at : at + length]
        if segment[1] in (0xDB, 0xC4):
            tables += segment
        elif segment[1] != 0xE0:  # JFIF header: tiles have none
            rest += segment
        at += length
    return b"\xff\xd8" + tables + b"\xff\xd9", b"\xff\xd8" + rest + jpeg[at:]


def stored_tiles(path: Path, page: int = 0) -> list[tuple[int, int]]:
    """Return (offset, byte count) of every stored tile."""
    with tifffile.TiffFile(path) as tiff:
        found = tiff.pages[page]
        return list(zip(found.dataoffsets, found.databytecounts, strict=True))


def remove_tiles(path: Path, indices: list[int], page: int = 0) -> Path:
    """Set offset and byte count of some tiles to 0, as sparse writers do."""
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tags = tiff.pages[page].tags
        for name in ("TileOffsets", "TileByteCounts"):
            values = list(tags[name].value)
            for index in indices:
                values[index] = 0
            tags[name].overwrite(values)
    return path


def spoil_tile(path: Path, index: int, page: int = 0) -> Path:
    """Overwrite a stored tile with bytes that are no image."""
    offset, count = stored_tiles(path, page)[index]
    content = bytearray(path.read_bytes())
    content[offset : offset + count] = b"\x55" * count
    path.write_bytes(bytes(content))
    return path
