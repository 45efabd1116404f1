"""benchmarks: build the slide that everything is measured on: an Aperio-style pyramid of real stained pixels.

``python -m benchmarks.slide --size 40960`` writes ``benchmarks/work/bench_40960x40960.svs`` (256-px JPEG tiles,
4:2:0, quality 85, levels 1/4/16, 0.25 µm/px, 44 % tissue). Tissue is scikit-image's colon section (haematoxylin
and DAB), cut at random offsets and turned; glass is a bright noisy plain. Everything follows from the seed, and
memory stays flat: only one band of *compressed* tiles is held, and the coarser levels wait in a file on disk.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imagecodecs
import numpy as np
import skimage.data
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

WORK = Path(__file__).parent / "work"
TILE_PX = 256
PATCH_PX = 1024  # one cut of the stained image: 4 × 4 tiles, so that seams are rare
CELL_PX = 64  # the outline of the tissue is drawn on this grid and interpolated
QUALITY = 85
MPP_UM = 0.25
GLASS_RGB = (243, 242, 244)
GLASS_NOISE = 1.5
EDGE_WIDTH = 0.01  # of the outline field: tissue fades into glass over a few pixels to some tens of pixels

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Outline:
    """Where tissue lies: a smooth field on a coarse grid, positive inside."""

    field: NDArray[np.float32]  # (rows + 1, cols + 1) at the corners of cells

    def alpha(self, top_px: int, left_px: int) -> NDArray[np.float32]:
        """Return float32 (patch, patch): 1 tissue, 0 glass, in between at the rim."""
        n = PATCH_PX // CELL_PX
        r, c = top_px // CELL_PX, left_px // CELL_PX
        rows = np.minimum(np.arange(r, r + n + 1), self.field.shape[0] - 1)
        cols = np.minimum(np.arange(c, c + n + 1), self.field.shape[1] - 1)
        corners = self.field[np.ix_(rows, cols)]
        if corners.min() >= EDGE_WIDTH:
            return np.ones((1, 1), np.float32)
        if corners.max() <= 0:
            return np.zeros((1, 1), np.float32)
        position = (np.arange(PATCH_PX, dtype=np.float32) + 0.5) / CELL_PX
        weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(n + 1, dtype=np.float32)))
        return np.clip(weights @ corners @ weights.T / EDGE_WIDTH, 0, 1).astype(np.float32)


def draw_outline(width_px: int, height_px: int, tissue_fraction: float, seed: int) -> Outline:
    """Return blobs that cover the asked fraction of the slide and stay off its rim."""
    rng = np.random.default_rng([seed, 1])
    shape = (-(-height_px // CELL_PX) + 1, -(-width_px // CELL_PX) + 1)
    coarse = gaussian_filter(rng.standard_normal(shape), 0.07 * min(shape), mode="wrap")
    fine = gaussian_filter(rng.standard_normal(shape), 0.015 * min(shape), mode="wrap")
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    field = coarse / coarse.std() + 0.25 * fine / fine.std() - 2.5 * np.maximum(np.abs(x), np.abs(y)) ** 6
    return Outline((field - np.quantile(field, 1 - tissue_fraction)).astype(np.float32))


class PatchPainter:
    """Paints any patch of the slide from the seed alone."""

    def __init__(self, outline: Outline, seed: int) -> None:
        self.outline, self.seed = outline, seed
        stained = skimage.data.immunohistochemistry()
        side = stained.shape[0]
        # mirrored on all sides so that a 1024-px cut exists at every offset within the image
        self.offsets = side
        self.stained = np.pad(stained, ((0, PATCH_PX), (0, PATCH_PX), (0, 0)), mode="symmetric")
        noise = np.random.default_rng([seed, 2]).normal(0, GLASS_NOISE, (2 * PATCH_PX, 2 * PATCH_PX, 3))
        self.glass = np.clip(np.asarray(GLASS_RGB) + noise, 0, 255).round().astype(np.uint8)

    def paint(self, top_px: int, left_px: int) -> tuple[Rgb, NDArray[np.bool_]]:
        """Return uint8 (patch, patch, 3) RGB and bool (4, 4): which of its tiles hold tissue."""
        rng = np.random.default_rng([self.seed, 3, top_px, left_px])
        y, x = rng.integers(0, PATCH_PX, 2)
        glass = self.glass[y : y + PATCH_PX, x : x + PATCH_PX]
        alpha = self.outline.alpha(top_px, left_px)
        per_side = PATCH_PX // TILE_PX
        if alpha.size == 1 and alpha[0, 0] == 0:
            return glass, np.zeros((per_side, per_side), np.bool_)
        y, x, turns, mirror = rng.integers(0, [self.offsets, self.offsets, 4, 2])
        tissue = np.rot90(self.stained[y : y + PATCH_PX, x : x + PATCH_PX], turns)
        tissue = tissue[:, ::-1] if mirror else tissue
        if alpha.size == 1:
            return np.ascontiguousarray(tissue), np.ones((per_side, per_side), np.bool_)
        blend = glass + alpha[..., None] * (tissue.astype(np.float32) - glass)
        held = alpha.reshape(per_side, TILE_PX, per_side, TILE_PX).max(axis=(1, 3)) > 0
        return blend.round().astype(np.uint8), held


def box_mean(rgb: Rgb, factor: int) -> Rgb:
    """Return the image reduced by a whole factor, each pixel the rounded mean of its box."""
    h, w = rgb.shape[0] // factor * factor, rgb.shape[1] // factor * factor
    rows = rgb[0:h:factor, :w].astype(np.uint16)  # summed axis by axis: whole rows add up fast
    for i in range(1, factor):
        rows += rgb[i:h:factor, :w]
    boxes = rows[:, 0::factor] + sum((rows[:, i::factor] for i in range(1, factor)), start=np.uint16(0))
    return ((boxes + factor * factor // 2) // (factor * factor)).astype(np.uint8)


def encode(tile: Rgb) -> bytes:
    """Return the tile as a JPEG stream of its own, 4:2:0."""
    return imagecodecs.jpeg8_encode(np.ascontiguousarray(tile), level=QUALITY, subsampling="420")


class SlideBuilder:
    """Writes the levels one after another; keeps level-0 tissue tiles and the coarser levels as it goes."""

    def __init__(self, width_px: int, height_px: int, tissue_fraction: float, seed: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        self.painter = PatchPainter(draw_outline(width_px, height_px, tissue_fraction, seed), seed)
        self.tile_holds_tissue = np.zeros((-(-height_px // TILE_PX), -(-width_px // TILE_PX)), np.bool_)
        self.stored_bytes = 0

    def level0_tiles(self, level1: NDArray[np.uint8]) -> Iterator[bytes]:
        """Yield compressed tiles row by row, filling level 1 on the way."""
        rows = self.tile_holds_tissue.shape[0]
        per_side = PATCH_PX // TILE_PX
        for top in range(0, self.height_px, PATCH_PX):
            band: list[list[bytes]] = [[] for _ in range(min(per_side, rows - top // TILE_PX))]
            for left in range(0, self.width_px, PATCH_PX):
                rgb, held = self.painter.paint(top, left)
                r, c = top // TILE_PX, left // TILE_PX
                fits = self.tile_holds_tissue[r : r + per_side, c : c + per_side]
                fits[...] = held[: fits.shape[0], : fits.shape[1]]
                for i, j in np.ndindex(*fits.shape):
                    y, x = i * TILE_PX, j * TILE_PX
                    band[i].append(encode(rgb[y : y + TILE_PX, x : x + TILE_PX]))
                target = level1[top // 4 : (top + PATCH_PX) // 4, left // 4 : (left + PATCH_PX) // 4]
                target[...] = box_mean(rgb, 4)[: target.shape[0], : target.shape[1]]
            for tiles in band:
                yield from tiles
            print(f"\r  {min(top + PATCH_PX, self.height_px)} / {self.height_px} rows", end="", file=sys.stderr)
        print(file=sys.stderr)

    def write(self, path: Path, flat: bool = False) -> None:
        """Write the slide, or its finest level alone; level 1 waits on disk: in memory it would grow with the slide."""
        description = (
            f"Aperio Image Library v12.0.15\r\n{self.width_px}x{self.height_px} "
            f"[0,0 {self.width_px}x{self.height_px}] ({TILE_PX}x{TILE_PX}) JPEG/RGB Q={QUALITY}"
            f"|AppMag = 40|MPP = {MPP_UM}"
        )
        waiting = path.with_suffix(".level1")
        level1 = np.memmap(waiting, np.uint8, "w+", shape=(self.height_px // 4, self.width_px // 4, 3))
        try:
            with tifffile.TiffWriter(path, bigtiff=True) as tiff:
                self._write_level(tiff, self.level0_tiles(level1), (self.height_px, self.width_px), description)
                if flat:
                    return
                self._write_level(tiff, tiles_of(level1), level1.shape[:2], description)
                level2 = np.concatenate([box_mean(level1[y : y + 256], 4) for y in range(0, len(level1), 256)])
                self._write_level(tiff, tiles_of(level2), level2.shape[:2], description)
        finally:
            del level1
            waiting.unlink()

    def _write_level(
        self, tiff: tifffile.TiffWriter, tiles: Iterator[bytes], shape: tuple[int, int], text: str
    ) -> None:
        tiff.write(
            tiles,
            shape=(*shape, 3),
            dtype=np.uint8,
            tile=(TILE_PX, TILE_PX),
            photometric="ycbcr",
            subsampling=(2, 2),
            compression="jpeg",
            description=text,
            metadata=None,
        )


def tiles_of(level: NDArray[np.uint8]) -> Iterator[bytes]:
    """Yield compressed tiles row by row; edge tiles are filled up by repeating the last pixel."""
    for top in range(0, level.shape[0], TILE_PX):
        for left in range(0, level.shape[1], TILE_PX):
            tile = np.asarray(level[top : top + TILE_PX, left : left + TILE_PX])
            missing = [(0, TILE_PX - tile.shape[0]), (0, TILE_PX - tile.shape[1]), (0, 0)]
            yield encode(np.pad(tile, missing, mode="edge"))


def build(
    width_px: int,
    height_px: int,
    tissue_fraction: float = 0.44,
    seed: int = 20,
    again: bool = False,
    flat: bool = False,
) -> Path:
    """Return the path of the slide, written now unless it is there; what it holds is told in a .json beside it."""
    if width_px % 16 or height_px % 16:
        raise SystemExit(f"{width_px} × {height_px} px: give multiples of 16, so that the levels are exactly 1/4/16")
    WORK.mkdir(exist_ok=True)
    path = WORK / f"{'flat' if flat else 'bench'}_{width_px}x{height_px}.svs"
    facts_path = path.with_suffix(".json")
    wanted = {"width_px": width_px, "height_px": height_px, "seed": seed, "asked_tissue_fraction": tissue_fraction}
    if not again and path.exists() and facts_path.exists():
        facts = json.loads(facts_path.read_text())
        if wanted.items() <= facts.items():
            return path
    print(f"building {path.name}", file=sys.stderr)
    builder = SlideBuilder(width_px, height_px, tissue_fraction, seed)
    partial = path.with_suffix(".partial")
    builder.write(partial, flat)
    partial.rename(path)
    np.save(path.with_suffix(".tissue_tiles.npy"), builder.tile_holds_tissue)
    facts = wanted | {
        "mpp_um": MPP_UM,
        "quality": QUALITY,
        "tissue_pixels": "skimage.data.immunohistochemistry",
        "file_bytes": path.stat().st_size,
        "tissue_tile_fraction": float(builder.tile_holds_tissue.mean()),
        "tifffile": tifffile.__version__,
        "imagecodecs": imagecodecs.__version__,
    }
    facts_path.write_text(json.dumps(facts, indent=1))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="40960", help="SIDE or WIDTHxHEIGHT in pixels")
    parser.add_argument("--tissue", type=float, default=0.44, help="fraction of the slide that is tissue")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--again", action="store_true", help="write it even if it is there")
    args = parser.parse_args()
    width, _, height = args.size.partition("x")
    print(build(int(width), int(height or width), args.tissue, args.seed, args.again))


if __name__ == "__main__":
    main()
