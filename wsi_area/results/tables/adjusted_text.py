"""results: adjusted areas of a slide as sentences for people; pure."""

from wsi_area.compute.quantity_text import with_mm2
from wsi_area.model.slide_result import CountedSlide
from wsi_area.model.uncertainty.reference_score import AdjustedArea
from wsi_area.results.tables.quantity import mm2_text

_TITLES = {"tumor": "all tumour", "positive": "all that is positive", "tissue": "all tissue"}


def adjusted_lines(slide: CountedSlide) -> tuple[str, ...]:
    """Return a sentence for each area that reference points were answered for; a class that is a total stands once."""
    adjusted = slide.adjusted
    if adjusted is None:
        return ()
    background = slide.classes[0].name
    areas = [(_TITLES[area.class_], area) for area in adjusted.totals]
    told = {(area.counted_mm2, area.adjusted_mm2) for _, area in areas}
    areas += [
        (area.class_, area)
        for area in adjusted.areas
        if area.class_ != background and (area.counted_mm2, area.adjusted_mm2) not in told
    ]
    readers = "1 reader" if adjusted.readers == 1 else f"the mean of {adjusted.readers} readers"
    return tuple(_line(name, area, readers, adjusted.draw) for name, area in areas)


def _line(name: str, area: AdjustedArea, readers: str, draw: str) -> str:
    low, high = mm2_text(area.ci95_low_mm2), mm2_text(area.ci95_high_mm2)
    return (
        f"Adjusted by reference points, {name}: {with_mm2(mm2_text(area.adjusted_mm2))} (95 %: {low} to {high}), "
        f"{mm2_text(area.counted_mm2)} counted; {area.points} points of the draw {draw!r}, as {readers} sees them."
    )
