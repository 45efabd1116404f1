"""model: decoded pixels with their validity; numpy for dtypes only."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.drawn import Drawn
from wsi_area.model.geometry import Region, Size
from wsi_area.model.light import Glass

RgbArray = NDArray[np.uint8]
"""uint8 (h, w, 3) RGB."""
DeepArray = NDArray[np.uint16]
"""uint16 (h, w): the stored samples of a channel that uses more than 8 bits."""
MaskArray = NDArray[np.bool_]
"""bool (h, w), named for what is True."""
ClassMap = NDArray[np.uint8]
"""uint8 (h, w) of class ids and reserved codes."""


@frozen_value(eq=False)
class TilePixels:
    """Pixels of one box of one level."""

    rgb: RgbArray  # uint8 (h, w, 3); undefined where not valid
    valid: MaskArray  # bool (h, w); False where the scanner never looked
    deep: DeepArray | None = None  # what the grey levels of ``rgb`` were made of, where it has more than 8 bits

    def part(self, box_px: Region) -> "TilePixels":
        """Return a box of it, in its own pixels; views of the same memory."""
        of = box_px.slices
        return TilePixels(self.rgb[of], self.valid[of], None if self.deep is None else self.deep[of])


@frozen_value(eq=False)
class TilePlace:
    """Where a box of work pixels lies on its slide."""

    work_px: Region  # on the work grid
    x_centres_l0_px: NDArray[np.float64]  # (w,), the middle of the level-0 columns that each work column owns
    y_centres_l0_px: NDArray[np.float64]  # (h,)

    def part(self, box_px: Region) -> "TilePlace":
        """Return the place of a box of it, given in pixels from its upper left corner."""
        rows, columns = box_px.slices
        work_px = box_px.moved(self.work_px.x_px, self.work_px.y_px)
        return TilePlace(work_px, self.x_centres_l0_px[columns], self.y_centres_l0_px[rows])


@frozen_value(eq=False)
class Overview:
    """A small picture of the whole slide, for fitting and for planning, and what else is known before its tiles."""

    rgb: RgbArray  # uint8 (h, w, 3), box means of valid pixels
    valid: MaskArray  # bool (h, w); True where every pixel of the box was scanned
    size_l0_px: Size  # of the slide it shows
    mpp: Mpp | None  # µm per *overview* pixel, None where the slide has no believed pixel size
    samples: tuple[TilePixels, ...] = ()  # blocks of tissue at the work pixel size, for who asked (`WantsSamples`)
    drawn: Drawn | None = None  # what somebody drew on this slide, where it was given
    glass: Glass | None = None  # the slide's own, where it was looked for
    spread: tuple[
        TilePixels, ...
    ] = ()  # blocks at the work pixel size, all over the slide, for who asked (`WantsSpread`)
    deep: DeepArray | None = None  # box means of stored samples, where they have more than 8 bits
    deep_bits: int = 16  # how many bits of them are used
