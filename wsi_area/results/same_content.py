"""results: slides of a run whose files hold the same, so that one tissue counts twice: found in all of its documents.

Each slide's document has a digest of what its file holds; which other slides hold the same is a matter of the run. So
it stands in run.json, and as a finding in what is made from all documents: tables, report, frames. Not in a slide's own
document, where it would become untrue when the twin joins, leaves the run or is measured anew, and where tasks of a job
array, which measure slides without seeing each other, could not write it.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from wsi_area.model.finding import QaFinding
from wsi_area.model.slide_result import CountedSlide, EndedSlide

S = TypeVar("S", bound=EndedSlide)

_NAMED = 5
"""Slides named in a finding; run.json has all of them."""
_REMEDY = (  # slides that a folder has stay in its run.json, whether or not a command names them again
    "leave all but one of the files out: take them away, remove run.json (and shards/, if there is one) from the "
    "folder of results and run the same command again, which measures nothing twice; if one was overwritten, copy the "
    "right file back and measure that one with --force"
)


def same_content(slides: Iterable[EndedSlide]) -> tuple[tuple[str, ...], ...]:
    """Return the slides whose files hold the same, group by group; slides without counts add to no sum.

    Two pictures of one file are no twins, as two sections are. Its channels and planes are: they show one tissue.
    """
    by_content: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for slide in slides:
        if isinstance(slide, CountedSlide):
            by_content.setdefault((slide.content_digest, _sections(slide)), []).append(slide.slide_id)
    return tuple(tuple(names) for names in by_content.values() if len(names) > 1)


def _sections(slide: CountedSlide) -> tuple[int, ...]:
    """Return the pictures of its file that a slide is, channels and planes of one field left aside."""
    taken = () if slide.pictures is None else slide.pictures.taken
    return tuple(picture.index for picture in taken if picture.channel is None and picture.plane is None)


def with_same_content(slide: S, twins: Iterable[Sequence[str]]) -> S:
    """Return the record of a slide in a run: its result, and SLIDE_TWICE if run.json names others that hold the same.

    Parameters
    ----------
    slide : EndedSlide
        The slide's result, left as it is.
    twins : iterable of sequence of str
        The groups of run.json.
    """
    for names in twins:
        if slide.slide_id in names and isinstance(slide, CountedSlide):
            return slide.model_copy(update={"findings": (*slide.findings, _slide_twice(slide.slide_id, names))})
    return slide


def _slide_twice(slide_id: str, names: Sequence[str]) -> QaFinding:
    others = [name for name in names if name != slide_id]
    more = len(others) - _NAMED
    told = [*others[:_NAMED], *([f"{more} more"] if more > 0 else [])]
    message = (
        f"its file holds the same as that of {' and '.join(told)}: sums over the slides count this tissue "
        f"{len(names)} times"
    )
    measured, limit = float(len(names)), 1.0
    return QaFinding(slide_id, "SLIDE_TWICE", "warning", measured, limit, "slides", message, _REMEDY)
