"""Ways to damage the bytes of a slide: those of disks, of broken copies, and of strangers who know the format."""

import random
import re
import struct
from collections.abc import Callable, Collection

from small_slides import directories

HUGE = (b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\x00\x00\x00\x40", bytes(4))
_VR = re.compile(rb"(?:AE|AS|CS|DA|DS|DT|FD|FL|IS|LO|LT|OB|OW|PN|SH|SQ|ST|TM|UI|UL|UN|US|UT)[\0-\xff]{2}")
_HEAD_BYTES, _TAIL_BYTES = 4096, 65536
_ARRAYS = {273, 279, 324, 325}
"""Fields that say where the strips and tiles of a TIFF begin, and how many bytes each has."""


def flip(data: bytearray, rng: random.Random) -> None:
    """Turn single bits over, anywhere."""
    for _ in range(rng.choice([1, 8, 64, 512])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def flip_header(data: bytearray, rng: random.Random) -> None:
    """Replace bytes at the beginning, where formats say what follows."""
    for _ in range(rng.choice([1, 4, 16])):
        data[rng.randrange(min(len(data), _HEAD_BYTES))] = rng.randrange(256)


def flip_tail(data: bytearray, rng: random.Random) -> None:
    """Replace bytes at the end, where a TIFF may have its directories."""
    for _ in range(rng.choice([1, 4, 16])):
        data[-1 - rng.randrange(min(len(data), _HEAD_BYTES))] = rng.randrange(256)


def truncate(data: bytearray, rng: random.Random) -> None:
    """End the file early, as a broken copy does."""
    keep = rng.choice([rng.randrange(len(data)), len(data) - 1 - rng.randrange(min(len(data) - 1, 600))])
    del data[keep:]


def zero(data: bytearray, rng: random.Random) -> None:
    """Lose a block, as a bad disk or a torn download does."""
    at = rng.randrange(len(data))
    end = min(len(data), at + rng.choice([16, 512, 4096, 65536]))
    data[at:end] = bytes(end - at)


def enlarge(data: bytearray, rng: random.Random) -> None:
    """Make a number of the header or of a directory as large as it can be."""
    reach = rng.choice([range(min(len(data), _HEAD_BYTES)), range(max(0, len(data) - _TAIL_BYTES), len(data))])
    at = rng.choice(reach) & ~1
    data[at : at + 4] = rng.choice(HUGE)


def swap(data: bytearray, rng: random.Random) -> None:
    """Exchange two blocks, as a file system that was repaired may have."""
    length = min(4096, len(data) // 4)
    a, b = (rng.randrange(len(data) - length) for _ in range(2))
    data[a : a + length], data[b : b + length] = data[b : b + length], data[a : a + length]


def field(data: bytearray, rng: random.Random) -> None:
    """Change one field of the structure: a tag, a type, a count or a value of a directory; an element of DICOM."""
    if data[:4] != b"II*\0":
        _dicom_element(data, rng)
        return
    entry = rng.choice([e for page in directories(bytes(data)) for e in page.values()])
    part = rng.choice(["tag", "type", "count", "value", "value", "array"])
    if part == "tag":
        struct.pack_into("<H", data, entry.at, rng.choice([entry.tag ^ 1, 256, 257, 258, 259, 322, 324, 325, 347, 0]))
    elif part == "type":
        struct.pack_into("<H", data, entry.at + 2, rng.choice([0, 1, 2, 3, 4, 5, 7, 13, 16, 0xFFFF]))
    elif part == "count":
        struct.pack_into("<I", data, entry.at + 4, _odd_number(entry.count, rng))
    elif part == "value" or len(entry.content) <= 4:
        (value,) = struct.unpack_from("<I", data, entry.at + 8)
        struct.pack_into("<I", data, entry.at + 8, _odd_number(value, rng))
    else:  # one number of an array that lies elsewhere: where a tile begins, how long it is
        (start,) = struct.unpack_from("<I", data, entry.at + 8)
        at = start + 4 * rng.randrange(max(1, len(entry.content) // 4))
        if at + 4 <= len(data):
            (value,) = struct.unpack_from("<I", data, at)
            struct.pack_into("<I", data, at, _odd_number(value, rng))


def _odd_number(number: int, rng: random.Random) -> int:
    near = [number + 1, number - 1, number * 2, number // 2, number ^ (1 << rng.randrange(32))]
    return rng.choice([*near, 0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF]) & 0xFFFFFFFF


def _dicom_element(data: bytearray, rng: random.Random) -> None:
    """Change the tag, the type, the length or the value of an element before the pixels, or an item among them."""
    elements = [m.start() for m in _VR.finditer(data, 0, min(len(data), 20_000))]
    items = [m.start() for m in re.finditer(rb"\xfe\xff\x00\xe0", data)][:200]
    at = rng.choice(items if items and rng.random() < 0.3 else elements)
    if data[at] == 0xFE:  # an item: its length follows its tag
        (length,) = struct.unpack_from("<I", data, at + 4)
        struct.pack_into("<I", data, at + 4, _odd_number(length, rng))
        return
    part = rng.choice(["tag", "type", "length", "value"])
    if part == "tag":
        data[at - rng.randint(1, 4)] = rng.randrange(256)
    elif part == "type":
        data[at : at + 2] = rng.choice([b"OB", b"SQ", b"UI", b"US", b"UN", b"XX"])
    elif part == "length":
        data[at + 2 : at + 4] = struct.pack("<H", _odd_number(struct.unpack_from("<H", data, at + 2)[0], rng) & 0xFFFF)
    else:
        data[at + 4 + rng.randrange(8)] = rng.randrange(256)


def marker(data: bytearray, rng: random.Random) -> None:
    """Change the header of one compressed picture: a marker, its length or what it says; or put one into its data."""
    starts = [m.start() for m in re.finditer(rb"\xff\xd8\xff|\xff\x4f\xff\x51", data)]
    if not starts:  # nothing is compressed: the structure is all there is
        field(data, rng)
        return
    start = rng.choice(starts)
    reach = data[start : start + rng.choice([700, 700, 20_000])]
    markers = [m.start() for m in re.finditer(rb"\xff[\x4f-\xfe]", reach)]
    at = start + rng.choice(markers)
    way = rng.choice(["other", "length", "content", "content", "insert", "no end"])
    if way == "other":
        data[at + 1] = rng.choice([0xC0, 0xC1, 0xC2, 0xC4, 0xD0, 0xD7, 0xD9, 0xDA, 0xDB, 0xDD, 0xDE, 0xFE, 0x52, 0x90])
    elif way == "length":
        data[at + 2 : at + 4] = rng.choice([b"\0\0", b"\0\2", b"\xff\xff", bytes([0, rng.randrange(256)])])
    elif way == "content":
        data[min(len(data) - 1, at + rng.randrange(2, 24))] = rng.randrange(256)
    elif way == "insert":  # over data, so that nothing behind it moves
        place = min(len(data) - 2, start + rng.randrange(600, 6000))
        data[place : place + 2] = bytes([0xFF, rng.choice([0xD9, 0xD0, 0xD3, 0xDA, 0xDC, 0xC4, 0x01, 0xFF])])
    else:
        end = data.find(b"\xff\xd9", start)
        if end >= 0:
            data[end : end + 2] = rng.choice([b"\0\0", b"\xff\xd8", b"\xd9\xff", bytes([rng.randrange(256)] * 2)])


def torn_entries(data: bytearray, rng: random.Random) -> None:
    """Change where a few stored tiles or strips begin, or how long they are said to be, as a torn write does."""
    if data[:4] != b"II*\0":
        _dicom_element(data, rng)
        return
    places = [e for page in directories(bytes(data)) for tag, e in page.items() if tag in _ARRAYS and e.kind == 4]
    if not places:
        field(data, rng)
        return
    entry = rng.choice(places)
    start = entry.at + 8 if len(entry.content) <= 4 else struct.unpack_from("<I", data, entry.at + 8)[0]
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = start + 4 * rng.randrange(entry.count)
        (number,) = struct.unpack_from("<I", data, at)
        torn = rng.choice([0, 0, number & 0xFFFF, number & 0xFFFF0000, number + rng.randrange(-2000, 2000)])
        struct.pack_into("<I", data, at, torn & 0xFFFFFFFF)


def last_directory(data: bytearray, rng: random.Random) -> None:
    """Break the last directory of a TIFF: its fields, their number, or where it says that another one follows."""
    if data[:4] != b"II*\0":
        _dicom_element(data, rng)
        return
    entries = sorted(directories(bytes(data))[-1].values(), key=lambda entry: entry.at)
    at, link = entries[0].at - 2, entries[-1].at + 12
    way = rng.choice(["fields", "zeros", "noise", "link", "end"])
    if way == "fields":
        struct.pack_into("<H", data, at, rng.choice([0, 1, len(entries) - 1, len(entries) + 1, 0xFFFF]))
    elif way == "zeros":
        begin = at + 2 + 12 * rng.randrange(len(entries))
        data[begin:link] = bytes(link - begin)
    elif way == "noise":
        begin = rng.randrange(at + 2, link)
        data[begin : begin + 12] = rng.randbytes(len(data[begin : begin + 12]))
    elif way == "link":
        followers = [8, at, len(data) + 4096, len(data) - 4, rng.randrange(len(data))]
        struct.pack_into("<I", data, link, rng.choice(followers))
    else:
        del data[rng.randrange(at, len(data)) :]


FIRST: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, flip_header, flip_tail, truncate, zero, enlarge, swap, field, marker,
)  # fmt: skip
MUTATIONS = (*FIRST, torn_entries, last_directory)
EVERY_WAY_FROM_SEED = 10_000
"""Seeds below it choose among the first ways there were, so that what they once found is found again."""


def mutate(data: bytearray, seed: int, ways: Collection[str] = ()) -> str:
    """Damage a slide in place, in one way at random, of some ways or of those of the seed; return which."""
    rng = random.Random(seed)
    named = [m for m in MUTATIONS if m.__name__ in ways]
    mutation = rng.choice(named or (MUTATIONS if seed >= EVERY_WAY_FROM_SEED else FIRST))
    mutation(data, rng)
    return mutation.__name__
