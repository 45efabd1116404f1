"""reports: every slide of a run as a small card: its picture, its area, how it ended; pure."""

from collections.abc import Mapping, Sequence

from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.reports.picture.slide_picture import SlidePicture
from wsi_area.reports.review_view import VerdictLine
from wsi_area.reports.slide_view import STATUS_SIGN, STATUS_TEXT, SlideView, anchor_of
from wsi_area.results.budget.budget_text import area_with_error
from wsi_area.results.tables.shown_areas import total_areas

SHOWN = 60
"""Cards that are unfolded at first on screen: those that need somebody first; on paper all are."""


@frozen_value
class Card:
    """One slide of the contact sheet."""

    anchor: str
    slide_id: str
    status: str
    status_text: str
    status_sign: str
    area: str  # what counts most, with its unit; empty where there is no number
    of: str  # what that is, and its share of the tissue
    warnings: int
    codes: tuple[str, ...]  # of its findings, for the filter
    picture: SlidePicture | None  # of the newest result
    picture_anchor: str
    amended: str  # the area with a person's corrections; empty where nobody made any
    verdict: VerdictLine | None  # None where nobody decided on any slide of the run


def contact_sheet(
    records: Sequence[EndedSlide], slides: Sequence[SlideView], verdicts: Mapping[str, VerdictLine]
) -> tuple[Card, ...]:
    """Return the cards of a run's slides in their order; ``verdicts`` has what people decided, by slide."""
    return tuple(
        _card(place, record, slide, verdicts.get(record.slide_id))
        for place, (record, slide) in enumerate(zip(records, slides, strict=True), 1)
    )


def _card(place: int, record: EndedSlide, slide: SlideView, verdict: VerdictLine | None) -> Card:
    picture, picture_anchor = slide.newest_picture
    area, of = _number(record) if isinstance(record, CountedSlide) else ("", "")
    return Card(
        anchor=anchor_of(place),
        slide_id=record.slide_id,
        status=record.status,
        status_text=STATUS_TEXT[record.status],
        status_sign=STATUS_SIGN[record.status],
        area=area,
        of=of,
        warnings=sum(f.severity == "warning" for f in slide.findings),
        codes=tuple(dict.fromkeys(f.code for f in slide.findings)),
        picture=picture,
        picture_anchor=picture_anchor,
        amended=next((text for _, text in slide.amended), ""),
        verdict=verdict,
    )


def _number(record: CountedSlide) -> tuple[str, str]:
    """Return the area that counts most and what it is; the tissue where nothing is tumour or positive."""
    found = [total for total in total_areas(record) if total.kind != "envelope"]
    if not found:
        return "", ""
    first = found[0]
    share = f", {first.share} of tissue" if first.kind == "headline" and record.headline.pct_tissue is not None else ""
    return area_with_error(record, first), f"{first.name}{share}"
