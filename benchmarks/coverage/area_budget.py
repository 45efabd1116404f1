"""benchmarks: how often the expanded uncertainty of a counted area holds the true area, wherever the grid lies.

``python -m benchmarks.coverage.area_budget`` lays a grid of work pixels over real masks 10 000 times, at any shift and
angle, counts it, and asks the product's own functions for the rows of counting, work pixel and pixel size. It writes
the table into ``docs/uncertainty.md``. It takes some ten minutes on one core.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import openslide
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from benchmarks.accuracy.places import testdata
from benchmarks.coverage.maps import gland_pairs, map_pairs
from benchmarks.coverage.page import arguments, replaced_table
from wsi_area.compute.budget.budget import CountedArea, budget_of
from wsi_area.compute.budget.combination import Component, combined
from wsi_area.compute.budget.rows import counting_row, pixel_size_row
from wsi_area.compute.budget.work_pixel import PixelSteps, other_pixels, work_pixel_row
from wsi_area.compute.count.edges import boundary_edges
from wsi_area.model.record.slide_origin import CalibrationOnRecord

DRAWS = 10_000
SHARES = (0.5, 0.3)  # of a pixel that must be covered for it to be counted: in the middle, and near the glass
U_SCALE = 0.01  # of an area: a pixel size of quality A
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Masks of one kind, of which each draw takes one; a pixel is as fine as anybody can see."""

    name: str
    masks: tuple[Mask, ...]
    work_px: int  # pixels of the mask along the edge of a work pixel
    with_finer: bool = False


@dataclass(frozen=True)
class Cell:
    """What came of one mask and one rule: shares of the draws, and sizes over the true area."""

    name: str
    work_px: int
    share: float
    is_finer: bool  # compared with pixels half as wide; else with boxes of two by two
    held: float  # with a pixel size that is off by 1 % of the area
    held_exact: float  # with a pixel size that is exact: counting and work pixel alone
    error: float  # root of the mean square, of counting
    expanded: float  # mean, with the exact pixel size


def truths() -> Iterator[Truth]:
    """Each kind of mask."""
    pairs = {pair.name: pair.truth for pair in map_pairs()}
    yield Truth("CAMELYON tumour", (_cut(pairs["CAMELYON tumour, a perfect map"] > 0),), 4, True)
    yield Truth("BCSS tumour", (_cut(pairs["BCSS tumour, 15 % too large"] > 0),), 4)
    yield Truth("GlaS glands, 85 images", tuple(pair.truth > 0 for pair in gland_pairs()), 4)
    yield Truth("OS-2 brown", (_cut(pairs["OS-2 brown, coarse and another threshold"] > 0)[:600, :600],), 4)
    yield Truth("CMU-1 tissue, lacy", (_cut(_tissue())[:1200, :1200],), 8, True)


def _cut(mask: Mask) -> Mask:
    """The box that holds all of a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _tissue() -> Mask:
    """What is darker than the glass at level 0, 0.5 µm."""
    with openslide.OpenSlide(testdata() / "slides" / "CMU-1-Small-Region.svs") as slide:
        rgb = np.asarray(slide.read_region((0, 0), 0, slide.dimensions).convert("RGB"))
    return np.asarray(255 - rgb.min(axis=2) > 32)


def cells_of(truth: Truth, rng: np.random.Generator, draws: int) -> Iterator[Cell]:
    """One cell for each share."""
    covered = [uniform_filter(mask.astype(np.float32), truth.work_px, mode="constant") for mask in truth.masks]
    halves = [uniform_filter(m.astype(np.float32), truth.work_px // 2, mode="constant") for m in truth.masks]
    true_px = [int(mask.sum()) for mask in truth.masks]
    grids = np.array([rng.integers(len(covered), size=draws), *rng.random((3, draws))], dtype=object).T
    for share, is_finer in (
        (SHARES[0], False),
        (SHARES[1], False),
        *(((SHARES[1], True),) if truth.with_finer else ()),
    ):
        errors, wide, narrow = np.empty((3, draws))
        for n, (which, x, y, turn) in enumerate(grids):
            counted = _laid(covered[which], truth.work_px, (x, y), 2 * math.pi * turn)
            other = _boxes(counted)
            if is_finer:
                other = _laid(halves[which], truth.work_px / 2, (2 * x, 2 * y), 2 * math.pi * turn)
            area, half = _counted(counted, other, truth.work_px, share)
            wrong = 1 + U_SCALE * rng.standard_normal()
            errors[n] = area / true_px[which] - 1
            narrow[n] = half[0] / true_px[which]
            wide[n] = abs(area * wrong - true_px[which]) <= half[1] * wrong
        held = float(np.mean(np.abs(errors) <= narrow))
        rms = float(np.sqrt(np.mean(errors**2)))
        yield Cell(truth.name, truth.work_px, share, is_finer, float(np.mean(wide)), held, rms, float(narrow.mean()))


def _laid(covered: NDArray[np.float32], px: float, shift: tuple[float, float], turn: float) -> NDArray[np.float32]:
    """How much of each pixel of a grid is covered, float32 (h, w): the grid turned about the middle, and moved."""
    height, width = covered.shape
    reach = math.hypot(height, width) / 2 + px
    steps = np.arange(-reach, reach, px)
    u, v = (steps + shift[0] * px)[None, :], (steps + shift[1] * px)[:, None]
    cos, sin = math.cos(turn), math.sin(turn)
    x = np.rint(u * cos - v * sin + width / 2).astype(np.int32)
    y = np.rint(u * sin + v * cos + height / 2).astype(np.int32)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside, covered[np.where(inside, y, 0), np.where(inside, x, 0)], np.float32(0))


def _boxes(covered: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of boxes of two by two pixels is covered."""
    height, width = (n // 2 for n in covered.shape)
    return covered[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))


def _counted(
    covered: NDArray[np.float32], in_others: NDArray[np.float32], px: int, share: float
) -> tuple[float, tuple[float, float]]:
    """The counted area in pixels of the mask; its expanded uncertainty with an exact, and a usual pixel size."""
    mapped, others = covered >= share, in_others >= share
    area = float(mapped.sum()) * px**2
    is_finer = others.size > mapped.size
    parts = [np.array_split(part, 8) for part in (mapped, others)]
    here = np.array([[part.sum(), 1000] for part in parts[0]], np.int64)
    weight = 1 if is_finer else 16  # quarters of a work pixel
    here[:, 0] *= 4
    other = np.array([[weight * part.sum(), 1000] for part in parts[1]], np.int64)
    level_px = px / 2 if is_finer else float(px)
    steps = PixelSteps(float(px), 2 if is_finer else 1, level_px, 1.0)
    edges = boundary_edges(mapped.astype(np.uint8), [(1,)])[0]
    seen = other_pixels(here, other, 8, 1.0)
    counting = counting_row(edges, (1000.0 * px, 1000.0 * px))
    rows = [counting, work_pixel_row(area, steps, seen, counting.u_mm2 or 0.0, is_drawn=False)]
    of = CountedArea("class", "mask", ("mask",), "mask", area, is_drawn=False)
    exact = budget_of(of, rows)
    usual = combined([Component(exact.u_mm2 or 0.0), Component(pixel_size_row(area, _SCALE).u_mm2 or 0.0)])
    return area, (exact.expanded_mm2 or 0.0, usual.expanded)


_SCALE = CalibrationOnRecord(
    mpp_x_um=1000.0, mpp_y_um=1000.0, source="aperio.MPP", quality="A", note="", pixel_area_mm2=1.0,
    relative_u_area=U_SCALE, reason="", candidates=(),
)  # fmt: skip


def table(cells: Sequence[Cell], draws: int) -> str:
    """The cells as Markdown."""
    heads = (
        "mask", "work pixel", "counted from", "compared", "held, pixel size ± 1 %", "held, pixel size exact",
        "error", "expanded",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for c in cells:
        compared = f"{c.work_px / 2:g} px" if c.is_finer else f"{2 * c.work_px} px"
        shares = " | ".join(f"{share:.2%}" for share in (c.held, c.held_exact, c.error, c.expanded))
        lines.append(f"| {c.name} | {c.work_px} px | {c.share:.0%} covered | {compared} | {shares} |")
    least = min(min(c.held, c.held_exact) for c in cells)
    lines += ["", f"The least of {2 * len(cells)} coverages is {least:.2%}, of {draws} draws each."]
    return "\n".join(lines)


def main() -> None:
    given = arguments(__doc__, DRAWS)
    Image.MAX_IMAGE_PIXELS = None
    rng = np.random.default_rng(given.seed)
    made = table([cell for truth in truths() for cell in cells_of(truth, rng, given.draws)], given.draws)
    print(made)
    if given.draws >= DRAWS:
        replaced_table(given.page, "area budget", made)


if __name__ == "__main__":
    main()
