"""model: what a segmenter integrates besides the classes, as the result says it of a slide and of a region."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from wsi_area.model.documented import Count, Name, Number, Part, Says
from wsi_area.model.record.slide_origin import NO_AREA, NO_PIXEL_SIZE, NOT_COUNTED

NO_SIGNAL = "the segmenter measures no signal, no signal map was kept, or an earlier version counted it"
"""Why a part of a slide has no signal."""


class SignalOnRecord(Part):
    """What the segmenter integrates besides the classes, over the tissue."""

    comes_from: ClassVar = "the segmenter's signal, integrated tile by tile"

    name: Annotated[Name, Says("the signal: od is optical density")]
    integrated_px: Annotated[
        Number, Says("sum of the signal of the level-0 pixels that it was integrated over", "<signal>·level-0 px")
    ]
    integrated_mm2: Annotated[
        Number | None,
        Says(
            "the signal integrated over the area of the tissue classes: its mean × mm²", "<signal>·mm²",
            f"the segmenter measures no such signal, {NO_AREA}", column="integrated_<signal>",
        ),
    ]  # fmt: skip
    denominator: Annotated[Name, Says("what its mean is over")]
    n_px: Annotated[
        Count | None,
        Says("pixels that it was integrated over", "level-0 px", "it was measured by a version that kept none"),
    ] = None
    mean: Annotated[
        Number | None,
        Field(validation_alias=AliasChoices("mean", "per_mm2")),  # its name in documents of 0.1.0
        Says(
            "mean of the signal over the pixels of the tissue classes; the same at any pixel size", "<signal>",
            f"the segmenter measures no such signal, there is no tissue, or {NOT_COUNTED}", column="mean_<signal>",
            formerly="signal_od_per_mm2",
        ),
    ]  # fmt: skip
    sum_per_mm2: Annotated[
        Number | None,
        Says(
            "sum of the signal of the level-0 pixels of the tissue classes ÷ their mm²: grows as pixels become smaller",
            "<signal>/mm²",
            f"the segmenter measures no such signal, there is no tissue, {NO_AREA}, or a version without it measured",
            column="sum_<signal>_per_mm2",
        ),
    ] = None  # fmt: skip


class SignalInRegion(Part):
    """What the segmenter integrates besides the classes, inside one region."""

    comes_from: ClassVar = "the signal map under the region (compute.regions)"

    name: Annotated[Name, Says("the signal: od is optical density")]
    n_px: Annotated[
        Count, Says("pixels that it is integrated over: those of the tissue classes in the region", "level-0 px")
    ]
    integrated_px: Annotated[Number, Says("sum of the signal of these pixels", "<signal>·level-0 px")]
    mean: Annotated[
        Number | None,
        Says("mean of the signal over the region's pixels of the tissue classes; the same at any pixel size",
             "<signal>", f"{NO_SIGNAL}, or the region has no pixel of a tissue class", "", "mean_<signal>",
             ("regions",)),
    ]  # fmt: skip
    integrated_mm2: Annotated[
        Number | None,
        Says("the signal integrated over the area of the tissue classes in the region: its mean × mm²",
             "<signal>·mm²", f"{NO_SIGNAL}, or {NO_PIXEL_SIZE}", "", "integrated_<signal>", ("regions",)),
    ]  # fmt: skip
    sum_per_mm2: Annotated[
        Number | None,
        Says("sum of the signal of the region's pixels of the tissue classes ÷ their mm²: grows as pixels become "
             "smaller", "<signal>/mm²",
             f"{NO_SIGNAL}, the region has no pixel of a tissue class, or {NO_PIXEL_SIZE}", "", "sum_<signal>_per_mm2",
             ("regions",)),
    ]  # fmt: skip
