"""segmenters: the compiled passes of the pixel features; called through ``pixel_features``, which checks the shapes.

Every output number is made by one fixed sequence of float32 operations on the numbers round it, without fast-math, so
that it is the same bit for bit wherever a tile was cut; inner loops run along rows, so that the compiler makes vector
code of them. All in one file, because numba's cache on disk watches only the file of the function it compiled.
"""

from typing import Any

import numpy as np

from wsi_area.compute.machine_code import machine_code

BASE_PLANES = 5  # optical density of red, green, blue; squared grey density; texture
SCALE_PLANES = 11


@machine_code
def cells_of(rgb: Any, valid: Any, tables: Any, pitch: int, top: int, left: int, out: Any) -> None:
    """Write the cell means of the base planes, float32 (5, rows, cols).

    ``top`` and ``left`` are how many work pixels of the first cell lie outside the box. A pixel that is not valid
    counts as glass, optical density 0.
    """
    height, width = valid.shape
    rows, cols = out.shape[1], out.shape[2]
    line = np.zeros((5, width), np.float32)
    above = np.zeros(width, np.float32)
    third = np.float32(1.0 / 3.0)
    for row in range(rows):
        y0, y1 = max(0, row * pitch - top), min(height, (row + 1) * pitch - top)
        for y in range(y0, y1):
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
                down = line[3, x] - (above[x] if y else line[3, x])
                line[4, x] = down * down
            for x in range(1, width):
                across = line[3, x] - line[3, x - 1]
                line[4, x] += across * across
            for x in range(width):
                above[x] = line[3, x]
                line[3, x] = line[3, x] * line[3, x]
            for k in range(5):
                for col in range(cols):
                    x0, x1 = max(0, col * pitch - left), min(width, (col + 1) * pitch - left)
                    total = np.float32(0)
                    for x in range(x0, x1):
                        total += line[k, x]
                    if y == y0:
                        out[k, row, col] = total
                    else:
                        out[k, row, col] += total
        for col in range(cols):
            x0, x1 = max(0, col * pitch - left), min(width, (col + 1) * pitch - left)
            share = np.float32(1) / np.float32((y1 - y0) * (x1 - x0))
            for k in range(5):
                out[k, row, col] *= share


@machine_code
def halve(planes: Any, top: int, left: int, out: Any) -> None:
    """Write the means of 2 × 2; ``top`` and ``left`` are 1 where the first box misses its first row or column."""
    height, width = planes.shape[1], planes.shape[2]
    for k in range(out.shape[0]):
        for row in range(out.shape[1]):
            y0, y1 = max(0, 2 * row - top), min(height, 2 * row + 2 - top)
            for col in range(out.shape[2]):
                x0, x1 = max(0, 2 * col - left), min(width, 2 * col + 2 - left)
                total = np.float32(0)
                for y in range(y0, y1):
                    for x in range(x0, x1):
                        total += planes[k, y, x]
                out[k, row, col] = total * (np.float32(1) / np.float32((y1 - y0) * (x1 - x0)))


@machine_code
def smooth(planes: Any, weights: Any, out: Any) -> None:
    """Write the planes smoothed by symmetric weights (middle, next, …) both ways; the edge pixel is repeated."""
    count, height, width = planes.shape
    reach = weights.size - 1
    line = np.zeros(width + 2 * reach, np.float32)
    for k in range(count):
        for y in range(height):
            middle = line[reach : reach + width]
            here = planes[k, y]
            for x in range(width):
                middle[x] = weights[0] * here[x]
            for step in range(1, reach + 1):
                up, down = planes[k, max(0, y - step)], planes[k, min(height - 1, y + step)]
                weight = weights[step]
                for x in range(width):
                    middle[x] += weight * (up[x] + down[x])
            for x in range(reach):
                line[x] = line[reach]
                line[reach + width + x] = line[reach + width - 1]
            target = out[k, y]
            for x in range(width):
                target[x] = weights[0] * middle[x]
            for step in range(1, reach + 1):
                before, after = line[reach - step : reach - step + width], line[reach + step : reach + step + width]
                weight = weights[step]
                for x in range(width):
                    target[x] += weight * (before[x] + after[x])


@machine_code
def gradients(planes: Any, sigma: Any, out: Any) -> None:
    """Write xx, xy, yy of the gradient of the grey density, in density per standard deviation, float32 (3, h, w)."""
    height, width = planes.shape[1], planes.shape[2]
    half, third = np.float32(0.5) * sigma, np.float32(1.0 / 3.0)
    for y in range(height):
        up, down = max(0, y - 1), min(height - 1, y + 1)
        for x in range(width):
            before, after = max(0, x - 1), min(width - 1, x + 1)
            dx = (planes[0, y, after] + planes[1, y, after] + planes[2, y, after]) * third
            dx -= (planes[0, y, before] + planes[1, y, before] + planes[2, y, before]) * third
            dy = (planes[0, down, x] + planes[1, down, x] + planes[2, down, x]) * third
            dy -= (planes[0, up, x] + planes[1, up, x] + planes[2, up, x]) * third
            dx *= half
            dy *= half
            out[0, y, x] = dx * dx
            out[1, y, x] = dx * dy
            out[2, y, x] = dy * dy


@machine_code
def describe(planes: Any, tensor: Any, stains: Any, sigma: Any, out: Any) -> None:
    """Write the features of one scale, float32 (11, h, w), from its smoothed base planes and structure tensor.

    Where ``out`` has two planes less, those of the tensor are left out.
    """
    height, width = planes.shape[1], planes.shape[2]
    half, quarter, third = np.float32(0.5), np.float32(0.25), np.float32(1.0 / 3.0)
    squared, zero, tiny = sigma * sigma, np.float32(0), np.float32(1e-12)
    grey = np.empty((3, width), np.float32)
    for y in range(height):
        up, down = max(0, y - 1), min(height - 1, y + 1)
        for x in range(width):
            grey[0, x] = (planes[0, up, x] + planes[1, up, x] + planes[2, up, x]) * third
            grey[1, x] = (planes[0, y, x] + planes[1, y, x] + planes[2, y, x]) * third
            grey[2, x] = (planes[0, down, x] + planes[1, down, x] + planes[2, down, x]) * third
        for k in range(3):
            for x in range(width):
                out[k, y, x] = (
                    stains[k, 0] * planes[0, y, x] + stains[k, 1] * planes[1, y, x] + stains[k, 2] * planes[2, y, x]
                )
        for x in range(width):
            here = grey[1, x]
            out[3, y, x] = here
            out[4, y, x] = np.sqrt(max(zero, planes[3, y, x] - here * here))
            out[5, y, x] = np.sqrt(planes[4, y, x])
        for x in range(width):
            before, after = max(0, x - 1), min(width - 1, x + 1)
            here = grey[1, x]
            dx, dy = (grey[1, after] - grey[1, before]) * half, (grey[2, x] - grey[0, x]) * half
            out[6, y, x] = sigma * np.sqrt(dx * dx + dy * dy)
            dxx, dyy = grey[1, after] - here - here + grey[1, before], grey[2, x] - here - here + grey[0, x]
            dxy = (grey[2, after] - grey[2, before] - grey[0, after] + grey[0, before]) * quarter
            mean, apart = (dxx + dyy) * half, (dxx - dyy) * half
            root = np.sqrt(apart * apart + dxy * dxy)
            out[7, y, x] = squared * (mean + root)
            out[8, y, x] = squared * (mean - root)
        for x in range(width if out.shape[0] == SCALE_PLANES else 0):
            xx, xy, yy = tensor[0, y, x], tensor[1, y, x], tensor[2, y, x]
            mean, apart = (xx + yy) * half, (xx - yy) * half
            root = np.sqrt(apart * apart + xy * xy)
            out[9, y, x] = np.sqrt(mean + root)
            out[10, y, x] = root / (mean + tiny)


@machine_code
def read_off(planes: Any, y0s: Any, y1s: Any, wys: Any, x0s: Any, x1s: Any, wxs: Any, out: Any) -> None:
    """Write the planes at points, float32 (n_planes, n), by bilinear interpolation: first down, then across."""
    one = np.float32(1)
    for k in range(planes.shape[0]):
        plane = planes[k]
        for i in range(y0s.size):
            wy, wx = wys[i], wxs[i]
            first = plane[y0s[i], x0s[i]] * (one - wy) + plane[y1s[i], x0s[i]] * wy
            second = plane[y0s[i], x1s[i]] * (one - wy) + plane[y1s[i], x1s[i]] * wy
            out[k, i] = first * (one - wx) + second * wx


@machine_code
def read_rows(planes: Any, y0s: Any, y1s: Any, wys: Any, x0s: Any, x1s: Any, wxs: Any, out: Any) -> None:
    """Write rows of points, float32 (n_planes, rows, cols), by the operations of ``read_off``."""
    one = np.float32(1)
    width, points = planes.shape[2], x0s.size
    line = np.empty(width, np.float32)
    for k in range(planes.shape[0]):
        for y in range(y0s.size):
            upper, lower, target = planes[k, y0s[y]], planes[k, y1s[y]], out[k, y]
            wy = wys[y]
            rest = one - wy
            for x in range(width):
                line[x] = upper[x] * rest + lower[x] * wy
            for i in range(points):
                target[i] = line[x0s[i]] * (one - wxs[i]) + line[x1s[i]] * wxs[i]
