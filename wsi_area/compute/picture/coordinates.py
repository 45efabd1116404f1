"""compute: the coordinates of polygons taken out of a JSON text at once: no list, and no object, for a point.

A list of JSON takes some 180 bytes and 0.7 µs for a point, and an outline of tissue has millions. Only
what is a polygon, or several, by the letter of RFC 7946 is taken; all else is left where it is.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value

Ring = NDArray[np.float64]
_ARGUMENTS = "uint8* int64 int64 double* int64 int64* int64* int64 int64* int64 int64* int64 int64*"
NATIVE = (Native("wsi_area.compute.picture.compiled_coordinates", "take_coordinates", _ARGUMENTS),)

_MARK = "\x01coordinates taken: "
_FIRST_IN_JSON = b"\\u0001"  # the one way to spell what the mark begins with: a text without it has no such mark
_MARK_IN_JSON = _FIRST_IN_JSON + b"coordinates taken: "
_LEAST_BYTES = 512
"""Of coordinates that are taken: fewer are read as quickly by any reader."""
_END = b"\0" * 16


@frozen_value(eq=False)
class TakenCoordinates:
    """Coordinates of one geometry: rings of x and y in turn, the points up to each ring's end, rings of polygons."""

    depth: int  # 3 for one polygon, 4 for a list of them
    points: NDArray[np.float64]  # (n, 2), of all that was taken
    ring_ends: NDArray[np.int64]  # points up to the end of each ring, and first up to the beginning of the first
    polygon_ends: NDArray[np.int64]  # likewise the rings of this geometry

    @property
    def polygons(self) -> tuple[tuple[Ring, ...], ...]:
        """Return the polygons: of each its outer ring, then its holes, float64 (n, 2)."""
        ends, of = self.ring_ends.tolist(), self.polygon_ends.tolist()
        rings = [self.points[begin:end] for begin, end in pairwise(ends)]
        return tuple(tuple(rings[begin:end]) for begin, end in pairwise(of))

    def lists(self) -> list[object]:
        """Return the same as lists of lists, as JSON has them; of a point its first two numbers."""
        made: list[object] = [[ring.tolist() for ring in polygon] for polygon in self.polygons]
        return made if self.depth == 4 else made[0]  # type: ignore[return-value]


@frozen_value(eq=False)
class TextWithout:
    """A JSON text in which a mark stands in place of long coordinates, and these."""

    text: bytes
    taken: Sequence[TakenCoordinates] = ()

    def behind(self, value: object) -> TakenCoordinates | None:
        """Return the coordinates that a value of the text stands for, None where it is an ordinary one."""
        if not (isinstance(value, str) and value.startswith(_MARK)):
            return None
        return self.taken[int(value.removeprefix(_MARK))]


AS_IT_IS = TextWithout(b"")
"""What stands for a text of which nothing was taken."""


def without_coordinates(text: bytes, least_bytes: int = _LEAST_BYTES) -> TextWithout:
    r"""Return a JSON text without the long coordinates of its polygons.

    Parameters
    ----------
    text
        UTF-8, valid JSON or not.
    least_bytes
        Of what is taken, ``coordinates`` by ``coordinates``.

    >>> found = without_coordinates(b'{"coordinates": [[[0, 0], [4, 0.5], [4e0, 4]]]}', least_bytes=0)
    >>> found.text
    b'{"coordinates": "\\u0001coordinates taken: 0"}'
    >>> found.taken[0].lists()
    [[[0.0, 0.0], [4.0, 0.5], [4.0, 4.0]]]
    """
    if len(text) < max(1, least_bytes) or _FIRST_IN_JSON in text:
        return TextWithout(text)
    values, rings, hard, taken = _scanned(text, least_bytes)
    for value, begin, end in hard.tolist():
        values[value] = float(text[begin:end])
    points, found, kept = values.reshape(-1, 2), list[TakenCoordinates](), list[bytes]()
    ring_ends, polygon_ends = (np.concatenate([[0], ends]) for ends in rings)
    behind, ring, polygon = 0, 0, 0
    for number, (begin, end, depth, last_ring, last_polygon) in enumerate(taken.tolist()):
        kept += [text[behind:begin], b'"%s%d"' % (_MARK_IN_JSON, number)]
        of_polygons = polygon_ends[polygon : last_polygon + 1] - ring
        found.append(TakenCoordinates(depth, points, ring_ends[ring : last_ring + 1], of_polygons))
        behind, ring, polygon = end, last_ring, last_polygon
    return TextWithout(b"".join([*kept, text[behind:]]), found)


def _scanned(
    text: bytes, least_bytes: int
) -> tuple[NDArray[np.float64], tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64], NDArray[np.int64]]:
    """Return the values, the ends of rings and of polygons, the numbers to be read, and what was taken."""
    length, signs = len(text), np.frombuffer(text + _END, np.uint8)
    # with room for whatever so many bytes can hold; what is not written takes no memory
    values, rings = np.empty(length // 2 + 2, np.float64), np.empty((2, length // 6 + 2), np.int64)
    hard, taken = np.empty((length // 4 + 2, 3), np.int64), np.empty((length // 20 + 2, 5), np.int64)
    now = np.zeros(6, np.int64)
    native_function(*NATIVE[0])(
        address_of(signs), length, least_bytes, address_of(values), len(values), address_of(rings[0]),
        address_of(rings[1]), rings.shape[1], address_of(hard), len(hard), address_of(taken), len(taken),
        address_of(now),
    )  # fmt: skip
    _, of_values, of_rings, of_polygons, of_hard, of_taken = now.tolist()
    return values[:of_values], (rings[0, :of_rings], rings[1, :of_polygons]), hard[:of_hard], taken[:of_taken]
