"""run: one box of a slide's final class map: what it has of the bands, and of the windows."""

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.results.class_map.layered_map import LayeredMap
from wsi_area.results.layout import SlideLayout
from wsi_area.results.margins.boxes import BoxMargins, Wanted, margins_of_box
from wsi_area.storage.place import Place


@frozen_value
class MapOnDisk:
    """A slide whose class map is final, and its tissue; small, so that every task can have it."""

    slide_id: str
    slide_dir: Place
    grid: WorkGrid
    tissue_ids: tuple[int, ...]

    def opened(self) -> LayeredMap:
        """Return it, to be read box by box."""
        return LayeredMap.on_record(SlideLayout(self.slide_dir), self.grid, list(self.tissue_ids))


@frozen_value(eq=False)
class MarginTask:
    """One box whose bands are to be counted, and which is to be added to the windows that reach into it."""

    of: MapOnDisk
    box: Region
    wanted: Wanted

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.of.slide_id


@frozen_value
class MarginOutcome:
    """What a task sends back; ``error`` is set where it came to nothing."""

    found: BoxMargins | None  # None where the box has no tissue
    error: str | None = None


def count_margins(task: MarginTask) -> MarginOutcome:
    """Return the bands and the windows of one box; never raises: it is the boundary of a task."""
    try:
        return MarginOutcome(margins_of_box(task.of.opened(), task.box, task.wanted))
    except Exception as error:  # the one place: see the docstring
        return MarginOutcome(None, f"{task.slide_id}, bands and hot spots: {type(error).__name__}: {error}")
