"""model: the result of one slide, result.json, as one frozen value: written, read, checked and described by its fields.

How a number comes into the result
----------------------------------
1. One field, in the part that it belongs to (in `model.record`, or here), with its words::

       n: Annotated[Area | None, Says("mean area of a focus", "mm²", NO_FOCI, column="mean_focus_mm2")] = None

   ``column`` puts it into the summary. What follows from other fields is a property whose return type is annotated
   alike: it is in the table and not in the document.
2. The line that computes it, where the part is made: `results.record`, or `run.slide_document` for a whole part.

A field that older documents lack has a default which says that nothing is known; `documented.SCHEMA_VERSION` is raised
with the first of a release. Then write the schema and the dictionary (`results.schema`, `results.tables.dictionary`).
"""

from typing import Annotated

from pydantic import Field

from wsi_area.model.calibration import QUALITIES, Mpp, Quality
from wsi_area.model.corrections.amendment import Amendment
from wsi_area.model.documented import Count, Hash, Name, Says, not_there
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size
from wsi_area.model.objects import SizeChange
from wsi_area.model.record.budget.slide_budgets import Budgets
from wsi_area.model.record.ended_slide import (
    ConfigHash,
    EndedSlide,
    FailedSlide,
    MeasurementVersion,
    UncountedSlide,
    Version,
)
from wsi_area.model.record.estimate.slide_estimate import Estimate
from wsi_area.model.record.scan.scanned_slide import ScannedSlide
from wsi_area.model.record.slide_areas import (
    Analyzed,
    ClassOnRecord,
    CountsOnRecord,
    OutlineOnRecord,
    TissueEnvelope,
    Unreadable,
)
from wsi_area.model.record.slide_bands import Bands
from wsi_area.model.record.slide_burden import Positive, Tumor
from wsi_area.model.record.slide_certificate import Certificate, Grade
from wsi_area.model.record.slide_foci import FociOnRecord
from wsi_area.model.record.slide_hotspots import HotSpots
from wsi_area.model.record.slide_origin import (
    NO_MM2,
    NOT_COUNTED,
    CalibrationOnRecord,
    DrawnOnRecord,
    Fit,
    LightOnRecord,
    MadeFrom,
    RoiMask,
    RoiOutlines,
    TileError,
    Timing,
    WorkOnRecord,
)
from wsi_area.model.record.slide_ratios import RATIOS, RatioOnRecord
from wsi_area.model.record.slide_regions import NamedOnSlide
from wsi_area.model.record.slide_signal import SignalOnRecord
from wsi_area.model.record.slide_steps import StepsOfSlide
from wsi_area.model.record.slide_threshold import ByThreshold, Mm2ByThreshold
from wsi_area.model.record.slide_tissue import Tissue, TissueLayerOnRecord
from wsi_area.model.uncertainty.reference_score import AdjustedOnSlide

__all__ = ["CountedSlide", "EndedSlide", "FailedSlide", "SlideResult", "UncountedSlide"]


class CountedSlide(ScannedSlide):
    """A slide that was counted."""

    calibration: CalibrationOnRecord
    work: WorkOnRecord
    counts: CountsOnRecord
    classes: Annotated[tuple[ClassOnRecord, ...], Field(min_length=1), Says("each class, by its id")]
    ratios: Annotated[tuple[RatioOnRecord, ...], Says(RATIOS)] = ()
    tumor: Tumor
    positive: Annotated[
        Positive | None, Says(Positive.__doc__ or "", empty="the segmenter measures no stain, or nothing could be read")
    ] = None
    tissue: Tissue
    tissue_layer: Annotated[
        TissueLayerOnRecord | None,
        Says(TissueLayerOnRecord.__doc__ or "", empty="the tissue is no layer of its own"),
    ] = None
    tissue_envelope: Annotated[
        TissueEnvelope | None,
        Says(TissueEnvelope.__doc__ or "", empty="no pixel size is known, or it was not asked for"),
    ] = None
    analyzed: Analyzed
    unreadable: Unreadable
    signal: Annotated[
        SignalOnRecord | None, Says("what is integrated besides the classes", empty="the segmenter integrates nothing")
    ]
    findings: Annotated[tuple[QaFinding, ...], Says("what quality assurance noticed")]
    wsi_area_version: Version
    measurement_version: MeasurementVersion
    config_hash: ConfigHash
    key: Annotated[Hash, Says("SHA-256 over all that the counts depend on")]
    class_map_sha256: Annotated[
        Hash | None,
        Says("SHA-256 over the pixels of its class map", empty="a version made it that did not say, or it has none"),
    ] = None
    made_from: MadeFrom
    reader: Annotated[
        Name,
        Says(
            "direct, openslide, plain or stored: the lane that decoded the pixels", empty=NOT_COUNTED, column="reader"
        ),
    ]
    reader_reason: Annotated[str, Says("why that lane")]
    segmenter: Fit
    light: Annotated[
        LightOnRecord | None, Says(LightOnRecord.__doc__ or "", empty="the segmenter looks for no glass")
    ] = None
    foci: Annotated[
        FociOnRecord | None,
        Says(FociOnRecord.__doc__ or "", empty="foci were not asked for, or no class is tumour"),
    ]
    bands: Bands = None
    hotspots: HotSpots = None
    regions: NamedOnSlide = None
    estimate: Estimate = None
    size_filters: Annotated[tuple[SizeChange, ...], Says("what each filter by size changed")]
    steps: StepsOfSlide = None
    budgets: Budgets = None
    annotations: Annotated[DrawnOnRecord | None, Says("what the classes were drawn from", empty="no drawing was used")]
    roi: Annotated[RoiOutlines | RoiMask | None, Says("the region of interest", empty="none was given")]
    outlines: Annotated[tuple[OutlineOnRecord, ...], Says("the exact areas of what was drawn, class by class")]
    tissue_mm2_by_threshold: Mm2ByThreshold
    tissue_by_threshold: ByThreshold = None
    skipped_tissue_px_upper_bound: Annotated[
        Count | None,
        Says(
            "most tissue that tiles skipped as bare glass can hold, if none holds more than the worst bare tile "
            "that was read; 0 of an estimate, which draws bare glass too and has it in its interval",
            "level-0 px",
            f"too few of them were read to say, or {NOT_COUNTED}", "a sample of bare tiles, which are read",
            "skipped_tissue_px_upper_bound",
        ),
    ]  # fmt: skip
    tile_errors: Annotated[tuple[TileError, ...], Says("the first 100 tiles that could not be read")]
    timing: Timing
    certificate: Annotated[
        Certificate | None, Says(Certificate.__doc__ or "", empty="it was measured by a version that made none")
    ] = None
    amendment: Annotated[
        Amendment | None, Field(exclude_if=not_there), Says("how it was corrected; absent: it is what was measured")
    ] = None

    adjusted: Annotated[AdjustedOnSlide | None, Field(exclude=True), Says(AdjustedOnSlide.__doc__ or "")] = None

    @property
    def mpp(self) -> Mpp | None:
        """Return the pixel size that the areas were made with; None where the slide was counted in pixels only."""
        return self.calibration.mpp

    @property
    def was_read(self) -> bool:
        """Return False where nothing of the slide could be read: what was counted then is glass that nobody looked at.

        Such a slide has no area, of no class.
        """
        nothing = self.analyzed.area_mm2 is None and self.mpp is not None
        unread_glass = self.analyzed.n_px == 0 or self.work.tiles_skipped > 0
        return not (nothing and unread_glass and self.counts.n_px_unreadable > 0)

    @property
    def is_estimate(self) -> bool:
        """Return True where the areas are estimates from a sample: most of the slide was not looked at closely."""
        return self.estimate is not None

    @property
    def is_lower_bound(self) -> bool:
        """Return True where a part of the slide could not be read, so that the areas may be too small."""
        return self.status == "incomplete" and not (self.is_estimate and not self.counts.n_px_unreadable)

    @property
    def level_size_px(self) -> Size:
        """Return the size of the level that was read, in its own pixels."""
        return self.levels[self.work.level].size_px

    @property
    def work_px_l0(self) -> tuple[float, float]:
        """Return the width and the height of a work pixel in level-0 pixels."""
        level, factor = self.levels[self.work.level], self.work.reduce_factor
        return factor * level.downsample_x, factor * level.downsample_y

    @property
    def headline(self) -> Tumor | Positive:
        """Return the tumour; where no class is tumour, what is positive, if anything is."""
        return self.tumor if self.positive is None or self.tumor.n_px is not None else self.positive

    @property
    def total_area_mm2(self) -> Annotated[
        float | None,
        Says("area of the whole slide, scanned or not", "mm²", NO_MM2, "counts.n_px_total, calibration.pixel_area_mm2",
             "total_area_mm2"),
    ]:  # fmt: skip
        """Return the area of the whole slide in mm²."""
        pixel = self.calibration.pixel_area_mm2
        return None if pixel is None else self.counts.n_px_total * pixel

    @property
    def n_px_excluded(self) -> Annotated[
        int,
        Says("pixels of excluded classes: pen, fold, out of focus", "level-0 px", NOT_COUNTED, "classes.n_px",
             "n_px_excluded"),
    ]:  # fmt: skip
        """Return the level-0 pixels of the excluded classes."""
        return sum(c.n_px for c in self.classes if c.is_excluded)

    @property
    def light_grade(self) -> Grade | None:
        """Return the grade of the light; None where no number leans on it."""
        return None if self.certificate is None else self.certificate.light.grade

    @property
    def area_quality(self) -> Annotated[
        Quality | None,
        Says(
            "how far areas are trusted: the quality of the pixel size, or the grade of the light where that is worse",
            "", NO_MM2, "calibration.quality, certificate.light.grade", "area_quality",
        ),
    ]:  # fmt: skip
        """Return the trust in the areas; None where there are none."""
        light, of_scale = self.light_grade, self.calibration.quality
        if light is None or of_scale is None:
            return of_scale
        return max(of_scale, light.grade, key=QUALITIES.index)

    @property
    def flags(self) -> Annotated[
        str | None,
        Says("codes of all findings, once each, with spaces between; see flags.csv", "", "nothing was noticed",
             "findings.code", "flags"),
    ]:  # fmt: skip
        """Return the codes of all findings, once each, in a line; None where there are none."""
        return " ".join(dict.fromkeys(f.code for f in self.findings)) or None

    def pct_tissue(self, of: ClassOnRecord) -> Annotated[
        float | None,
        Says(
            "its share of the tissue: its pixels in tissue over those of the tissue", "%",
            "it is no tissue, or no tissue was measured (tissue_source is empty), or there is none",
            "classes.n_px, tissue_layer.n_px_crossed, tissue.n_px", "pct_tissue", ("areas",),
        ),
    ]:  # fmt: skip
        """Return the share of a class in the tissue, in percent; None for what is no tissue."""
        if not of.is_tissue or not self.tissue.n_px:
            return None
        layer = self.tissue_layer
        return 100 * (of.n_px if layer is None else layer.in_tissue_px((of.id,))) / self.tissue.n_px


SlideResult = CountedSlide | UncountedSlide  # what a result.json holds
