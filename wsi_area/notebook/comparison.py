"""notebook: two runs side by side: settings, numbers, areas, and where their class maps differ."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from wsi_area.audit.difference import RunDifference, compare_runs
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.notebook.disagreement import Disagreement, disagreement_of
from wsi_area.notebook.html import comparison_html
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import OpenedSlide

if TYPE_CHECKING:  # pandas takes longer to load than a slide's header: only who asks for a frame pays
    import pandas as pd


@frozen_value(repr=False)
class RunComparison:
    """How a second run differs from a first."""

    first: OpenedRun
    second: OpenedRun
    difference: RunDifference

    @property
    def is_same(self) -> bool:
        """Return True if every slide says the same in both, within the tolerance that was asked for."""
        return self.difference.is_same

    @property
    def table(self) -> "pd.DataFrame":
        """Return one row for each number of each slide that is not the same in both."""
        import pandas as pd

        rows = [(d.slide_id, d.what, d.first, d.second, d.relative) for d in self.difference.slides]
        return pd.DataFrame(rows, columns=["slide_id", "what", "first", "second", "relative"])

    @property
    def settings(self) -> "pd.DataFrame":
        """Return one row for each setting that is not the same in both."""
        import pandas as pd

        rows = [(s.key, s.first, s.second) for s in self.difference.settings]
        return pd.DataFrame(rows, columns=["key", "first", "second"])

    @property
    def areas(self) -> "pd.DataFrame":
        """Return mm² in either run and their change, for each shared slide, total (tumor, tissue) and class.

        An area that only one run has, or that has no pixel size, is missing; so is its change.
        """
        import pandas as pd

        rows = [row for slide_id in self._shared() for row in _area_rows(self.first[slide_id], self.second[slide_id])]
        columns = ["slide_id", "kind", "name", "first_mm2", "second_mm2"]
        frame = pd.DataFrame(rows, columns=columns).astype({"first_mm2": float, "second_mm2": float})
        frame["change_mm2"] = frame["second_mm2"] - frame["first_mm2"]
        frame["change_pct"] = 100 * frame["change_mm2"] / frame["first_mm2"].where(frame["first_mm2"] != 0)
        return frame

    def disagreement(self, slide_id: str) -> Disagreement:
        """Return the difference of a slide's two class maps: a map to look at, and exact areas.

        Raises
        ------
        ResultError
            The slide is not in both runs, was not counted, or is of another size in the other.
        """
        for run in (self.first, self.second):
            if slide_id not in run:
                raise ResultError(f"{run.layout.root} has no result of {slide_id!r}; it has {', '.join(run)}")
        return disagreement_of(self.first[slide_id], self.second[slide_id])

    def __repr__(self) -> str:
        told = "the same" if self.is_same else f"{len(self.difference.slides)} differences"
        return f"<comparison of {self.first.layout.root} and {self.second.layout.root}: {told}>"

    def _repr_html_(self) -> str:
        """Return the differences as tables; every text is escaped."""
        roots = [run.layout.root for run in (self.first, self.second)]
        names = [root.name for root in roots]
        shown = names if names[0] != names[1] else [str(root) for root in roots]
        return comparison_html(shown[0], shown[1], self.difference)

    def _shared(self) -> list[str]:
        return [name for name in self.first if name in self.second]


def comparison_of(first: OpenedRun, second: OpenedRun, tolerance: float) -> RunComparison:
    """Return the differences of the second run from the first."""
    return RunComparison(first, second, compare_runs(first.layout.root, second.layout.root, tolerance))


def _area_rows(first: OpenedSlide, second: OpenedSlide) -> Iterator[tuple[Any, ...]]:
    if not (first.is_counted and second.is_counted):
        return
    slides = first.counted, second.counted
    yield first.slide_id, "total", "tumor", *(slide.tumor.area_mm2 for slide in slides)
    if any(slide.positive is not None for slide in slides):
        positive = (None if slide.positive is None else slide.positive.area_mm2 for slide in slides)
        yield first.slide_id, "total", "positive", *positive
    yield first.slide_id, "total", "tissue", *(slide.tissue.area_mm2 for slide in slides)
    areas = [{c.name: c.area_mm2 for c in slide.classes} for slide in slides]
    for name in dict.fromkeys([*areas[0], *areas[1]]):
        yield first.slide_id, "class", name, areas[0].get(name), areas[1].get(name)
