"""results: what must go before a run begins: files that a kill left half written, tables of what is measured afresh."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from wsi_area.results.layout import RunLayout

PARTIAL = ".partial"
"""How the names of files end that are not whole yet: ours, and zarr's."""

MADE_FROM_SLIDES = (
    "summary.csv", "summary.parquet", "summary.xlsx", "areas.parquet", "flags.csv", "failed.csv", "objects.parquet",
    "bands.parquet", "hotspots.parquet", "budget.parquet",
    "ratios.csv", "ratios.parquet", "subjects.csv", "subjects.parquet",
    "report.html", "report.pdf", "report_amended.html", "report_amended.pdf", "seal.json",
)  # fmt: skip
"""Files of a run that are made from its slides' documents, each time that it comes to its end."""


def discard_partials(layout: RunLayout, slide_ids: Iterable[str]) -> int:
    """Remove the files that were never renamed into place, and return how many there were.

    Only for whoever holds the run alone: another process that writes would lose its own. Those of the run itself are
    looked for, and those of the slides named. An object store has none.

    Parameters
    ----------
    layout : RunLayout
    slide_ids : iterable of str
    """
    if not isinstance(layout.root, Path):
        return 0
    folders = [layout.slides / slide_id for slide_id in slide_ids]
    paths = [*_partials(layout.root, deep=False), *(p for folder in folders for p in _partials(folder, deep=True))]
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def _partials(folder: object, *, deep: bool) -> Iterator[Path]:
    try:
        entries = list(os.scandir(str(folder)))
    except OSError:  # not there yet, or not ours to read: whoever writes next says so
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _partials(entry.path, deep=True)
        elif entry.name.endswith(PARTIAL):
            yield Path(entry.path)


def discard_tables(layout: RunLayout) -> None:
    """Remove what was made from the slides' documents: for a run whose slides are measured afresh.

    Until it has ended, its tables would say of slides that are being measured that they are complete.
    """
    for name in MADE_FROM_SLIDES:
        (layout.root / name).unlink(missing_ok=True)
