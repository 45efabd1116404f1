"""model: the burden of a slide, as its result says it: what is tumour and what is positive, with their intervals."""

from typing import Annotated, ClassVar

from wsi_area.model.documented import Area, Count, Number, Part, Says, Share
from wsi_area.model.record.slide_origin import NO_AREA, NOT_COUNTED

NO_TUMOR = f"no class of the settings is tumour, {NO_AREA}"
NO_TUMOR_PX = f"no class of the settings is tumour, or {NOT_COUNTED}"
NO_POSITIVE = f"the segmenter measures no stain, {NO_AREA}"
NO_POSITIVE_PX = f"the segmenter measures no stain, or {NOT_COUNTED}"
_PX = "level-0 px"


class Tumor(Part):
    """The tumour burden; null: no class is tumour, or no pixel size is known."""

    comes_from: ClassVar = "the tumour classes (compute.count.area)"
    title: ClassVar[str] = "tumour"

    n_px: Annotated[Count | None, Says("pixels of tumour classes", _PX, NO_TUMOR_PX, column="n_px_tumor")]
    area_mm2: Annotated[
        Area | None,
        Says("area of all tumour classes: the tumour burden, net of holes", "mm²", NO_TUMOR, column="tumor_area_mm2"),
    ]
    area_u_mm2: Annotated[
        Area | None,
        Says("its standard uncertainty, from the pixel size alone", "mm²", NO_TUMOR, column="tumor_area_u_mm2"),
    ]
    ci95_low_mm2: Annotated[
        Number | None,
        Says("lower end of its 95 % interval (1.96 u)", "mm²", NO_TUMOR, column="tumor_area_ci95_low_mm2"),
    ]
    ci95_high_mm2: Annotated[
        Number | None, Says("upper end of its 95 % interval", "mm²", NO_TUMOR, column="tumor_area_ci95_high_mm2")
    ]
    fraction_of_tissue: Annotated[
        Share | None, Says("tumour as a share of the tissue", empty=f"{NO_TUMOR_PX}, or there is no tissue")
    ]

    @property
    def pct_tissue(self) -> Annotated[
        float | None,
        Says(
            "tumour in percent of the tissue", "%", f"{NO_TUMOR_PX}, or there is no tissue",
            "tumor.fraction_of_tissue", "tumor_pct_tissue",
        ),
    ]:  # fmt: skip
        """Return the tumour in percent of the tissue."""
        return None if self.fraction_of_tissue is None else 100 * self.fraction_of_tissue


class Positive(Part):
    """What is stained by what the segmenter measures; it is tumour only where the settings say so."""

    comes_from: ClassVar = "the positive classes (results.record)"
    title: ClassVar[str] = "positive"

    n_px: Annotated[Count, Says("pixels of positive classes", _PX, NO_POSITIVE_PX, column="n_px_positive")]
    area_mm2: Annotated[
        Area | None, Says("area of all positive classes", "mm²", NO_POSITIVE, column="positive_area_mm2")
    ]
    area_u_mm2: Annotated[
        Area | None,
        Says("its standard uncertainty, from the pixel size alone", "mm²", NO_POSITIVE, column="positive_area_u_mm2"),
    ]
    ci95_low_mm2: Annotated[
        Number | None,
        Says("lower end of its 95 % interval (1.96 u)", "mm²", NO_POSITIVE, column="positive_area_ci95_low_mm2"),
    ]
    ci95_high_mm2: Annotated[
        Number | None, Says("upper end of its 95 % interval", "mm²", NO_POSITIVE, column="positive_area_ci95_high_mm2")
    ]
    fraction_of_tissue: Annotated[
        Share | None, Says("positive as a share of the tissue", empty=f"{NO_POSITIVE_PX}, or there is no tissue")
    ]

    @property
    def pct_tissue(self) -> Annotated[
        float | None,
        Says(
            "positive in percent of the tissue", "%", f"{NO_POSITIVE_PX}, or there is no tissue",
            "positive.fraction_of_tissue", "positive_pct_tissue",
        ),
    ]:  # fmt: skip
        """Return what is positive in percent of the tissue."""
        return None if self.fraction_of_tissue is None else 100 * self.fraction_of_tissue
