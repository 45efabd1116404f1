"""results: what something outside a slide says of the error of its areas, as terms of its budgets."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wsi_area.compute.budget.terms import BudgetTerms, GivenTerm
from wsi_area.compute.judge.held_out_area import HeldOutArea, held_out_areas
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide

if TYPE_CHECKING:  # loaded where a file of repeats is named
    from wsi_area.model.uncertainty.repeat_study import RepeatedArea, RepeatStudy

RepeatOn = Literal["another", "these"]
"""Whether a slide is of another occasion than those of a file of repeats, or of one of these."""

_MOST_RATIO = 1e6
"""A card whose interval is wider than so much says nothing: its images are too few, or too unlike each other."""


@frozen_value
class NamedRepeat:
    """A calibration by repeats that a run names."""

    file: Path
    seal: str | None  # that it bore when the run began
    on: RepeatOn


@frozen_value
class NamedRepeats:
    """Those that a run names: of scans, and of readers who draw."""

    rescan: NamedRepeat | None = None
    observer: NamedRepeat | None = None


NO_REPEATS = NamedRepeats()


def given_terms(slide: CountedSlide, repeats: NamedRepeats = NO_REPEATS) -> BudgetTerms:
    """Return the terms of a second scan and of another reader, and that of the segmentation as a model's card has it.

    A reader is asked for where the slide was drawn, and nowhere else.

    Parameters
    ----------
    slide : CountedSlide
    repeats : NamedRepeats
        Calibrations by repeats.

    Raises
    ------
    ResultError
        The calibration cannot be read any more, or is another one.
    """
    areas = {c.name: c.area_mm2 for c in slide.classes}
    observer = repeats.observer if slide.annotations is not None else None
    held_out = held_out_areas(slide.segmenter.facts)
    return BudgetTerms(
        segmentation={
            name: term
            for name, card in held_out.items()
            if (area_mm2 := areas.get(name)) is not None and (term := _of_card(card, area_mm2)) is not None
        },
        rescan={} if repeats.rescan is None else dict(_of_repeats(slide, repeats.rescan)),
        observer={} if observer is None else dict(_of_repeats(slide, observer)),
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


def _of_repeats(slide: CountedSlide, named: NamedRepeat) -> Iterator[tuple[str, GivenTerm]]:
    from wsi_area.results.uncertainty.repeat_file import read_repeat

    study = read_repeat(named.file)
    if named.seal is not None and study.seal != named.seal:
        raise ResultError(
            f"{named.file} is another study than when the run began (seal {study.seal[:12]}…, then "
            f"{named.seal[:12]}…); put the right file back, then run the same command again"
        )
    totals = {"tumor": slide.tumor.area_mm2, "tissue": slide.tissue.area_mm2}
    totals["positive"] = None if slide.positive is None else slide.positive.area_mm2
    areas = {("class", c.name): c.area_mm2 for c in slide.classes} | {("total", n): a for n, a in totals.items()}
    for found in sorted(study.areas, key=lambda area: area.kind):  # a total goes before a class of its name
        if (area_mm2 := areas.get((found.kind, found.name))) is not None:
            yield found.name, _of_one(found, area_mm2, study, named)


def _of_one(found: "RepeatedArea", area_mm2: float, study: "RepeatStudy", named: NamedRepeat) -> GivenTerm:
    low, high = found.area_low_mm2, found.area_high_mm2
    outside = "" if low <= area_mm2 <= high else f"; found on {low:.3g} to {high:.3g} mm², and this one is not of them"
    where = "on another one" if named.on == "another" else "on one of these"
    next_one = found.on_another if named.on == "another" else found.on_these
    return GivenTerm(
        source=(
            f"{named.file.name}, seal {study.seal[:12]}…: {found.subjects} subjects on {found.occasions} occasions, "
            f"this slide {where}{outside}"
        ),
        relative_u=next_one.relative_u,
        degrees_of_freedom=next_one.degrees_of_freedom,
        distribution="student",
        value=100 * next_one.sd,
        unit="% (ln)",
        remedy="more occasions: wsi-area repeat with more runs",
    )
