"""results: a run opened as it was amended: of each slide its newest amended version, where it has one."""

from dataclasses import dataclass

from wsi_area.results.amended import latest_amended
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.storage.place import Place


@dataclass(frozen=True, repr=False)
class AmendedRun(OpenedRun):
    """A run whose slides are their newest amended versions; one that has none is as it was measured."""

    def __getitem__(self, slide_id: str) -> OpenedSlide:
        measured = super().__getitem__(slide_id)
        version = latest_amended(measured.layout) if measured.is_counted else None
        return measured if version is None else OpenedSlide(version.layout, version.result)


def open_amended(path: str | Place) -> AmendedRun:
    """Return a run, opened as it was amended; for errors as `opened_run.open_run`."""
    found = open_run(path)
    return AmendedRun(found.layout, found.run_record)
