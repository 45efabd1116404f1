"""segmenters: look-ups and sorting of a piece of a row by shuffles of 64 bytes, on x86 processors with AVX-512 VBMI.

Part of the machine code of ``compiled.classify_patches``, which is made anew where this file changes. Nothing here
checks a bound. What it writes is what ``compiled`` writes of the same piece by look-ups from memory: a test holds it.

A table of 256 bytes lies in four registers, and one instruction looks up 64 of its bytes. A density has four bytes, so
that 64 pixels take twelve such look-ups in place of 192 loads. Vectors are spelt in LLVM's own language, for numba has
none; the compiler is told of the instructions for this function alone, so that it compiles for any x86 processor.
"""

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from wsi_area.segmenters.colour.colour_rule import MAX_BANDS
from wsi_area.segmenters.colour.density import COMPACT_BITS, FLAG_BITS

_FEATURES = "+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vbmi,+popcnt,+bmi,+bmi2"
_IS_X86 = platform.machine().lower() in {"x86_64", "amd64"}
WHOLE_PX = 64  # pixels at once
_FLAGS, _SHIFT = (1 << FLAG_BITS) - 1, COMPACT_BITS + FLAG_BITS  # of a density in 32 bits
_LEVELS = MAX_BANDS + 1  # classes above the background
_BYTES, _PAIRS, _WORDS = (ir.VectorType(ir.IntType(bits), 512 // bits) for bits in (8, 16, 32))
_LONG = ir.IntType(64)


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def sort_by_shuffles(
    typing: Any, samples: Any, length: Any, tables_at: Any, limits: Any, out: Any, spare: Any, counts: Any, signals: Any
) -> Any:
    """Write the classes of a piece; say how many pixels, and how much signal, reach class 1, 2, 3, 4 or more.

    ``samples`` may be read, and ``spare`` written, up to the next multiple of 64 pixels behind ``length``. At
    ``tables_at`` lie uint8 (3, 4, 256): each byte of what the values of R, G, B add to the density.
    ``counts`` and ``signals`` are int64, from class 0 on, which is left alone.
    """
    arguments = (samples, types.int64, types.int64, limits, out, spare, counts, signals)

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if _IS_X86 and limits.dtype == types.int32:
            arrays = (
                context.make_array(signature.args[k])(context, builder, values[k]).data for k in (0, 3, 4, 5, 6, 7)
            )
            _Piece(builder, values[1], values[2], list(arrays)).emit()
        return context.get_dummy_value()

    return types.none(*arguments), emit


class _Piece:
    """The code for one piece as it is written, instruction by instruction."""

    def __init__(self, b: Any, length: Any, tables_at: Any, arrays: list[Any]) -> None:
        set.add(b.function.attributes, f'"target-features"="{_FEATURES}"')  # llvmlite knows no attribute with a value
        self.b, self.length = b, length
        self.samples, limits, self.out, self.spare, self.counts, self.signals = arrays
        self.tables = b.inttoptr(tables_at, ir.IntType(8).as_pointer())
        self.bands = [_all_lanes(b, b.load(b.gep(limits, [_LONG(k)]))) for k in range(_LEVELS - 1)]
        self.total = [cgutils.alloca_once_value(b, _LONG(0)) for _ in range(_LEVELS)]
        self.micro = [cgutils.alloca_once_value(b, _each(0)) for _ in range(_LEVELS)]

    def emit(self) -> None:
        """Write a loop over whole vectors, what is left over, and the sums."""
        b = self.b
        whole = b.lshr(self.length, _LONG(6))
        with cgutils.for_range(b, whole) as loop:
            first = b.shl(loop.index, _LONG(6))
            self._sort(first, None, b.gep(self.out, [first]))
        rest = b.and_(self.length, _LONG(WHOLE_PX - 1))
        with b.if_then(b.icmp_unsigned("!=", rest, _LONG(0))):
            first = b.shl(whole, _LONG(6))
            self._sort(first, b.sub(b.shl(_LONG(1), rest), _LONG(1)), self.spare)
            with cgutils.for_range(b, rest) as loop:
                b.store(b.load(b.gep(self.spare, [loop.index])), b.gep(self.out, [b.add(first, loop.index)]))
        for k in range(_LEVELS):
            b.store(b.load(self.total[k]), b.gep(self.counts, [_LONG(k + 1)]))
            b.store(b.zext(_sum_of_lanes(b, b.load(self.micro[k])), _LONG), b.gep(self.signals, [_LONG(k + 1)]))

    def _sort(self, first: Any, valid: Any, out: Any) -> None:
        """Sort 64 pixels; ``valid`` is the mask of those that are counted, None where all of them are."""
        b = self.b
        reached: list[list[Any]] = [[] for _ in range(_LEVELS)]
        for q, density in enumerate(self._densities(first)):
            positive = b.select(b.icmp_signed(">", density, _each(0)), density, _each(0))
            micro = b.lshr(b.add(positive, _each(1 << (_SHIFT - 1))), _each(_SHIFT))
            flagged = b.icmp_unsigned("!=", b.and_(density, _each(_FLAGS)), _each(0))
            above = [b.icmp_signed(">=", density, band) for band in self.bands]
            masks = [b.or_(flagged, above[0]), *above]
            if valid is not None:
                sixteen = b.trunc(b.lshr(valid, _LONG(16 * q)), ir.IntType(16))
                counted = b.bitcast(sixteen, ir.VectorType(ir.IntType(1), 16))
                masks = [b.and_(mask, counted) for mask in masks]
            for k, mask in enumerate(masks):
                reached[k].append(mask)
                so_far = b.load(self.micro[k])
                b.store(b.select(mask, b.add(so_far, micro), so_far), self.micro[k])
        classes, one = ir.Constant(_BYTES, [0] * WHOLE_PX), ir.Constant(_BYTES, [1] * WHOLE_PX)
        for k, (m0, m1, m2, m3) in enumerate(reached):
            mask = _joined(b, _joined(b, m0, m1), _joined(b, m2, m3))
            n = b.ctpop(b.bitcast(mask, _LONG))
            b.store(b.add(b.load(self.total[k]), n), self.total[k])
            classes = b.select(mask, b.add(classes, one), classes)
        b.store(classes, b.bitcast(out, _BYTES.as_pointer()), align=1)

    def _densities(self, first: Any) -> list[Any]:
        """Return the densities of 64 pixels in four vectors, in the order of the pixels."""
        b = self.b
        at = b.gep(self.samples, [b.mul(first, _LONG(3))])
        parts = [self._bytes_at(at, WHOLE_PX * k) for k in range(3)]
        sums: list[Any] = []
        for channel in range(3):
            values = _channel(b, parts, channel)
            is_high = b.icmp_signed("<", values, ir.Constant(_BYTES, [0] * WHOLE_PX))
            planes = [self._looked_up(values, is_high, 1024 * channel + 256 * k) for k in range(4)]
            words = _as_words(b, planes)
            sums = [b.add(x, y) for x, y in zip(sums, words, strict=True)] if sums else words
        return sums

    def _bytes_at(self, base: Any, offset: int) -> Any:
        b = self.b
        return b.load(b.bitcast(b.gep(base, [_LONG(offset)]), _BYTES.as_pointer()), align=1)

    def _looked_up(self, values: Any, is_high: Any, offset: int) -> Any:
        """Return what 64 values are in the table of 256 bytes that begins so many bytes behind the first."""
        b = self.b
        shuffle = cgutils.get_or_insert_function(
            b.module, ir.FunctionType(_BYTES, [_BYTES] * 3), "llvm.x86.avx512.vpermi2var.qi.512"
        )
        quarters = [self._bytes_at(self.tables, offset + WHOLE_PX * k) for k in range(4)]
        low, high = (b.call(shuffle, [quarters[k], values, quarters[k + 1]]) for k in (0, 2))
        return b.select(is_high, high, low)


def _all_lanes(b: Any, number: Any) -> Any:
    """Return a vector of 16 that holds a number, known when it runs, in each lane."""
    return _picked(b, b.insert_element(_each(0), number, ir.IntType(32)(0)), _each(0), [0] * 16)


def _each(number: int) -> Any:
    """Return a constant vector of 16 that holds a number in each lane."""
    return ir.Constant(_WORDS, [number] * 16)


def _picked(b: Any, some: Any, others: Any, places: list[int]) -> Any:
    """Return the numbers at some places of two vectors that are thought one after the other."""
    return b.shuffle_vector(some, others, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places))


def _joined(b: Any, some: Any, others: Any) -> Any:
    """Return two masks one after the other."""
    return _picked(b, some, others, list(range(2 * some.type.count)))


def _channel(b: Any, parts: list[Any], channel: int) -> Any:
    """Return one channel of 64 pixels, in the order of which `_as_words` makes that of the pixels.

    Interleaving works within each quarter of a register, so that quarter ``j`` holds four pixels of each vector to be.
    """
    pixels = [16 * q + 4 * j + r for j in range(4) for q in range(4) for r in range(4)]
    places = [3 * pixel + channel for pixel in pixels]
    early = _picked(b, parts[0], parts[1], [min(place, 127) for place in places])
    return _picked(b, early, parts[2], [k if place < 128 else place - 64 for k, place in enumerate(places)])


def _as_words(b: Any, planes: list[Any]) -> list[Any]:
    """Return four vectors of words of four bytes, of which the planes hold each one byte."""
    words = []
    for half in (0, 1):
        low, high = (b.bitcast(_interleaved(b, planes[k], planes[k + 1], half), _PAIRS) for k in (0, 2))
        words += [b.bitcast(_interleaved(b, low, high, part), _WORDS) for part in (0, 1)]
    return words


def _interleaved(b: Any, some: Any, others: Any, half: int) -> Any:
    """Return the lower or the upper half of each quarter of two registers, number by number in turn."""
    count = some.type.count
    quarter = count // 4
    places = [quarter * j + half * quarter // 2 + k for j in range(4) for k in range(quarter // 2)]
    return _picked(b, some, others, [place for n in places for place in (n, count + n)])


def _sum_of_lanes(b: Any, numbers: Any) -> Any:
    """Return the sum of all lanes, in 32 bits: halves are laid over each other until one lane is left."""
    half = numbers.type.count // 2
    while half:
        upper = [*range(half, 2 * half), *range(2 * half, 16), *range(half)]
        numbers, half = b.add(numbers, _picked(b, numbers, numbers, upper)), half // 2
    return b.extract_element(numbers, ir.IntType(32)(0))
