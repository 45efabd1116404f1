"""run: what is being done to a slide before its tiles: told as it begins, and left where the run was stopped."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NOBODY = 0
_FITTING = {
    "regions": "laying the outlines",
    "onnx_model": "trying the network",
    "pixel_classifier": "loading the classifier",
}
"""What is done before the tiles, by the name of the segmenter; others fit a threshold."""
_tickets = itertools.count(1)
_listeners: dict[int, Callable[[str], None]] = {}


class PreparingStopped(Exception):
    """The run was stopped while a slide was prepared; nothing of it is lost."""


def fitting_phase(segmenter: str) -> str:
    """Return the phase before the tiles, by the name of the segmenter.

    >>> fitting_phase("regions"), fitting_phase("tissue")
    ('laying the outlines', 'fitting the threshold')
    """
    return _FITTING.get(segmenter, "fitting the threshold")


@contextmanager
def told_phases(tell: Callable[[str], None]) -> Iterator[int]:
    """Lend a ticket with which work in this process tells what it begins; elsewhere it tells nobody.

    Parameters
    ----------
    tell
        Is called with each phase, in the thread that begins it; what it raises ends the work.
    """
    ticket = next(_tickets)
    _listeners[ticket] = tell
    try:
        yield ticket
    finally:
        del _listeners[ticket]


def begin_phase(ticket: int, phase: str) -> None:
    """Tell whoever lent the ticket what is done now."""
    tell = _listeners.get(ticket)  # asked once: a run that is stopped takes its ticket back meanwhile
    if tell is not None:
        tell(phase)
