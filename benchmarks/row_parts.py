"""benchmarks: the parts of one row, done in this process after a warm-up; prints CPU seconds by part, as JSON.

``python -m benchmarks.row_parts finished SLIDE_OR_FOLDER OUT``. CPU is user + system of this process and of the
children that it waited for; what libraries and kernels take to load is spent on a small slide first.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.formats import reading_s
from benchmarks.measure import ROOT
from wsi_area.audit.evaluate import evaluate_run
from wsi_area.audit.truth import Naming
from wsi_area.audit.verify import verify_run
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.slide_result import CountedSlide
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.slides import close_readers

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
    """Return the CPU seconds of the tiles alone, as the run says of itself."""
    return sum(slide.timing.inner_cpu_s for slide in run(slides, out, config, *settings, force=True))


def finished(slides: list[str], out: Path) -> Mapping[str, float]:
    """A finished run given again, and verified, beside the run itself."""
    return {
        "run": spent_s(lambda: run(slides, out, RULE, FINE)),
        "again": spent_s(lambda: run(slides, out, RULE, FINE)),
        "verify": spent_s(lambda: verify_run(out)),
    }


def clean(slides: list[str], out: Path) -> Mapping[str, float]:
    """The tiles with every artefact taken out, beside those of plain tissue, at one work pixel."""
    return {name: inner_s(slides, out / name, name, COARSE) for name in ("he_tissue", "he_tissue_clean")}


def executors(slides: list[str], out: Path) -> Mapping[str, float]:
    """The tiles in worker processes, beside those in threads."""
    return {name: inner_s(slides, out / name, RULE, FINE, f"run.executor={name}") for name in ("threads", "processes")}


def prepare(slides: list[str], out: Path) -> Mapping[str, float]:
    """What is done before the tiles of a further slide, at 1 µm/px: it is not open, and nothing of it is proven."""
    found = {}
    for name, config in (("stain", RULE), ("tissue", "he_tissue")):
        close_readers()
        found[name] = run(slides, out, config, COARSE, force=True)[0].timing.prepare_cpu_s
    return found


def flat(slides: list[str], out: Path) -> Mapping[str, float]:
    """What is done before the tiles of a slide with one level, which is decoded for the overview, beside the run."""
    timing = run(slides, out, "he_tissue", FINE, force=True)[0].timing
    return {"before": timing.prepare_cpu_s, "run": timing.prepare_cpu_s + timing.inner_cpu_s}


def geojson(slides: list[str], out: Path) -> Mapping[str, float]:
    """The outlines of a stained slide, beside the run that measured it."""
    return exported(slides, out, ExportOptions("geojson"))


def labels(slides: list[str], out: Path) -> Mapping[str, float]:
    """The class map of a stained slide as labels, beside the run that measured it."""
    return exported(slides, out, ExportOptions("ome-zarr"))


def exported(slides: list[str], out: Path, options: ExportOptions) -> Mapping[str, float]:
    """An export beside the run that measured the slide."""
    return {
        "run": spent_s(lambda: run(slides, out, RULE, COARSE, force=True)),
        "export": spent_s(lambda: list(export_run(out, options))),
    }


def evaluate(slides: list[str], out: Path) -> Mapping[str, float]:
    """A run of the tissue rule held against outlines, which are those of the same slide with twice the work pixel."""
    run(slides, out / "truth", "he_tissue", "tiling.work_mpp=2", force=True)
    (drawn,) = export_run(out / "truth", ExportOptions("geojson"))
    source = DrawnSource(str(drawn.path))
    return {
        "run": spent_s(lambda: run(slides, out, "he_tissue", COARSE, force=True)),
        "evaluate": spent_s(lambda: evaluate_run(out, source, Naming())),
    }


def passes(slides: list[str], out: Path) -> Mapping[str, float]:
    """Runs with one pass over the whole class map each, beside the run without."""
    told = {
        "plain": ["objects.foci=false"],
        "foci": ["objects.foci=true"],
        "bands": ["objects.foci=false", "bands.edges_um=[-500,-250,0,250,500,1000]"],
        "hot spots": ["objects.foci=false", "hotspots.areas_mm2=[0.2,1,2]"],
    }
    return {
        name: spent_s(partial(run, slides, out / name, TUMOR_RULE, COARSE, *words, force=True))
        for name, words in told.items()
    }


def filters(slides: list[str], out: Path) -> Mapping[str, float]:
    """A run of the tissue rule with small specks and holes taken away, beside one without."""
    told = {"plain": [], "filtered": ["objects.min_tissue_um2=500", "objects.max_hole_um2=500"]}
    return {
        name: spent_s(partial(run, slides, out / name, "he_tissue", COARSE, *words, force=True))
        for name, words in told.items()
    }


def formats(slides: list[str], out: Path) -> Mapping[str, float]:
    """Reading a cut of the slide directly, beside OpenSlide, in each format but its own."""
    return reading_s(spent_s, Path(slides[0]), out)


PARTS = {
    part.__name__: part
    for part in (finished, clean, executors, prepare, flat, geojson, labels, evaluate, passes, filters, formats)
}


def main() -> None:
    name, place, out, warm_up = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    shutil.rmtree(out, ignore_errors=True)
    for config in (RULE, "he_tissue", "he_tissue_clean"):
        run([str(warm_up)], out / "warm", config, COARSE, force=True)
    verify_run(out / "warm")
    PARTS[name]([str(warm_up)], out / "warm_part")
    print(json.dumps(PARTS[name](slides_of(place), out / "run")))
    shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
