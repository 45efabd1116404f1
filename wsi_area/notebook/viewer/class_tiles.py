"""notebook: tiles of a slide's class map for the viewer, as PNG whose palette index is the code of the class."""

import io
import math
from collections.abc import Iterable

import numpy as np
from PIL import Image

from wsi_area.model.pixels import ClassMap
from wsi_area.notebook.class_levels import ClassLevels
from wsi_area.notebook.overlay import Entry
from wsi_area.notebook.viewer.grid import TileBox
from wsi_area.results.opened_slide import OpenedSlide

_AS_FINE = 1.02  # a third of 1303 px is 434: a ratio of 3.002


class ClassTiles:
    """A class map on the viewer's grid: each pixel shows the code of the work pixel under its centre.

    Where a pixel is larger than a work pixel, that of the coarsest level (halved by majority) whose pixels are not
    larger than it.
    """

    def __init__(self, slide: OpenedSlide, legend: Iterable[Entry]) -> None:
        self._levels = ClassLevels(slide.class_map_array())
        self._columns_l0_px, self._rows_l0_px = slide.grid.edges_l0_px
        self._work_px_l0 = slide.counted.work_px_l0
        colours = {entry.code: entry.color_rgb for entry in legend}
        self._palette = bytes(channel for code in range(256) for channel in colours.get(code, (0, 0, 0)))
        self._opacity = bytes(255 if code in colours else 0 for code in range(256))

    def codes(self, box: TileBox) -> ClassMap:
        """Return uint8 (h, w) of the codes that a tile shows.

        Raises
        ------
        ResultError
            The class map cannot be read.
        """
        step = min(box.step_x_l0_px / self._work_px_l0[0], box.step_y_l0_px / self._work_px_l0[1])
        level = min(max(0, math.floor(math.log2(step * _AS_FINE))), len(self._levels.shapes) - 1)
        columns_l0_px = box.left_l0_px + (np.arange(box.size_px.width_px) + 0.5) * box.step_x_l0_px
        rows_l0_px = box.top_l0_px + (np.arange(box.size_px.height_px) + 0.5) * box.step_y_l0_px
        # which work column owns the level-0 column that the centre lies in
        columns = (np.searchsorted(self._columns_l0_px, columns_l0_px, side="right") - 1) >> level
        rows = (np.searchsorted(self._rows_l0_px, rows_l0_px, side="right") - 1) >> level
        first_row, first_column = int(rows[0]), int(columns[0])
        part = self._levels.box(level, (first_row, int(rows[-1]) + 1), (first_column, int(columns[-1]) + 1))
        return np.asarray(part[rows - first_row][:, columns - first_column])

    def png(self, box: TileBox) -> bytes | None:
        """Return the PNG of a tile, every class in its colour and opaque; None where there is nothing to see.

        Raises
        ------
        ResultError
            The class map cannot be read.
        """
        codes = self.codes(box)
        if not np.frombuffer(self._opacity, np.uint8)[codes].any():
            return None
        image = Image.fromarray(codes, "L")
        image.putpalette(self._palette)  # an image of bytes becomes one of palette indices; the bytes stay
        file = io.BytesIO()
        image.save(file, "PNG", transparency=self._opacity, compress_level=3)
        return file.getvalue()
