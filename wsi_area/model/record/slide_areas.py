"""model: what was measured on a slide, as its result says it: counts, areas of classes, tumour, tissue."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from wsi_area.model.classes import Role, TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.model.documented import (
    Area,
    Byte,
    ClassId,
    ClassName,
    Count,
    Flag,
    Name,
    Number,
    Part,
    Says,
    not_there,
)
from wsi_area.model.record.slide_origin import NO_AREA, NO_MM2, NOT_COUNTED, NOTHING_READ

COVERAGE_95 = 1.96
"""Standard uncertainties on either side of a value that hold its 95 % interval."""

_PX = "level-0 px"


class CountsOnRecord(Part):
    """Level-0 pixels; by class, unscanned, outside the ROI, unreadable and unsampled add up to the total."""

    comes_from: ClassVar = "the sum of the ledger's rows"

    n_px_total: Annotated[
        Count, Says("all pixels of the slide: the sum of all that follow", _PX, NOT_COUNTED, column="n_px_total")
    ]
    n_px_by_class: Annotated[tuple[Count, ...], Says("pixels of each class, by its id", _PX)]
    n_px_unscanned: Annotated[
        Count, Says("pixels that the scanner never looked at", _PX, NOT_COUNTED, column="n_px_unscanned")
    ]
    n_px_outside_roi: Annotated[
        Count,
        Says("pixels outside the region of interest; 0 without one", _PX, NOT_COUNTED, column="n_px_outside_roi"),
    ]
    n_px_unreadable: Annotated[
        Count, Says("pixels of tiles that could not be decoded", _PX, NOT_COUNTED, column="n_px_unreadable")
    ]
    n_px_unsampled: Annotated[
        Count,
        Says(
            "pixels that an estimate did not look at: those of spots that were not drawn; 0 of what was measured whole",
            _PX, NOT_COUNTED, column="n_px_unsampled",
        ),
    ] = 0  # fmt: skip
    n_px_accounted: Annotated[Count, Says("the sum of all of these: the total, or the result is not written", _PX)]

    @property
    def class_counts(self) -> ClassCounts:
        """Return the same as counts that add up; the signal is not among them."""
        none = (0,) * len(self.n_px_by_class)
        account = self.n_px_unscanned, self.n_px_outside_roi, self.n_px_unreadable
        return ClassCounts(self.n_px_by_class, *account, none, unsampled_px=self.n_px_unsampled)

    @property
    def all_px(self) -> int:
        """Return the sum of every line of the account, in level-0 pixels: that of the slide, or something is lost."""
        return self.class_counts.total_px

    @property
    def n_px_background(self) -> Annotated[
        int,
        Says(
            "pixels of class 0: glass, or what lies behind the tissue", _PX, NOT_COUNTED, "counts.n_px_by_class",
            "n_px_background",
        ),
    ]:  # fmt: skip
        """Return the level-0 pixels of class 0."""
        return self.n_px_by_class[0]


class ClassOnRecord(Part):
    """One class: its pixels and its area."""

    comes_from: ClassVar = "its count times the pixel size (compute.count.area)"

    id: Annotated[
        ClassId, Says("the class's code in the class map", source="the settings", column="class_id", tables=("areas",))
    ]
    name: Annotated[
        ClassName,
        Says("the class's name in the settings", source="the settings", column="class_name", tables=("areas",)),
    ]
    color_rgb: Annotated[tuple[Byte, Byte, Byte], Says("its colour in pictures", source="the settings")]
    is_tissue: Annotated[
        Flag, Says("whether it is a part of the tissue", source="the settings", column="is_tissue", tables=("areas",))
    ]
    is_tumor: Annotated[
        Flag, Says("whether it is a part of the tumour", source="the settings", column="is_tumor", tables=("areas",))
    ]
    is_excluded: Annotated[Flag, Says("whether it is pen, fold, out of focus", source="the settings")]
    is_positive: Annotated[
        Flag,
        Says(
            "whether it is stained by what the segmenter measures; false in documents of 0.1.0",
            source="the bands of the stain", column="is_positive", tables=("areas",),
        ),
    ] = False  # fmt: skip
    role: Annotated[
        Role | None, Says("what it is in a tumour bed", "", "the settings give it none", "the settings")
    ] = None
    weight: Annotated[
        Number | None,
        Says(
            "weight of its area in the weighted positive area", "", "it has none",
            "the settings, or the order of the bands of a stain",
        ),
    ] = None  # fmt: skip
    n_px: Annotated[
        Count,
        Says(
            "its pixels, which its area follows from; of an estimate what all of the slide is estimated to have", _PX,
            source="the sum of the ledger's rows", column="n_px", tables=("areas",),
        ),
    ]  # fmt: skip
    n_px_sampled: Annotated[
        Count | None,
        Field(exclude_if=not_there),
        Says("those of them that an estimate counted one by one", _PX, "it was measured whole, and this is absent"),
    ] = None
    area_mm2: Annotated[
        Area | None,
        Says("its area", "mm²", NOTHING_READ, column="area_mm2", tables=("areas",)),
        Says(
            "area of one class", "mm²", f"the slide's settings lack the class, {NO_AREA}",
            column="class_<class>_area_mm2",
        ),
    ]  # fmt: skip
    area_u_mm2: Annotated[
        Area | None,
        Says(
            "standard uncertainty of that, from the pixel size alone; deprecated: expanded_u_mm2 has all known terms",
            "mm²", NOTHING_READ, column="area_u_mm2", tables=("areas",),
        ),
    ]  # fmt: skip
    mean_signal: Annotated[
        Number | None,
        Field(validation_alias=AliasChoices("mean_signal", "signal_per_mm2")),  # its name in documents of 0.1.0
        Says(
            "mean of the segmenter's signal over the pixels of the class; the same at any pixel size", "<signal>",
            "the segmenter measures no such signal, or the class has no pixel",
            "the segmenter's signal, integrated tile by tile", "mean_<signal>", ("areas",), "signal_per_mm2",
        ),
    ]  # fmt: skip

    @property
    def n_px_counted(self) -> Annotated[
        int,
        Says(
            "pixels of one class that were counted one by one; of an estimate those of its spots and of bare glass",
            _PX, f"the slide's settings lack it, or {NOT_COUNTED}", "the sum of the ledger's rows",
            "n_px_class_<class>",
        ),
    ]:  # fmt: skip
        """Return its level-0 pixels that were counted one by one."""
        return self.n_px if self.n_px_sampled is None else self.n_px_sampled

    @property
    def integrated_signal(self) -> Annotated[
        float | None,
        Says(
            "the segmenter's signal integrated over the area of the class: its mean × mm²", "<signal>·mm²",
            f"the segmenter measures no such signal, the class has no pixel, or {NOTHING_READ}",
            "classes.mean_signal, classes.area_mm2", "integrated_<signal>", ("areas",),
        ),
    ]:  # fmt: skip
        """Return the signal integrated over the area of the class, in signal × mm²."""
        return None if self.mean_signal is None or self.area_mm2 is None else self.mean_signal * self.area_mm2

    @property
    def sum_signal_per_mm2(self) -> Annotated[
        float | None,
        Says(
            "sum of the signal of the class's level-0 pixels ÷ its mm²: grows as pixels become smaller",
            "<signal>/mm²", f"the segmenter measures no such signal, the class has no pixel, or {NOTHING_READ}",
            "classes.mean_signal, classes.n_px, classes.area_mm2", "sum_<signal>_per_mm2", ("areas",),
        ),
    ]:  # fmt: skip
        """Return the sum of the signal of the class's level-0 pixels ÷ its area in mm²."""
        return self.mean_signal * self.n_px / self.area_mm2 if self.mean_signal is not None and self.area_mm2 else None

    @property
    def scale_ci95_low_mm2(self) -> Annotated[
        float | None,
        Says(
            "lower end of the 95 % interval that the pixel size alone makes (1.96 u)", "mm²", NOTHING_READ,
            "area_mm2, area_u_mm2", "scale_ci95_low_mm2", ("areas",), "ci95_low_mm2",
        ),
    ]:  # fmt: skip
        """Return the lower end of the interval that the pixel size alone makes of the area, in mm²."""
        a, u = self.area_mm2, self.area_u_mm2
        return None if a is None or u is None else a - COVERAGE_95 * u

    @property
    def scale_ci95_high_mm2(self) -> Annotated[
        float | None,
        Says(
            "upper end of the 95 % interval that the pixel size alone makes", "mm²", NOTHING_READ,
            "area_mm2, area_u_mm2", "scale_ci95_high_mm2", ("areas",), "ci95_high_mm2",
        ),
    ]:  # fmt: skip
        """Return the upper end of the interval that the pixel size alone makes of the area, in mm²."""
        a, u = self.area_mm2, self.area_u_mm2
        return None if a is None or u is None else a + COVERAGE_95 * u

    @property
    def is_viable_tumor(self) -> bool:
        """Return True if it is tumour that lives."""
        return self.tissue_class.is_viable_tumor

    @property
    def tissue_class(self) -> TissueClass:
        """Return the class itself."""
        flags = self.is_tissue, self.is_tumor, self.is_excluded, self.is_positive
        return TissueClass(self.id, self.name, self.color_rgb, *flags, self.role, self.weight)


class TissueEnvelope(Part):
    """The tissue and the background that it encloses: closed over narrow gaps, and filled where no wide one lies."""

    comes_from: ClassVar = "the class map, box by box (compute.objects.envelope)"

    n_px: Annotated[
        Count,
        Says("pixels of tissue, and of background enclosed by it", _PX, f"{NO_MM2}", column="n_px_tissue_envelope"),
    ]
    area_mm2: Annotated[
        Area,
        Says(
            "area of the tissue with the fat, lace and pale parts that it encloses, without excluded classes", "mm²",
            NO_MM2, column="tissue_envelope_area_mm2",
        ),
    ]  # fmt: skip
    enclosed_px: Annotated[Count, Says("pixels of background in it", _PX)]
    closing_um: Annotated[Area, Says("radius of the disc that closed it: narrower gaps than twice that are in", "µm")]
    fill_um: Annotated[Area, Says("an enclosed gap is in where no disc of this radius fits into it", "µm")]
    box_x_um: Annotated[Area, Says("width of the boxes that it was made of, to which its rim is known", "µm")]
    box_y_um: Annotated[Area, Says("their height", "µm")]


class Analyzed(Part):
    """Every pixel with a class, background too."""

    comes_from: ClassVar = "all classes (compute.count.area)"

    n_px: Annotated[Count, Says("pixels with a class, background too", _PX)]
    area_mm2: Annotated[
        Area | None,
        Says("area of every pixel with a class, background too", "mm²", NO_AREA, column="analyzed_area_mm2"),
    ]


class Unreadable(Part):
    """Tiles that could not be decoded."""

    comes_from: ClassVar = "counts.n_px_unreadable (compute.count.area)"

    n_px: Annotated[Count, Says("pixels of tiles that could not be decoded", _PX)]
    area_mm2: Annotated[
        Area | None,
        Says("area of tiles that could not be decoded; above 0: incomplete", "mm²", NO_MM2, column="unread_area_mm2"),
    ]


class OutlineOnRecord(Part):
    """The exact area of what was drawn, beside which the count of the class stands."""

    comes_from: ClassVar = "the drawing (compute.judge.outline_area)"

    class_: Annotated[Name, Field(alias="class"), Says("the class that was drawn")]
    outline_area_px: Annotated[Area, Says("exact area of its outlines", _PX)]
    area_mm2: Annotated[Area, Says("the same in mm²", "mm²")]
    u_count_mm2: Annotated[
        Area, Says("standard uncertainty of counting it in work pixels, from where their grid lies", "mm²")
    ]
