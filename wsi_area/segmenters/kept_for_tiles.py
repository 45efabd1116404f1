"""segmenters: what a process keeps for the next tile, such as the session of a network, and lets go after the last.

The passes that follow the tiles of a slide need memory of their own. Whoever keeps something says how it is let go;
what the tiles of another slide want meanwhile is made anew.
"""

from collections.abc import Callable

_WAYS: list[Callable[[], None]] = []


def let_go_by(way: Callable[[], None]) -> None:
    """Have something be called after the last tile of each slide, in the process of the run; said once."""
    if way not in _WAYS:
        _WAYS.append(way)


def let_go() -> None:
    """Let go what was kept for the tiles of a slide."""
    for way in _WAYS:
        way()
