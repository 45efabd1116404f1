"""segmenters: from the features of cells to the probabilities of work pixels, smoothed and interpolated."""

from collections.abc import Iterator

import numpy as np

from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.pixels import ClassMap, MaskArray, TilePixels
from wsi_area.segmenters.pixels import feature_kernels as kernels
from wsi_area.segmenters.pixels.balance import ColourBalance
from wsi_area.segmenters.pixels.feature_kernels import FloatArray, HeldRows
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.features import Window, feature_levels, interpolation
from wsi_area.segmenters.pixels.scale_rows import gaussian_weights
from wsi_area.segmenters.pixels.trees import TreeEnsemble

_CELLS_AT_ONCE = 4096  # their features stay in the second cache while the trees are asked
_ROWS_AT_ONCE = 64  # of work pixels: all of a tile with many classes would be the most that is held of it


def probability_reach_px(features: FeatureSet, smoothing_um: float) -> int:
    """Return the distance that smoothing and interpolation look beyond a pixel, in work pixels."""
    sigma = smoothing_um / features.cell_um
    return (2 + (len(gaussian_weights(sigma)) - 1 if sigma else 0)) * features.pitch_px


@frozen_value(eq=False)
class CellProbabilities:
    """What the trees say of the cells of a box, smoothed; of work pixels it is interpolated, some rows at a time."""

    cells: FloatArray  # (k, rows, cols)
    pitch_px: int
    first_cell: tuple[int, int]  # row, col on the slide's grid of cells
    first_px: tuple[int, int]  # row, col of the first work pixel on the slide
    shape: tuple[int, int]  # rows, cols of work pixels

    def bands(self, rows_at_once: int = _ROWS_AT_ONCE) -> Iterator[tuple[slice, FloatArray]]:
        """Yield the rows of each band, and float32 (k, rows, w) of them."""
        height, width = self.shape
        down = interpolation(np.arange(height) + self.first_px[0], *self._along(0))
        across = interpolation(np.arange(width) + self.first_px[1], *self._along(1))
        for row in range(0, height, rows_at_once):
            some = slice(row, min(height, row + rows_at_once))
            out = np.empty((len(self.cells), some.stop - row, width), np.float32)
            kernels.read_rows(self.cells, (down[0][some], down[1][some], down[2][some]), across, out)
            yield some, out

    def _along(self, axis: int) -> tuple[int, int, int]:
        return self.pitch_px, self.first_cell[axis], self.cells.shape[1 + axis]


def cell_probabilities(
    features: FeatureSet,
    trees: TreeEnsemble,
    smoothing_um: float,
    pixels: TilePixels,
    origin_px: tuple[int, int] = (0, 0),
    balance: ColourBalance | None = None,
    wanted: Window | None = None,
) -> CellProbabilities:
    """Return the probability of each of ``trees.class_ids``, of all work pixels of a box or of those that are wanted.

    ``wanted`` are rows and columns of the box: the trees are asked no further round them than smoothing looks.
    """
    levels = feature_levels(pixels.rgb, pixels.valid, features, origin_px, balance)
    height, width = pixels.valid.shape
    (top, bottom), (left, right) = wanted or ((0, height), (0, width))
    pitch, reach_px = features.pitch_px, probability_reach_px(features, smoothing_um)
    y_px, x_px = (top + origin_px[1], bottom + origin_px[1]), (left + origin_px[0], right + origin_px[0])
    rows = _cells_round(y_px, reach_px, pitch, levels.first_cell[0], levels.cells[0])
    cols = _cells_round(x_px, reach_px, pitch, levels.first_cell[1], levels.cells[1])
    cells = np.empty((len(trees.class_ids), rows[1] - rows[0], cols[1] - cols[0]), np.float32)
    for row, band in levels.bands(_CELLS_AT_ONCE, (rows, cols)):
        known = trees.probabilities_planar(band.reshape(len(band), -1))
        cells[:, row : row + band.shape[1]] = known.reshape(len(known), *band.shape[1:])
    sigma = smoothing_um / features.cell_um
    if sigma:
        smoothed = np.empty_like(cells)
        kernels.smooth(HeldRows.whole(cells), gaussian_weights(sigma), 0, cells.shape[1], HeldRows.whole(smoothed))
        cells = smoothed
    first = levels.first_cell[0] + rows[0], levels.first_cell[1] + cols[0]
    return CellProbabilities(cells, pitch, first, (y_px[0], x_px[0]), (bottom - top, right - left))


def _cells_round(span_px: tuple[int, int], reach_px: int, pitch: int, first: int, count: int) -> tuple[int, int]:
    """Return the first cell of the box and the one past the last that a span of the slide's work pixels needs."""
    begin_px, end_px = span_px
    return max(0, (begin_px - reach_px) // pitch - first), min(count, -(-(end_px + reach_px) // pitch) - first)


def class_map_of(probabilities: FloatArray, class_ids: tuple[int, ...], valid: MaskArray) -> ClassMap:
    """Return uint8 (h, w) of the likeliest class, the lowest column of equals; ``UNSCANNED_CODE`` where not valid."""
    best, classes = probabilities[0], np.full(valid.shape, class_ids[0], np.uint8)
    for plane, class_id in zip(probabilities[1:], class_ids[1:], strict=True):
        better = plane > best
        classes[better] = class_id
        best = np.maximum(best, plane) if len(class_ids) > 2 else best
    classes[~valid] = UNSCANNED_CODE
    return classes
