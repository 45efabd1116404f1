"""Workers killed from outside, whatever they are at: the run ends by itself, and as if nobody had died."""

import os
import random
import signal
from pathlib import Path

import pytest
from measuring import class_maps_of, counts_of, measure
from synthetic import disc, write_slide
from worker_processes import workers_below

from wsi_area.model.geometry import Size
from wsi_area.run.events import Event, SlideDone, SlideStarted

SIZE = Size(900, 700)
CUT = ("tiling.tile_px=128", "tiling.skip_glass=false")
SLIDES, KILLS = 14, 4


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are found below /proc")
def test_workers_killed_again_and_again_cost_nothing(tmp_path: Path) -> None:
    paths = [
        write_slide(tmp_path / f"{n}.tif", SIZE, {"tissue": disc(SIZE, 450, 350, 150 + 10 * n)}).path
        for n in range(SLIDES)
    ]
    rng, events, killed = random.Random(3), 0, []

    def kill_one(event: Event) -> None:
        nonlocal events
        events += isinstance(event, SlideStarted | SlideDone)
        alive = sorted(set(workers_below(os.getpid())) - set(killed))
        if events % 5 == 2 and alive and len(killed) < KILLS:
            killed.append(rng.choice(alive))
            os.kill(killed[-1], signal.SIGKILL)

    outcome = measure(paths, tmp_path / "out", *CUT, "run.executor=processes", "run.workers=2", listener=kill_one)
    undisturbed = measure(paths, tmp_path / "undisturbed", *CUT, "run.executor=serial")
    assert outcome.exit_code == undisturbed.exit_code == 0
    assert len(killed) >= 2
    assert counts_of(outcome) == counts_of(undisturbed)
    maps, expected = class_maps_of(tmp_path / "out"), class_maps_of(tmp_path / "undisturbed")
    assert all((maps[name] == expected[name]).all() for name in expected)
