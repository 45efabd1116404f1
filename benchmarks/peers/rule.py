"""benchmarks/peers: the one rule every peer applies, and the harness that runs it; numpy and scikit-image only.

The rule, as in ``benchmarks/rule.toml``: a pixel is weak, moderate or strong from a DAB density of 0.2, 0.4, 0.6
(scikit-image's ``rgb2hed``, third channel, × 6 to make it a decadic optical density); else it is negative tissue
where 255 − min(R, G, B) > 30; else it is glass. It comes in two forms with the same answer: ``count_skimage``, as the
scikit-image documentation has it, and ``count_lut``, the fastest that plain numpy does (three look-ups a pixel in
strips that stay in the cache), so that a peer is judged by its reading and not by scikit-image's temporaries.

This folder never imports wsi_area: each script runs in an environment of its own.
"""

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

TISSUE_THRESHOLD = 30
DAB_THRESHOLDS = (0.2, 0.4, 0.6)
CLASS_NAMES = ("negative", "weak", "moderate", "strong")
STRIP_PX = 1 << 16  # pixels a strip: float32 temporaries of 256 KiB


class Level(NamedTuple):
    """What is read of a slide for the asked work mpp, and how it is reduced."""

    index: int
    reduce_factor: int
    work_pixel_mm2: float


def choose_level(downsamples: Iterable[float], mpp_um: float, work_mpp_um: float) -> Level:
    """Return the nearest finer level and the whole factor from there to the work mpp."""
    fitting = [(d, i) for i, d in enumerate(downsamples) if d * mpp_um <= work_mpp_um * 1.001]
    downsample, index = max(fitting)
    factor = round(work_mpp_um / (downsample * mpp_um))
    return Level(index, factor, (downsample * factor * mpp_um) ** 2 * 1e-6)


def box_mean(rgb: np.ndarray, factor: int) -> np.ndarray:
    """Return uint8 RGB reduced by a whole factor: the rounded mean of each box."""
    if factor == 1:
        return rgb
    h, w = rgb.shape[0] // factor * factor, rgb.shape[1] // factor * factor
    total = np.zeros((h // factor, w // factor, 3), np.uint16)
    for y in range(factor):
        for x in range(factor):
            total += rgb[y:h:factor, x:w:factor]
    total += factor * factor // 2
    return (total // (factor * factor)).astype(np.uint8)


def count_skimage(rgb: np.ndarray) -> np.ndarray:
    """Return int64 (4,): pixels that are negative, weak, moderate, strong."""
    from skimage.color import rgb2hed

    classes = np.digitize(6 * rgb2hed(rgb)[..., 2], DAB_THRESHOLDS) + 1
    classes[(classes == 1) & (255 - rgb.min(axis=2) <= TISSUE_THRESHOLD)] = 0
    return np.bincount(classes.ravel(), minlength=5)[1:].astype(np.int64)


def dab_lookup() -> np.ndarray:
    """Return float32 (3, 256): what each value of each channel adds to the DAB density.

    The matrix is the inverse of scikit-image's ``rgb_from_hed`` (Ruifrok & Johnston 2001), written out so that a
    peer that needs no scikit-image does not pay for its import.
    """
    haematoxylin, eosin, dab = [0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]
    to_dab = np.linalg.inv(np.array([haematoxylin, eosin, dab]))[:, 2]
    density = -np.log10(np.maximum(np.arange(256) / 255, 1e-6))
    return (to_dab[:, None] * density).astype(np.float32)


def count_lut(rgb: np.ndarray, lookup: np.ndarray = dab_lookup()) -> np.ndarray:  # noqa: B008 - made once
    """Return int64 (4,): pixels that are negative, weak, moderate, strong."""
    above = np.zeros(4, np.int64)
    rows = max(1, STRIP_PX // rgb.shape[1])
    for top in range(0, rgb.shape[0], rows):
        red, green, blue = np.ascontiguousarray(np.moveaxis(rgb[top : top + rows], 2, 0))
        tissue = np.minimum(np.minimum(red, green), blue) < 255 - TISSUE_THRESHOLD
        dab = lookup[0].take(red)
        dab += lookup[1].take(green)
        dab += lookup[2].take(blue)
        tissue |= dab >= DAB_THRESHOLDS[0]
        above += [np.count_nonzero(tissue), *(np.count_nonzero(dab >= t) for t in DAB_THRESHOLDS)]
    return above - np.append(above[1:], 0)


RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"skimage": count_skimage, "lut": count_lut}


def run_peer(packages: list[str], count_slide: Callable[[str, argparse.Namespace], tuple[np.ndarray, float]]) -> None:
    """Count each slide of the command line and print one JSON line with the answer and the cost of this process.

    ``count_slide(path, args)`` returns the counts by class and the mm² of one counted pixel.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("slides", nargs="+")
    parser.add_argument("--work-mpp", type=float, default=0.25)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rule", choices=sorted(RULES), default=None)
    args = parser.parse_args()
    started, rows = time.perf_counter(), []
    for slide in args.slides:
        before = time.process_time()
        counts, pixel_mm2 = count_slide(slide, args)
        areas = {name: int(n) * pixel_mm2 for name, n in zip(CLASS_NAMES, counts, strict=True)}
        rows.append({"areas_mm2": areas, "cpu_s": time.process_time() - before})
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = {
        "areas_mm2": rows[-1]["areas_mm2"],
        "slides": rows,
        "cpu_s": sum(os.times()[:2]) + of_children.ru_utime + of_children.ru_stime,
        "wall_s": time.perf_counter() - started,
        "peak_mb": max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, of_children.ru_maxrss) / 1024,
        "versions": {name: version(name) for name in [*packages, "numpy"]},
    }
    print(json.dumps(answer))
