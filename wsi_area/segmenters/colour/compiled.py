"""segmenters: the compiled half of the kernels: pieces of rows through look-ups into classes and sums.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``wsi_area.segmenters.colour.kernels``, which checks the shapes: nothing here checks a bound.
Numba widens whole numbers to 64 bits wherever it can; the casts keep them narrow, for twice the speed.
"""

import sys
from typing import Any

import numpy as np
from numba import carray, types
from numba.extending import intrinsic

from wsi_area.compute.machine_code import native_part
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.segmenters.colour.colour_rule import MAX_BANDS
from wsi_area.segmenters.colour.compiled_boxes import lowest, reduce_row
from wsi_area.segmenters.colour.compiled_shuffles import WHOLE_PX, sort_by_shuffles
from wsi_area.segmenters.colour.density import COMPACT_BITS, FLAG_BITS, PATCH_FIELDS, PIECE_PX, UNITS_PER_MICRO_BITS

_FLAGS = (1 << FLAG_BITS) - 1
_COMPACT_SHIFT, _WIDE_SHIFT = COMPACT_BITS + FLAG_BITS, UNITS_PER_MICRO_BITS + FLAG_BITS
_BYTE_0, _BYTE_1, _BYTE_2, _BYTE_3 = (0, 8, 16, 24) if sys.byteorder == "little" else (24, 16, 8, 0)


@native_part
def _copy(source: Any, target: Any) -> None:
    """Copy bytes."""
    for i in range(source.size):
        target[i] = source[i]


@native_part
def _clear(sums: Any) -> None:
    """Set the sums to 0."""
    for k in range(sums.shape[1]):
        sums[0, k] = sums[1, k] = 0


@native_part
def _look_up(words: Any, tables: Any, line: Any, length: int) -> None:
    """Write what the three channels of each pixel add up to; four pixels are three words of four bytes.

    Past ``length`` up to 3 more are written, of whatever bytes lie there.
    """
    for x in range((length + 3) // 4):
        a, b, c = words[3 * x], words[3 * x + 1], words[3 * x + 2]
        line[4 * x] = (
            tables[(a >> _BYTE_0) & 255] + tables[256 + ((a >> _BYTE_1) & 255)] + tables[512 + ((a >> _BYTE_2) & 255)]
        )
        line[4 * x + 1] = (
            tables[(a >> _BYTE_3) & 255] + tables[256 + ((b >> _BYTE_0) & 255)] + tables[512 + ((b >> _BYTE_1) & 255)]
        )
        line[4 * x + 2] = (
            tables[(b >> _BYTE_2) & 255] + tables[256 + ((b >> _BYTE_3) & 255)] + tables[512 + ((c >> _BYTE_0) & 255)]
        )
        line[4 * x + 3] = (
            tables[(c >> _BYTE_1) & 255] + tables[256 + ((c >> _BYTE_2) & 255)] + tables[512 + ((c >> _BYTE_3) & 255)]
        )


@native_part
def _sort_piece(line: Any, limits: Any, out: Any, reached: Any) -> None:
    """Write the classes; say how many pixels, and how much signal, reach class 1, 2, 3, 4 or more.

    Without branches and in the width of the look-ups, so that the compiler makes vector code of it.
    """
    number = line.dtype.type
    shift = _COMPACT_SHIFT if line.itemsize == 4 else _WIDE_SHIFT
    half = number(1 << (shift - 1))
    weak, moderate, strong = limits[0], limits[1], limits[2]
    count1 = count2 = count3 = count4 = signal1 = signal2 = signal3 = signal4 = number(0)
    for x in range(line.size):
        density = line[x]
        in2, in3, in4 = number(density >= weak), number(density >= moderate), number(density >= strong)
        in1 = number(number((density & _FLAGS) != 0) | in2)
        micro = number(number(max(density, number(0)) + half) >> shift)
        out[x] = np.uint8(in1 + in2 + in3 + in4)
        count1, signal1 = number(count1 + in1), number(signal1 + micro * in1)
        count2, signal2 = number(count2 + in2), number(signal2 + micro * in2)
        count3, signal3 = number(count3 + in3), number(signal3 + micro * in3)
        count4, signal4 = number(count4 + in4), number(signal4 + micro * in4)
    counts, signals = reached
    counts[1], counts[2], counts[3], counts[4] = count1, count2, count3, count4
    signals[1], signals[2], signals[3], signals[4] = signal1, signal2, signal3, signal4
    if line.itemsize == 4:  # 256 × 2^24 overflows the sign, which is undone here
        for k in range(1, 5):
            signals[k] &= 0xFFFFFFFF


@native_part
def _correct_piece(line: Any, valid: Any, weights: Any, out: Any, reached: Any) -> Any:
    """Give each pixel its own weight where all were counted with the first; return the weight not valid.

    A pixel that is not valid has weight 0 and its own code.
    """
    shift = _COMPACT_SHIFT if line.itemsize == 4 else _WIDE_SHIFT
    unscanned = np.int64(0)
    for x in range(out.size):
        weight, reaches = weights[x], out[x]
        if valid.size and not valid[x]:
            out[x] = UNSCANNED_CODE
            unscanned += weight
            weight = np.int64(0)
        excess = weight - weights[0]
        if excess:
            reached[0, 0] += excess
            if reaches:  # the line was not looked up where all is background
                micro = (max(np.int64(line[x]), np.int64(0)) + (1 << (shift - 1))) >> shift
                for k in range(1, reaches + 1):
                    reached[0, k] += excess
                    reached[1, k] += excess * micro
    return unscanned


@native_part
def _write_signal(line: Any, codes: Any, out_signal: Any) -> None:
    """Write the signal of each pixel in micro-units: 0 of background and of what was never scanned."""
    shift = _COMPACT_SHIFT if line.itemsize == 4 else _WIDE_SHIFT
    for x in range(codes.size):
        micro = np.int64(0)
        if codes[x] != 0 and codes[x] != UNSCANNED_CODE:  # the line was not looked up where all is background
            micro = (max(np.int64(line[x]), np.int64(0)) + (1 << (shift - 1))) >> shift
        out_signal[x] = micro


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def _bytes_at(typing: Any, address: Any) -> Any:
    """Return an address as a pointer to bytes."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(types.uint8)(types.int64), emit


def classify_patches(
    patches_at: Any,
    patch_count: int,
    factor: int,
    tables_at: Any,
    limits_at: Any,
    column_weights_at: Any,
    row_weights_at: Any,
    out_at: Any,
    out_width: int,
    out_height: int,
    out_stride: int,
    counts_at: Any,
    signal_at: Any,
    classes: int,
    words_at: Any,
    samples_at: Any,
    samples_valid_at: Any,
    line_at: Any,
    sums_at: Any,
    sums_length: int,
    reached_at: Any,
    total_at: Any,
    out_signal_at: Any,
    out_signal_stride: int,
    byte_tables_at: int,
) -> None:
    """Work off the patches of a tile whose arrays lie at these addresses; ``kernels`` has their types.

    A patch is a row of 7: addresses of its pixels and of its mask (0 where all are valid), height, width, the column
    and row of ``out`` at which it begins, and how many bytes its rows of pixels lie apart. ``tables`` and ``limits``
    are all int32 or all int64; ``limits`` are the three bands and the byte from which on a colour is background. All
    other arrays are contiguous but ``out``, whose rows lie ``out_stride`` bytes apart, and ``out_signal``, whose rows
    lie ``out_signal_stride`` pixels apart: 0 where nobody asks for the signal of each pixel. ``words`` and ``samples``
    are the same memory; the eight from there on are scratch, for no memory may be taken here. At ``byte_tables`` lie
    the bytes of ``tables``, plane by plane; 0 if the processor cannot shuffle 64 bytes.
    """
    patches = carray(patches_at, (patch_count, PATCH_FIELDS))
    column_weights, row_weights = carray(column_weights_at, out_width), carray(row_weights_at, out_height)
    out = carray(out_at, (out_height - 1) * out_stride + out_width)
    out_signal = carray(out_signal_at, (out_height - 1) * out_signal_stride + out_width if out_signal_stride else 0)
    for k in range(patch_count):
        height, width, column, row = patches[k, 2], patches[k, 3], patches[k, 4], patches[k, 5]
        stride = patches[k, 6]
        _classify(
            carray(_bytes_at(patches[k, 0]), (height - 1) * stride + width * 3),
            stride,
            carray(_bytes_at(patches[k, 1]), height * width if patches[k, 1] else 0),
            height,
            width,
            factor,
            carray(tables_at, 768),
            carray(limits_at, MAX_BANDS + 1),
            column_weights[column : column - (-width // factor)],
            row_weights[row : row - (-height // factor)],
            out[row * out_stride + column :],
            out_stride,
            carray(counts_at, classes + 3),
            carray(signal_at, classes),
            carray(words_at, PIECE_PX * 3 // 4),
            carray(samples_at, PIECE_PX * 3),
            carray(samples_valid_at, PIECE_PX),
            carray(line_at, PIECE_PX),
            carray(sums_at, sums_length),
            carray(reached_at, (2, MAX_BANDS + 3)),
            carray(total_at, (2, MAX_BANDS + 3)),
            out_signal[row * out_signal_stride + column :] if out_signal_stride else out_signal,
            out_signal_stride,
            byte_tables_at,
        )


@native_part
def _classify(
    pixels: Any, stride: int, mask: Any, height: int, width: int, factor: int, tables: Any, limits: Any,
    column_weights: Any, row_weights: Any, out: Any, out_stride: int, counts: Any, signal: Any,
    words: Any, samples: Any, samples_valid: Any, line: Any, sums: Any, reached: Any, total: Any,
    out_signal: Any, out_signal_stride: int, byte_tables_at: int,
) -> None:  # fmt: skip
    """Work off a patch row by row, piece by piece.

    ``reached`` and ``total`` hold the weight, and the weighted signal, of what is class k or more; nothing is more
    than the last.
    """
    out_height, out_width = row_weights.size, column_weights.size
    _clear(total)
    classes = counts.size - 3
    for start in range(0, out_width, PIECE_PX):
        length = min(PIECE_PX, out_width - start)
        weights = column_weights[start : start + length]
        uniform = True
        for x in range(length):
            uniform = uniform and weights[x] == weights[0]
        by_shuffles = byte_tables_at and uniform and not out_signal_stride
        for row in range(out_height):
            out_row = out[row * out_stride + start : row * out_stride + start + length]
            read = samples
            if factor == 1:
                at = row * width + start
                row_valid = mask[at : at + length]  # empty without a mask
                begin = row * stride + 3 * start
                if by_shuffles and not row_valid.size and begin + (WHOLE_PX - 1 + length) * 3 <= pixels.size:
                    read = pixels[begin:]
                else:
                    _copy(pixels[begin : begin + 3 * length], samples)
            else:
                is_whole = reduce_row(
                    pixels, stride, mask, height, width, factor, row, start, length, sums, samples, samples_valid
                )
                row_valid = samples_valid[:0] if is_whole else samples_valid[:length]
            _clear(reached)
            if lowest(read[: length * 3]) >= limits[3]:
                for x in range(length):
                    out_row[x] = 0
            elif by_shuffles and not row_valid.size:
                sort_by_shuffles(read, length, byte_tables_at, limits, out_row, samples_valid, reached[0], reached[1])
            else:
                _look_up(words, tables, line, length)
                _sort_piece(line[:length], limits, out_row, reached)
            reached[0, 0] = length
            for k in range(classes):
                reached[0, k] *= weights[0]
                reached[1, k] *= weights[0]
            if row_valid.size or not uniform:
                unscanned = _correct_piece(line, row_valid, weights, out_row, reached)
                counts[classes] += unscanned * row_weights[row]
            if out_signal_stride:
                at = row * out_signal_stride + start
                _write_signal(line, out_row, out_signal[at : at + length])
            for k in range(classes):
                total[0, k] += reached[0, k] * row_weights[row]
                total[1, k] += reached[1, k] * row_weights[row]
    for k in range(classes):
        counts[k] += total[0, k] - total[0, k + 1]
        signal[k] += total[1, k] - total[1, k + 1]
    signal[0] += total[1, 1]  # the background has none of it
