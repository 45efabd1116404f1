"""A level of a slide as one picture, by the lane that a run would take."""

import numpy as np
from numpy.typing import NDArray

from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, choose_lane


def pixels_of(info: SlideInfo, level: int = 0) -> NDArray[np.uint8]:
    """The pixels of a level, all of which were scanned."""
    size = info.levels[level].size_px
    with borrow_reader(info, choose_lane(info, [level], "auto").lane) as reader:
        read = reader.read(level, Region(0, 0, size.width_px, size.height_px))
    assert read.valid.all()
    return read.rgb
