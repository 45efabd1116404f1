"""results: what something outside a slide says of the error of its areas, as terms of its budgets."""

from collections.abc import Iterator
from pathlib import Path

from wsi_area.compute.budget.terms import BudgetTerms, GivenTerm
from wsi_area.compute.judge.held_out_area import HeldOutArea, held_out_areas
from wsi_area.errors import ResultError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.model.uncertainty.repeat_study import RepeatedArea
from wsi_area.results.uncertainty.repeat_file import read_repeat

_MOST_RATIO = 1e6
"""A card whose interval is wider than so much says nothing: its images are too few, or too unlike each other."""


def given_terms(slide: CountedSlide, rescan: Path | None, rescan_seal: str | None) -> BudgetTerms:
    """Return the term of a second scan, and that of the segmentation as the card of a trained model has it.

    Parameters
    ----------
    slide : CountedSlide
    rescan : Path or None
        A calibration by repeats.
    rescan_seal : str or None
        The seal that it bore when the run began.

    Raises
    ------
    ResultError
        The calibration cannot be read any more, or is another one.
    """
    areas = {c.name: c.area_mm2 for c in slide.classes}
    held_out = held_out_areas(slide.segmenter.facts)
    return BudgetTerms(
        segmentation={
            name: term
            for name, card in held_out.items()
            if (area_mm2 := areas.get(name)) is not None and (term := _of_card(card, area_mm2)) is not None
        },
        rescan={} if rescan is None else dict(_of_repeats(slide, rescan, rescan_seal)),
    )


def _of_card(card: HeldOutArea, area_mm2: float) -> GivenTerm | None:
    """Return the error that is left once an area is freed of the model's ratio: the wider side of its interval."""
    if card.high_95 / card.low_95 > _MOST_RATIO:
        return None
    from scipy.special import stdtrit  # imported here: it takes longer to load than most commands take

    freedom = card.groups - 1
    adjusted_mm2, low_mm2, high_mm2 = card.adjusted_mm2(area_mm2)
    return GivenTerm(
        source=(
            f"the model's card: area found over true area on {card.groups} held-out groups, for one more group like "
            "those; that this slide is like them nobody looked at"
        ),
        u_mm2=max(adjusted_mm2 - low_mm2, high_mm2 - adjusted_mm2) / float(stdtrit(freedom, 0.975)),
        degrees_of_freedom=freedom,
        distribution="student",
        value=card.ratio,
        area_mm2=adjusted_mm2,
        remedy="wsi-area reference draw: points on this very slide",
    )


def _of_repeats(slide: CountedSlide, rescan: Path, rescan_seal: str | None) -> Iterator[tuple[str, GivenTerm]]:
    study = read_repeat(rescan)
    if rescan_seal is not None and study.seal != rescan_seal:
        raise ResultError(
            f"{rescan} is another study than when the run began (seal {study.seal[:12]}…, then {rescan_seal[:12]}…); "
            "put the right file back, then run the same command again"
        )
    totals = {"tumor": slide.tumor.area_mm2, "tissue": slide.tissue.area_mm2}
    totals["positive"] = None if slide.positive is None else slide.positive.area_mm2
    areas = {("class", c.name): c.area_mm2 for c in slide.classes} | {("total", n): a for n, a in totals.items()}
    for found in sorted(study.areas, key=lambda area: area.kind):  # a total goes before a class of its name
        if (area_mm2 := areas.get((found.kind, found.name))) is not None:
            yield found.name, _of_one(found, area_mm2, f"{rescan.name}, seal {study.seal[:12]}…")


def _of_one(found: RepeatedArea, area_mm2: float, file: str) -> GivenTerm:
    low, high = found.area_low_mm2, found.area_high_mm2
    outside = "" if low <= area_mm2 <= high else f"; found on {low:.3g} to {high:.3g} mm², and this one is not of them"
    return GivenTerm(
        source=f"{file}: {found.subjects} subjects on {found.occasions} occasions{outside}",
        relative_u=found.relative_u,
        degrees_of_freedom=found.degrees_of_freedom,
        distribution="student",
        value=found.variation_pct.value,
        unit="%",
        remedy="more occasions: wsi-area repeat with more runs",
    )
