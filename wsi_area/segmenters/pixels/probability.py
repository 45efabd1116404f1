"""segmenters: from the features of cells to the probabilities of work pixels, smoothed and interpolated."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.pixels import ClassMap, MaskArray, TilePixels
from wsi_area.segmenters.pixels import feature_kernels as kernels
from wsi_area.segmenters.pixels.balance import ColourBalance
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.features import Window, feature_levels, gaussian_weights, interpolation
from wsi_area.segmenters.pixels.trees import TreeEnsemble

FloatArray = NDArray[np.float32]
_CELLS_AT_ONCE = 1024  # their features stay in the second cache while the trees are asked


def probability_reach_px(features: FeatureSet, smoothing_um: float) -> int:
    """Return how far smoothing and interpolation look beyond a pixel, in work pixels."""
    sigma = smoothing_um / features.cell_um
    return (2 + (len(gaussian_weights(sigma)) - 1 if sigma else 0)) * features.pitch_px


def work_probabilities(
    features: FeatureSet,
    trees: TreeEnsemble,
    smoothing_um: float,
    pixels: TilePixels,
    origin_px: tuple[int, int] = (0, 0),
    balance: ColourBalance | None = None,
    wanted: Window | None = None,
) -> FloatArray:
    """Return float32 (k, h, w): the probability of each of ``trees.class_ids`` at each work pixel, or each wanted one.

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
        kernels.smooth(cells, gaussian_weights(sigma), smoothed)
        cells = smoothed
    first = levels.first_cell[0] + rows[0], levels.first_cell[1] + cols[0]
    return _spread(cells, pitch, first, (origin_px[0] + left, origin_px[1] + top), (bottom - top, right - left))


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


def _spread(
    cells: FloatArray, pitch: int, first: tuple[int, int], origin_px: tuple[int, int], shape: tuple[int, int]
) -> FloatArray:
    """Return the cells interpolated to work pixels."""
    y0, y1, wy = interpolation(np.arange(shape[0]) + origin_px[1], pitch, first[0], cells.shape[1])
    x0, x1, wx = interpolation(np.arange(shape[1]) + origin_px[0], pitch, first[1], cells.shape[2])
    out = np.empty((len(cells), *shape), np.float32)
    kernels.read_rows(cells, y0, y1, wy, x0, x1, wx, out)
    return out
