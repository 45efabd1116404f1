"""run: what the overview of a slide shows of its scale and its light, before anything is fitted to it; pure."""

from dataclasses import replace

import numpy as np

from wsi_area.compute.judge.pictures import looks_dark
from wsi_area.errors import SlideOpenError
from wsi_area.model.calibration import Calibration
from wsi_area.model.pixels import MaskArray, Overview
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import SlideInfo


def with_mpp(overview: Overview, calibration: Calibration) -> Overview:
    """Return an overview that knows how large its pixels are, where the slide has a believed pixel size."""
    mpp = calibration.mpp
    if mpp is None:
        return overview
    h, w = overview.valid.shape
    size = overview.size_l0_px
    return replace(overview, mpp=replace(mpp, x=mpp.x * size.width_px / w, y=mpp.y * size.height_px / h))


def is_of_another_scale(overview: Overview, plan: SlidePlan) -> bool:
    """Return True if the pixels of the work differ from an overview's; in 8 bits only finer ones are asked for."""
    overview_px, work_px = overview.valid.size, plan.work_size_px.area_px
    return overview_px < work_px or (overview.deep is not None and overview_px != work_px)


def refuse_dark_colours(info: SlideInfo, overview: Overview) -> None:
    """Refuse three grey pictures as red, green and blue if nothing but their number says so and the field is dark.

    Raises
    ------
    SlideOpenError
    """
    if info.colours_assumed and looks_dark(overview):
        raise SlideOpenError(
            f"{info.path}: it holds three grey pictures that nothing names, and their field is dark as that of "
            "fluorescence is, so they are hardly red, green and blue; say which one is meant: "
            "--set reader.channel=0, 1 or 2"
        )


def rim_fraction(seen: MaskArray) -> float:
    """Return the share of a mask's outermost pixels that are True: tissue there may go on beyond the scan."""
    rim = np.concatenate([seen[0], seen[-1], seen[1:-1, 0], seen[1:-1, -1]])
    return float(rim.mean())
