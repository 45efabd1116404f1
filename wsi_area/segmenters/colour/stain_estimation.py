"""segmenters: stain vectors estimated from the tissue of a slide, and how well given ones fit it; numpy only."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.order_statistics import percentiles
from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.stain_vectors import Vector

LEAST_OD = 0.15  # length of a pixel's OD below which it is not stained (Macenko's beta)
SATURATED = 4  # grey level up to which a channel says nothing about the direction of its colour
TAIL_PERCENT = 1.0  # of the directions at either end are left out (Macenko's alpha)
LEAST_PIXELS = 2_000  # stained; fewer do not fix 1 % tails
MOST_PIXELS = 200_000  # of tissue, drawn at random from more
LEAST_SEPARATION_DEG = 15.0  # of the two directions; less is one stain with noise (H and E: 40°, H and DAB: 37°)
MOST_STRAY_DEG = 45.0  # an estimate further from its named stain is not that stain
SEED = 20090628
_PIXELS_AT_ONCE = 4096  # near enough to stay in the cache, too few for a product to be spread over threads

Pixels = NDArray[np.uint8]  # (n, 3) RGB
Densities = NDArray[np.float64]  # (n, 3)


@frozen_value
class StainEstimate:
    """Two stain vectors found in the pixels of a slide."""

    vectors: tuple[Vector, Vector]  # of length 1, none negative
    pixels: int  # that they were found in
    separation_deg: float  # between them
    off_plane: float  # share of the squared OD that lies outside the plane of the two


def tissue_pixels(overview: Overview, foreground: ColourRule) -> tuple[Pixels, Literal["samples", "overview"]]:
    """Return the colours of tissue, uint8 (n, 3) RGB, and where they are from.

    From the samples at the work pixel size if there are any, else from the overview, whose pixels mix what is small.
    """
    blocks = overview.samples or (overview,)
    colours = []
    for block in blocks:
        tissue = block.valid & (foreground.feature_of(block.rgb) > foreground.threshold)
        colours.append(block.rgb.reshape(-1, 3).take(np.flatnonzero(tissue), axis=0))  # five times as fast as a mask
    return np.concatenate(colours), "samples" if overview.samples else "overview"


def stained_densities(pixels: Pixels, white: Sequence[int], seed: int = SEED) -> Densities:
    """Return the OD (log10, against the glass) of the stained among the pixels, float64 (n, 3).

    Of more than 200 000 pixels, that many are drawn with the seed. Left out are pale ones, and those with a channel so
    dark that its OD is the camera's, not the stain's.

    >>> stained_densities(np.array([[24, 240, 240], [239, 240, 240]], np.uint8), (240, 240, 240)).tolist()
    [[1.0, 0.0, 0.0]]
    """
    if len(pixels) > MOST_PIXELS:
        drawn = np.random.default_rng(seed).choice(len(pixels), MOST_PIXELS, replace=False, shuffle=False)
        pixels = pixels.take(np.sort(drawn), axis=0)
    red, green, blue = (np.ascontiguousarray(pixels[:, channel]) for channel in range(3))
    usable = np.flatnonzero((red > SATURATED) & (green > SATURATED) & (blue > SATURATED))
    tables = np.log10(np.asarray(white, np.float64))[:, None] - np.log10(np.maximum(np.arange(256), 1))
    od: Densities = np.empty((len(usable), 3))
    for n, channel in enumerate((red, green, blue)):
        od[:, n] = tables[n].take(channel.take(usable))
    stained: Densities = od.take(np.flatnonzero(np.einsum("ij,ij->i", od, od) >= LEAST_OD**2), axis=0)
    return stained


def estimate_stains(od: Densities) -> StainEstimate:
    """Return the two stain vectors of a slide.

    Macenko et al., "A method for normalizing histology slides for quantitative analysis", ISBI 2009
    (DOI 10.1109/ISBI.2009.5193250): the plane of the two largest singular vectors of the optical densities; in it,
    the directions at the 1st and 99th percentile are those of the pure stains.

    Raises
    ------
    SegmentationError
        If too few pixels are stained, or nearly all in one direction, so that any second stain would be noise.
    """
    if len(od) < LEAST_PIXELS:
        raise SegmentationError(
            f"only {len(od)} stained pixels, {LEAST_PIXELS} are needed to estimate stain vectors; "
            'name them instead, for example vectors = "h-dab"'
        )
    energy, axes = np.linalg.eigh(od.T @ od)  # of OD'OD: the right singular vectors, ascending
    plane = axes[:, [2, 1]]
    plane = plane * np.where(plane.sum(axis=0) < 0, -1.0, 1.0)  # the first points into the stains, none is mirrored
    red, green, blue = np.ascontiguousarray(od.T)  # added up here: a product would be spread over threads that wait
    across, up = (first * red + second * green + third * blue for first, second, third in plane.T)
    angles = np.arctan2(up, across)
    ends = percentiles(angles, (TAIL_PERCENT, 100 - TAIL_PERCENT))
    first, second = (_tidy(plane @ np.array([math.cos(end), math.sin(end)])) for end in ends)
    separation = angle_deg(first, second)
    if separation < LEAST_SEPARATION_DEG:
        raise SegmentationError(
            f"the colours of this slide span {separation:.1f}°, {LEAST_SEPARATION_DEG:g}° are needed to tell two "
            'stains apart; name the vectors instead, for example vectors = "h-dab"'
        )
    return StainEstimate((first, second), len(od), round(separation, 4), round(float(energy[0] / energy.sum()), 6))


def _tidy(direction: NDArray[np.float64]) -> Vector:
    """Return it without negative parts, with length 1, and without the last bits in which machines differ."""
    positive = np.maximum(direction, 0.0)
    red, green, blue = (round(float(v), 6) for v in positive / np.linalg.norm(positive))
    return red, green, blue


def angle_deg(a: Vector, b: Vector) -> float:
    """Return the angle between two vectors in degrees.

    >>> round(angle_deg((1.0, 0.0, 0.0), (3.0, 3.0, 0.0)), 9)
    45.0
    """
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return math.degrees(math.acos(max(-1.0, min(1.0, dot / (math.hypot(*a) * math.hypot(*b))))))


def assigned(estimate: StainEstimate, reference: Mapping[str, Vector]) -> dict[str, Vector]:
    """Return the estimated vectors by the names of the reference that they are nearest to, in its order.

    Of all ways to give the two to different names, that with the smallest sum of angles.

    >>> found = StainEstimate(((0.0, 0.6, 0.8), (0.8, 0.6, 0.0)), 9, 69.0, 0.0)
    >>> assigned(found, {"red": (1.0, 0.0, 0.0), "blue": (0.0, 0.0, 1.0)})
    {'red': (0.8, 0.6, 0.0), 'blue': (0.0, 0.6, 0.8)}
    """
    names = min(
        permutations(reference, 2),
        key=lambda pair: sum(angle_deg(v, reference[n]) for v, n in zip(estimate.vectors, pair, strict=True)),
    )
    given = dict(zip(names, estimate.vectors, strict=True))
    return {name: given[name] for name in reference if name in given}


def refuse_strays(vectors: Mapping[str, Vector], reference: Mapping[str, Vector]) -> None:
    """Raise ``SegmentationError`` if an estimated vector is too far from the stain whose name it got."""
    for name, vector in vectors.items():
        angle = angle_deg(vector, reference[name])
        if angle > MOST_STRAY_DEG:
            raise SegmentationError(
                f"the vector estimated for {name!r} is {angle:.0f}° from the published one, {MOST_STRAY_DEG:g}° is the "
                "limit: the slide may have other stains; check vectors_reference, or give the vectors yourself"
            )


def unexplained_share(od: Densities, vectors: Mapping[str, Vector]) -> float:
    """Return the share of the squared OD that no amounts of the stains, none negative, can explain.

    Non-negative least squares (Lawson & Hanson 1974) by trying every subset of the two or three stains.

    >>> stains = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0)}
    >>> unexplained_share(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), stains)
    0.25
    """
    rows = np.array(list(vectors.values()), np.float64)
    subsets = [list(c) for size in range(1, len(rows) + 1) for c in combinations(range(len(rows)), size)]
    # one product gives the OD along each stain, then what each subset takes of each of its stains
    lines = np.concatenate([rows, *(np.linalg.pinv(rows[chosen]).T for chosen in subsets)])
    whole = missed = 0.0
    for first in range(0, len(od), _PIXELS_AT_ONCE):
        some = np.ascontiguousarray(od[first : first + _PIXELS_AT_ONCE].T)
        total = np.einsum("ij,ij->j", some, some)
        explained = _explained(lines @ some, subsets, len(rows))
        whole, missed = whole + float(total.sum()), missed + float((total - explained).sum())
    return round(missed / whole, 6) if whole else 0.0


def _explained(along: Densities, subsets: Sequence[Sequence[int]], stains: int) -> Densities:
    """Return the most of the squared OD, float64 (n,), that a subset explains with no amount below zero.

    ``along``, float64 (stains + amounts, n), has the OD along each stain, then the amounts of one subset after another.
    """
    explained = np.zeros(along.shape[1])
    begin = stains
    for chosen in subsets:
        amounts, begin = along[begin : begin + len(chosen)], begin + len(chosen)
        gained, is_allowed = amounts[0] * along[chosen[0]], amounts[0] >= 0
        for stain, amount in zip(chosen[1:], amounts[1:], strict=True):
            gained += amount * along[stain]
            is_allowed &= amount >= 0
        gained *= is_allowed
        np.maximum(explained, gained, out=explained)
    return explained


def stain_fit(
    od: Densities, source: str, vectors: Mapping[str, Vector], estimate: StainEstimate | None, refusal: str | None
) -> dict[str, Any]:
    """Return the fit of stain vectors to a slide, JSON-ready.

    ``angles_deg`` is between each used vector and the estimated one nearest to it by name, None where nothing could
    be estimated, and ``estimate_refused`` then says why.
    """
    angles = None
    if estimate is not None:
        found = assigned(estimate, vectors)
        angles = {name: round(angle_deg(vector, vectors[name]), 3) for name, vector in found.items()}
    return {
        "pixels": len(od),
        "pixels_from": source,
        "seed": SEED,
        "unexplained": unexplained_share(od, vectors) if len(od) else None,
        "angles_deg": angles,
        "estimated": None if estimate is None else [list(v) for v in estimate.vectors],
        "estimate_refused": refusal,
    }
