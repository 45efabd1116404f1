"""compute: the spots of a slide that may be drawn, what is known of each beforehand, and which of them are drawn.

Each spot has a random number of its own, made from the seed and from where it lies. Of a stratum those with the lowest
numbers are drawn. So a sample is the beginning of a larger one, and is found again from the seed alone.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEP, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True, eq=False)
class SpotFrame:
    """Every spot that may be drawn, one an entry; those of bare glass are not among them."""

    place: Ints  # (n, 2): row and column in the grid of spots
    number: NDArray[np.uint64]  # (n,): its random number
    area_px: Floats  # (n,): level-0 pixels that it owns
    known_px: Floats  # (n, k): what a coarse look says of it, class by class; its area alone where there was none
    stratum: Ints  # (n,): drawn apart
    group: Ints  # (n,): strata of one kind, from which the worst spot of a kind is taken
    bare_miss: float = 0.0  # share of a spot that looks bare and is not, even if no spot that was drawn shows it

    def __len__(self) -> int:
        """Return the number of spots."""
        return len(self.number)

    @cached_property
    def sizes(self) -> Ints:
        """Return the spots of each stratum, int64 (strata,)."""
        return np.bincount(self.stratum, minlength=int(self.stratum.max(initial=-1)) + 1)

    @cached_property
    def group_of_stratum(self) -> Ints:
        """Return the group of each stratum, int64 (strata,)."""
        found = np.zeros(len(self.sizes), np.int64)
        found[self.stratum] = self.group
        return found

    @cached_property
    def known_total_px(self) -> Floats:
        """Return the known totals of all spots together, float64 (k,)."""
        return np.asarray(self.known_px.sum(axis=0))

    @cached_property
    def whole_px(self) -> float:
        """Return the level-0 pixels of all spots."""
        return float(self.area_px.sum())

    @cached_property
    def _by_number(self) -> Ints:
        """Return the spots by stratum, those of the lowest numbers first, int64 (n,)."""
        return np.lexsort((self.number, self.stratum))

    def drawn(self, counts: Ints) -> Ints:
        """Return the spots that are drawn, int64 (m,) in order: of each stratum so many, those of the lowest numbers.

        Parameters
        ----------
        counts : int64 (strata,)
        """
        starts = np.cumsum(self.sizes) - self.sizes
        wanted = np.minimum(counts, self.sizes)
        within = np.arange(int(wanted.sum())) - np.repeat(np.cumsum(wanted) - wanted, wanted)
        return np.sort(self._by_number[np.repeat(starts, wanted) + within])

    def in_strata(self, stratum: Ints) -> "SpotFrame":
        """Return the same spots in other strata, int64 (n,)."""
        return replace(self, stratum=stratum)


def seed_of_slide(seed: int, slide_id: str) -> int:
    """Return the seed of one slide, below 2 ** 64: the same place is drawn on no two slides for the same reason.

    Serial sections hold alike tissue in alike places. With one seed for all, their errors would have one sign, and the
    sum over them would be less sure than its interval says.

    >>> seed_of_slide(7, "S1") == seed_of_slide(7, "S2")
    False
    """
    return int.from_bytes(hashlib.sha256(f"{seed}\0{slide_id}".encode()).digest()[:8], "little")


def random_numbers(seed: int, place: Ints) -> NDArray[np.uint64]:
    """Return the random number of each spot, uint64 (n,): of its place and the seed alone (SplitMix64).

    Parameters
    ----------
    seed : int
    place : int64 (n, 2)
        Row and column of each spot.

    >>> random_numbers(7, np.array([[0, 0], [0, 1]]))[0] == random_numbers(7, np.array([[0, 0]]))[0]
    np.True_
    """
    with np.errstate(over="ignore"):
        key = _mixed(np.full(len(place), seed % 2**64, np.uint64))
        key = _mixed(key ^ place[:, 0].astype(np.uint64))
        return _mixed(key ^ place[:, 1].astype(np.uint64))


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    key = key + _STEP
    key = (key ^ (key >> np.uint64(30))) * _FIRST
    key = (key ^ (key >> np.uint64(27))) * _SECOND
    return key ^ (key >> np.uint64(31))
