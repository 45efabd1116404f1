"""results: what readers of reference points say of each slide of a run, as long as the slide is the one they looked at.

It stands beside a result, not in it: points may be answered at any time, and a slide that is measured again is another.
"""

import logging
from collections.abc import Iterable
from typing import TypeVar

from pydantic import ValidationError

from wsi_area.errors import ResultError
from wsi_area.model.documented import without_version
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.model.uncertainty.reference_score import AdjustedOnSlide, ReferenceScore
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.storage.place import Place

S = TypeVar("S", bound=EndedSlide)

SCORE_NAME = "score.json"
_LOG = logging.getLogger(__name__)


def reference_scores(layout: RunLayout) -> tuple[ReferenceScore, ...]:
    """Return the scores of the draws of a run, the one that was scored last first.

    One that cannot be read is passed over, and that is logged: verify names it.
    """
    folder = layout.root / "reference"
    places: list[Place] = list(folder.glob(f"*/{SCORE_NAME}")) if folder.is_dir() else []
    found = [score for place in sorted(places, key=str) if (score := _score(place)) is not None]
    return tuple(sorted(found, key=lambda score: score.scored or "", reverse=True))


def _score(place: Place) -> ReferenceScore | None:
    try:
        return ReferenceScore.model_validate(without_version(read_json(place)))
    except (ResultError, ValidationError) as error:
        _LOG.warning("%s cannot be read, so its adjusted areas are not shown: %s", place, error)
        return None


def with_reference(slides: Iterable[S], scores: Iterable[ReferenceScore]) -> list[S]:
    """Return slides with their adjusted areas, each from the first score that is of it as it is; budgets know of it.

    Parameters
    ----------
    slides : iterable of EndedSlide
        Left as they are.
    scores : iterable of ReferenceScore
        The newest first.
    """
    known = tuple(scores)
    return [_with(slide, known) for slide in slides] if known else list(slides)


def _with(slide: S, scores: tuple[ReferenceScore, ...]) -> S:
    if not isinstance(slide, CountedSlide):
        return slide
    own = (adjusted for score in scores if (adjusted := _on_slide(slide, score)) is not None)
    found = next(own, None)
    if found is None or slide.budgets is None:
        return slide.model_copy(update={"adjusted": found})
    from wsi_area.results.uncertainty.reference_budget import budgets_with_points

    return slide.model_copy(update={"adjusted": found, "budgets": budgets_with_points(slide.budgets, found)})


def _on_slide(slide: CountedSlide, score: ReferenceScore) -> AdjustedOnSlide | None:
    """Return the areas that a score gives a slide; None where it is of another, or of the slide as it was."""
    if score.slides.get(slide.slide_id) != slide.key:
        return None
    areas, totals = score.by_slide.get(slide.slide_id, ([], []))
    return AdjustedOnSlide(draw=score.draw, readers=len(score.readers), areas=tuple(areas), totals=tuple(totals))
