"""compute: what something outside a run says of the error of its areas: a reference sample, readers, repeats."""

from collections.abc import Iterable, Mapping
from dataclasses import field

from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.budget.uncertainty_budget import Distribution, Term

EVERY_AREA = "*"
"""Names every area that no name of its own is given for."""


@frozen_value
class GivenTerm:
    """One term of one area; ``u_mm2``, or ``relative_u`` of the area it is given for."""

    source: str  # what says so, in words: "320 points, 2 readers"
    u_mm2: float | None = None
    relative_u: float | None = None
    degrees_of_freedom: float | None = None  # None: no end of them
    distribution: Distribution = "normal"
    value: float | None = None  # what u was found from
    unit: str = ""
    area_mm2: float | None = None  # best estimate, where the error is corrected for; of segmentation or sampling
    remedy: str = ""  # what would make it smaller

    def u_of(self, area_mm2: float) -> float | None:
        """Return the standard uncertainty in mm² of an area of this size.

        >>> GivenTerm("repeats", relative_u=0.02).u_of(50.0), GivenTerm("points", u_mm2=3.0).u_of(50.0)
        (1.0, 3.0)
        """
        if self.u_mm2 is not None:
            return self.u_mm2
        return None if self.relative_u is None else self.relative_u * area_mm2


@frozen_value
class BudgetTerms:
    """The terms that a run cannot find out by itself, each by the name of the area: a class, tumor, positive, tissue.

    A total of one class takes the term of that class where it has none of its own.
    """

    sampling: Mapping[str, GivenTerm] = field(default_factory=dict)
    segmentation: Mapping[str, GivenTerm] = field(default_factory=dict)
    observer: Mapping[str, GivenTerm] = field(default_factory=dict)
    rescan: Mapping[str, GivenTerm] = field(default_factory=dict)

    def of(self, name: Term, areas: Iterable[str]) -> GivenTerm | None:
        """Return the term of the first of some names of an area that has one; None where none is given.

        >>> BudgetTerms(rescan={"*": GivenTerm("repeats", relative_u=0.02)}).of("rescan", ["tumor"]).source
        'repeats'
        """
        given: Mapping[str, GivenTerm] = getattr(self, name)
        return next((given[area] for area in (*areas, EVERY_AREA) if area in given), None)


GIVEN: tuple[Term, ...] = ("sampling", "segmentation", "observer", "rescan")
"""The terms that are given."""
NOTHING_GIVEN = BudgetTerms()
