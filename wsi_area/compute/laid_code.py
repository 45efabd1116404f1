"""compute: an object file laid into memory, ready to run, without LLVM, whose library takes 50 MB and 30 ms to load.

Ours are simple: code, constants, and places for the address of a constant or of a function of libc. Such a one, for
64-bit Linux on x86, is laid out here. One that holds anything else is LLVM's to load.
"""

import ctypes
import mmap
import platform
import struct
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

_HEAD, _SECTION, _SYMBOL, _PLACE = map(struct.Struct, ("<7s9x2HI3QI6H", "<2I4Q2I2Q", "<I2BH2Q", "<2Qq"))
_OBJECT_OF_X86_64 = b"\x7fELF\x02\x01\x01", 1, 62  # 64 bits, little-endian, first version; not linked; processor
_NOTHING, _CONTENT, _SYMBOLS, _NAMES, _PLACES = range(5)  # kinds of sections; no others are known here
_IN_MEMORY, _UNKNOWN = 0x2, ~0x1000_0036  # flags; none but: in memory, executed, of equal constants or texts, large
_WHOLE_ADDRESS = 1  # the one kind of place that is known here: 8 bytes for an address and what is added to it
_FROM_LIBC = ("memcpy", "memmove", "memset")
_FAILED = ctypes.c_void_p(-1).value


class _Section(NamedTuple):
    """A section as the file tells it."""

    name: int
    kind: int
    flags: int
    address: int
    start: int
    size_bytes: int
    link: int
    target: int  # for places: the section that they are in
    alignment: int
    entry_bytes: int


def lay_out(code: bytes, function: str) -> int | None:
    """Return the address of a function of an object file, in memory for good; None where the file is not so simple.

    Parameters
    ----------
    code : bytes
        The file, whole, as LLVM wrote it.
    function : str
        A name that can be seen from outside.
    """
    sections = _sections(code)
    offsets = _offsets(sections)
    if not offsets:
        return None
    image = bytearray(max(offset + sections[i].size_bytes for i, offset in offsets.items()))
    for i, offset in offsets.items():
        image[offset : offset + sections[i].size_bytes] = _content(code, sections[i])
    libc, unnamed = _libc(), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    start = libc.mmap(None, len(image), mmap.PROT_READ | mmap.PROT_WRITE, unnamed, -1, 0)
    if start == _FAILED:
        return None
    symbols = _symbols(code, sections, {i: start + offset for i, offset in offsets.items()})
    if _fill_places(image, code, sections, offsets, [address for _, address in symbols]):
        ctypes.memmove(start, bytes(image), len(image))
        if libc.mprotect(start, len(image), mmap.PROT_READ | mmap.PROT_EXEC) == 0:
            return dict(symbols).get(function)
    libc.munmap(start, len(image))
    return None


def _sections(code: bytes) -> list[_Section]:
    """Return the sections of a file; none where it is for another system or processor than this."""
    if not (sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 2**32):
        return []
    head = _HEAD.unpack_from(code)
    if head[:3] != _OBJECT_OF_X86_64:
        return []
    sections_at, count = head[6], head[12]
    return [_Section(*_SECTION.unpack_from(code, sections_at + i * _SECTION.size)) for i in range(count)]


def _offsets(sections: Sequence[_Section]) -> dict[int, int]:
    """Return where each section lies that is laid into memory, by its number; none where one is of an unknown kind."""
    if any(section.kind > _PLACES for section in sections):
        return {}
    offsets: dict[int, int] = {}
    end = 0
    for i, section in enumerate(sections):
        if not section.flags & _IN_MEMORY or not section.size_bytes:
            continue
        if section.kind != _CONTENT or section.flags & _UNKNOWN or section.alignment > mmap.PAGESIZE:
            return {}
        offsets[i] = -(-end // section.alignment) * section.alignment
        end = offsets[i] + section.size_bytes
    return offsets


def _symbols(code: bytes, sections: Sequence[_Section], starts: Mapping[int, int]) -> list[tuple[str, int | None]]:
    """Return the name and the address of each symbol; None where that is neither in the file nor in libc."""
    symbols: list[tuple[str, int | None]] = []
    for table in (section for section in sections if section.kind == _SYMBOLS):
        names = _content(code, sections[table.link])
        for name_at, _, _, section, value, _ in _SYMBOL.iter_unpack(_content(code, table)):
            name = names[name_at : names.index(b"\0", name_at)].decode()
            address = starts[section] + value if section in starts else None
            symbols.append((name, address if section else _address_in_libc(name)))
    return symbols


def _fill_places(
    image: bytearray,
    code: bytes,
    sections: Sequence[_Section],
    offsets: Mapping[int, int],
    addresses: Sequence[int | None],
) -> bool:
    """Return True if each place in an image has got its address, and False where one is of an unknown kind."""
    for places in (section for section in sections if section.kind == _PLACES and section.target in offsets):
        for place_at, what, added in _PLACE.iter_unpack(_content(code, places)):
            address = addresses[what >> 32]
            if what & 0xFFFF_FFFF != _WHOLE_ADDRESS or address is None:
                return False
            at = offsets[places.target] + place_at
            image[at : at + 8] = (address + added).to_bytes(8, "little")
    return True


def _content(code: bytes, section: _Section) -> bytes:
    return code[section.start : section.start + section.size_bytes]


def _address_in_libc(name: str) -> int | None:
    return ctypes.cast(getattr(_libc(), name), ctypes.c_void_p).value if name in _FROM_LIBC else None


@cache
def _libc() -> Any:
    libc = ctypes.CDLL(None)
    part = ctypes.c_void_p, ctypes.c_size_t
    libc.mmap.restype, libc.mmap.argtypes = ctypes.c_void_p, (*part, *[ctypes.c_int] * 3, ctypes.c_long)
    libc.mprotect.argtypes = (*part, ctypes.c_int)
    libc.munmap.argtypes = part
    return libc
