"""compute: the compiled half of the plane frames: codes into bit planes, and those into an LZ4 block.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``wsi_area.compute.plane_frames``, which checks the sizes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.extending import intrinsic

from wsi_area.compute.machine_code import native_part

_BYTE, _BYTES = ir.IntType(8), ir.VectorType(ir.IntType(8), 64)
_WORD_BYTES = 8
_LEAST_WORDS = 2  # of a match: with single words frames are 3 % shorter, and take half as long again
_LAST_WORDS = 2  # no match reaches into the last 5 bytes of a block, or begins in its last 12: LZ4's rule


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def _plane_word(typing: Any, codes: Any, at: Any, plane: Any) -> Any:
    """Return one bit of each of 64 codes as a word: one comparison of vectors, which no loop is compiled to."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        there = builder.bitcast(builder.gep(array.data, [arguments[1]]), _BYTES.as_pointer())
        bit = builder.shl(ir.Constant(_BYTE, 1), builder.trunc(arguments[2], _BYTE))
        nothing = ir.Constant(_BYTES, ir.Undefined)
        first = builder.insert_element(nothing, bit, ir.Constant(ir.IntType(32), 0))
        bits = builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), 64), [0] * 64))
        is_set = builder.icmp_unsigned("!=", builder.and_(builder.load(there, align=1), bits), bits.type(None))
        return builder.bitcast(is_set, ir.IntType(64))

    return types.uint64(codes, types.int64, types.int64), emit


@intrinsic  # type: ignore[untyped-decorator]
def _copy_64_bytes(typing: Any, target: Any, to: Any, source: Any, at: Any) -> Any:
    """Copy 64 bytes, wanted or not: quicker than to ask how many."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = []
        for array_type, array, offset in zip(signature.args[::2], arguments[::2], arguments[1::2], strict=True):
            data = context.make_array(array_type)(context, builder, array).data
            places.append(builder.bitcast(builder.gep(data, [offset]), _BYTES.as_pointer()))
        builder.store(builder.load(places[1], align=1), places[0], align=1)
        return context.get_dummy_value()

    return types.void(target, types.int64, source, types.int64), emit


def encode_planes(
    codes_at: Any, code_count: int, row_words: int, planes_at: Any, plane_bytes_at: Any, out_at: Any, length_at: Any
) -> None:
    """Write the LZ4 block of the bit planes of codes, and how long it is: 0 where all codes are 0.

    ``planes`` and ``plane_bytes`` are the same memory, as long as the codes and 64 bytes more; ``out`` has room for
    what cannot be made shorter and 64 bytes more. ``row_words`` is the distance at which matches are looked
    for besides that of one word; 0 for none.
    """
    codes = carray(codes_at, code_count)
    planes = carray(planes_at, code_count // _WORD_BYTES)
    length = carray(length_at, 1)
    used = _used_planes(codes)
    if used == 0:
        length[0] = 0
        return
    words = code_count // 64  # of a plane
    for plane in range(used):
        for word in range(words):
            planes[plane * words + word] = _plane_word(codes, word * 64, plane)
    planes[used * words :] = 0
    plane_bytes, out = carray(plane_bytes_at, code_count + 64), carray(out_at, 2 * code_count + 64)
    length[0] = _block(plane_bytes, planes, used * words, row_words, out)


@native_part
def _used_planes(codes: Any) -> Any:
    """Return how many bit planes hold a bit that is set."""
    every = np.uint8(0)
    for code in codes:
        every |= code
    used = 0
    while every >> used:
        used += 1
    return used


@native_part
def _block(source: Any, words: Any, used: int, row_words: int, out: Any) -> Any:
    """Write an LZ4 block of words, and return its length; from word ``used`` on all of them are 0.

    A match is a run of words like the one before them, or like those a row above.
    """
    end = words.size - _LAST_WORDS
    length = begun = 0  # of the block; the word from which on nothing is written yet
    at = 1
    while at < end:
        distance = 0
        if words[at] == words[at - 1]:
            distance = 1
        elif row_words and at >= row_words and words[at] == words[at - row_words]:
            distance = row_words
        if distance == 0:
            at += 1
            continue
        past = end if at > used else at + 1
        while past < end and words[past] == words[past - distance]:
            past += 1
        if past - at >= _LEAST_WORDS:
            length = _sequence(source, begun, at, distance, past - at, out, length)
            begun = past
        at = past
    return _sequence(source, begun, words.size, 0, 0, out, length)


@native_part
def _sequence(source: Any, begun: int, at: int, distance: int, match: int, out: Any, length: int) -> Any:
    """Write a sequence: the words from ``begun`` to ``at`` as they are, then a match of words; return where it ends."""
    literals, excess = (at - begun) * _WORD_BYTES, match * _WORD_BYTES - 4  # a match has at least 4 bytes
    out[length] = (min(literals, 15) << 4) | min(max(excess, 0), 15)
    length += 1
    if literals >= 15:
        length = _further_length(literals - 15, out, length)
    for done in range(0, literals, 64):
        _copy_64_bytes(out, length + done, source, begun * _WORD_BYTES + done)
    length += literals
    if match:
        out[length] = distance * _WORD_BYTES & 255
        out[length + 1] = distance * _WORD_BYTES >> 8
        length += 2
        if excess >= 15:
            length = _further_length(excess - 15, out, length)
    return length


@native_part
def _further_length(rest: int, out: Any, length: int) -> Any:
    """Write what a token has no room for of a length; return where it ends."""
    while rest >= 255:
        out[length] = 255
        length += 1
        rest -= 255
    out[length] = rest
    return length + 1
