"""segmenters: the compiled half of the pixel features: cells, their smoothed neighbourhoods, and what is read off them.

Every output number is made by one fixed sequence of float32 operations on the numbers round it, without fast-math, so
that it is the same bit for bit wherever a tile was cut; inner loops run along rows, so that the compiler makes vector
code of them. Imported only where no machine code of it lies on disk: see
``wsi_area.compute.machine_code.native_function``. Called through ``feature_kernels``, which checks types and shapes:
nothing here checks a bound.

Planes are float32 (planes, rows held, width), with the row of the picture that the first of them is.
"""

from typing import Any

import numpy as np
from numba import carray
from numba.extending import intrinsic

from wsi_area.compute.machine_code import native_part

_SCALE_PLANES = 11  # with a structure tensor, as in ``feature_set``


@intrinsic  # type: ignore[untyped-decorator]
def _root(context: Any, number: Any) -> Any:
    """Return the code of a square root as the processor has it; numpy's calls a library, which object code cannot."""

    def code(target: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.call(builder.module.declare_intrinsic("llvm.sqrt", [given[0].type]), given)

    return number(number), code


def cells_of(
    rgb_at: Any, valid_at: Any, height: int, width: int, tables_at: Any, pitch: int, top: int, left: int, line_at: Any,
    out_at: Any, rows: int, cols: int,
) -> None:  # fmt: skip
    """Write the cell means of the base planes, float32 (5, rows, cols).

    ``top`` and ``left`` are how many work pixels of the first cell lie outside the box. A pixel that is not valid
    counts as glass, optical density 0. ``line`` float32 (6, width) is for its own use.
    """
    rgb, valid = carray(rgb_at, (height, width, 3)), carray(valid_at, (height, width))
    line, out = carray(line_at, (6, width)), carray(out_at, (5, rows, cols))
    tables = carray(tables_at, (3, 256))
    for row in range(rows):
        y0, y1 = max(0, row * pitch - top), min(height, (row + 1) * pitch - top)
        for y in range(y0, y1):
            _base_row(rgb, valid, tables, y, line)
            _add_cells(line, y == y0, row, pitch, left, out)
        for col in range(cols):
            x0, x1 = max(0, col * pitch - left), min(width, (col + 1) * pitch - left)
            share = np.float32(1) / np.float32((y1 - y0) * (x1 - x0))
            for k in range(5):
                out[k, row, col] *= share


@native_part
def _base_row(rgb: Any, valid: Any, tables: Any, y: int, line: Any) -> None:
    """Write the base planes of one row of work pixels; the last line has the grey density of the row above."""
    width = line.shape[1]
    third = np.float32(1.0 / 3.0)
    for x in range(width):
        if valid[y, x]:
            line[0, x] = tables[0, rgb[y, x, 0]]
            line[1, x] = tables[1, rgb[y, x, 1]]
            line[2, x] = tables[2, rgb[y, x, 2]]
        else:
            line[0, x] = line[1, x] = line[2, x] = np.float32(0)
    for x in range(width):
        grey = (line[0, x] + line[1, x] + line[2, x]) * third
        line[3, x] = grey
    for x in range(width):
        down = line[3, x] - (line[5, x] if y else line[3, x])
        line[4, x] = down * down
    for x in range(1, width):
        across = line[3, x] - line[3, x - 1]
        line[4, x] += across * across
    for x in range(width):
        line[5, x] = line[3, x]
        line[3, x] = line[3, x] * line[3, x]


@native_part
def _add_cells(line: Any, is_first: bool, row: int, pitch: int, left: int, out: Any) -> None:
    """Add one row of work pixels to the cells that it lies in."""
    width, cols = line.shape[1], out.shape[2]
    for k in range(5):
        for col in range(cols):
            x0, x1 = max(0, col * pitch - left), min(width, (col + 1) * pitch - left)
            total = np.float32(0)
            for x in range(x0, x1):
                total += line[k, x]
            if is_first:
                out[k, row, col] = total
            else:
                out[k, row, col] += total


def halve(
    planes_at: Any, count: int, height: int, width: int, top: int, left: int, out_at: Any, rows: int, cols: int
) -> None:
    """Write the means of 2 × 2; ``top`` and ``left`` are 1 where the first box misses its first row or column."""
    planes, out = carray(planes_at, (count, height, width)), carray(out_at, (count, rows, cols))
    for k in range(count):
        for row in range(rows):
            y0, y1 = max(0, 2 * row - top), min(height, 2 * row + 2 - top)
            for col in range(cols):
                x0, x1 = max(0, 2 * col - left), min(width, 2 * col + 2 - left)
                total = np.float32(0)
                for y in range(y0, y1):
                    for x in range(x0, x1):
                        total += planes[k, y, x]
                out[k, row, col] = total * (np.float32(1) / np.float32((y1 - y0) * (x1 - x0)))


def smooth(
    planes_at: Any, planes_first: int, held: int, height: int, width: int, weights_at: Any, reach: int, line_at: Any,
    out_at: Any, out_first: int, out_held: int, count: int, begin: int, end: int,
) -> None:  # fmt: skip
    """Write rows of the planes smoothed by symmetric weights (middle, next, …) both ways; the edge pixel is repeated.

    ``height`` is that of the whole picture; ``line`` float32 (width + 2 reach,) is for its own use.
    """
    planes, out = carray(planes_at, (count, held, width)), carray(out_at, (count, out_held, width))
    weights, line = carray(weights_at, reach + 1), carray(line_at, width + 2 * reach)
    for k in range(count):
        for y in range(begin, end):
            middle = line[reach : reach + width]
            here = planes[k, y - planes_first]
            for x in range(width):
                middle[x] = weights[0] * here[x]
            for step in range(1, reach + 1):
                up = planes[k, max(0, y - step) - planes_first]
                down = planes[k, min(height - 1, y + step) - planes_first]
                weight = weights[step]
                for x in range(width):
                    middle[x] += weight * (up[x] + down[x])
            _smooth_line(line, weights, out[k, y - out_first])


@native_part
def _smooth_line(line: Any, weights: Any, target: Any) -> None:
    reach, width = weights.size - 1, target.size
    middle = line[reach : reach + width]
    for x in range(reach):
        line[x] = line[reach]
        line[reach + width + x] = line[reach + width - 1]
    for x in range(width):
        target[x] = weights[0] * middle[x]
    for step in range(1, reach + 1):
        before, after = line[reach - step : reach - step + width], line[reach + step : reach + step + width]
        weight = weights[step]
        for x in range(width):
            target[x] += weight * (before[x] + after[x])


def gradients(
    planes_at: Any, planes_first: int, held: int, height: int, width: int, sigma_at: Any, out_at: Any, out_first: int,
    out_held: int, begin: int, end: int,
) -> None:  # fmt: skip
    """Write rows of xx, xy, yy of the gradient of the grey density, in density per standard deviation."""
    planes, out = carray(planes_at, (5, held, width)), carray(out_at, (3, out_held, width))
    half, third = np.float32(0.5) * carray(sigma_at, 1)[0], np.float32(1.0 / 3.0)
    for row in range(begin, end):
        y, up, down = row - planes_first, max(0, row - 1) - planes_first, min(height - 1, row + 1) - planes_first
        at = row - out_first
        for x in range(width):
            before, after = max(0, x - 1), min(width - 1, x + 1)
            dx = (planes[0, y, after] + planes[1, y, after] + planes[2, y, after]) * third
            dx -= (planes[0, y, before] + planes[1, y, before] + planes[2, y, before]) * third
            dy = (planes[0, down, x] + planes[1, down, x] + planes[2, down, x]) * third
            dy -= (planes[0, up, x] + planes[1, up, x] + planes[2, up, x]) * third
            dx *= half
            dy *= half
            out[0, at, x] = dx * dx
            out[1, at, x] = dx * dy
            out[2, at, x] = dy * dy


def describe(
    planes_at: Any, planes_first: int, held: int, height: int, width: int, tensor_at: Any, tensor_first: int,
    tensor_held: int, stains_at: Any, sigma_at: Any, grey_at: Any, out_at: Any, out_first: int, out_held: int,
    count: int, begin: int, end: int,
) -> None:  # fmt: skip
    """Write the features of rows of one scale, ``count`` planes, from smoothed base planes and structure tensor.

    With two planes less than all, the tensor is not looked at. ``grey`` float32 (3, w) is for its own use.
    """
    planes, out = carray(planes_at, (5, held, width)), carray(out_at, (count, out_held, width))
    tensor, grey = carray(tensor_at, (3, tensor_held, width)), carray(grey_at, (3, width))
    stains, sigma = carray(stains_at, (3, 3)), carray(sigma_at, 1)[0]
    third = np.float32(1.0 / 3.0)
    for row in range(begin, end):
        y, up, down = row - planes_first, max(0, row - 1) - planes_first, min(height - 1, row + 1) - planes_first
        for x in range(width):
            grey[0, x] = (planes[0, up, x] + planes[1, up, x] + planes[2, up, x]) * third
            grey[1, x] = (planes[0, y, x] + planes[1, y, x] + planes[2, y, x]) * third
            grey[2, x] = (planes[0, down, x] + planes[1, down, x] + planes[2, down, x]) * third
        _describe_colours(planes, y, stains, grey, row - out_first, out)
        _describe_shapes(grey, sigma, row - out_first, out)
        if count == _SCALE_PLANES:
            _describe_tensor(tensor, row - tensor_first, row - out_first, out)


@native_part
def _describe_colours(planes: Any, y: int, stains: Any, grey: Any, at: int, out: Any) -> None:
    """Write stains, density, its deviation and the texture of one row."""
    width, zero = grey.shape[1], np.float32(0)
    for k in range(3):
        for x in range(width):
            out[k, at, x] = (
                stains[k, 0] * planes[0, y, x] + stains[k, 1] * planes[1, y, x] + stains[k, 2] * planes[2, y, x]
            )
    for x in range(width):
        here = grey[1, x]
        out[3, at, x] = here
        out[4, at, x] = _root(max(zero, planes[3, y, x] - here * here))
        out[5, at, x] = _root(planes[4, y, x])


@native_part
def _describe_shapes(grey: Any, sigma: Any, at: int, out: Any) -> None:
    """Write gradient, bump and ridge of one row."""
    width, half, quarter, squared = grey.shape[1], np.float32(0.5), np.float32(0.25), sigma * sigma
    for x in range(width):
        before, after = max(0, x - 1), min(width - 1, x + 1)
        here = grey[1, x]
        dx, dy = (grey[1, after] - grey[1, before]) * half, (grey[2, x] - grey[0, x]) * half
        out[6, at, x] = sigma * _root(dx * dx + dy * dy)
        dxx, dyy = grey[1, after] - here - here + grey[1, before], grey[2, x] - here - here + grey[0, x]
        dxy = (grey[2, after] - grey[2, before] - grey[0, after] + grey[0, before]) * quarter
        mean, apart = (dxx + dyy) * half, (dxx - dyy) * half
        root = _root(apart * apart + dxy * dxy)
        out[7, at, x] = squared * (mean + root)
        out[8, at, x] = squared * (mean - root)


@native_part
def _describe_tensor(tensor: Any, y: int, at: int, out: Any) -> None:
    """Write edges and coherence of one row."""
    half, tiny = np.float32(0.5), np.float32(1e-12)
    for x in range(tensor.shape[2]):
        xx, xy, yy = tensor[0, y, x], tensor[1, y, x], tensor[2, y, x]
        mean, apart = (xx + yy) * half, (xx - yy) * half
        root = _root(apart * apart + xy * xy)
        out[9, at, x] = _root(mean + root)
        out[10, at, x] = root / (mean + tiny)


def read_off(
    planes_at: Any, count: int, height: int, width: int, y0s_at: Any, y1s_at: Any, wys_at: Any, x0s_at: Any,
    x1s_at: Any, wxs_at: Any, points: int, out_at: Any,
) -> None:  # fmt: skip
    """Write the planes at points, float32 (count, points), by bilinear interpolation: first down, then across."""
    planes, out, one = carray(planes_at, (count, height, width)), carray(out_at, (count, points)), np.float32(1)
    y0s, y1s, wys = carray(y0s_at, points), carray(y1s_at, points), carray(wys_at, points)
    x0s, x1s, wxs = carray(x0s_at, points), carray(x1s_at, points), carray(wxs_at, points)
    for k in range(count):
        plane = planes[k]
        for i in range(points):
            wy, wx = wys[i], wxs[i]
            first = plane[y0s[i], x0s[i]] * (one - wy) + plane[y1s[i], x0s[i]] * wy
            second = plane[y0s[i], x1s[i]] * (one - wy) + plane[y1s[i], x1s[i]] * wy
            out[k, i] = first * (one - wx) + second * wx


def read_rows(
    planes_at: Any, count: int, height: int, width: int, y0s_at: Any, y1s_at: Any, wys_at: Any, rows: int, x0s_at: Any,
    x1s_at: Any, wxs_at: Any, cols: int, line_at: Any, out_at: Any,
) -> None:  # fmt: skip
    """Write rows of points, float32 (count, rows, cols), by the operations of ``read_off``.

    ``line`` float32 (width,) is for its own use.
    """
    planes, out, one = carray(planes_at, (count, height, width)), carray(out_at, (count, rows, cols)), np.float32(1)
    y0s, y1s, wys = carray(y0s_at, rows), carray(y1s_at, rows), carray(wys_at, rows)
    x0s, x1s, wxs = carray(x0s_at, cols), carray(x1s_at, cols), carray(wxs_at, cols)
    line = carray(line_at, width)
    for k in range(count):
        for y in range(rows):
            upper, lower, target = planes[k, y0s[y]], planes[k, y1s[y]], out[k, y]
            wy = wys[y]
            rest = one - wy
            for x in range(width):
                line[x] = upper[x] * rest + lower[x] * wy
            for i in range(cols):
                target[i] = line[x0s[i]] * (one - wxs[i]) + line[x1s[i]] * wxs[i]
