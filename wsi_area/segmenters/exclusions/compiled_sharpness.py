"""segmenters: the compiled half of focus: details as squared differences of box means, and their energy in a window.

Imported only where no machine code of it lies on disk: see ``wsi_area.compute.machine_code.native_function``.
Called through ``sharpness``, which checks the shapes: nothing here checks a bound.
"""

from typing import Any

import numpy as np
from numba import carray

from wsi_area.compute.machine_code import native_part

_LARGEST_SHIFTED_BOX = 512  # of a larger one, a detail before it is divided does not fit into 32 bits
_BLOCK_PX = 64  # pixels of a row whose windows are told at once where their columns agree
_STEPS = 4  # of a grey level in which a detail is measured, as in ``sharpness``


def detail(grey_at: Any, height: int, width: int, box: int, columns_at: Any, sums_at: Any, details_at: Any) -> None:
    """Write the Laplacian of box means a box apart, int16 (h, w), where all five boxes lie in the picture.

    ``grey`` is uint8 (h, w); ``columns`` int32 (3, w) holds 0, ``sums`` int32 (2 box + 1, w) is for its own use.
    """
    shape = (height, width)
    _detail(
        carray(grey_at, shape), box, carray(columns_at, (3, width)), carray(sums_at, (2 * box + 1, width)),
        carray(details_at, shape),
    )  # fmt: skip


def vote(
    judged_at: Any, fine_at: Any, coarse_at: Any, height: int, width: int, radius: int, limits_at: Any,
    columns_at: Any, votes_at: Any,
) -> None:  # fmt: skip
    """Write the vote of each pixel, int16 (h, w): 1 where its window is blurred, -1 where it is sharp, 0 where unsaid.

    ``judged`` is uint8 (h, w), ``fine`` and ``coarse`` int16 (h, w); ``limits`` int64 (3,): the least energy of a
    pixel, numerator and denominator of the least ratio; ``columns`` int64 (9, w) holds 0.
    """
    shape = (height, width)
    _tell(
        carray(judged_at, shape), carray(fine_at, shape), carray(coarse_at, shape), radius, carray(limits_at, 3),
        carray(columns_at, (9, width)), carray(votes_at, shape),
    )  # fmt: skip


@native_part
def _detail(grey: Any, box: int, columns: Any, sums: Any, details: Any) -> None:
    height, width = grey.shape
    whole, ring = width - box + 1, 2 * box + 1
    above = box + (box - 1) // 2  # from the first row of the upper box to the row that the detail is of
    for y in range(height):
        _roll(columns[0], grey, y, box)
        top = y - box + 1
        if top >= 0:
            _box_row(columns, box, sums[top % ring])
        first = top - 2 * box
        if first >= 0:
            rows = sums[first % ring], sums[(first + box) % ring], sums[top % ring]
            _laplacian(rows[0], rows[1], rows[2], box, whole, details[first + above])


@native_part
def _roll(column: Any, grey: Any, y: int, box: int) -> None:
    """Have each column's sum hold the last ``box`` rows."""
    enters = grey[y]
    for x in range(column.size):
        column[x] += np.int32(enters[x])
    if y >= box:
        leaves = grey[y - box]
        for x in range(column.size):
            column[x] -= np.int32(leaves[x])


@native_part
def _box_row(columns: Any, box: int, sums: Any) -> None:
    """Write the sums of the boxes of one row, by their left pixel.

    Sums of 1, 2, 4 … columns are made of each other, and those that the size of a box is made of are added up: all of
    them whole rows, which vectorise as a running sum does not.
    """
    width = columns.shape[1]
    span, done, at = 1, 0, 0
    while span <= box:
        of_span = columns[at]
        if box & span:
            end = width - done - span + 1
            if done:
                shifted = of_span[done : done + end]
                for x in range(end):
                    sums[x] += shifted[x]
            else:
                for x in range(end):
                    sums[x] = of_span[x]
            done += span
        if 2 * span <= box:
            at = 1 if at != 1 else 2
            doubled, shifted = columns[at], of_span[span:]
            for x in range(width - 2 * span + 1):
                doubled[x] = of_span[x] + shifted[x]
        span *= 2


@native_part
def _laplacian(upper: Any, middle: Any, lower: Any, box: int, whole: int, details: Any) -> None:
    area, count = box * box, whole - 2 * box
    shift = 0
    while 1 << shift < area:
        shift += 1
    left, inner, right = middle[:count], middle[box : box + count], middle[2 * box : 2 * box + count]
    above, below = upper[box : box + count], lower[box : box + count]
    written = details[box + (box - 1) // 2 :]
    if 1 << shift == area and box <= _LARGEST_SHIFTED_BOX:
        for x in range(count):
            value = np.int32(4 * inner[x] - left[x] - right[x] - above[x] - below[x])
            written[x] = np.int32(value * _STEPS) >> shift
    else:
        for x in range(count):
            steps = np.int64(4 * inner[x] - left[x] - right[x] - above[x] - below[x]) * _STEPS
            quotient = np.int64(steps / area)  # exact: both are small, and what is left is looked at
            if quotient * area > steps:
                quotient -= 1
            written[x] = quotient


@native_part
def _tell(judged: Any, fine: Any, coarse: Any, radius: int, limits: Any, columns: Any, votes: Any) -> None:
    height = len(judged)
    for y in range(min(radius, height)):
        _add(columns, judged[y], fine[y], coarse[y])
    for y in range(height):
        enters, leaves = y + radius, y - radius - 1
        if enters < height and leaves >= 0:
            _move(columns[0], columns[1], columns[2], judged, fine, coarse, enters, leaves)
        elif enters < height:
            _add(columns, judged[y + radius], fine[y + radius], coarse[y + radius])
        elif leaves >= 0:
            _take(columns, judged[y - radius - 1], fine[y - radius - 1], coarse[y - radius - 1])
        _tell_row(columns, radius, limits, judged[y], votes[y])


@native_part
def _add(columns: Any, judged: Any, fine: Any, coarse: Any) -> None:
    """Add a row to what each column holds: judged pixels, energy of fine and of coarse details."""
    counts, of_fine, of_coarse = columns[0], columns[1], columns[2]
    for x in range(judged.size):
        counts[x] += np.int64(judged[x])
    for x in range(judged.size):
        of_fine[x] += _energy(fine[x], judged[x])
    for x in range(judged.size):
        of_coarse[x] += _energy(coarse[x], judged[x])


@native_part
def _take(columns: Any, judged: Any, fine: Any, coarse: Any) -> None:
    """Take a row away again."""
    counts, of_fine, of_coarse = columns[0], columns[1], columns[2]
    for x in range(judged.size):
        counts[x] -= np.int64(judged[x])
    for x in range(judged.size):
        of_fine[x] -= _energy(fine[x], judged[x])
    for x in range(judged.size):
        of_coarse[x] -= _energy(coarse[x], judged[x])


@native_part
def _move(
    counts: Any, of_fine: Any, of_coarse: Any, judged: Any, fine: Any, coarse: Any, enters: int, leaves: int
) -> None:  # fmt: skip
    """Add one row to what each column holds, and take another away."""
    new, old = judged[enters], judged[leaves]
    for x in range(counts.size):
        counts[x] += np.int64(new[x]) - np.int64(old[x])
    some, others = fine[enters], fine[leaves]
    for x in range(counts.size):
        of_fine[x] += _energy(some[x], new[x]) - _energy(others[x], old[x])
    some, others = coarse[enters], coarse[leaves]
    for x in range(counts.size):
        of_coarse[x] += _energy(some[x], new[x]) - _energy(others[x], old[x])


@native_part
def _energy(detail: Any, is_judged: Any) -> Any:
    value = np.int32(np.int32(detail) * np.int32(is_judged))
    return np.int64(np.int32(value * value))


@native_part
def _tell_row(columns: Any, radius: int, limits: Any, judged: Any, votes: Any) -> None:
    """Write the votes of a row.

    A window can say something where its energy of coarse details less the least one adds up to 0 or more, and is
    sharp where that of the fine details less its share of the coarse does. Both are sums over columns: where those
    that a block of windows can reach all speak the same way, so do the windows.
    """
    width = judged.size
    counts, of_fine, of_coarse, contrast, sharpness = columns[0], columns[1], columns[2], columns[3], columns[4]
    least_energy, numerator, denominator = limits[0], limits[1], limits[2]
    for x in range(width):
        contrast[x] = of_coarse[x] - least_energy * counts[x]
    for x in range(width):
        sharpness[x] = of_fine[x] * denominator - of_coarse[x] * numerator
    blocks = -(-width // _BLOCK_PX)
    _extremes(contrast, columns[5], columns[6])
    _extremes(sharpness, columns[7], columns[8])
    for block in range(blocks):
        begin, end = block * _BLOCK_PX, min(width, (block + 1) * _BLOCK_PX)
        first, last = max(0, begin - radius) // _BLOCK_PX, min(width - 1, end - 1 + radius) // _BLOCK_PX
        least, most = _over(columns[5], columns[6], first, last)
        least_sharp, most_sharp = _over(columns[7], columns[8], first, last)
        if most < 0:
            votes[begin:end] = 0
        elif least >= 0 and (least_sharp >= 0 or most_sharp < 0):
            _say(np.int16(-1) if least_sharp >= 0 else np.int16(1), judged[begin:end], votes[begin:end])
        else:
            _tell_block(contrast, sharpness, radius, judged, votes, begin, end)


@native_part
def _say(vote: Any, judged: Any, votes: Any) -> None:
    for x in range(votes.size):
        votes[x] = np.int16(vote * np.int16(judged[x]))


@native_part
def _extremes(values: Any, leasts: Any, mosts: Any) -> None:
    """Write the least and the most of each block of values."""
    for block in range(-(-values.size // _BLOCK_PX)):
        part = values[block * _BLOCK_PX : min(values.size, (block + 1) * _BLOCK_PX)]
        least = most = part[0]
        for x in range(part.size):  # spelt out: of min and max the compiler makes no vectors
            least = part[x] if part[x] < least else least
            most = part[x] if part[x] > most else most
        leasts[block], mosts[block] = least, most


@native_part
def _over(leasts: Any, mosts: Any, first: int, last: int) -> tuple[Any, Any]:
    """Return the least and the most of some blocks, the last included."""
    least, most = leasts[first], mosts[first]
    for block in range(first + 1, last + 1):
        least = leasts[block] if leasts[block] < least else least
        most = mosts[block] if mosts[block] > most else most
    return least, most


@native_part
def _tell_block(
    contrast: Any, sharpness: Any, radius: int, judged: Any, votes: Any, begin: int, end: int
) -> None:  # fmt: skip
    width = judged.size
    of_contrast = of_sharpness = np.int64(0)
    for x in range(max(0, begin - radius - 1), min(width, begin + radius)):
        of_contrast += contrast[x]
        of_sharpness += sharpness[x]
    if begin > radius and end + radius <= width:  # no question is asked of a pixel
        entering, leaving = slice(begin + radius, end + radius), slice(begin - radius - 1, end - radius - 1)
        contrast_in, contrast_out = contrast[entering], contrast[leaving]
        sharpness_in, sharpness_out = sharpness[entering], sharpness[leaving]
        own, told = judged[begin:end], votes[begin:end]
        for x in range(told.size):
            of_contrast += contrast_in[x] - contrast_out[x]
            of_sharpness += sharpness_in[x] - sharpness_out[x]
            told[x] = np.int16(own[x]) * _vote(of_contrast, of_sharpness)
        return
    for x in range(begin, end):
        if x + radius < width:
            of_contrast += contrast[x + radius]
            of_sharpness += sharpness[x + radius]
        if x > radius:
            of_contrast -= contrast[x - radius - 1]
            of_sharpness -= sharpness[x - radius - 1]
        votes[x] = np.int16(judged[x]) * _vote(of_contrast, of_sharpness)


@native_part
def _vote(of_contrast: Any, of_sharpness: Any) -> Any:
    """Return 1 for blurred, -1 for sharp, 0 where nothing can be said; without a branch."""
    return np.int16((of_contrast >= 0) * (1 - 2 * np.int64(of_sharpness >= 0)))
