"""model: the windows of a stated area that hold the most, as the result says them."""

from typing import Annotated, ClassVar, Literal

from wsi_area.model.documented import Area, Count, Hash, Length, Name, Number, Part, Says, Share, Whole

_PX = "level-0 px"
_NO_TISSUE = "no tissue is positive"


class HotSpot(Part):
    """One window."""

    comes_from: ClassVar = "the class map, every window of a grid (compute.hotspots)"

    rank: Annotated[
        Whole, Says("1 has the most positive pixels of its area's windows", column="rank", tables=("hotspots",))
    ]
    center_x_px: Annotated[Number, Says("column of its centre", _PX, column="center_x_px", tables=("hotspots",))]
    center_y_px: Annotated[Number, Says("row of its centre", _PX, column="center_y_px", tables=("hotspots",))]
    window_mm2: Annotated[
        Length, Says("area of the window as stated", "mm²", column="window_mm2", tables=("hotspots",))
    ]
    counted_mm2: Annotated[
        Area,
        Says(
            "area of the pixels of the slide whose centres lie in it: less where it reaches beyond the slide", "mm²",
            column="counted_mm2", tables=("hotspots",),
        ),
    ]  # fmt: skip
    n_px_tissue: Annotated[Count, Says("pixels of tissue in it", _PX, column="n_px_tissue", tables=("hotspots",))]
    n_px_positive: Annotated[
        Count, Says("what of these is of the positive classes", _PX, column="n_px_positive", tables=("hotspots",))
    ]
    tissue_mm2: Annotated[Area, Says("tissue in it", "mm²", column="tissue_mm2", tables=("hotspots",))]
    positive_mm2: Annotated[Area, Says("positive tissue in it", "mm²", column="positive_mm2", tables=("hotspots",))]
    positive_pct: Annotated[
        Number, Says("positive in percent of the tissue in it", "%", column="positive_pct", tables=("hotspots",))
    ]
    times_mean: Annotated[
        Number,
        Says(
            "the same, divided by that of the whole slide", "", column="times_mean", tables=("hotspots",),
        ),
    ]  # fmt: skip


class HotSpotsOnRecord(Part):
    """Windows with the most positive tissue; null: not asked for, no pixel size, or nothing could be read."""

    comes_from: ClassVar = "the class map, every window of a grid (compute.hotspots)"

    key: Annotated[Hash, Says("SHA-256 over what it was made from")]
    shape: Annotated[Literal["round", "square"], Says("shape of a window")]
    windows_mm2: Annotated[tuple[Length, ...], Says("areas of the windows, as stated", "mm²")]
    step_x_px: Annotated[Whole, Says("from one centre to the next, across", "work px")]
    step_y_px: Annotated[Whole, Says("from one centre to the next, down", "work px")]
    best: Annotated[Whole, Says("most windows of an area that are listed")]
    tissue_share: Annotated[Share, Says("least share of a window that is tissue")]
    positive_classes: Annotated[tuple[Name, ...], Says("classes that count as positive")]
    mean_pct: Annotated[Number | None, Says("positive in percent of all tissue", "%", "there is no tissue")]
    listed: Annotated[tuple[HotSpot, ...], Says("the windows, area by area, the best first")]


HotSpots = Annotated[
    HotSpotsOnRecord | None, Says(HotSpotsOnRecord.__doc__ or "", empty="not asked for, or there are no mm²")
]  # fmt: skip
"""As the result of a slide has them."""
