"""slides: which lane reads a slide, and why."""

from collections.abc import Iterable, Sequence
from typing import Literal

from wsi_area.errors import LaneError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides.header.inspect import PLAIN_VENDOR
from wsi_area.slides.lanes.other_layouts import other_layout
from wsi_area.slides.lanes.reading import SlideReader

LaneWish = Literal["auto", "openslide", "direct"]


@frozen_value
class LaneDecision:
    """The lane that reads a slide, and the reason on record."""

    lane: Literal["openslide", "direct", "plain", "stored"]
    reason: str
    leaves_edges: bool = False  # whoever reads an edge tile compares it first: `refuse_other_edges`
    edges_differ: bool = False  # the sample of the direct lane equals OpenSlide's, and an edge tile does not


def choose_lane(
    info: SlideInfo, levels: Sequence[int], lane: LaneWish, usable_levels: Sequence[int] | None = None
) -> LaneDecision:
    """Return the lane for reading the given levels of a slide.

    The overview's level, one of the usable ones, is proven with them. ``auto`` takes the direct lane only where
    it is proven for this very slide; ``direct`` insists on it.

    Raises
    ------
    LaneError
        ``direct`` was asked for and cannot be proven, or there is no such lane.
    """
    if lane not in ("auto", "openslide", "direct"):
        raise LaneError(f"there is no lane {lane!r}; ask for auto, openslide or direct")
    if info.vendor == PLAIN_VENDOR:
        obstacle = "it is a plain image, not a tiled slide"
        if info.openslide_refusal:
            obstacle = f"OpenSlide does not open it ({info.openslide_refusal}); its picture is decoded whole"
        decision = LaneDecision("plain", obstacle)
    elif info.level_parts:
        obstacle = "OpenSlide does not show the picture that is meant; it is read from its own directories of the file"
        decision = LaneDecision("stored", obstacle)
    elif lane == "openslide":
        return LaneDecision("openslide", "asked for in the settings")
    elif obstacle := other_layout(info.vendor):
        decision = LaneDecision("openslide", obstacle)
    else:
        # imported here: tifffile takes 0.25 s to load, which a run through OpenSlide need not pay
        from wsi_area.slides.lanes.proof import find_obstacle

        proven, found = find_obstacle(info, levels, usable_levels)
        if found is None:
            names = ", ".join(map(str, proven))
            reason = f"corner, edge and random tiles of levels {names} equal OpenSlide's byte for byte"
            return LaneDecision("direct", reason)
        obstacle = found
        decision = LaneDecision("openslide", obstacle)
    if lane == "direct":
        raise _cannot(info, obstacle)
    return decision


def with_edges_proven(
    info: SlideInfo, decision: LaneDecision, level: int, regions_level_px: Iterable[Region], lane: LaneWish
) -> LaneDecision:
    """Return a decision once the stored tiles of the level's edges that will be read are compared as well, all of them.

    Parameters
    ----------
    info, decision, level
        The slide, the lane chosen for it, and the level that will be read.
    regions_level_px
        What will be read of it; only what touches its edges matters.
    lane
        The lane that was asked for.

    Raises
    ------
    LaneError
        ``direct`` was asked for, and one of them differs from OpenSlide's.
    """
    if decision.lane != "direct":
        return decision
    from wsi_area.slides.lanes.proof import find_edge_obstacle

    compared, obstacle = find_edge_obstacle(info, level, regions_level_px)
    if obstacle is None:
        return LaneDecision("direct", _with_edges(decision.reason, compared))
    if lane == "direct":
        raise _cannot(info, obstacle)
    return LaneDecision("openslide", obstacle, edges_differ=True)


def with_edges_left(
    info: SlideInfo, decision: LaneDecision, level: int, regions_level_px: Iterable[Region]
) -> LaneDecision:
    """Return a decision by which the edge tiles that will be read are compared by who reads them: `refuse_other_edges`.

    Its reason holds once all of them were read. Parameters are those of `with_edges_proven`.
    """
    if decision.lane != "direct":
        return decision
    from wsi_area.slides.lanes.proof import count_edge_tiles

    compared = count_edge_tiles(info, level, regions_level_px)
    return LaneDecision("direct", _with_edges(decision.reason, compared), leaves_edges=True)


def refuse_other_edges(reader: SlideReader, level: int, region_level_px: Region) -> None:
    """Refuse to read a region an edge tile of which is not what OpenSlide shows, each tile compared once.

    A lane other than the direct one has nothing to prove.

    Raises
    ------
    LaneDiffersError
        Saying which stored tile differs, and how.
    """
    if reader.lane == "direct":
        from wsi_area.slides.lanes.proof import refuse_difference

        refuse_difference(reader, level, region_level_px)


def _with_edges(reason: str, compared: int) -> str:
    return f"{reason}, and so do all {compared} edge tiles that are read"


def _cannot(info: SlideInfo, obstacle: str) -> LaneError:
    return LaneError(
        f"slide {info.slide_id!r} cannot be read by the direct lane: {obstacle}; set the lane to auto or openslide"
    )
