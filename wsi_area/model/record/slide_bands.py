"""model: the tissue in bands round the border of a class, as the result says it."""

from typing import Annotated, ClassVar

from pydantic import Field

from wsi_area.model.documented import Area, ClassName, Count, Hash, Name, Number, Part, Says
from wsi_area.model.record.slide_origin import NO_MM2
from wsi_area.model.record.slide_signal import NO_SIGNAL

_PX = "level-0 px"


class Band(Part):
    """One class of the tissue in one band."""

    comes_from: ClassVar = "the class map, by the distance to the nearest pixel (compute.bands)"

    border_class: Annotated[
        Name,
        Says(
            "whose border it lies round: a class, or tumor for all tumour classes together", column="border_class",
            tables=("bands",),
        ),
    ]  # fmt: skip
    from_um: Annotated[
        Number,
        Says("farther from the border than this; negative inside", "µm", column="from_um", tables=("bands",)),
    ]
    to_um: Annotated[Number, Says("at most as far as this", "µm", column="to_um", tables=("bands",))]
    class_: Annotated[
        ClassName, Field(alias="class"), Says("the class that was counted in it", column="class", tables=("bands",))
    ]
    n_px: Annotated[Count, Says("its pixels in tissue", _PX, column="n_px", tables=("bands",))]
    area_mm2: Annotated[Area, Says("its area in tissue", "mm²", NO_MM2, column="area_mm2", tables=("bands",))]
    pct_band: Annotated[
        Number | None,
        Says(
            "its share of the tissue in the band", "%", "the band has no tissue", column="pct_band", tables=("bands",)
        ),
    ]
    positive_pct: Annotated[
        Number | None,
        Says(
            "positive classes' share of the tissue in the band; the same in each row of a band", "%",
            "no class is positive, or the band has no tissue", column="positive_pct", tables=("bands",),
        ),
    ]  # fmt: skip

    mean_signal: Annotated[
        Number | None,
        Says(
            "mean of the signal over the pixels of the class in tissue; the same at any pixel size", "<signal>",
            f"{NO_SIGNAL}; the class is background, or the band has none of it", column="mean_<signal>",
            tables=("bands",),
        ),
    ] = None  # fmt: skip
    integrated_mm2: Annotated[
        Number | None,
        Says(
            "the signal integrated over the area of the class in tissue: its mean × mm²", "<signal>·mm²",
            f"{NO_SIGNAL}; the class is background", column="integrated_<signal>",
            tables=("bands",),
        ),
    ] = None  # fmt: skip


class BandsOnRecord(Part):
    """Tissue in bands round the border of a class; null: not asked for, no pixel size, or nothing could be read."""

    comes_from: ClassVar = "the class map, by the distance to the nearest pixel (compute.bands)"

    key: Annotated[Hash, Says("SHA-256 over what it was made from")]
    edges_um: Annotated[tuple[Number, ...], Says("edges of the bands from the border, ascending", "µm")]
    border_classes: Annotated[tuple[Name, ...], Says("whose borders: classes, or tumor")]
    listed: Annotated[tuple[Band, ...], Says("each band and class")]

    @property
    def has_signal(self) -> bool:
        """Return True if its bands have a signal."""
        return any(band.integrated_mm2 is not None for band in self.listed)


Bands = Annotated[
    BandsOnRecord | None, Says(BandsOnRecord.__doc__ or "", empty="not asked for, or there are no mm²")
]  # fmt: skip
"""As the result of a slide has them."""
