"""segmenters: what a pixel classifier knows of a pixel: its surroundings at several scales, in µm; numpy at the edge.

The work grid is cut into square *cells* of ``pitch_px`` work pixels, anchored to the slide's first pixel, and every
feature is a number of a cell. A scale is computed on the level of a pyramid of cells (each level halves the one before,
anchored likewise) whose cells are small against it, and read off in between by bilinear interpolation. So nothing
depends on where a tile was cut, as long as ``context_um`` of surroundings came with it.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, RgbArray
from wsi_area.segmenters.pixels import feature_kernels as kernels
from wsi_area.segmenters.pixels.balance import ColourBalance
from wsi_area.segmenters.pixels.feature_kernels import FloatArray, Neighbours
from wsi_area.segmenters.pixels.feature_set import FeatureSet, kinds_of, level_of, sigma_cells
from wsi_area.segmenters.pixels.scale_rows import ScaleRows

Window = tuple[tuple[int, int], tuple[int, int]]
"""First and past the last row, first and past the last column."""


@frozen_value(eq=False)
class Scale:
    """One scale of a box: the base planes of the level on which its features are worked out."""

    level: int
    first: tuple[int, int]  # row, col of the level's first cell
    base: FloatArray  # (5, h, w)
    sigma: float  # in cells of the level
    n_kinds: int

    def rows(self, most_rows: int) -> ScaleRows:
        """Return its features, to be worked out from the top down."""
        return ScaleRows(self.base, self.sigma, self.n_kinds, most_rows)

    def between(self, places: NDArray[np.int64], axis: int) -> Neighbours:
        """Return the neighbours of cells of the slide along its rows (axis 0) or columns (1)."""
        return interpolation(places, 1 << self.level, self.first[axis], self.base.shape[1 + axis])


@frozen_value(eq=False)
class FeatureLevels:
    """The features of a box, each scale on its own level; read off at cells by interpolation."""

    features: FeatureSet
    first_cell: tuple[int, int]  # row, col of the box's first cell on the slide's grid of cells
    cells: tuple[int, int]  # rows, cols of cells that the box touches
    scales: tuple[Scale, ...]

    def at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> FloatArray:
        """Return float32 (n_features, n) of cells, by row and column within the box."""
        out = np.empty((len(self.features.names), len(rows)), np.float32)
        done = 0
        for scale in self.scales:
            height = scale.base.shape[1]
            planes = scale.rows(height).rows(0, height).planes
            down, across = scale.between(rows + self.first_cell[0], 0), scale.between(cols + self.first_cell[1], 1)
            kernels.read_off(planes, down, across, out[done : done + scale.n_kinds])
            done += scale.n_kinds
        return out

    def bands(self, cells_at_once: int, window: Window | None = None) -> Iterator[tuple[int, FloatArray]]:
        """Yield the first row of each band of whole rows, and float32 (n_features, rows, cols), good until the next.

        Of all cells, or of a window of them, whose rows then count from its top.
        """
        (top, bottom), (left, right) = window or ((0, self.cells[0]), (0, self.cells[1]))
        rows, cols = bottom - top, right - left
        band_rows = max(1, min(rows, cells_at_once // cols))
        out = np.empty((len(self.features.names), band_rows, cols), np.float32)
        every_row, every_col = np.arange(top, bottom) + self.first_cell[0], np.arange(left, right) + self.first_cell[1]
        along = [
            (scale.rows(band_rows + 2), scale.between(every_row, 0), scale.between(every_col, 1))
            for scale in self.scales
        ]
        for row in range(0, rows, band_rows):
            height, done = min(band_rows, rows - row), 0
            band = out if height == band_rows else np.empty((len(out), height, cols), np.float32)
            some = np.s_[row : row + height]
            for scale, (y0, y1, wy), across in along:
                held = scale.rows(int(y0[row]), int(y1[row + height - 1]) + 1)
                n_kinds = len(held.planes)
                down = y0[some] - held.first, y1[some] - held.first, wy[some]
                kernels.read_rows(held.planes, down, across, band[done : done + n_kinds])
                done += n_kinds
            yield row, band


def features_at(
    rgb: RgbArray,
    valid: MaskArray,
    features: FeatureSet,
    rows: NDArray[np.int64],
    cols: NDArray[np.int64],
    origin_px: tuple[int, int] = (0, 0),
    balance: ColourBalance | None = None,
) -> FloatArray:
    """Return float32 (n_samples, n_features) of work pixels, by row and column within the box; made for training.

    Parameters
    ----------
    rgb, valid
        uint8 (h, w, 3) RGB and bool (h, w) of work pixels; what is not valid counts as glass.
    features
        What to compute.
    rows, cols
        Of the samples.
    origin_px
        x, y of the box on the slide's work grid.
    balance
        Of the slide, from ``colour_balance``; used, and then needed, by features that are ``balanced``.

    Raises
    ------
    SettingsError
        If the arrays do not belong together, or the balance is missing.
    """
    levels = feature_levels(rgb, valid, features, origin_px, balance)
    pitch = features.pitch_px
    cell_rows = (np.asarray(rows, np.int64) + origin_px[1]) // pitch - levels.first_cell[0]
    cell_cols = (np.asarray(cols, np.int64) + origin_px[0]) // pitch - levels.first_cell[1]
    return np.ascontiguousarray(levels.at(cell_rows, cell_cols).T)


def compute_features(
    rgb: RgbArray,
    valid: MaskArray,
    features: FeatureSet,
    origin_px: tuple[int, int] = (0, 0),
    balance: ColourBalance | None = None,
) -> FloatArray:
    """Return float32 (h, w, n_features) of a box; work pixels of one cell share theirs. See ``features_at``."""
    height, width = valid.shape
    rows, cols = np.mgrid[:height, :width]
    flat = features_at(rgb, valid, features, rows.ravel(), cols.ravel(), origin_px, balance)
    return flat.reshape(height, width, -1)


def feature_levels(
    rgb: RgbArray,
    valid: MaskArray,
    features: FeatureSet,
    origin_px: tuple[int, int] = (0, 0),
    balance: ColourBalance | None = None,
) -> FeatureLevels:
    """Return the features of a box of work pixels; see ``features_at``."""
    _check(rgb, valid)
    height, width = valid.shape
    pitch = features.pitch_px
    first = (origin_px[1] // pitch, origin_px[0] // pitch)
    top, left = origin_px[1] - first[0] * pitch, origin_px[0] - first[1] * pitch
    cells = (-(-(top + height) // pitch), -(-(left + width) // pitch))
    planes = np.empty((kernels.BASE_PLANES, *cells), np.float32)
    if features.balanced and balance is None:
        raise SettingsError(
            "these features are of a balanced kind: they need the slide's colour_balance(overview), found once for it"
        )
    tables = (balance if balance is not None and features.balanced else ColourBalance()).tables
    kernels.cells_of(np.ascontiguousarray(rgb), np.ascontiguousarray(valid), tables, pitch, top, left, planes)
    scales, level, at = [], 0, first
    for scale in features.scales_um:
        while level < level_of(features, scale):
            planes, at = _halved(planes, at)
            level += 1
        scales.append(Scale(level, at, planes, sigma_cells(features, scale, level), len(kinds_of(scale))))
    return FeatureLevels(features, first, cells, tuple(scales))


def _check(rgb: RgbArray, valid: MaskArray) -> None:
    """Refuse what the compiled code, which checks no bounds, could not survive."""
    if rgb.dtype != np.uint8 or rgb.shape != (*valid.shape, 3) or valid.dtype != np.bool_ or not valid.size:
        raise SettingsError(
            f"needs uint8 (h, w, 3) and bool (h, w); got {rgb.dtype} {rgb.shape}, {valid.dtype} {valid.shape}"
        )


def _halved(planes: FloatArray, at: tuple[int, int]) -> tuple[FloatArray, tuple[int, int]]:
    """Return the next level and its first cell."""
    top, left = at[0] % 2, at[1] % 2
    shape = (-(-(planes.shape[1] + top) // 2), -(-(planes.shape[2] + left) // 2))
    out = np.empty((planes.shape[0], *shape), np.float32)
    kernels.halve(planes, top, left, out)
    return out, (at[0] // 2, at[1] // 2)


def interpolation(places: NDArray[np.int64], factor: int, first: int, size: int) -> Neighbours:
    """Return, for places on a grid, their two neighbours on a grid ``factor`` times coarser and the second's weight.

    Places are counted from the slide's edge; ``first`` and ``size`` are what is there of the coarse grid, whose edge
    is repeated.

    >>> [a.tolist() for a in interpolation(np.array([0, 1, 2, 3]), 2, 0, 2)]
    [[0, 0, 0, 1], [0, 1, 1, 1], [0.75, 0.25, 0.75, 0.25]]
    """
    twice = 2 * places + 1 - factor  # twice the distance of the place's middle from that of coarse 0
    below = twice // (2 * factor)
    weight = ((twice - below * 2 * factor) / (2 * factor)).astype(np.float32)
    return np.clip(below - first, 0, size - 1), np.clip(below + 1 - first, 0, size - 1), weight
