"""results: a run directory opened again: tables as pandas frames, class maps as arrays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError
from wsi_area.model.pixels import ClassMap
from wsi_area.results.layout import RunLayout, SlideLayout, read_json
from wsi_area.results.store import ledger_attributes, ledger_rows, open_class_map

if TYPE_CHECKING:  # pandas takes longer to load than a slide's header: only who asks for a frame pays
    import pandas as pd


def open_run(path: str | Path) -> "OpenedRun":
    """Return a run directory, opened for reading.

    Raises
    ------
    ResultError
        If the folder does not hold a run.
    """
    layout = RunLayout(Path(path))
    if not layout.run_json.exists():
        raise ResultError(f"{path} holds no run (there is no {layout.run_json.name}); give the folder named by --out")
    return OpenedRun(layout, read_json(layout.run_json))


@dataclass(frozen=True, repr=False)
class OpenedRun(Mapping[str, "OpenedSlide"]):
    """A run: a mapping from slide id to slide, and its tables."""

    layout: RunLayout
    about: Mapping[str, Any]  # run.json

    def __getitem__(self, slide_id: str) -> "OpenedSlide":
        layout = self.layout.slide(slide_id)
        if not layout.result_json.exists():
            raise KeyError(f"{slide_id!r} has no result in {self.layout.root}; there are: {', '.join(self)}")
        ended = self.about.get("slides", {}).get(slide_id, {})
        if ended.get("status") == "failed":  # what lies there is of an earlier run, or of none
            return OpenedSlide(layout, ended)
        return OpenedSlide(layout, read_json(layout.result_json))

    def __repr__(self) -> str:
        """Return where the run is and what it holds."""
        return f"<run {self.layout.root}: {', '.join(self) or 'no slides'}>"

    def __iter__(self) -> Iterator[str]:
        return (s for s in self.about["slides_planned"] if self.layout.slide(s).result_json.exists())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def summary(self) -> "pd.DataFrame":
        """Return one row for each planned slide, indexed by slide id."""
        return self._frame("summary").set_index("slide_id")

    @cached_property
    def areas(self) -> "pd.DataFrame":
        """Return one row for each slide and class."""
        return self._frame("areas")

    @cached_property
    def findings(self) -> "pd.DataFrame":
        """Return one row for each finding."""
        import pandas as pd

        from wsi_area.results.tables import FLAG_COLUMNS

        rows = [f for slide in self.values() for f in slide.record.get("findings", ())]
        return pd.DataFrame(rows, columns=list(FLAG_COLUMNS))

    def _frame(self, name: str) -> "pd.DataFrame":
        import pandas as pd

        path = self.layout.root / f"{name}.parquet"
        if not path.exists():
            raise ResultError(f"{path} is not there: the run has not ended; run the same command again to finish it")
        return pd.read_parquet(path)


@dataclass(frozen=True, repr=False)
class OpenedSlide:
    """One slide of a run: its document and its stores."""

    layout: SlideLayout
    record: Mapping[str, Any]  # result.json

    def __repr__(self) -> str:
        """Return which slide it is and how it ended."""
        return f"<slide {self.layout.root.name}: {self.status}>"

    @property
    def status(self) -> str:
        """Return complete, incomplete, needs_calibration or failed."""
        return str(self.record["status"])

    @property
    def tumor_area_mm2(self) -> float | None:
        """Return the tumour burden; None where no class is tumour or the pixel size is unknown."""
        area = self.record["tumor"]["area_mm2"] if "tumor" in self.record else None
        return None if area is None else float(area)

    @property
    def tissue_area_mm2(self) -> float | None:
        """Return the tissue area; None where the pixel size is unknown."""
        area = self.record["tissue"]["area_mm2"] if "tissue" in self.record else None
        return None if area is None else float(area)

    def class_map(self) -> ClassMap:
        """Return uint8 (h, w) of class ids on the work grid, read into memory."""
        return np.asarray(self.class_map_array()[:], dtype=np.uint8)

    def class_map_array(self) -> Any:
        """Return the class map as a lazy zarr array; slice it to read only a part."""
        return open_class_map(self.layout)

    def ledger(self) -> NDArray[np.int64]:
        """Return the per-tile integers, int64 (grid_rows, grid_cols, columns)."""
        return ledger_rows(self.layout)

    @property
    def ledger_columns(self) -> list[str]:
        """Return the names of the ledger's columns."""
        return list(ledger_attributes(self.layout)["columns"])
