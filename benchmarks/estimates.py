"""benchmarks: estimates of slides beside measuring them whole: error, interval, pixels decoded, CPU.

``python -m benchmarks.estimates SLIDE… --config ihc_dab`` measures each slide whole and by estimate, on one thread, and
prints a line for each: the error is that of the area that the width was asked for, against the whole.
"""

import argparse
import tempfile
from pathlib import Path

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

WANTED_PCT = (2.0, 1.0, 0.5)
HEAD = "| slide | asked | error | half width | spots | counted | decoded | CPU | whole: CPU |\n" + "|---" * 9 + "|"


def measured(slide: str, config: str, out: Path, *assignments: str) -> CountedSlide:
    """Return the result of one slide, measured into a folder."""
    settings = load(config, ["run.executor=serial", *assignments])
    run_slides(collect_slides([slide]), settings, out)
    run = open_run(out)
    return run[next(iter(run))].counted


def cpu_s(slide: CountedSlide) -> float:
    """Return the CPU seconds of looking at a slide and of its tiles."""
    return slide.timing.prepare_cpu_s + slide.timing.inner_cpu_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slides", nargs="+")
    parser.add_argument("--config", default="ihc_dab")
    parser.add_argument("--set", action="append", default=[], dest="assignments")
    given = parser.parse_args()
    print(HEAD)
    for slide in given.slides:
        with tempfile.TemporaryDirectory() as folder:
            whole = measured(slide, given.config, Path(folder) / "whole", *given.assignments)
            for wanted in WANTED_PCT:
                asked = f"estimate.half_width_pct={wanted}"
                found = measured(slide, given.config, Path(folder) / f"{wanted}", asked, *given.assignments)
                print(line(found, whole, wanted), flush=True)


def line(found: CountedSlide, whole: CountedSlide, wanted: float) -> str:
    """Return one estimate beside the whole."""
    made = found.estimate
    area = None if made is None else made.aim
    if made is None or area is None or area.half_width_pct is None:
        return f"| {found.slide_id} | ± {wanted:g} % | {found.status}: {found.reason} |"
    of_whole = {"tumor": whole.tumor.n_px, "tissue": whole.tissue.n_px}
    true = of_whole.get(area.name) or (whole.positive.n_px if whole.positive is not None else 0)
    return (
        f"| {found.slide_id} | ± {wanted:g} % | {area.n_px / true - 1:+.3%} | {area.half_width_pct:.2f} % | "
        f"{made.spots_drawn} of {made.spots} | {made.counted_pct or 0:.1f} % | {made.decoded_pct or 0:.1f} % | "
        f"{cpu_s(found):.2f} s | {cpu_s(whole):.2f} s |"
    )


if __name__ == "__main__":
    main()
