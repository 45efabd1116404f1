"""segmenters: what the rules see of each pixel, in whole numbers: how much light it lost against the glass."""

from dataclasses import astuple
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import MaskArray, RgbArray, TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule

White = tuple[int, int, int]
MilliOd = NDArray[np.int16]
LARGEST_MILLI_OD = 2407  # of a channel: log10(255 / 1); 0 counts as 1


@frozen_value
class InkLimits:
    """Which colours ink has and stained tissue has not.

    Every stain of histology absorbs green at least about as much as red and blue: haematoxylin R 0.65, G 0.70,
    B 0.29, eosin 0.07, 0.99, 0.11, DAB 0.27, 0.57, 0.78 (Ruifrok & Johnston 2001). Ink does not: blue absorbs red
    most, green absorbs green least, black all alike, red nothing of red. On tissue the two add up, and blue ink on
    eosin has the colour of dense haematoxylin and black that of a fold: but ink is a film, with no pale pixel between.
    """

    least_milli_od: int = 150  # of the most absorbed channel: what is paler cannot be told from glass
    blue_milli_od: int = 500  # of red: haematoxylin may be as blue, but is paler between its nuclei
    black_milli_od: int = 600  # of every channel: of tissue, only single nuclei are that dark in all of them
    red_chroma_grey: int = 110  # grey levels by which red exceeds green and blue: beyond blood, eosin and DAB


INK = InkLimits()
_STANDS_OUT: Final = 1 << 15  # in a look-up of a value, beside its optical density
_AT_ONCE_PX: Final = 2048  # for which the compiled half takes room
_ARGUMENTS = "uint8* uint8* int64 uint16* uint16* uint16* uint8* uint8* int16* int16* int16* uint8*"
_COMPILED = "wsi_area.segmenters.exclusions.compiled_looks"
_GREY = "uint8* int64 int16* int64 int16* int64 int64 int64 int64 uint8*"
NATIVE = (Native(_COMPILED, "look", _ARGUMENTS), Native(_COMPILED, "write_grey", _GREY))


@frozen_value(eq=False)
class Seen:
    """Pixels as the rules look at them, (h, w) each; densities are 0 where nothing stands out."""

    rgb: RgbArray
    valid: MaskArray
    stands_out: MaskArray  # from glass, or from a dark field
    ink: MaskArray  # of what stands out: of a colour that ink has and no stain
    total_milli_od: MilliOd  # R, G and B together, never negative
    chroma_milli_od: MilliOd  # most less least absorbed channel
    most_milli_od: MilliOd  # of the most absorbed channel
    grey: NDArray[np.uint8]

    def among(self, mask: MaskArray) -> "Seen":
        """Return the same pixels where only what is of the mask, too, stands out."""
        return Seen(
            self.rgb,
            self.valid,
            self.stands_out & mask,
            self.ink & mask,
            self.total_milli_od * mask,
            self.chroma_milli_od * mask,
            self.most_milli_od * mask,
            self.grey,
        )

    def is_grey(self, chroma_percent: int) -> MaskArray:
        """Return bool (h, w), True where something stands out that no channel absorbs much more of than another.

        The chroma is at most so many percent of what the most absorbed channel lost.
        """
        height, width = self.stands_out.shape
        grey = np.empty((height, width), np.bool_)
        if grey.size:
            planes = self.stands_out, self.chroma_milli_od, self.most_milli_od
            rows = [plane if plane.strides[1] == plane.itemsize else np.ascontiguousarray(plane) for plane in planes]
            places = [part for row in rows for part in (address_of(row), row.strides[0] // row.itemsize)]
            native_function(*NATIVE[1])(*places, height, width, chroma_percent, address_of(grey))
        return grey

    def part(self, box_px: Region) -> "Seen":
        """Return a box of it; views of the same memory."""
        box = box_px.slices
        return Seen(
            self.rgb[box],
            self.valid[box],
            self.stands_out[box],
            self.ink[box],
            self.total_milli_od[box],
            self.chroma_milli_od[box],
            self.most_milli_od[box],
            self.grey[box],
        )


def seen_of(pixels: TilePixels, foreground: ColourRule, white: White) -> Seen:
    """Return the values that the rules look at: what stands out, and what each channel lost against the glass."""
    shape = pixels.valid.shape
    stands_out, ink = np.empty(shape, np.bool_), np.empty(shape, np.bool_)
    total, chroma, most = (np.empty(shape, np.int16) for _ in range(3))
    grey = np.empty(shape, np.uint8)
    if grey.size:
        rgb, valid = np.ascontiguousarray(pixels.rgb), np.ascontiguousarray(pixels.valid)
        stands_out_alone = np.where(foreground.is_foreground_value, np.uint16(_STANDS_OUT), np.uint16(0))
        lookups = milli_od_tables(white).astype(np.uint16) | stands_out_alone
        limits, densities = np.array(astuple(INK), np.uint16), np.empty((3, _AT_ONCE_PX), np.uint16)
        look = native_function(*NATIVE[0])
        look(
            address_of(rgb), address_of(valid), grey.size, address_of(lookups), address_of(limits),
            address_of(densities), address_of(stands_out), address_of(ink), address_of(total), address_of(chroma),
            address_of(most), address_of(grey),
        )  # fmt: skip
    return Seen(pixels.rgb, pixels.valid, stands_out, ink, total, chroma, most, grey)


@lru_cache(maxsize=16)
def milli_od_tables(white: White) -> NDArray[np.int16]:
    """Return int16 (3, 256), read-only: thousandths of optical density (log10) of each channel value.

    >>> milli_od_tables((240, 240, 240))[0, [255, 240, 24, 1, 0]].tolist()
    [0, 0, 1000, 2380, 2380]
    """
    values = np.maximum(np.arange(256), 1)
    od = np.stack([np.log10(channel / values) for channel in white])
    tables = np.maximum(np.round(1000 * od), 0).astype(np.int16)
    tables.setflags(write=False)
    return tables
