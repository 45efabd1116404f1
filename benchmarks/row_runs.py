"""benchmarks: runs of this process that the parts of rows are made of, and the CPU seconds that work takes."""

import os
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import ROOT
from wsi_area.model.slide_result import CountedSlide
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

RULE, TUMOR_RULE = (str(ROOT / "benchmarks" / name) for name in ("rule.toml", "tumor_rule.toml"))
FINE, COARSE = "tiling.work_mpp=0.25", "tiling.work_mpp=1"


def cpu_s() -> float:
    """Return the CPU seconds of this process and of the children that it waited for."""
    return sum(os.times()[:4])


def spent_s(work: Callable[[], object]) -> float:
    """Return the CPU seconds that some work takes."""
    before = cpu_s()
    work()
    return cpu_s() - before


def slides_of(place: Path) -> list[str]:
    """Return the slides of a folder, or the one slide."""
    return [str(p) for p in sorted(place.glob("*.svs"))] if place.is_dir() else [str(place)]


def run(slides: list[str], out: Path, config: str, *settings: str, force: bool = False) -> tuple[CountedSlide, ...]:
    """Return the results of a run with two workers; the benchmark ends where a slide is not complete."""
    outcome = run_slides(slides, load(config, ["run.workers=2", *settings]), out, force=force)
    if outcome.exit_code:
        raise SystemExit(f"the run ended with {outcome.exit_code}: {outcome.slides[0].reason}")
    return tuple(slide for slide in outcome.slides if isinstance(slide, CountedSlide))


def inner_s(slides: list[str], out: Path, config: str, *settings: str) -> float:
    """Return the CPU seconds of the tiles alone, as the run says of itself, without what proving their edges took."""
    timings = [slide.timing for slide in run(slides, out, config, *settings, force=True)]
    return sum(timing.inner_cpu_s - timing.edge_proof_cpu_s for timing in timings)
