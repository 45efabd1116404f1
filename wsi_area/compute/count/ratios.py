"""compute: the ratios of areas that pathologists report, where the classes say what they are; pure.

They are of areas, in level-0 pixels: of no cells, and of no opinion. The size of a pixel cancels out of each.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol

from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import Role, TissueClass
from wsi_area.model.record.slide_ratios import RatioName, RatioOnRecord


class CountedClass(Protocol):
    """A class with its pixels, on a slide or in a part of it."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def n_px(self) -> int:
        """Return its level-0 pixels."""

    @property
    def is_tissue(self) -> bool:
        """Return True if it is tissue."""

    @property
    def role(self) -> Role | None:
        """Return the role of the class in a tumour bed."""

    @property
    def weight(self) -> float | None:
        """Return the weight of its area."""

    @property
    def is_viable_tumor(self) -> bool:
        """Return True if it is tumour that lives."""


@frozen_value
class ClassPx:
    """A class with its pixels in a part of a slide."""

    of: TissueClass
    n_px: int

    @property
    def name(self) -> str:
        """Return its name."""
        return self.of.name

    @property
    def is_tissue(self) -> bool:
        """Return True if it is tissue."""
        return self.of.is_tissue

    @property
    def role(self) -> Role | None:
        """Return the role of the class in a tumour bed."""
        return self.of.role

    @property
    def weight(self) -> float | None:
        """Return the weight of its area."""
        return self.of.weight

    @property
    def is_viable_tumor(self) -> bool:
        """Return True if it is tumour that lives."""
        return self.of.is_viable_tumor


class _Part(NamedTuple):
    """Some classes together."""

    name: str
    n_px: int | None  # None where no class is that


def ratios_of(classes: Sequence[CountedClass]) -> tuple[RatioOnRecord, ...]:
    """Return the ratios that some classes allow, and why the others of their kind have no value.

    Those of a tumour bed are there where a class has the role of necrosis or stroma; the weighted positive area where
    a class has a weight.
    """
    roles = {c.role for c in classes}
    return (*(_of_tumor_bed(classes) if roles & {"necrosis", "stroma"} else ()), *_weighted(classes))


def _of_tumor_bed(classes: Sequence[CountedClass]) -> tuple[RatioOnRecord, ...]:
    tumor = _part("viable tumour", [c for c in classes if c.is_viable_tumor])
    necrosis, stroma = (_part(role, [c for c in classes if c.role == role]) for role in ("necrosis", "stroma"))
    bed = (tumor, necrosis, stroma)
    return (
        _ratio("viable_tumor_pct", tumor, bed, "%"),
        _ratio("necrosis_pct", necrosis, bed, "%"),
        _ratio("stroma_pct", stroma, bed, "%"),
        _ratio("necrosis_pct_tumor_necrosis", necrosis, (tumor, necrosis), "%"),
        _ratio("stroma_pct_tumor_stroma", stroma, (tumor, stroma), "%"),
        _ratio("tumor_stroma_ratio", tumor, (stroma,), "1"),
    )


def _weighted(classes: Sequence[CountedClass]) -> tuple[RatioOnRecord, ...]:
    weighing = [c for c in classes if c.weight is not None]
    if not weighing:
        return ()
    tissue_px = sum(c.n_px for c in classes if c.is_tissue)
    weighted = sum((Fraction(c.weight or 0.0) * c.n_px for c in weighing), Fraction(0))
    told = " + ".join(f"{c.weight:g} × {c.name}" for c in weighing)
    return (
        RatioOnRecord(
            name="weighted_positive_area",
            value=float(100 * weighted / tissue_px) if tissue_px else None,
            unit="1",
            numerator=told,
            numerator_px=float(weighted),
            denominator="tissue classes, stained or not",
            denominator_px=tissue_px,
            reason=None if tissue_px else "there is no tissue on the slide",
        ),
    )


def _part(name: str, classes: Sequence[CountedClass]) -> _Part:
    return _Part(name, sum(c.n_px for c in classes) if classes else None)


def _ratio(name: RatioName, part: _Part, of: Sequence[_Part], unit: str) -> RatioOnRecord:
    whole = " + ".join(p.name for p in of)
    unknown = dict.fromkeys(p.name for p in (part, *of) if p.n_px is None)
    whole_px = None if any(p.n_px is None for p in of) else sum(p.n_px or 0 for p in of)
    reason = None
    if unknown:
        reason = (
            f"no class says that it is {' or '.join(unknown)}; say it with {_how(unknown)} in [[segmenter.classes]]"
        )
    elif not whole_px:
        reason = f"there is no {whole} on the slide"
    factor = 100 if unit == "%" else 1
    return RatioOnRecord.model_validate(
        {
            "name": name,
            "value": float(Fraction(factor * (part.n_px or 0), whole_px)) if whole_px and reason is None else None,
            "unit": unit,
            "numerator": part.name,
            "numerator_px": None if part.n_px is None else float(part.n_px),
            "denominator": whole,
            "denominator_px": whole_px,
            "reason": reason,
        }
    )


def _how(unknown: Sequence[str] | dict[str, None]) -> str:
    return " and ".join("is_tumor = true" if name == "viable tumour" else f'role = "{name}"' for name in unknown)
