"""compute: regions painted onto a picture of codes, the later over the earlier; some rows of a slide at a time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.compute.regions.boundaries import Boundaries, Spans, boundaries_of, spans_in
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import ClassMap

Floats = NDArray[np.float64]
_ARGUMENTS = "uint8* int64 int64 int64 int32* int32* int32* int32* int64 uint8* int64"
NATIVE = (Native("wsi_area.compute.regions.compiled_painting", "paint_spans", _ARGUMENTS),)


@frozen_value(eq=False)
class Regions:
    """Regions of a slide, in the order in which they lie on one another, and the code that each is painted with."""

    boundaries: Boundaries
    codes: NDArray[np.uint8]  # (regions,)

    def rows(self, x_centres_l0_px: Floats, y_centres_l0_px: Floats) -> "RegionRows":
        """Return the regions at some rows of pixels, of which any columns can be painted then.

        Parameters
        ----------
        x_centres_l0_px, y_centres_l0_px : float64 (w,), (h,)
            Ascending, level-0 px.
        """
        if not (len(self.codes) and len(x_centres_l0_px) and len(y_centres_l0_px)):
            return RegionRows((), self.codes)
        edges = self.boundaries.near(x_centres_l0_px, y_centres_l0_px)
        return RegionRows(tuple(spans_in(edges, x_centres_l0_px, y_centres_l0_px)), self.codes)


@frozen_value(eq=False)
class RegionRows:
    """The runs of pixels of some rows that lie inside regions."""

    spans: tuple[Spans, ...]
    codes: NDArray[np.uint8]  # (regions,)

    def paint(self, picture: ClassMap, left_px: int) -> None:
        """Paint the regions onto a picture of these rows, the centre of a pixel decides.

        Parameters
        ----------
        picture : uint8 (h, w)
            Contiguous; changed in place.
        left_px : int
            Its first column among those of the rows.
        """
        if picture.size:
            paint = native_function(*NATIVE[0])
            for spans in self.spans:
                runs = (address_of(part) for part in (spans.regions, spans.rows, spans.starts, spans.ends))
                paint(
                    address_of(picture), *picture.shape, left_px, *runs, len(spans.rows), address_of(self.codes),
                    len(self.codes),
                )  # fmt: skip


def painted_regions(outlines: Sequence[bytes], codes: Sequence[int]) -> Regions:
    """Return regions to paint, in the order in which they lie on one another.

    Parameters
    ----------
    outlines
        Valid Polygons or MultiPolygons as well-known binary, level-0 px.
    codes
        0..255 for each.

    >>> import shapely
    >>> centres = np.arange(4) + 0.5
    >>> regions = painted_regions([shapely.box(0, 0, 3, 2).wkb, shapely.box(2, 1, 4, 3).wkb], [1, 2])
    >>> picture = np.zeros((4, 3), np.uint8)
    >>> regions.rows(centres, centres).paint(picture, left_px=1)
    >>> picture.tolist()
    [[1, 1, 0], [1, 2, 2], [0, 2, 2], [0, 0, 0]]
    """
    return Regions(boundaries_of(outlines), np.array(codes, np.uint8))
