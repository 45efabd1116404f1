"""segmenters: a colour rule compiled: reduce, classify, write and count in one pass, without the GIL.

Nothing is compiled on import; the machine code is cached on disk after the first call. A tile is worked
off in pieces of a row that stay in the nearest cache, so there is no temporary the size of a tile.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from wsi_area.errors import SegmentationError
from wsi_area.model.pixels import ClassMap, MaskArray, RgbArray
from wsi_area.segmenters.colour_rule import MAX_BANDS, ColourRule
from wsi_area.segmenters.compiled import FLAG_BITS, classify_tile

_NEVER = np.iinfo(np.int64).max  # a band that no density reaches
_NO_MASK = np.ones(0, np.uint8)
_NO_MASK.setflags(write=False)


def classify_and_count(
    rgb: RgbArray,
    valid: MaskArray | None,
    rule: ColourRule,
    column_weights: NDArray[np.int64],
    row_weights: NDArray[np.int64],
    factor: int,
    out_class_map: ClassMap,
    counts: NDArray[np.int64],
    signal: NDArray[np.int64],
) -> None:
    """Write the class map of a tile and add its counts to ``counts`` and ``signal``; return nothing.

    Parameters
    ----------
    rgb
        uint8 (h, w, 3) RGB; any view, copied only if more than its rows is strided.
    valid
        bool (h, w), or None where all of it is valid.
    rule
        The colour rule.
    column_weights, row_weights
        int64 (w_out,) and (h_out,): level-0 pixels that an output column or row stands for; an output
        pixel counts their product.
    factor
        Level pixels that an output pixel spans each way, the last column and row perhaps fewer. The mean of
        its valid pixels, rounded half up, is classified; it is valid if at least half of them are.
    out_class_map
        uint8 (h_out, w_out), written.
    counts, signal
        int64 (classes + 3,): classes, then unscanned, outside_roi, unreadable; int64 (classes,):
        micro-OD × level-0 pixels.

    Raises
    ------
    SegmentationError
        If the shapes do not belong together.
    """
    _check(rgb, valid, rule, column_weights, row_weights, factor, out_class_map, counts, signal)
    if not out_class_map.size:
        return
    in_place = out_class_map.strides[1] == 1 and out_class_map.strides[0] > 0
    target = out_class_map if in_place else np.empty(out_class_map.shape, np.uint8)
    if valid is not None and valid.all():
        valid = None
    pixels, pixel_stride = _flat_rows(rgb)
    mask, mask_stride = (_NO_MASK, 0) if valid is None else _flat_rows(valid.view(np.uint8))
    width = (target.shape[0] - 1) * target.strides[0] + target.shape[1]
    classify_tile(
        pixels,
        pixel_stride,
        mask,
        mask_stride,
        rgb.shape[0],
        rgb.shape[1],
        factor,
        *_kernel_rule(rule),
        np.ascontiguousarray(column_weights, np.int64),
        np.ascontiguousarray(row_weights, np.int64),
        as_strided(target, (width,), (1,)),
        target.strides[0],
        counts,
        signal,
    )
    if not in_place:
        out_class_map[...] = target


def _check(
    rgb: RgbArray,
    valid: MaskArray | None,
    rule: ColourRule,
    column_weights: NDArray[np.int64],
    row_weights: NDArray[np.int64],
    factor: int,
    out_class_map: ClassMap,
    counts: NDArray[np.int64],
    signal: NDArray[np.int64],
) -> None:
    """Refuse what the compiled code, which checks no bounds, could not survive."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or factor < 1:
        raise SegmentationError(
            f"needs uint8 (h, w, 3) and a factor of 1 or more; got {rgb.dtype} {rgb.shape}, factor {factor}"
        )
    height, width = rgb.shape[:2]
    out_shape = (-(-height // factor), -(-width // factor))
    classes = rule.class_count
    fits = (
        out_class_map.shape == out_shape == (len(row_weights), len(column_weights))
        and out_class_map.dtype == np.uint8
        and (valid is None or (valid.shape == (height, width) and valid.dtype == np.bool_))
        and counts.shape == (classes + 3,)
        and signal.shape == (classes,)
        and counts.dtype == signal.dtype == np.int64
        and counts.flags.c_contiguous
        and signal.flags.c_contiguous
    )
    if not fits:
        raise SegmentationError(
            f"a tile of {(height, width)} px reduced by {factor} gives {out_shape} px and {classes} classes; "
            f"got a class map {out_class_map.shape}, weights {row_weights.shape} and {column_weights.shape}, "
            f"counts {counts.shape}, signal {signal.shape}; all arrays but rgb, valid and class map are int64"
        )


def _flat_rows(array: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Return the memory of an array as one read-only line, and the bytes from row to row.

    One layout for every view, so that the kernel is compiled once.
    """
    row_bytes = array[0].size
    if array.strides[0] < row_bytes or not array[0].flags.c_contiguous:
        array = np.ascontiguousarray(array)
    stride = array.strides[0]
    length = (array.shape[0] - 1) * stride + row_bytes
    return as_strided(array, (length,), (1,), writeable=False), stride


@lru_cache(maxsize=16)
def _kernel_rule(rule: ColourRule) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the look-ups, int64 (768,): density plus 2^56 for a foreground value; and the bands."""
    value = np.arange(256)
    # min(R, G, B) is low if any channel is low, max(R, G, B) high if any is high
    foreground = value > rule.threshold if rule.feature == "brightness" else 255 - value > rule.threshold
    tables = rule.unit_tables + (foreground.astype(np.int64) << FLAG_BITS)
    bands = np.full(MAX_BANDS, _NEVER)
    bands[: len(rule.bands_od)] = rule.bands_units
    return tables.ravel(), bands
