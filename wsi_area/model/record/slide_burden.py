"""model: the burden of a slide, as its result says it: what is tumour and what is positive, with their intervals."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from wsi_area.model.documented import Area, Count, Number, Part, Says, Share
from wsi_area.model.record.slide_origin import NO_AREA, NOT_COUNTED

NO_TUMOR = f"no class of the settings is tumour, {NO_AREA}"
NO_TUMOR_PX = f"no class of the settings is tumour, or {NOT_COUNTED}"
NO_LAYER = f"the tissue is no layer of its own, or {NO_TUMOR}"
NO_SHARE = "or no tissue was measured (tissue_source is empty), or there is none"
NO_POSITIVE = f"the segmenter measures no stain, {NO_AREA}"
NO_POSITIVE_PX = f"the segmenter measures no stain, or {NOT_COUNTED}"
_PX = "level-0 px"
LOW_OF_SCALE = "lower end of the 95 % interval that the pixel size alone makes (1.96 u)"
HIGH_OF_SCALE = "upper end of the 95 % interval that the pixel size alone makes"


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
        Says(
            "its standard uncertainty, from the pixel size alone; deprecated: tumor_area_expanded_u_mm2 has all known "
            "terms",
            "mm²",
            NO_TUMOR,
            column="tumor_area_u_mm2",
        ),
    ]
    scale_ci95_low_mm2: Annotated[
        Number | None,
        Field(validation_alias=AliasChoices("scale_ci95_low_mm2", "ci95_low_mm2")),  # its name in documents of 0.1.0
        Says(LOW_OF_SCALE, "mm²", NO_TUMOR, column="tumor_area_scale_ci95_low_mm2", formerly="tumor_area_ci95_low_mm2"),
    ]
    scale_ci95_high_mm2: Annotated[
        Number | None,
        Field(validation_alias=AliasChoices("scale_ci95_high_mm2", "ci95_high_mm2")),
        Says(
            HIGH_OF_SCALE, "mm²", NO_TUMOR, column="tumor_area_scale_ci95_high_mm2", formerly="tumor_area_ci95_high_mm2"
        ),
    ]
    fraction_of_tissue: Annotated[
        Share | None, Says("tumour in tissue as a share of the tissue", empty=f"{NO_TUMOR_PX}, {NO_SHARE}")
    ]
    in_tissue_px: Annotated[Count | None, Says("pixels of tumour that lie in the tissue layer", _PX, NO_LAYER)] = None
    in_tissue_area_mm2: Annotated[
        Area | None,
        Says("area of the tumour that lies in the tissue layer", "mm²", NO_LAYER, column="tumor_in_tissue_area_mm2"),
    ] = None
    outside_tissue_area_mm2: Annotated[
        Area | None,
        Says(
            "area of the tumour that lies on no tissue: glass, holes, what is excluded, inside its outline", "mm²",
            NO_LAYER, column="tumor_outside_tissue_area_mm2",
        ),
    ] = None  # fmt: skip
    fraction_of_envelope: Annotated[
        Share | None, Says("tumour in the tissue envelope, as a share of the envelope", empty=f"{NO_LAYER}")
    ] = None

    @property
    def pct_tissue(self) -> Annotated[
        float | None,
        Says(
            "tumour in tissue, in percent of the tissue", "%", f"{NO_TUMOR_PX}, {NO_SHARE}",
            "tumor.fraction_of_tissue", "tumor_pct_tissue",
        ),
    ]:  # fmt: skip
        """Return the tumour in percent of the tissue."""
        return None if self.fraction_of_tissue is None else 100 * self.fraction_of_tissue

    @property
    def pct_tissue_envelope(self) -> Annotated[
        float | None,
        Says(
            "tumour in the tissue envelope, in percent of the envelope", "%", f"{NO_LAYER}",
            "tumor.fraction_of_envelope", "tumor_pct_tissue_envelope",
        ),
    ]:  # fmt: skip
        """Return the tumour in the envelope in percent of the envelope."""
        return None if self.fraction_of_envelope is None else 100 * self.fraction_of_envelope


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
        Says(
            "its standard uncertainty, from the pixel size alone; deprecated: positive_area_expanded_u_mm2 has all "
            "known terms",
            "mm²",
            NO_POSITIVE,
            column="positive_area_u_mm2",
        ),
    ]
    scale_ci95_low_mm2: Annotated[
        Number | None,
        Field(validation_alias=AliasChoices("scale_ci95_low_mm2", "ci95_low_mm2")),
        Says(
            LOW_OF_SCALE, "mm²", NO_POSITIVE, column="positive_area_scale_ci95_low_mm2",
            formerly="positive_area_ci95_low_mm2",
        ),
    ]  # fmt: skip
    scale_ci95_high_mm2: Annotated[
        Number | None,
        Field(validation_alias=AliasChoices("scale_ci95_high_mm2", "ci95_high_mm2")),
        Says(
            HIGH_OF_SCALE, "mm²", NO_POSITIVE, column="positive_area_scale_ci95_high_mm2",
            formerly="positive_area_ci95_high_mm2",
        ),
    ]  # fmt: skip
    fraction_of_tissue: Annotated[
        Share | None, Says("positive in tissue as a share of the tissue", empty=f"{NO_POSITIVE_PX}, {NO_SHARE}")
    ]

    @property
    def pct_tissue(self) -> Annotated[
        float | None,
        Says(
            "positive in tissue, in percent of the tissue", "%", f"{NO_POSITIVE_PX}, {NO_SHARE}",
            "positive.fraction_of_tissue", "positive_pct_tissue",
        ),
    ]:  # fmt: skip
        """Return the positive area in percent of the tissue."""
        return None if self.fraction_of_tissue is None else 100 * self.fraction_of_tissue
