"""run: one box of a slide's final class map: what it has of the bands, and of the windows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsi_area.compute.bands.band_rule import BandRule
from wsi_area.compute.count.recount import WorkGrid
from wsi_area.model.geometry import Region
from wsi_area.results.class_map.layered_map import LayeredMap
from wsi_area.results.layout import SlideLayout
from wsi_area.results.margins.boxes import WindowGrid, bands_of_box, windows_of_box
from wsi_area.storage.place import Place


@dataclass(frozen=True, slots=True)
class MapOnDisk:
    """A slide whose class map is final, and its tissue; small, so that every task can have it."""

    slide_id: str
    slide_dir: Place
    grid: WorkGrid
    tissue_ids: tuple[int, ...]

    def opened(self) -> LayeredMap:
        """Return it, to be read box by box."""
        return LayeredMap.on_record(SlideLayout(self.slide_dir), self.grid, list(self.tissue_ids))


@dataclass(frozen=True, slots=True)
class BandTask:
    """One box whose bands are to be counted."""

    of: MapOnDisk
    box: Region
    borders: tuple[tuple[int, ...], ...]
    rule: BandRule

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.of.slide_id


@dataclass(frozen=True, slots=True)
class WindowTask:
    """One box that is to be added to the windows that reach into it."""

    of: MapOnDisk
    box: Region
    positive_ids: tuple[int, ...]
    grid: WindowGrid

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.of.slide_id


@dataclass(frozen=True, slots=True)
class MarginOutcome:
    """What a task sends back; ``error`` is set where it came to nothing."""

    found: Any  # None where the box has no tissue
    error: str | None = None


def count_bands(task: BandTask) -> MarginOutcome:
    """Return the bands of one box; never raises."""
    return _guarded(task.of, lambda: bands_of_box(task.of.opened(), task.box, task.borders, task.rule))


def sum_windows(task: WindowTask) -> MarginOutcome:
    """Return what one box adds to the windows; never raises."""
    return _guarded(task.of, lambda: windows_of_box(task.of.opened(), task.box, task.positive_ids, task.grid))


def _guarded(of: MapOnDisk, work: Callable[[], object]) -> MarginOutcome:
    """Return what the work returns; this is the task boundary: whatever befalls a box is named, not raised."""
    try:
        return MarginOutcome(work())
    except Exception as error:  # the one place: see the docstring
        return MarginOutcome(None, f"{of.slide_id}, bands and hot spots: {type(error).__name__}: {error}")
