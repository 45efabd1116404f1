"""model: what a segmenter integrates besides the classes, as a slide's result says it."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from wsi_area.model.documented import Count, Name, Number, Part, Says
from wsi_area.model.record.slide_origin import NO_AREA, NOT_COUNTED


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
