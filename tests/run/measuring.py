"""What tests of the whole line share: measure a file with a flat colour rule, and look at the integers."""

from pathlib import Path
from typing import Any

import numpy as np

from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import load

# a fixed threshold between the glass (243) and the paint of the synthetic slides: what is tissue does not
# depend on a fit, so that counts can be held against the painted truth
FLAT = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60")
SMALL_BATCH_PX = 1 << 16  # of the level; what the fixture `small_batches` sets, for tests that start processes


def measure(slides: Path | list[Path], out: Path, *assignments: str, **options: Any) -> RunOutcome:
    """Measure one or several files with the flat rule and further settings."""
    paths = [str(p) for p in (slides if isinstance(slides, list) else [slides])]
    keys = {
        "mpp",
        "mpp_reason",
        "mpp_confirmed",
        "manifest",
        "annotations",
        "roi",
        "annotation_scale",
        "roi_scale",
        "regions_from",
    }
    inputs = collect_slides(paths, **{k: options.pop(k) for k in keys & set(options)})
    return run_slides(inputs, load(None, [*FLAT, *assignments]), out, **options)


def counts_of(outcome: RunOutcome) -> list[tuple[int, ...]]:
    """Every integer of every slide, in order."""
    return [
        (
            *r["counts"]["n_px_by_class"], r["counts"]["n_px_unscanned"], r["counts"]["n_px_outside_roi"],
            r["counts"]["n_px_unreadable"],
        )
        for r in outcome.documents
    ]  # fmt: skip


def class_maps_of(out: Path) -> dict[str, np.ndarray]:
    """Every class map of a run, by slide id."""
    run: OpenedRun = open_run(out)
    return {name: run[name].class_map() for name in run}


def stores(out: Path) -> dict[str, bytes]:
    """Every file of the class map and the ledger of the slide s, but drafts."""
    return {
        str(p.relative_to(out)): p.read_bytes()
        for name in ("ledger.zarr", "mask.ome.zarr")
        for p in sorted((out / "slides/s" / name).rglob("*"))
        if p.is_file() and not p.name.endswith(".partial")
    }


def fingerprint(folder: Path) -> dict[str, tuple[int, bytes]]:
    """When each file and folder below a folder was written, and what it holds."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (folder, *folder.rglob("*"))
    }
