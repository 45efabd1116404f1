"""benchmarks: the parts of one row, done in this process after a warm-up; prints CPU seconds by part, as JSON.

``python -m benchmarks.row_parts finished SLIDE_OR_FOLDER OUT``. CPU is user + system of this process and of the
children that it waited for; what libraries and kernels take to load is spent on a small slide first.
"""

import json
import shutil
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.environments import ensure
from benchmarks.formats import formats_s
from benchmarks.limit import look_at_every_tile, raw_decode
from benchmarks.row_peers import features, network, outlines
from benchmarks.row_profile import of_work
from benchmarks.row_runs import COARSE, FINE, RULE, TUMOR_RULE, inner_s, run, slides_of, spent_s
from wsi_area.audit.evaluate import evaluate_run
from wsi_area.audit.truth import Naming
from wsi_area.audit.verify import verify_run
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.slides import close_readers

ENOUGH_S = 0.6
"""CPU seconds from which on the ticks of the clock play no part."""


def limit(slides: list[str], out: Path) -> Mapping[str, float]:
    """The tiles of one worker in a batch, beside decoding the stored tiles that they are made of; again while short."""
    found = {"inner": 0.0, "decode": 0.0}
    while found["decode"] < ENOUGH_S:
        found["inner"] += inner_s(slides, out, RULE, FINE, "run.workers=1", "run.executor=threads")
        found["decode"] += raw_decode(Path(slides[0]), out)["decode_cpu_s"]
    return found


def finished(slides: list[str], out: Path) -> Mapping[str, float]:
    """A finished run given again, and verified, beside the run itself."""
    found = {
        "run": spent_s(lambda: run(slides, out, RULE, FINE)),
        "again": spent_s(lambda: run(slides, out, RULE, FINE)),
    }
    for workers in (1, 2):
        began = time.perf_counter()
        cpu = spent_s(partial(verify_run, out, workers=workers))
        found |= {"verify": cpu} if workers == 1 else {}
        found[f"verify wall {workers}"] = time.perf_counter() - began
    return found


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
    """What is done before the tiles of a further slide with one level, and the least that it can be, beside the run."""
    close_readers()
    timing = run(slides, out, "he_tissue", FINE, force=True)[0].timing
    least_s = spent_s(lambda: look_at_every_tile(Path(slides[0])))
    return {"before": timing.prepare_cpu_s, "run": timing.prepare_cpu_s + timing.inner_cpu_s, "least": least_s}


def geojson(slides: list[str], out: Path) -> Mapping[str, float]:
    """The outlines of a stained slide, beside the run that measured it, at two work pixels."""
    fine = exported(slides, out / "fine", ExportOptions("geojson"), FINE)
    return exported(slides, out, ExportOptions("geojson")) | {f"{name} 0.25": s for name, s in fine.items()}


def labels(slides: list[str], out: Path) -> Mapping[str, float]:
    """The class map of a stained slide as labels, beside the run that measured it."""
    return exported(slides, out, ExportOptions("ome-zarr"))


def exported(slides: list[str], out: Path, options: ExportOptions, scale: str = COARSE) -> dict[str, float]:
    """An export beside the run that measured the slide."""
    return {
        "run": spent_s(lambda: run(slides, out, RULE, scale, force=True)),
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
    """A cut of the slide read directly, beside OpenSlide, in each format but its own; of some whole tiles, too."""
    return formats_s(spent_s, Path(slides[0]), out)


PARTS = {
    part.__name__: part
    for part in (
        limit, finished, clean, executors, prepare, flat, geojson, labels, outlines, evaluate, passes, filters, network,
        features, formats,
    )
}  # fmt: skip
"""By the first word of a row's key."""

PEERS = {"outlines": "rasterio_outlines"}
"""Environments without which there is nothing to compare with."""


def main() -> None:
    name, place, out, warm_up = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    if name in PEERS and (failure := ensure(PEERS[name], install=False).failure):
        print(json.dumps({"parts": {}, "absent": {PEERS[name]: failure}}))
        return
    shutil.rmtree(out, ignore_errors=True)
    PARTS[name]([str(warm_up)], out / "warm")  # what it loads, and nothing more
    part = partial(PARTS[name], slides_of(place), out / "run")
    if sys.argv[5:] == ["profile"]:
        print(of_work(part))
    else:
        print(json.dumps({"parts": part()}))
    shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
