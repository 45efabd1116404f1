"""results: one slide of a run opened again: its result, its class map and ledger as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.picture.pyramid import halved
from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.documented import Table
from wsi_area.model.pixels import ClassMap
from wsi_area.model.record.slide_bands import Band
from wsi_area.model.record.slide_hotspots import HotSpot
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.layered_map import grid_of
from wsi_area.results.class_map.ledger import ledger_attributes, ledger_rows
from wsi_area.results.class_map.sparse_class_map import SparseClassMap, sparse_class_map
from wsi_area.results.class_map.stored_class_map import StoredClassMap, open_class_map
from wsi_area.results.documents import read_result
from wsi_area.results.layout import SlideLayout

if TYPE_CHECKING:  # only who asks for a frame pays for pandas
    import pandas as pd

NO_CLASS_MAP = (
    "from random spots, so it has no class map; measure it whole, without --estimate and --estimate-budget, to have one"
)
_BAND_PX = 2048  # work rows held at once while a coarser level is made, about


@dataclass(frozen=True, repr=False)
class OpenedSlide:
    """One slide of a run: its result and its stores."""

    layout: SlideLayout
    result: EndedSlide  # and what only the run as a whole says of the slide

    def __repr__(self) -> str:
        """Return the slide and its status."""
        return f"<slide {self.slide_id}: {self.status}>"

    @property
    def slide_id(self) -> str:
        """Return the slide's name in the run."""
        return self.layout.slide_id

    @property
    def status(self) -> str:
        """Return complete, estimated, incomplete, needs_calibration or failed."""
        return self.result.status

    @property
    def is_counted(self) -> bool:
        """Return True if there are counts: none of a failed slide, nor of one that waits for a pixel size."""
        return isinstance(self.result, CountedSlide)

    @property
    def counted(self) -> CountedSlide:
        """Return the result of a slide that was counted.

        Raises
        ------
        ResultError
            It was not counted; the message says why.
        """
        if isinstance(self.result, CountedSlide):
            return self.result
        raise ResultError(f"{self.slide_id} was not counted, so it has no areas: it {_ending(self.result)}")

    @property
    def grid(self) -> WorkGrid:
        """Return the grid that the slide was counted on; for errors as `counted`."""
        return grid_of(self.counted)

    @property
    def mpp(self) -> Mpp | None:
        """Return the pixel size that the areas were made with; None where the slide was counted in pixels only."""
        return self.result.mpp if isinstance(self.result, CountedSlide) else None

    @property
    def tumor_area_mm2(self) -> float | None:
        """Return the tumour burden; None where no class is tumour or the pixel size is unknown."""
        return self.result.tumor.area_mm2 if isinstance(self.result, CountedSlide) else None

    @property
    def positive_area_mm2(self) -> float | None:
        """Return the area of what is positive; None where the segmenter measures no stain, or there is no mm²."""
        positive = self.result.positive if isinstance(self.result, CountedSlide) else None
        return None if positive is None else positive.area_mm2

    @property
    def tissue_area_mm2(self) -> float | None:
        """Return the tissue area; None where the pixel size is unknown."""
        return self.result.tissue.area_mm2 if isinstance(self.result, CountedSlide) else None

    @property
    def bands(self) -> "pd.DataFrame":
        """Return one row for each border, band and class of the slide; none where there are no bands of it."""
        found = self.counted.bands
        return self._frame("bands", () if found is None else found.listed)

    @property
    def hotspots(self) -> "pd.DataFrame":
        """Return one row for each hot spot of the slide; none where none was asked for, or found."""
        found = self.counted.hotspots
        return self._frame("hotspots", () if found is None else found.listed)

    def _frame(self, table: Table, items: Sequence[Band | HotSpot]) -> "pd.DataFrame":
        import pandas as pd

        from wsi_area.results.tables.run_tables import item_columns, item_rows

        return pd.DataFrame(item_rows(table, self.counted, items), columns=list(item_columns(table, [self.counted])))

    def class_map(self, level: int = 0) -> ClassMap:
        """Return uint8 (h, w) of class ids and reserved codes, in memory.

        Parameters
        ----------
        level : int
            0 is the work grid, exactly as it was measured. Each further level is half the size, rounded up, each of
            its pixels the most frequent code of the 2 × 2 below it (`compute.picture.pyramid.MODE_RULE`): the levels
            that ``wsi-area export --format ome-zarr`` writes. They are for looking; areas come from level 0 alone.

        Raises
        ------
        ResultError
            There is no class map, or no such level.
        """
        if level < 0:
            raise ResultError(f"{self.slide_id}: there is no level {level} of a class map; 0 is the finest")
        array = self.class_map_array()
        if level == 0:
            return np.asarray(array[:], dtype=np.uint8)
        step = 1 << level
        if step >= 2 * max(array.shape):
            raise ResultError(
                f"{self.slide_id}: level {level} of a class map of {array.shape[1]} × {array.shape[0]} px would be "
                "less than one pixel; give a smaller level"
            )
        rows = -(-_BAND_PX // step) * step  # whole pixels of the level, so that no box is cut by a band
        bands = (np.asarray(array[y : y + rows], dtype=np.uint8) for y in range(0, array.shape[0], rows))
        return np.concatenate([_halved(band, level) for band in bands])

    def class_map_array(self) -> StoredClassMap:
        """Return the class map as a lazy array, uint8 (h, w); a slice of it reads only a part.

        Raises
        ------
        ResultError
            If there is none, as of an estimate, or it is that of an amended version whose base is gone.
        """
        self._require_class_map()
        return open_class_map(self.layout)

    def class_map_boxes(self) -> SparseClassMap | StoredClassMap:
        """Return the class map to be read box by box, by whoever reads all of it; for errors as `class_map_array`."""
        self._require_class_map()
        return sparse_class_map(self.layout)

    def _require_class_map(self) -> None:
        if isinstance(self.result, CountedSlide) and self.result.estimate is not None:
            raise ResultError(f"{self.slide_id} is an estimate {NO_CLASS_MAP}")
        if isinstance(self.result, CountedSlide) and self.result.amendment is not None:
            from wsi_area.results.amended import require_base  # of a measured slide nobody asks

            require_base(self.layout)

    @property
    def tissue(self) -> "OpenedSlide | None":
        """Return the tissue of the slide as a layer of its own, opened like a slide; None where it is none.

        Raises
        ------
        ResultError
            If it is there and cannot be read.
        """
        if not isinstance(self.result, CountedSlide) or self.result.tissue_layer is None:
            return None
        return OpenedSlide(self.layout.tissue, read_result(self.layout.tissue))

    @property
    def amended(self) -> "tuple[OpenedSlide, ...]":
        """Return the amended versions of the slide, the oldest first, each opened like a slide.

        ``result.amendment`` of each says what it corrects and how. Of one whose base is gone there is no class map.

        Raises
        ------
        ResultError
            If one of them cannot be read.
        """
        from wsi_area.results.amended import amended_slides  # only who asks for corrections pays for them

        return tuple(OpenedSlide(version.layout, version.result) for version in amended_slides(self.layout))

    def ledger(self) -> NDArray[np.int64]:
        """Return the per-tile integers, int64 (grid_rows, grid_cols, columns)."""
        return ledger_rows(self.layout)

    @property
    def regions(self) -> "pd.DataFrame":
        """Return one row for each named region of the slide, as the run's table has it; none where there is none."""
        from wsi_area.results.tables.region_tables import slide_regions_table

        frame: pd.DataFrame = slide_regions_table(self.layout).to_pandas()
        return frame

    @property
    def ledger_columns(self) -> list[str]:
        """Return the names of the ledger's columns."""
        return list(ledger_attributes(self.layout)["columns"])


def _ending(ended: EndedSlide) -> str:
    return f"ended as {ended.status} ({ended.reason or 'no reason on record'})"


def _halved(band: ClassMap, times: int) -> ClassMap:
    for _ in range(times):
        band = halved(band)
    return band
