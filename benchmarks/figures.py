"""benchmarks: what the samples add up to: medians, ratios run by run, areas compared; standard library only."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

Sample = dict[str, Any]

REFERENCE = "openslide_skimage"
OURS_1, OURS_2, LIMIT = "ours-auto-1", "ours-auto-2", "limit"

STORED_TOLERANCE = 1e-6
REDUCED_TOLERANCE = 0.02


@dataclass(frozen=True)
class Spread:
    """Median, least and most of a few figures."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 2) -> str:
        """Return ``median (low–high)``, or the median alone where there was one run."""
        shown = f"{self.median:.{digits}f}"
        return shown if self.low == self.high else f"{shown} ({self.low:.{digits}f}–{self.high:.{digits}f})"


def decoded_and_sorted_s(sample: Sample) -> float:
    """Return the CPU seconds of the tiles without the proof of edge tiles, which was told apart only later."""
    return float(sample["inner_cpu_s"] - sample.get("edge_proof_cpu_s", 0.0))


def spread(values: list[float]) -> Spread | None:
    """Return the spread, None of nothing."""
    return Spread(median(values), min(values), max(values)) if values else None


class Samples:
    """The samples of one benchmark, to be asked."""

    def __init__(self, samples: list[Sample]) -> None:
        self.all = samples

    def where(self, **wanted: Any) -> list[Sample]:
        """Return the samples that have all these values."""
        return [s for s in self.all if all(s.get(k) == v for k, v in wanted.items())]

    def keys(self, **wanted: Any) -> dict[str, str]:
        """Return key → title of who took part, in the order they ran."""
        return {s["key"]: s["title"] for s in self.where(**wanted)}

    def spread(self, figure: str, **wanted: Any) -> Spread | None:
        """Return the spread of a figure over the runs that came to something."""
        return spread([s[figure] for s in self.where(**wanted) if figure in s])

    def ratio(
        self,
        over: Callable[[Sample], float],
        under: Callable[[Sample], float],
        top: dict[str, Any],
        bottom: dict[str, Any],
    ) -> Spread | None:
        """Return the spread of top/bottom, taken within each repeat, so that a slow minute hits both."""
        ratios = []
        for above in self.where(**top):
            for below in self.where(**bottom, repeat=above["repeat"]):
                if "cpu_s" in above and "cpu_s" in below:
                    ratios.append(over(above) / under(below))
        return spread(ratios)

    def cpu_ratio(self, top: dict[str, Any], bottom: dict[str, Any]) -> Spread | None:
        """Return the spread of the ratio of CPU seconds."""
        return self.ratio(lambda s: s["cpu_s"], lambda s: s["cpu_s"], top, bottom)


@dataclass(frozen=True)
class Agreement:
    """How far an answer is from the reference, as a share of its tissue."""

    largest: float  # over the classes
    tolerance: float

    @property
    def holds(self) -> bool:
        return self.largest <= self.tolerance

    def text(self) -> str:
        """Return it in per cent."""
        shown = "equal" if self.largest < 1e-12 else f"{100 * self.largest:.2g} %"
        return shown if self.holds else f"**{shown}**, outside {100 * self.tolerance:g} %"


def agreement(sample: Sample, reference: Sample, slide: dict[str, Any], stored_level: bool) -> Agreement:
    """Return the agreement of an answer with OpenSlide and scikit-image's.

    The tolerance: at a work mpp that the slide stores, everybody decodes the same pixels and applies the same rule
    to integers, so areas may differ only by a float's last digits and, for us, by what our own bound allows for
    tissue in skipped tiles. In between, pixels are means of 2 × 2 and the rounding of the mean moves those that
    stand at a threshold: 2 % of the tissue.
    """
    tissue = sum(reference["areas_mm2"].values())
    differences = [abs(sample["areas_mm2"][c] - reference["areas_mm2"][c]) for c in reference["areas_mm2"]]
    skipped = sample.get("skip_bound_px", 0) * slide["mpp_um"] ** 2 * 1e-6 / tissue
    tolerance = (STORED_TOLERANCE if stored_level else REDUCED_TOLERANCE) + skipped
    return Agreement(max(differences) / tissue, tolerance)


def is_stored(work_mpp: float, slide: dict[str, Any]) -> bool:
    """Return True if the slide has a level of just this mpp: levels are 1, 4 and 16."""
    return any(abs(work_mpp - slide["mpp_um"] * d) < 1e-9 for d in (1, 4, 16))


def processor_text(machine: dict[str, Any]) -> str:
    """Return the processor of a machine as far as it is told: name, family and model, cache, vectors, cores.

    >>> processor_text({"cpu": "Acme", "kind": "family 26 model 2", "cores": 2})
    'Acme, family 26 model 2, 2 cores'
    """
    told = [machine["cpu"], *(machine[key] for key in ("kind", "cache", "vectors") if machine.get(key))]
    return ", ".join([*told, f"{machine['cores']} core{'s' * (machine['cores'] > 1)}"])
