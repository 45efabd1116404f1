"""benchmarks: the physical limit, decoding the stored tiles that a run has to read and nothing else.

``python -m benchmarks.limit SLIDE --run DIR`` takes the kept tiles from the ledger of a finished run, reads their
bytes, and decodes each with libjpeg-turbo into the same scratch block, on one thread: once through imagecodecs, once
through simplejpeg, and the faster of the two is the limit. It prints one JSON line; ``decode_cpu_s`` is the CPU time of
that loop alone: no start-up, no reading of pixels twice, no counting.
Without ``--run`` the kept tiles are those in which the builder put tissue.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import simplejpeg
import tifffile
import zarr
from numpy.typing import NDArray

READ = 1  # wsi_area's TileStatus.READ

# what a JPEG in a TIFF leaves unsaid: an Adobe marker, whose last byte says RGB (0) or YCbCr (1)
ADOBE = bytes.fromhex("ff d8 ff ee 00 0e 41 64 6f 62 65 00 64 00 00 00 00")

Mask = NDArray[np.bool_]
Decode = Callable[[bytes], object]


def kept_by_run(run_dir: Path, slide_id: str, page: tifffile.TiffPage) -> Mask:
    """Return bool (tile rows, tile cols) of the level: which stored tiles a run's read tiles touch."""
    ledger = zarr.open_array(run_dir / "slides" / slide_id / "ledger.zarr", path="counts", mode="r")
    facts = dict(ledger.attrs)
    status = np.asarray(ledger[..., facts["columns"].index("status")])
    span = facts["tile_px"] * facts["reduce_factor"]  # level px a ledger tile covers
    kept = np.zeros((-(-page.imagelength // page.tilelength), -(-page.imagewidth // page.tilewidth)), np.bool_)
    for row, col in np.argwhere(status == READ):
        top, left = row * span // page.tilelength, col * span // page.tilewidth
        bottom, right = -(-(row + 1) * span // page.tilelength), -(-(col + 1) * span // page.tilewidth)
        kept[top:bottom, left:right] = True
    return kept


def level_of_run(run_dir: Path, slide_id: str) -> int:
    """Return the level that the run read."""
    record = json.loads((run_dir / "slides" / slide_id / "result.json").read_text())
    return int(record["work"]["level"])


def jpeg_head(page: tifffile.TiffPage) -> bytes:
    """Return the bytes that make a JPEG of a stored tile, in place of its first marker."""
    tables = page.jpegtables
    return ADOBE + bytes([page.photometric == tifffile.PHOTOMETRIC.YCBCR]) + (tables[2:-2] if tables else b"")


def decoders(page: tifffile.TiffPage) -> dict[str, Decode]:
    """Return the ways to decode one stored tile of a level, by name; each fills its own scratch block."""
    scratch = np.empty((page.tilelength, page.tilewidth, 3), np.uint8)
    is_ycbcr, tables = page.photometric == tifffile.PHOTOMETRIC.YCBCR, page.jpegtables
    head = jpeg_head(page)

    def by_imagecodecs(data: bytes) -> object:
        return imagecodecs.jpeg8_decode(
            data, tables=tables, colorspace="YCBCR" if is_ycbcr else "RGB", outcolorspace="RGB", out=scratch
        )

    def by_simplejpeg(data: bytes) -> object:
        return simplejpeg.decode_jpeg(head + data[2:], "RGB", buffer=scratch)

    return {"imagecodecs": by_imagecodecs, "simplejpeg": by_simplejpeg}


def decode_cpu_s(slide: Path, page: tifffile.TiffPage, kept: Mask, decode: Decode) -> float:
    """Return the CPU seconds that reading and decoding the kept tiles takes."""
    numbers = np.flatnonzero(kept)
    offsets, sizes = page.dataoffsets, page.databytecounts
    with slide.open("rb", buffering=0) as file:
        started = time.process_time()
        for number in numbers:
            file.seek(offsets[number])
            decode(file.read(sizes[number]))
        return time.process_time() - started


def raw_decode(slide: Path, run_dir: Path | None, every_tile: bool = False) -> dict[str, Any]:
    """Return the time of decoding the stored tiles that a run has read, or in which the builder put tissue."""
    level = level_of_run(run_dir, slide.stem) if run_dir else 0
    with tifffile.TiffFile(slide) as tiff:
        page = [p for p in tiff.pages if p.is_tiled][level]
        kept = kept_by_run(run_dir, slide.stem, page) if run_dir else np.load(slide.with_suffix(".tissue_tiles.npy"))
        if every_tile:
            kept = np.ones_like(kept)
        by_decoder = {name: decode_cpu_s(slide, page, kept, decode) for name, decode in decoders(page).items()}
        seconds = min(by_decoder.values())
        pixels = int(kept.sum()) * page.tilelength * page.tilewidth
    return {
        "decode_cpu_s": seconds,
        "decode_cpu_s_by_decoder": by_decoder,
        "decoded_px": pixels,
        "mpx_per_cpu_s": pixels / seconds / 1e6,
        "kept_tile_fraction": float(kept.mean()),
        "level": level,
    }


def look_at_every_tile(slide: Path) -> None:
    """Decode every stored tile of level 0 to an eighth: its entropy coding, and next to nothing else.

    No picture of all of a slide can be made for less, however small or coarse.
    """
    with tifffile.TiffFile(slide) as tiff, slide.open("rb", buffering=0) as file:
        page = next(p for p in tiff.pages if p.is_tiled)
        head = jpeg_head(page)
        for offset, size in zip(page.dataoffsets, page.databytecounts, strict=True):
            file.seek(offset)
            simplejpeg.decode_jpeg(head + file.read(size)[2:], "RGB", min_height=1, min_width=1, min_factor=8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slide", type=Path)
    parser.add_argument("--run", type=Path, help="the run directory whose read tiles are decoded")
    parser.add_argument("--all", action="store_true", help="decode every tile of the level, glass too")
    args = parser.parse_args()
    print(json.dumps(raw_decode(args.slide, args.run, args.all)))


if __name__ == "__main__":
    main()
