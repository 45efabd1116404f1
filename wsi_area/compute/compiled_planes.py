"""compute: the compiled half of bit planes: eight codes become a byte of each plane, and codes again.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``wsi_area.compute.plane_frames``, which checks the shapes: nothing here checks a bound.
"""

import sys
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from wsi_area.compute.machine_code import native_part

_BITS = 8
_MANY = 64  # codes at once


def write_planes(codes_at: Any, count: int, planes_at: Any, present_at: Any) -> None:
    """Write the bit planes of codes up to the highest bit that any has; say how many.

    At these addresses lie: uint8 (8 × count,), codes; uint8 (8, count), the planes, each with its first code in the
    lowest bit of its first byte; int64 (1,), the number of planes that were written: the others would be 0.
    """
    codes, planes = carray(codes_at, (_BITS * count,)), carray(planes_at, (_BITS * count,))
    present = carray(present_at, (1,))
    written, left = 0, np.int64(_highest(codes))
    while left:
        written, left = written + 1, left >> 1
    for bit in range(written):
        _write_plane(codes, np.uint8(1 << bit), planes[bit * count : (bit + 1) * count])
    present[0] = written


def write_codes(planes_at: Any, present: int, count: int, codes_at: Any) -> None:
    """Write the codes of which these are the lowest bit planes, as many as are present; as ``write_planes`` lays them.

    ``codes`` are uint8 (8 × count,).
    """
    codes, planes = carray(codes_at, (_BITS * count,)), carray(planes_at, (present * count,))
    if present == 0:
        _clear(codes)
    many = codes.size // _MANY * _MANY
    _join_bits(planes, present, codes, 0, many, _MANY)
    _join_bits(planes, present, codes, many, codes.size, _BITS)


@native_part
def _highest(numbers: Any) -> Any:
    """Return the largest byte."""
    most = np.uint8(0)
    for i in range(numbers.size):
        most = max(most, numbers[i])
    return most


@native_part
def _write_plane(codes: Any, mark: Any, plane: Any) -> None:
    """Write one bit of each code."""
    many = codes.size // _MANY * _MANY
    for first in range(0, many, _MANY):
        _note_bits(codes, first, mark, plane, _MANY)
    for first in range(many, codes.size, _BITS):
        _note_bits(codes, first, mark, plane, _BITS)


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def _note_bits(typing: Any, codes: Any, first: Any, mark: Any, plane: Any, many: Any) -> Any:
    """Write the bits of so many codes, 8 or 64, from the first on: 1 where a code has the marked bit.

    As a comparison of vectors, which every compiler of LLVM knows for its processor, and makes of no loop by itself.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        n = signature.args[4].literal_value
        vector, bits = ir.VectorType(ir.IntType(8), n), ir.IntType(n)
        source, target = (context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 3))
        some = builder.load(builder.bitcast(builder.gep(source, [arguments[1]]), vector.as_pointer()), align=1)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), n), [0] * n)
        nothing = ir.Constant(vector, [0] * n)
        marks = builder.shuffle_vector(builder.insert_element(nothing, arguments[2], ir.IntType(32)(0)), nothing, lanes)
        found = builder.bitcast(builder.icmp_unsigned("!=", builder.and_(some, marks), nothing), bits)
        if sys.byteorder == "big":
            found = builder.bswap(builder.bitreverse(found)) if n > _BITS else builder.bitreverse(found)
        at = builder.gep(target, [builder.lshr(arguments[1], ir.IntType(64)(3))])
        builder.store(found, builder.bitcast(at, bits.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.none(codes, types.int64, types.uint8, plane, many), emit


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def _join_bits(typing: Any, planes: Any, present: Any, codes: Any, first: Any, end: Any, many: Any) -> Any:
    """Write codes from the first up to the end, so many at once, 8 or 64, of the bits that as many planes hold.

    There is a loop for each number of planes, which reads those and no others, and writes each code once. Bits of a
    plane choose lanes of a vector: `_note_bits` the other way round.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 2))
        count = builder.lshr(context.make_array(codes)(context, builder, arguments[2]).nitems, ir.IntType(64)(3))
        for n in range(1, _BITS + 1):
            with builder.if_then(builder.icmp_signed("==", arguments[1], ir.IntType(64)(n))):
                _emit_joining(builder, source, target, count, n, arguments[3:5], signature.args[5].literal_value)
        return context.get_dummy_value()

    return types.none(planes, types.int64, codes, types.int64, types.int64, many), emit


def _emit_joining(builder: Any, source: Any, target: Any, count: Any, planes: int, ends: Any, n: int) -> None:
    """Emit the loop that writes codes, n at once, of so many planes, each of so many bytes."""
    vector, bits, chosen, number = (
        ir.VectorType(ir.IntType(8), n), ir.IntType(n), ir.VectorType(ir.IntType(1), n), ir.IntType(64)
    )  # fmt: skip
    with cgutils.for_range_slice(builder, *ends, number(n), number) as (first, _):
        some = ir.Constant(vector, [0] * n)
        for bit in range(planes):
            at = builder.add(builder.mul(count, number(bit)), builder.lshr(first, number(3)))
            held = builder.load(builder.bitcast(builder.gep(source, [at]), bits.as_pointer()), align=1)
            if sys.byteorder == "big":
                held = builder.bitreverse(builder.bswap(held)) if n > _BITS else builder.bitreverse(held)
            marks, nothing = ir.Constant(vector, [1 << bit] * n), ir.Constant(vector, [0] * n)
            some = builder.or_(some, builder.select(builder.bitcast(held, chosen), marks, nothing))
        builder.store(some, builder.bitcast(builder.gep(target, [first]), vector.as_pointer()), align=1)


@native_part
def _clear(numbers: Any) -> None:
    """Write 0 everywhere."""
    for i in range(numbers.size):
        numbers[i] = 0
