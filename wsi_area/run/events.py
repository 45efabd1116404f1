"""run: what a pipeline tells whoever watches it; the pipeline itself prints nothing."""

from collections.abc import Callable

from wsi_area.frozen_value import frozen_value


@frozen_value
class SlidePreparing:
    """Something is done to a slide before its tiles."""

    slide_id: str
    phase: str


@frozen_value
class SlideStarted:
    """A slide is planned and its tiles are about to be measured."""

    slide_id: str
    tiles: int
    tiles_done: int  # already committed by an earlier run, or skipped


@frozen_value
class BatchDone:
    """A batch of a slide has been committed."""

    slide_id: str
    tiles: int
    level_px: int


@frozen_value
class SlideDone:
    """A slide has its final status."""

    slide_id: str
    status: str
    message: str
    resumed: bool  # the result was there already


@frozen_value
class Stopping:
    """Somebody asked the run to stop; what is at work is finished and committed first."""


Event = SlidePreparing | SlideStarted | BatchDone | SlideDone | Stopping
Listener = Callable[[Event], None]
