"""segmenters: a colour rule compiled: reduce, classify, write and count in one pass, without the GIL.

Nothing is compiled on import; the machine code lies on disk after the first call, and whoever finds it there never
imports numba. A tile is worked off in pieces of a row that stay in the nearest cache, so there is no temporary the
size of a tile.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.compute.processor import shuffles_bytes
from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap, MaskArray, RgbArray
from wsi_area.segmenters.colour.colour_rule import MAX_BANDS, ColourRule
from wsi_area.segmenters.colour.density import FLAG_BITS, PIECE_PX

Patch = tuple[int, int, RgbArray, MaskArray | None]
"""Column and row of the class map at which a patch begins; its pixels; which are valid, None where all of them are."""

_ARGUMENTS = (  # of compiled.classify_patches, for look-ups of one width
    "int64* int64 int64 {0}* {0}* int64* int64* uint8* int64 int64 int64 int64* int64* int64"
    " uint32* uint8* uint8* {0}* uint16* int64 int64* int64* int32* int64 int64"
)
_FROZEN = (  # what is compiled in besides its own file
    "wsi_area.model.classes", "wsi_area.segmenters.colour.colour_rule", "wsi_area.segmenters.colour.compiled_boxes",
    "wsi_area.segmenters.colour.compiled_shuffles", "wsi_area.segmenters.colour.density",
)  # fmt: skip
NATIVE = tuple(
    Native("wsi_area.segmenters.colour.compiled", "classify_patches", _ARGUMENTS.format(width), _FROZEN)
    for width in ("int32", "int64")
)
_CODE, _COUNT = np.dtype(np.uint8), np.dtype(np.int64)  # a type in their place is looked up at each comparison
_CACHE_LINE_BYTES = 64
_SUMS_BYTES = 2 * (MAX_BANDS + 3) * 8  # of the kernel's scratch: sums of classes, then samples, their validity, a line
_SAMPLES, _VALID, _LINE, _COLUMN_SUMS = np.cumsum([2 * _SUMS_BYTES, 4 * PIECE_PX, PIECE_PX, 8 * PIECE_PX]).tolist()


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
    """Write the class map of a tile in one patch that covers it, and count it; see ``classify_patches``."""
    covered = tuple(-(-length // max(factor, 1)) for length in rgb.shape[:2])
    if covered != out_class_map.shape:
        raise SegmentationError(
            f"{rgb.shape[:2]} px reduced by {factor} give {covered} px; got a class map {out_class_map.shape}"
        )
    classify_patches(((0, 0, rgb, valid),), rule, column_weights, row_weights, factor, out_class_map, counts, signal)


def classify_patches(
    patches: Sequence[Patch],
    rule: ColourRule,
    column_weights: NDArray[np.int64],
    row_weights: NDArray[np.int64],
    factor: int,
    out_class_map: ClassMap,
    counts: NDArray[np.int64],
    signal: NDArray[np.int64],
    out_signal: NDArray[np.int32] | None = None,
) -> None:
    """Write the class map of patches of a tile and add their counts to ``counts`` and ``signal``; return nothing.

    Parameters
    ----------
    patches
        Each uint8 (h, w, 3) RGB, any view, copied unless its rows are whole; and bool (h, w). None overlap.
    rule
        The colour rule.
    column_weights, row_weights
        int64 (w_out,) and (h_out,): level-0 pixels that an output column or row stands for; an output
        pixel counts their product.
    factor
        Level pixels that an output pixel spans each way, the last column and row of a patch perhaps fewer. The mean of
        its valid pixels, rounded half up, is classified; it is valid if at least half of them are.
    out_class_map
        uint8 (h_out, w_out), written where the patches lie.
    counts, signal
        int64 (classes + 3,): classes, then unscanned, outside_roi, unreadable; int64 (classes,):
        micro-OD × level-0 pixels.
    out_signal
        int32 (h_out, w_out), contiguous, written where the patches lie: micro-OD of each pixel, 0 of background and of
        what is not valid. None where nobody asks.

    Raises
    ------
    SegmentationError
        If the shapes do not belong together.
    """
    _check(patches, rule, column_weights, row_weights, factor, out_class_map, counts, signal, out_signal)
    if not out_class_map.size:
        return
    kernel = _kernel_of(rule)
    table_of: list[int] = []  # `PATCH_FIELDS` numbers a patch
    used: list[RgbArray | MaskArray] = []  # what lies at an address must stay there until the end
    widest = 0
    for column, row, rgb, valid in patches:
        are_rows_whole = rgb.strides[1:] == (3, 1) and rgb.strides[0] >= 3 * rgb.shape[1]
        pixels, mask_at = rgb if are_rows_whole else np.ascontiguousarray(rgb), 0
        used.append(pixels)
        if valid is not None and not valid.all():
            mask = np.ascontiguousarray(valid)
            used.append(mask)
            mask_at = address_of(mask)
        height, width, _ = pixels.shape
        widest = max(widest, width)
        table_of += address_of(pixels[:1]), mask_at, height, width, column, row, pixels.strides[0]
    table = np.array(table_of, np.int64)
    columns, rows = np.ascontiguousarray(column_weights, np.int64), np.ascontiguousarray(row_weights, np.int64)
    line_px, pixel_px = out_class_map.strides
    whole_rows = pixel_px == 1 and line_px >= out_class_map.shape[1]
    out = out_class_map if whole_rows else np.array(out_class_map, order="C")
    sums_length = min(PIECE_PX * factor, widest) * 3
    scratch = np.empty(_COLUMN_SUMS + 2 * sums_length, np.uint8)
    at = address_of(scratch)
    kernel.classify_patches(
        address_of(table), len(patches), factor, kernel.tables_at, kernel.limits_at,
        address_of(columns), address_of(rows), address_of(out[0]), len(columns), len(rows), out.strides[0],
        address_of(counts), address_of(signal), len(signal),
        at + _SAMPLES, at + _SAMPLES, at + _VALID, at + _LINE, at + _COLUMN_SUMS, sums_length, at, at + _SUMS_BYTES,
        0 if out_signal is None else address_of(out_signal), 0 if out_signal is None else out_signal.shape[1],
        kernel.byte_tables_at,
    )  # fmt: skip
    if not whole_rows:
        out_class_map[...] = out


def _check(
    patches: Sequence[Patch],
    rule: ColourRule,
    column_weights: NDArray[np.int64],
    row_weights: NDArray[np.int64],
    factor: int,
    out_class_map: ClassMap,
    counts: NDArray[np.int64],
    signal: NDArray[np.int64],
    out_signal: NDArray[np.int32] | None,
) -> None:
    """Refuse what the compiled code, which checks no bounds, could not survive."""
    classes = rule.class_count
    fits = (
        out_class_map.shape == (len(row_weights), len(column_weights))
        and out_class_map.dtype == _CODE
        and counts.shape == (classes + 3,)
        and signal.shape == (classes,)
        and counts.dtype == signal.dtype == _COUNT
        and counts.flags.carray
        and signal.flags.carray
        and out_class_map.flags.writeable
        and (out_signal is None or (out_signal.shape == out_class_map.shape and out_signal.dtype == np.int32))
        and (out_signal is None or out_signal.flags.carray)
    )
    for column, row, rgb, valid in patches:
        if rgb.dtype != _CODE or rgb.ndim != 3 or rgb.shape[2] != 3 or factor < 1:
            raise SegmentationError(
                f"needs uint8 (h, w, 3) and a factor of 1 or more; got {rgb.dtype} {rgb.shape}, factor {factor}"
            )
        height, width = rgb.shape[:2]
        bottom, right = row - (-height // factor), column - (-width // factor)
        within = column >= 0 and row >= 0 and bottom <= len(row_weights) and right <= len(column_weights)
        if valid is not None and (valid.shape != (height, width) or valid.dtype != np.bool_):
            fits = False
        if not (fits and within):
            raise SegmentationError(
                f"a patch of {(height, width)} px at {(row, column)}, reduced by {factor}, reaches {(bottom, right)} "
                f"px and has {classes} classes; got a class map {out_class_map.shape}, weights {row_weights.shape} and "
                f"{column_weights.shape}, counts {counts.shape}, signal {signal.shape}; all arrays but rgb, valid, "
                "class map and the signal of each pixel are int64"
            )


@frozen_value(eq=False)
class _Kernel:
    """The machine code for a rule, and what it looks up; the addresses are those of the arrays."""

    classify_patches: Callable[..., None]
    tables: NDArray[np.signedinteger]
    limits: NDArray[np.signedinteger]
    tables_at: int
    limits_at: int
    byte_tables: NDArray[np.uint8]
    byte_tables_at: int  # 0 where this processor has no shuffles of bytes, or the look-ups are wide


@lru_cache(maxsize=16)
def _kernel_of(rule: ColourRule) -> _Kernel:
    tables, limits = _kernel_rule(rule)
    arguments = _ARGUMENTS.format(tables.dtype.name)
    code = native_function("wsi_area.segmenters.colour.compiled", "classify_patches", arguments, _FROZEN)
    by_bytes = _byte_tables(tables) if tables.itemsize == 4 and shuffles_bytes() else np.empty(0, np.uint8)
    at = address_of(by_bytes) if by_bytes.size else 0
    return _Kernel(code, tables, limits, address_of(tables), address_of(limits), by_bytes, at)


def _byte_tables(tables: NDArray[np.signedinteger]) -> NDArray[np.uint8]:
    """Return each byte of the look-ups, uint8 (3, 4, 256), the lowest first; on lines of the cache."""
    room = np.empty(tables.nbytes + _CACHE_LINE_BYTES, np.uint8)
    begin = -address_of(room) % _CACHE_LINE_BYTES
    laid = room[begin : begin + tables.nbytes].reshape(3, 4, 256)
    laid[...] = tables.astype("<i4").view(np.uint8).reshape(3, 256, 4).transpose(0, 2, 1)
    return laid


def _kernel_rule(rule: ColourRule) -> tuple[NDArray[np.signedinteger], NDArray[np.signedinteger]]:
    """Return the look-ups (768,), density × 4 plus 1 for a foreground value; and the limits, both of one width.

    The limits are the bands, and the byte from which on a colour is background if all three of its bytes are.
    """
    lookups = rule.lookups
    number = lookups.tables.dtype.type
    # min(R, G, B) is low if any channel is low, max(R, G, B) high if any is high
    foreground = rule.is_foreground_value
    tables = (lookups.tables << FLAG_BITS) + foreground.astype(number)
    bands = [band << FLAG_BITS for band in lookups.bands]
    bands += [np.iinfo(number).max] * (MAX_BANDS - len(bands))  # what no density reaches
    # the most that colours from this byte on can come to, channel by channel
    most = np.maximum.accumulate(lookups.tables[:, ::-1].astype(np.int64), axis=1)[:, ::-1].sum(axis=0) << FLAG_BITS
    unsafe = np.flatnonzero(foreground.any(axis=0) | (most >= bands[0]))
    glass_from = int(unsafe[-1]) + 1 if unsafe.size else 0
    return np.ascontiguousarray(tables.ravel()), np.array([*bands, glass_from], number)
