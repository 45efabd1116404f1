"""run: what a pipeline tells whoever watches it; the pipeline itself prints nothing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlideStarted:
    """A slide is planned and its tiles are about to be measured."""

    slide_id: str
    tiles: int
    tiles_done: int  # already committed by an earlier run, or skipped


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch of a slide has been committed."""

    slide_id: str
    tiles: int
    level_px: int


@dataclass(frozen=True, slots=True)
class SlideDone:
    """A slide has its final status."""

    slide_id: str
    status: str
    message: str
    resumed: bool  # the result was there already


Event = SlideStarted | BatchDone | SlideDone
Listener = Callable[[Event], None]
