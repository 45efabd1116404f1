"""model: the named regions of a slide, as its result says them; each is counted for itself, and they may overlap."""

from typing import Annotated, ClassVar

from wsi_area.model.documented import Area, ClassName, Count, Hash, Name, Number, Part, Says, Table
from wsi_area.model.record.slide_origin import NO_PIXEL_SIZE
from wsi_area.model.record.slide_signal import NO_SIGNAL, SignalInRegion

LISTED_MOST = 1000
"""Regions that result.json lists; regions.parquet beside it has all of them."""

_PX = "level-0 px"
_IN: tuple[Table, ...] = ("regions",)
NO_TUMOR = "no class of the settings is tumour"
NO_POSITIVE = "the segmenter measures no stain"
NO_TISSUE = "there is no tissue in the region"
NO_RATIO = "the classes do not say what it is made of, or the region has none of that; see docs/ratios.md"

NO_U = f"{NO_PIXEL_SIZE}, or an earlier version counted it"


def _share(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else 100 * part / whole


class ClassInRegion(Part):
    """One class inside one region."""

    comes_from: ClassVar = "the class map under the region (compute.regions)"

    name: Annotated[ClassName, Says("the class's name in the settings", source="the settings")]
    n_px: Annotated[Count, Says("its pixels in the region", _PX, "the slide's settings lack the class", "",
                                "n_px_class_<class>", _IN)]  # fmt: skip
    area_mm2: Annotated[
        Area | None,
        Says("its area in the region", "mm²", f"the slide's settings lack the class, or {NO_PIXEL_SIZE}", "",
             "class_<class>_area_mm2", _IN),
    ]  # fmt: skip
    pct_region: Annotated[
        Number | None,
        Says("its share of those pixels of the region that have a class", "%",
             "the slide's settings lack the class, or no pixel of the region has one", "", "class_<class>_pct_region",
             _IN),
    ]  # fmt: skip
    pct_tissue: Annotated[
        Number | None,
        Says("its pixels in the tissue of the region, in percent of that tissue", "%",
             f"the slide's settings lack the class, it is no tissue, or {NO_TISSUE}", "", "class_<class>_pct_tissue",
             _IN),
    ]  # fmt: skip

    mean_signal: Annotated[
        Number | None,
        Says("mean of the signal over its pixels in the region; the same at any pixel size", "<signal>",
             f"{NO_SIGNAL}, the class is background, or the region has none of it", "", "class_<class>_mean_<signal>",
             _IN),
    ] = None  # fmt: skip


class RegionRatios(Part):
    """The ratios of areas that the classes allow inside one region; of pixels, whatever their tissue layer."""

    comes_from: ClassVar = "the pixels of classes in the region (compute.count.ratios)"

    viable_tumor_pct: Annotated[
        Number | None,
        Says("viable tumour in percent of the region's tumour bed", "%", NO_RATIO, "", "viable_tumor_pct", _IN),
    ] = None
    necrosis_pct: Annotated[
        Number | None,
        Says("necrosis in percent of the region's tumour bed", "%", NO_RATIO, "", "necrosis_pct", _IN),
    ] = None
    stroma_pct: Annotated[
        Number | None,
        Says("stroma in percent of the region's tumour bed", "%", NO_RATIO, "", "stroma_pct", _IN),
    ] = None
    tumor_stroma_ratio: Annotated[
        Number | None,
        Says("viable tumour over stroma in the region", "", NO_RATIO, "", "tumor_stroma_ratio", _IN),
    ] = None
    weighted_positive_area: Annotated[
        Number | None,
        Says("100 × the sum of weight × area over the region's tissue classes; of areas, no cell is counted", "",
             "no class has a weight, or the region has no tissue", "", "weighted_positive_area", _IN),
    ] = None  # fmt: skip


class RegionOnRecord(Part):
    """One named region: what it is, and what lies in it."""

    comes_from: ClassVar = "the class map under the region (compute.regions)"

    region_id: Annotated[
        Name,
        Says("the region's id, once on a slide: the file's own where that is so", source="the drawing",
             column="region_id", tables=_IN),
    ]  # fmt: skip
    name: Annotated[str, Says("the region's name", "", "nobody named it", "the drawing", "region_name", _IN)]
    region_class: Annotated[
        str, Says("the region's class, or section, core", "", "nobody classed it", "the drawing", "region_class", _IN)
    ]
    parent_id: Annotated[
        str,
        Says("what it lies in: the id of another region, a layer or group of the file; for a core of a map its patient",
             "", "it lies in none",
             "the drawing", "parent_id", _IN),
    ]  # fmt: skip
    source: Annotated[
        Name,
        Says("annotations, roi, regions: the drawing that it is from; found: on the slide itself", column="found_in",
             source="the drawing", tables=_IN),
    ]  # fmt: skip
    status: Annotated[
        Name,
        Says("complete; incomplete: a part of it could not be read; empty: no centre of a work pixel lies inside; or "
             "what is said of a core or section", column="status", tables=_IN),
    ]  # fmt: skip
    n_px: Annotated[
        Count,
        Says(
            "its pixels, whatever their class: a work pixel is in it if its centre is", _PX, column="n_px", tables=_IN
        ),
    ]
    area_mm2: Annotated[Area | None, Says("the same as an area", "mm²", NO_PIXEL_SIZE, "", "area_mm2", _IN)]
    outline_area_px: Annotated[
        Area | None, Says("what its outline encloses, exactly", _PX, "it has no outline", "the drawing")
    ]
    outline_area_mm2: Annotated[
        Area | None,
        Says("what its outline encloses, exactly; for a core its nominal area", "mm²",
             f"it has no outline, or {NO_PIXEL_SIZE}", "the drawing", "outline_area_mm2", _IN),
    ]  # fmt: skip
    n_px_unscanned: Annotated[
        Count, Says("its pixels that the scanner never looked at", _PX, column="n_px_unscanned", tables=_IN)
    ]
    n_px_outside_roi: Annotated[
        Count, Says("its pixels outside the region of interest", _PX, column="n_px_outside_roi", tables=_IN)
    ]
    n_px_unreadable: Annotated[
        Count, Says("its pixels in tiles that could not be decoded", _PX, column="n_px_unreadable", tables=_IN)
    ]
    n_px_tissue: Annotated[
        Count, Says("its pixels of tissue, tumour among them", _PX, column="n_px_tissue", tables=_IN)
    ]
    tissue_area_mm2: Annotated[
        Area | None, Says("the same as an area", "mm²", NO_PIXEL_SIZE, "", "tissue_area_mm2", _IN)
    ]
    n_px_tumor: Annotated[Count | None, Says("its pixels of tumour", _PX, NO_TUMOR, "", "n_px_tumor", _IN)]
    tumor_area_mm2: Annotated[
        Area | None, Says("the same as an area", "mm²", f"{NO_TUMOR}, or {NO_PIXEL_SIZE}", "", "tumor_area_mm2", _IN)
    ]
    n_px_tumor_in_tissue: Annotated[Count | None, Says("those of them that lie in its tissue", _PX, NO_TUMOR)]
    n_px_positive: Annotated[
        Count | None, Says("its pixels that are positive", _PX, NO_POSITIVE, "", "n_px_positive", _IN)
    ]
    positive_area_mm2: Annotated[
        Area | None,
        Says("the same as an area", "mm²", f"{NO_POSITIVE}, or {NO_PIXEL_SIZE}", "", "positive_area_mm2", _IN),
    ]
    n_px_positive_in_tissue: Annotated[Count | None, Says("those of them that lie in its tissue", _PX, NO_POSITIVE)]
    largest_focus_px: Annotated[
        Count | None, Says("its largest connected part of tumour, cut at its border; corners join", _PX, NO_TUMOR)
    ]
    largest_focus_mm2: Annotated[
        Area | None,
        Says("its largest connected part of tumour, cut at its border; corners join", "mm²",
             f"{NO_TUMOR}, or {NO_PIXEL_SIZE}", "", "largest_focus_mm2", _IN),
    ]  # fmt: skip
    classes: Annotated[tuple[ClassInRegion, ...], Says("each class inside it")]
    ratios: Annotated[RegionRatios | None, Says("the ratios inside it", empty="an earlier version wrote it")] = None
    relative_u_area: Annotated[
        Area | None,
        Says("standard uncertainty of each of its areas over the area, from the pixel size alone",
             empty=f"{NO_PIXEL_SIZE}, or an earlier version wrote it"),
    ] = None  # fmt: skip

    signal: Annotated[SignalInRegion | None, Says("its signal", empty=NO_SIGNAL)] = None
    mask_file: Annotated[
        Count | None, Says("which of the files it is a code of, from 0", empty="it is no code of a mask")
    ] = None
    mask_code: Annotated[Count | None, Says("its code in that mask", empty="it is no code of a mask")] = None

    def _u_mm2(self, area_mm2: float | None) -> float | None:
        return None if area_mm2 is None or self.relative_u_area is None else area_mm2 * self.relative_u_area

    @property
    def area_u_mm2(self) -> Annotated[
        float | None,
        Says("standard uncertainty of area_mm2, from the pixel size alone", "mm²", NO_U, "relative_u_area",
             "area_u_mm2", _IN),
    ]:  # fmt: skip
        """Return the standard uncertainty of its area."""
        return self._u_mm2(self.area_mm2)

    @property
    def tissue_area_u_mm2(self) -> Annotated[
        float | None,
        Says("standard uncertainty of tissue_area_mm2, from the pixel size alone", "mm²", NO_U, "relative_u_area",
             "tissue_area_u_mm2", _IN),
    ]:  # fmt: skip
        """Return the standard uncertainty of its tissue."""
        return self._u_mm2(self.tissue_area_mm2)

    @property
    def tumor_area_u_mm2(self) -> Annotated[
        float | None,
        Says("standard uncertainty of tumor_area_mm2, from the pixel size alone", "mm²", f"{NO_TUMOR}, or {NO_U}",
             "relative_u_area", "tumor_area_u_mm2", _IN),
    ]:  # fmt: skip
        """Return the standard uncertainty of its tumour."""
        return self._u_mm2(self.tumor_area_mm2)

    @property
    def positive_area_u_mm2(self) -> Annotated[
        float | None,
        Says("standard uncertainty of positive_area_mm2, from the pixel size alone", "mm²",
             f"{NO_POSITIVE}, or {NO_U}", "relative_u_area", "positive_area_u_mm2", _IN),
    ]:  # fmt: skip
        """Return the standard uncertainty of what is positive in it."""
        return self._u_mm2(self.positive_area_mm2)

    @property
    def n_px_classed(self) -> int:
        """Return its pixels that have a class."""
        return self.n_px - self.n_px_unscanned - self.n_px_outside_roi - self.n_px_unreadable

    @property
    def pct_tissue(self) -> Annotated[
        float | None,
        Says("tissue in percent of the region: of its pixels that have a class", "%",
             "no pixel of the region has a class", "n_px_tissue", "pct_tissue", _IN),
    ]:  # fmt: skip
        """Return the tissue in percent of the region."""
        return _share(self.n_px_tissue, self.n_px_classed)

    @property
    def tumor_pct_tissue(self) -> Annotated[
        float | None,
        Says("tumour in the region's tissue, in percent of that tissue", "%", f"{NO_TUMOR}, or {NO_TISSUE}",
             "n_px_tumor_in_tissue", "tumor_pct_tissue", _IN),
    ]:  # fmt: skip
        """Return the tumour in percent of the region's tissue."""
        return _share(self.n_px_tumor_in_tissue, self.n_px_tissue)

    @property
    def positive_pct_tissue(self) -> Annotated[
        float | None,
        Says("what is positive in the region's tissue, in percent of that tissue", "%",
             f"{NO_POSITIVE}, or {NO_TISSUE}", "n_px_positive_in_tissue", "positive_pct_tissue", _IN),
    ]:  # fmt: skip
        """Return the positive area in percent of the region's tissue."""
        return _share(self.n_px_positive_in_tissue, self.n_px_tissue)


class RegionFile(Part):
    """One file that regions come from."""

    comes_from: ClassVar = "the drawing"

    path: Annotated[Name, Says("the file")]
    kind: Annotated[Name, Says("its format")]
    sha256: Annotated[Hash, Says("SHA-256 of its bytes")]
    scale_l0_px_per_unit: Annotated[Number, Says("its scale as used")]


class RegionsOnRecord(Part):
    """The named regions of the slide, the first 1000 one by one; null: nothing was named on it."""

    comes_from: ClassVar = "the drawings and the class map (compute.regions)"

    count: Annotated[Count, Says("how many have a row in the table of regions")]
    incomplete: Annotated[Count, Says("of these, how many have pixels that could not be read")]
    empty: Annotated[Count, Says("of these, how many are so small that no centre of a work pixel lies inside")]
    left_aside: Annotated[Count, Says("detections, cells, tiles and roots of the files, which have no row")]
    not_assessed: Annotated[str, Says("why no region was counted", empty="they were")]
    files: Annotated[tuple[RegionFile, ...], Says("the files that they come from")]
    listed: Annotated[tuple[RegionOnRecord, ...], Says("the first regions one by one")]

    @property
    def signal_name(self) -> str | None:
        """Return the signal that its regions have; None where they have none, or there is no region."""
        signal = self.listed[0].signal if self.listed else None
        return None if signal is None else signal.name


NamedOnSlide = Annotated[RegionsOnRecord | None, Says(RegionsOnRecord.__doc__ or "", empty="nothing was named on it")]
"""The named regions of a slide, or that there are none."""
