"""benchmarks: where the CPU of a row goes, by function, as text: ``python -m benchmarks.rows --profile KEY``.

The time is CPU time, of every thread that the work starts; processes that it starts are not seen. For a row of whole
processes it is our cold run at 1 µm/px, loading included. Made for Python 3.11: from 3.12 on a process has one profile.
"""

import cProfile
import io
import pstats
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.contenders import Ours

LINES = 25
WAITS = re.compile(r"'acquire' of '_thread|'get' of '_queue")


def of_work(work: Callable[[], object]) -> str:
    """Return the profile of some work: what took most by itself, and what of ours took most with all that it calls."""
    profiles: list[cProfile.Profile] = []

    def begin(*of_event: Any) -> None:
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].enable()

    threading.setprofile(begin)
    try:
        begin()
        work()
    except SystemExit:
        pass
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
        sys.setprofile(None)
    stats = pstats.Stats(profiles[0])
    for profile in profiles[1:]:
        if profile.getstats():
            stats.add(profile)
    # a thread that still waits is asked by this one, whose clock it is not
    for waiting in [name for name in stats.stats if WAITS.search(name[2])]:  # type: ignore[attr-defined]
        del stats.stats[waiting]  # type: ignore[attr-defined]
    return text_of(stats)


def text_of(stats: pstats.Stats) -> str:
    """Return a profile as text, with folders cut from its paths."""
    blocks = ["CPU by function\n"]
    for order, which in (("tottime", ()), ("cumulative", ("wsi_area",))):
        stats.stream = io.StringIO()  # type: ignore[attr-defined]
        stats.sort_stats(order).print_stats(*which, LINES)
        blocks.append(stats.stream.getvalue())  # type: ignore[attr-defined]
    return re.sub(r"(?:/[\w.+-]+)+/(site-packages|wsi_area|benchmarks|lib/python[\d.]+)/", r"\1/", "\n".join(blocks))


def main() -> None:
    slide, out = map(Path, sys.argv[1:])
    sys.argv = ["wsi-area", *map(str, Ours("auto", 1).command([slide], 1.0, out)[1:])]

    def whole_run() -> None:
        from wsi_area.cli.main import main as wsi_area  # loading is part of it

        wsi_area()

    print(of_work(whole_run))


if __name__ == "__main__":
    main()
