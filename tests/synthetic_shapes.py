"""tests: shapes painted by the pixel-centre rule, each with its exact count and its closed-form area.

A pixel belongs to a shape when its centre does: the pixel of row r and column c has its centre at
``(c + 0.5, r + 0.5)``, level-0 px. So each shape has two truths that owe nothing to the package:

- ``count_px``: the sum of the painted mask, which a level-0 measurement must give to the pixel;
- ``area_px2``: the closed form (π r² …), from which the count differs by the discretisation error alone,
  and that is bounded by ``Shape.bound_px2`` at level 0 and on every coarser grid.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wsi_area.model.geometry import Size
from wsi_area.model.pixels import MaskArray


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A painted shape with its truths."""

    mask: MaskArray  # bool (h, w), True where the pixel's centre lies in the shape
    area_px2: float  # closed form, of the part on the canvas
    boundary_px: float  # length of the outline inside the canvas, never less than the true one
    outlines: int = 1  # connected pieces of that outline
    pixel_aligned: bool = False  # the outline runs on pixel edges: the count is the area

    @property
    def count_px(self) -> int:
        return int(self.mask.sum())

    def bound_px2(self, step_px: float = 1.0, rule: Literal["centre", "box"] = "centre") -> float:
        """Bound on |cells · step² − area| on a grid of ``step_px``; a theorem, not an estimate.

        Centre rule: a wrongly assigned point lies within ρ = step/√2 of the outline, since the segment to its
        cell's centre crosses it. Box rule (the mean of the cell is thresholded): its cell is crossed by the
        outline, so ρ = step·√2. The ρ-tube about a curve of length L covers at most 2ρL + πρ² (Hotelling
        1939). The typical error is far smaller: see ``expected_sd_px2``.
        """
        if self.pixel_aligned and step_px == 1:
            return 0.0
        reach = step_px * (math.sqrt(0.5) if rule == "centre" else math.sqrt(2.0))
        return 2 * reach * self.boundary_px + math.pi * reach**2 * self.outlines

    def expected_sd_px2(self, step_px: float = 1.0) -> float:
        """Standard deviation to expect of a smooth outline: Var(N) ≈ 0.08 · its length, in cells."""
        return math.sqrt(0.08 * self.boundary_px / step_px) * step_px**2

    def __add__(self, other: "Shape") -> "Shape":
        if (self.mask & other.mask).any():
            raise ValueError("shapes overlap: their areas do not add up")
        return Shape(
            self.mask | other.mask,
            self.area_px2 + other.area_px2,
            self.boundary_px + other.boundary_px,
            self.outlines + other.outlines,
            self.pixel_aligned and other.pixel_aligned,
        )


def centres(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return x as (1, w) and y as (h, 1): the pixel centres."""
    return np.arange(size.width_px)[None, :] + 0.5, np.arange(size.height_px)[:, None] + 0.5


def disc(size: Size, x: float, y: float, radius: float) -> Shape:
    """A disc wholly on the canvas, or cut in half (in four) by an edge (a corner) through its centre."""
    share = 1.0
    for centre, length in ((x, size.width_px), (y, size.height_px)):
        if centre in (0, length):
            share /= 2
            if radius > length:
                raise ValueError("the disc reaches across the canvas: no closed form here")
        elif not radius <= centre <= length - radius:
            raise ValueError("the disc is cut by the edge, and not through its centre: no closed form here")
    px, py = centres(size)
    mask = (px - x) ** 2 + (py - y) ** 2 < radius**2
    return Shape(mask, share * math.pi * radius**2, share * 2 * math.pi * radius)


def ring(size: Size, x: float, y: float, outer: float, inner: float) -> Shape:
    whole, hole = disc(size, x, y, outer), disc(size, x, y, inner)
    return Shape(
        whole.mask & ~hole.mask,
        whole.area_px2 - hole.area_px2,
        whole.boundary_px + hole.boundary_px,
        outlines=2,
    )


def ellipse(size: Size, x: float, y: float, a: float, b: float, angle_deg: float = 0.0) -> Shape:
    """An ellipse on the canvas; half axis ``a`` points ``angle_deg`` from x towards y."""
    if max(a, b) > min(x, y, size.width_px - x, size.height_px - y):
        raise ValueError("the ellipse may reach over the edge: no closed form here")
    px, py = centres(size)
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    u, v = (px - x) * cos + (py - y) * sin, (py - y) * cos - (px - x) * sin
    # the perimeter's upper bound, exact for a circle
    return Shape((u / a) ** 2 + (v / b) ** 2 < 1, math.pi * a * b, math.pi * math.sqrt(2 * (a * a + b * b)))


def half_plane(size: Size, angle_deg: float, offset_px: float) -> Shape:
    """All points of the canvas with x·cos + y·sin < offset."""
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    px, py = centres(size)
    w, h = float(size.width_px), float(size.height_px)
    corners = [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)]
    kept: list[tuple[float, float]] = []
    crossings: list[tuple[float, float]] = []
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        d0, d1 = x0 * cos + y0 * sin - offset_px, x1 * cos + y1 * sin - offset_px
        if d0 <= 0:
            kept.append((x0, y0))
        if d0 == 0:
            crossings.append((x0, y0))
        elif d0 * d1 < 0:
            t = d0 / (d0 - d1)
            crossings.append((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
            kept.append(crossings[-1])
    area = 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(kept, kept[1:] + kept[:1], strict=True)))
    chord = math.dist(*crossings) if len(crossings) == 2 else math.hypot(w, h)
    return Shape(px * cos + py * sin < offset_px, area, chord)


def box(size: Size, x_px: int, y_px: int, width_px: int, height_px: int) -> Shape:
    """A box of whole pixels, which may lie against any edge."""
    mask = np.zeros((size.height_px, size.width_px), bool)
    mask[y_px : y_px + height_px, x_px : x_px + width_px] = True
    if mask.sum() != width_px * height_px:
        raise ValueError("the box reaches over the edge of the canvas")
    return Shape(mask, float(width_px * height_px), 2.0 * (width_px + height_px), pixel_aligned=True)


def chequerboard(size: Size, cell_px: int, x_px: int = 0, y_px: int = 0) -> Shape:
    """The dark cells of a board whose origin is at (x, y); cells prime to the tile straddle its seams."""
    odd_x = (np.arange(size.width_px) - x_px) // cell_px % 2 == 1
    odd_y = (np.arange(size.height_px) - y_px) // cell_px % 2 == 1
    odd_columns, odd_rows = int(odd_x.sum()), int(odd_y.sum())
    even_columns, even_rows = size.width_px - odd_columns, size.height_px - odd_rows
    columns, rows = size.width_px // cell_px + 2, size.height_px // cell_px + 2
    return Shape(
        odd_y[:, None] == odd_x[None, :],
        float(odd_columns * odd_rows + even_columns * even_rows),
        float(columns * size.height_px + rows * size.width_px),
        outlines=columns * rows,
        pixel_aligned=True,
    )


def specks(size: Size, pitch_px: int, x_px: int = 0, y_px: int = 0) -> Shape:
    """Single pixels every ``pitch_px`` from (x, y) on."""
    mask = np.zeros((size.height_px, size.width_px), bool)
    mask[y_px::pitch_px, x_px::pitch_px] = True
    count = math.ceil((size.height_px - y_px) / pitch_px) * math.ceil((size.width_px - x_px) / pitch_px)
    return Shape(mask, float(count), 4.0 * count, outlines=count, pixel_aligned=True)


def everything(size: Size) -> Shape:
    return Shape(np.ones((size.height_px, size.width_px), bool), float(size.area_px), 0.0, 0, pixel_aligned=True)


def nothing(size: Size) -> Shape:
    return Shape(np.zeros((size.height_px, size.width_px), bool), 0.0, 0.0, 0, pixel_aligned=True)
