"""demo: an immunohistochemistry slide on disk whose tissue and DAB-positive areas are known in closed form.

Aperio-style pyramid, 8000 × 8000 px, 0.5 µm/px, ×20, levels 1/4/16, 256-px JPEG tiles. Islands of analytic
outline lie on glass: unstained stroma, and in it nests of DAB-positive epithelium. What the pixels are made
of, and the bounds they keep, stands in ``demo.texture``; where what lies, in ``demo.islands``.
"""

import filecmp
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile

from wsi_area.demo.islands import ISLANDS, MPP, SIZE, DemoIsland
from wsi_area.demo.outlines import Outline
from wsi_area.demo.texture import Texture, glass_texture, stained_texture, unstained_texture
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import MaskArray, RgbArray

OBJECTIVE_POWER = 20
_TILE_PX = 256
_REDUCTION = 4  # from a level to the next, twice: 1, 4, 16
_JPEG_QUALITY = 95  # without chroma subsampling: colour does not bleed over an outline

# Measured at level 0: counting pixels by their centres costs 0.0007 % of the tissue, JPEG at most 0.04 % for
# any threshold of 255 - min(R, G, B) from 18 to 60 and of DAB from 0.12 to 0.28 OD (0.001 % and 0.0001 % at
# 30 and 0.20). Cells of 1, 2 and 4 µm are tissue by less than half: + 0.1, 0.2 and 0.4 %.
TOLERANCE_RELATIVE = 0.001
TOLERANCE_REASON = (
    "measured at level 0: pixels belong to an island by their centres, and JPEG blurs the outlines by a "
    "fraction of a pixel; a coarser work mpp adds up to 0.1 % for each µm of it"
)


@frozen_value
class DemoTruth:
    """What a measurement of the demo slide must find.

    A pixel of the nests has a DAB density of at least 0.32 OD, one of the rest of the tissue at most 0.10 OD
    (log10, H-DAB vectors; JPEG moves both a little). So ``positive_area_mm2`` is the truth for weak, moderate
    and strong together where weak begins between these; how they divide among themselves is not known.
    """

    path: Path
    size_px: Size
    mpp: Mpp
    islands: tuple[DemoIsland, ...]
    tolerance_relative: float = TOLERANCE_RELATIVE
    tolerance_reason: str = TOLERANCE_REASON

    @property
    def tissue_area_mm2(self) -> float:
        """Return the area of all islands in mm²."""
        return sum(island.tissue_area_mm2 for island in self.islands)

    @property
    def positive_area_mm2(self) -> float:
        """Return the area of all nests in mm²."""
        return sum(island.positive_area_mm2 for island in self.islands)


def build_demo_slide(path: Path, *, seed: int = 0) -> DemoTruth:
    """Return the truth about the demo slide, which is written to ``path``.

    The same seed gives the same bytes. The slide is painted a row of tiles at a time, written beside ``path``
    and renamed when it is whole.

    Parameters
    ----------
    path
        Where the slide goes, ``.svs``; a file that is there is replaced.
    seed
        Of the texture and the noise; the islands stay where they are.

    Raises
    ------
    ResultError
        If the slide cannot be written.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        _write(beside, seed)
        # the same bytes keep their date, so that a run of them goes on or is found finished
        if not (path.is_file() and filecmp.cmp(beside, path, shallow=False)):
            beside.replace(path)
    except OSError as error:
        raise ResultError(
            f"the demo slide cannot be written to {path} ({error}); choose a folder that you may write to, "
            "with 100 MB free"
        ) from error
    finally:
        with suppress(OSError):  # where it could not even be begun
            beside.unlink()
    return DemoTruth(path, SIZE, MPP, ISLANDS)


class _Painter:
    """Paints any box of level 0."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._stained = stained_texture(rng)
        self._unstained = unstained_texture(rng)
        self._glass = glass_texture(rng)

    def tile(self, x_px: int, y_px: int) -> RgbArray:
        """Return uint8 (256, 256, 3) RGB, painted beyond the slide's edges too."""
        rgb = self._glass.cut(x_px, y_px, _TILE_PX, _TILE_PX).copy()
        for number, island in enumerate(ISLANDS):
            if _meets(island.outline, x_px, y_px):
                # each island takes its own part of the texture
                shifted = x_px + 397 * number, y_px + 631 * number
                _fill(rgb, island.outline, x_px, y_px, self._unstained, shifted)
                for nest in island.nests:
                    if _meets(nest, x_px, y_px):
                        _fill(rgb, nest, x_px, y_px, self._stained, shifted)
        return rgb


def _meets(outline: Outline, x_px: int, y_px: int) -> bool:
    left, top, right, bottom = outline.reach_px
    return left < x_px + _TILE_PX and x_px < right and top < y_px + _TILE_PX and y_px < bottom


def _fill(rgb: RgbArray, outline: Outline, x_px: int, y_px: int, texture: Texture, texture_at: tuple[int, int]) -> None:
    """Paint the outline's pixels of the tile at (x, y) with a texture."""
    steps = np.arange(_TILE_PX, dtype=np.float64) + 0.5  # a pixel is where its centre is
    inside: MaskArray = outline.contains(x_px + steps[None, :], y_px + steps[:, None])
    np.copyto(rgb, texture.cut(*texture_at, _TILE_PX, _TILE_PX), where=inside[..., None])


def _write(path: Path, seed: int) -> None:
    """Write the three levels; the second grows while the first is painted."""
    second = np.empty((SIZE.height_px // _REDUCTION, SIZE.width_px // _REDUCTION, 3), np.uint8)
    with tifffile.TiffWriter(path) as tiff:
        _write_level(tiff, _painted_tiles(_Painter(seed), second), (SIZE.height_px, SIZE.width_px))
        third = _reduced(second)
        for level in (second, third):
            _write_level(tiff, _cut_tiles(level), level.shape[:2])


def _write_level(tiff: tifffile.TiffWriter, tiles: Iterator[RgbArray], shape: tuple[int, ...]) -> None:
    text = (
        f"Aperio Image Library v11.2.1 \r\n{SIZE.width_px}x{SIZE.height_px} ({_TILE_PX}x{_TILE_PX}) "
        f"JPEG Q={_JPEG_QUALITY} wsi-area demo: real stained pixels in islands of known area"
        f"|AppMag = {OBJECTIVE_POWER}|MPP = {MPP.x}"
    )
    tiff.write(
        (_jpeg(tile) for tile in tiles),
        shape=(*shape, 3),
        dtype=np.uint8,
        tile=(_TILE_PX, _TILE_PX),
        photometric="ycbcr",
        subsampling=(1, 1),
        compression="jpeg",
        subfiletype=0 if shape[0] == SIZE.height_px else 1,
        description=text,
        # neither a date nor a version: the same seed gives the same bytes
        metadata=None,
        software=False,
    )


def _jpeg(tile: RgbArray) -> bytes:
    return bytes(
        imagecodecs.jpeg8_encode(
            np.ascontiguousarray(tile),
            level=_JPEG_QUALITY,
            colorspace="rgb",
            outcolorspace="ycbcr",
            subsampling="444",
        )
    )


def _painted_tiles(painter: _Painter, second: RgbArray) -> Iterator[RgbArray]:
    """Yield the tiles of level 0 row by row and put their box means into the second level."""
    for y_px in range(0, SIZE.height_px, _TILE_PX):
        for x_px in range(0, SIZE.width_px, _TILE_PX):
            tile = painter.tile(x_px, y_px)
            place = second[y_px // _REDUCTION :, x_px // _REDUCTION :][: _TILE_PX // 4, : _TILE_PX // 4]
            place[:] = _reduced(tile)[: place.shape[0], : place.shape[1]]
            yield tile


def _cut_tiles(level: RgbArray) -> Iterator[RgbArray]:
    """Yield the tiles of a level row by row, the last ones continued beyond the edge."""
    for y in range(0, level.shape[0], _TILE_PX):
        for x in range(0, level.shape[1], _TILE_PX):
            tile = level[y : y + _TILE_PX, x : x + _TILE_PX]
            short = _TILE_PX - tile.shape[0], _TILE_PX - tile.shape[1]
            yield np.pad(tile, ((0, short[0]), (0, short[1]), (0, 0)), mode="edge")


def _reduced(rgb: RgbArray) -> RgbArray:
    """Return the box means over 4 × 4 px."""
    height, width = rgb.shape[0] // _REDUCTION, rgb.shape[1] // _REDUCTION
    # rows first: whole lines add up ten times faster than small boxes
    lines = rgb.reshape(height, _REDUCTION, -1).sum(axis=1, dtype=np.uint16)
    boxes = lines.reshape(height, width, _REDUCTION, 3)
    total = boxes[:, :, 0] + boxes[:, :, 1] + boxes[:, :, 2] + boxes[:, :, 3]
    means: RgbArray = ((total + 8) >> 4).astype(np.uint8)
    return means
