"""run: the boundary of a slide: whatever befalls one, the others go on, unless the first failure is to end the run."""

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

from wsi_area.errors import WsiAreaError
from wsi_area.run.context import Context

_LOG = logging.getLogger(__name__)


class Ended(Protocol):
    """Whatever a slide, or a part of one, came to."""

    @property
    def status(self) -> str:
        """Return the state at its end."""
        ...


E = TypeVar("E", bound=Ended)


def guarded(
    slide_id: str, context: Context, measure: Callable[[], E | None], failed: Callable[[Exception], E]
) -> E | None:
    """Return the outcome of measuring a slide, or a part of one; None where it was stopped before its end.

    Parameters
    ----------
    slide_id, context
        Which slide, and what all slides of the run share.
    measure
        Measures it, and may raise anything.
    failed
        Makes of what was raised how the slide ended.
    """
    try:
        ended = measure()
    except Exception as error:  # the one place
        if not isinstance(error, WsiAreaError):
            _LOG.exception("%s: please report this", slide_id)
        ended = failed(error)
    if context.settings.run.fail_fast and ended is not None and ended.status in {"failed", "incomplete"}:
        context.executor.stop()
    return ended
