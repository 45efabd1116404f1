"""model: the connected regions of tumour of a slide, as its result says them."""

from typing import Annotated, ClassVar

from wsi_area.model.documented import Area, Count, Flag, Name, Number, Part, Says, Whole
from wsi_area.model.record.slide_burden import NO_TUMOR, NO_TUMOR_PX
from wsi_area.model.record.slide_origin import NO_PIXEL_SIZE

NO_FOCI = f"foci were not asked for, {NO_TUMOR}"
NO_FOCI_PX = f"foci were not asked for, {NO_TUMOR_PX}"
_PX = "level-0 px"


class Focus(Part):
    """One connected region of tumour."""

    comes_from: ClassVar = "connected regions of the class map (compute.objects)"

    object_id: Annotated[
        Whole,
        Says(
            "from 1, the largest first; of equally large ones the upper, then the left one", column="object_id",
            tables=("objects",),
        ),
    ]  # fmt: skip
    area_px: Annotated[Whole, Says("its pixels, net of holes", _PX, column="area_px", tables=("objects",))]
    filled_px: Annotated[
        Whole,
        Says(
            "its pixels and those of the holes it encloses, without foci inside these", _PX, column="filled_px",
            tables=("objects",),
        ),
    ]  # fmt: skip
    centroid_x_l0_px: Annotated[
        Number | None, Says("column of its centre of mass", _PX, column="centroid_x_l0_px", tables=("objects",))
    ]
    centroid_y_l0_px: Annotated[
        Number | None, Says("row of its centre of mass", _PX, column="centroid_y_l0_px", tables=("objects",))
    ]
    x_l0_px: Annotated[Whole, Says("left edge of its box", _PX, column="x_l0_px", tables=("objects",))]
    y_l0_px: Annotated[Whole, Says("upper edge of its box", _PX, column="y_l0_px", tables=("objects",))]
    width_l0_px: Annotated[Whole, Says("width of its box", _PX, column="width_l0_px", tables=("objects",))]
    height_l0_px: Annotated[Whole, Says("height of its box", _PX, column="height_l0_px", tables=("objects",))]
    max_feret_mm: Annotated[
        Number | None,
        Says(
            "its largest diameter (maximal Feret diameter)", "mm", NO_PIXEL_SIZE, column="max_feret_mm",
            tables=("objects",),
        ),
    ]  # fmt: skip
    touches_border: Annotated[
        Flag,
        Says(
            "whether it reaches the slide's border and may go on beyond", column="touches_border", tables=("objects",)
        ),
    ]
    touches_unread: Annotated[
        Flag,
        Says(
            "whether it reaches a tile that could not be read and may go on there", column="touches_unread",
            tables=("objects",),
        ),
    ]  # fmt: skip
    area_mm2: Annotated[
        Area | None, Says("its area, net of holes", "mm²", NO_PIXEL_SIZE, column="area_mm2", tables=("objects",))
    ]
    filled_area_mm2: Annotated[
        Area | None, Says("the same as an area", "mm²", NO_PIXEL_SIZE, column="filled_area_mm2", tables=("objects",))
    ]


class FociOnRecord(Part):
    """Connected regions of tumour, the largest 1000 one by one; null: not asked for, or no class is tumour."""

    comes_from: ClassVar = "connected regions of the class map (compute.objects)"

    set: Annotated[Name, Says("what it is a connected region of: tumor", column="set", tables=("objects",))]
    count: Annotated[
        Count,
        Says(
            "connected regions of tumour (pixels that touch at a corner are one)", "", NO_FOCI_PX, column="foci_count"
        ),
    ]
    n_px_net: Annotated[Count, Says("pixels of all foci, net of holes", _PX)]
    n_px_filled: Annotated[Count, Says("pixels of all foci with the holes that they enclose", _PX)]
    net_area_mm2: Annotated[Area | None, Says("area of all foci, net of holes", "mm²", NO_PIXEL_SIZE)]
    filled_area_mm2: Annotated[
        Area | None,
        Says("tumour with the holes that its foci enclose", "mm²", NO_FOCI, column="tumor_area_filled_mm2"),
    ]
    hole_count: Annotated[Count, Says("holes that foci enclose")]
    largest_focus_mm2: Annotated[
        Area | None, Says("net area of the largest focus", "mm²", NO_FOCI, column="largest_focus_mm2")
    ]
    largest_extent_mm: Annotated[
        Area | None,
        Says("largest diameter of any focus (maximal Feret diameter)", "mm", NO_FOCI, column="largest_extent_mm"),
    ]
    touching_border: Annotated[Count, Says("foci that reach the slide's border")]
    touching_unread: Annotated[Count, Says("foci that reach a tile that could not be read")]
    listed: Annotated[tuple[Focus, ...], Says("the largest foci one by one")]
