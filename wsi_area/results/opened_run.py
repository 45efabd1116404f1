"""results: a run directory opened again: tables as pandas frames, documents as values of the model.

`wsi_area.open_run` gives a run that can be drawn and shown as well, from ``wsi_area.notebook``; it is made of these.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from wsi_area.errors import ResultError
from wsi_area.model.documented import Table
from wsi_area.model.run_record import RunRecord
from wsi_area.model.uncertainty.reference_score import ReferenceScore
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.run_folder import require_readable
from wsi_area.results.same_content import with_same_content
from wsi_area.results.uncertainty.reference_scores import reference_scores, with_reference
from wsi_area.storage.place import Place, place_of

if TYPE_CHECKING:  # pandas takes longer to load than a slide's header: only who asks for a frame pays
    import pandas as pd


def open_run(path: str | Place) -> "OpenedRun":
    """Return a run, opened for reading: a folder, or ``s3://bucket/prefix``.

    Raises
    ------
    ResultError
        If the folder does not hold a run.
    """
    layout = RunLayout(place_of(path))
    return OpenedRun(layout, require_readable(layout))


@dataclass(frozen=True, repr=False)
class OpenedRun(Mapping[str, OpenedSlide]):
    """A run: a mapping from slide id to slide, and its tables."""

    layout: RunLayout
    run_record: RunRecord

    def __getitem__(self, slide_id: str) -> OpenedSlide:
        layout = self.layout.slide(slide_id)
        if not layout.result_json.exists():
            raise KeyError(f"{slide_id!r} has no result in {self.layout.root}; there are: {', '.join(self)}")
        ended = self.run_record.ended_slides.get(slide_id)
        if ended is not None and ended.status == "failed":  # what lies there is of an earlier run, or of none
            return OpenedSlide(layout, ended)
        told = with_same_content(read_result(layout), self.run_record.twins)
        return OpenedSlide(layout, with_reference([told], self._scores)[0])

    def __repr__(self) -> str:
        """Return the words on where the run is and what it holds."""
        return f"<run {self.layout.root}: {', '.join(self) or 'no slides'}>"

    def __iter__(self) -> Iterator[str]:
        return (s for s in self.run_record.slides_planned if self.layout.slide(s).result_json.exists())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _scores(self) -> tuple[ReferenceScore, ...]:
        """Return the scores of readers of reference points, the newest first."""
        return reference_scores(self.layout)

    @cached_property
    def summary(self) -> "pd.DataFrame":
        """Return one row for each planned slide, indexed by slide id."""
        frame: pd.DataFrame = self._frame("summary").set_index("slide_id")
        return frame

    @cached_property
    def areas(self) -> "pd.DataFrame":
        """Return one row for each slide and class."""
        return self._frame("areas")

    @cached_property
    def regions(self) -> "pd.DataFrame":
        """Return one row for each named region of each slide; none where no region was given."""
        if not (self.layout.root / "regions.parquet").exists() and self.run_record.slides is not None:
            import pandas as pd

            from wsi_area.results.tables.run_tables import table_columns

            return pd.DataFrame(columns=list(table_columns("regions", (), ())))
        return self._frame("regions")

    @cached_property
    def ratios(self) -> "pd.DataFrame":
        """Return one row for each slide and ratio of areas; none where no class has a role or a weight."""
        import pandas as pd

        from wsi_area.results.tables.run_tables import names_of

        if not any(slide.is_counted and slide.counted.ratios for slide in self.values()):
            return pd.DataFrame(columns=list(names_of("ratios")))
        return self._frame("ratios")

    @cached_property
    def subjects(self) -> "pd.DataFrame":
        """Return one row for each subject and class; none where no manifest said who is on the slides."""
        import pandas as pd

        from wsi_area.results.tables.run_tables import names_of

        if not self.run_record.known_cases:
            return pd.DataFrame(columns=list(names_of("subjects")))
        return self._frame("subjects")

    @cached_property
    def budget(self) -> "pd.DataFrame":
        """Return one row for each slide, area, and thing that may make the area wrong; none where there are no mm²."""
        import pandas as pd

        from wsi_area.results.tables.run_tables import names_of

        if not any(slide.is_counted and slide.counted.budgets for slide in self.values()):
            return pd.DataFrame(columns=list(names_of("budget")))
        return self._frame("budget")

    @cached_property
    def bands(self) -> "pd.DataFrame":
        """Return one row for each slide, border, band and class; for errors as `hotspots`."""
        return self._asked("bands")

    @cached_property
    def hotspots(self) -> "pd.DataFrame":
        """Return one row for each hot spot.

        Raises
        ------
        ResultError
            If the settings of the run ask for none, or it has not ended.
        """
        return self._asked("hotspots")

    def _asked(self, name: Table) -> "pd.DataFrame":
        if self.run_record.state == "finished" and not (self.layout.root / f"{name}.parquet").exists():
            raise ResultError(
                f"{self.layout.root} has no {name}: its settings ask for none, or no slide has a pixel size; "
                f"see [{name}] in docs/bands.md"
            )
        return self._frame(name)

    @cached_property
    def findings(self) -> "pd.DataFrame":
        """Return one row for each finding."""
        import pandas as pd

        from wsi_area.results.tables.run_tables import flag_rows, names_of

        rows = [row for slide in self.values() for row in flag_rows(slide.result)]
        return pd.DataFrame(rows, columns=list(names_of("flags")))

    def _frame(self, name: Table) -> "pd.DataFrame":
        import pandas as pd

        from wsi_area.results.frames import with_names_of_today

        path = self.layout.root / f"{name}.parquet"
        if not path.exists():
            raise ResultError(f"{path} is not there: the run has not ended; run the same command again to finish it")
        return with_names_of_today(pd.read_parquet(io.BytesIO(path.read_bytes())), name, self._signal)

    def _signal(self) -> str | None:
        """Return the name of what the segmenter integrates; None where it integrates nothing, or slides differ."""
        found = (slide.counted.signal for slide in self.values() if slide.is_counted)
        names = {signal.name for signal in found if signal is not None}
        return names.pop() if len(names) == 1 else None
