"""model: what a slide was measured from and with, as its result says it: pixel size, grid, segmenter, drawings."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from wsi_area.model.calibration import Mpp, Quality, Rung
from wsi_area.model.documented import (
    Area,
    Byte,
    Count,
    Flag,
    Hash,
    Length,
    Name,
    Number,
    Part,
    Says,
    Seconds,
    Share,
    Whole,
    not_there,
)
from wsi_area.model.geometry import Size
from wsi_area.model.light import GlassSource

NO_PIXEL_SIZE = "no pixel size is known"
NOT_COUNTED = "it was not counted"
NO_MM2 = f"{NO_PIXEL_SIZE}, or it was not counted"
NO_AREA = f"{NO_PIXEL_SIZE}, nothing of it could be read, or it was not counted"
NOTHING_READ = f"{NO_PIXEL_SIZE}, or nothing could be read"


class Candidate(Part):
    """One claim about the pixel size."""

    comes_from: ClassVar = "the slide's file, the manifest or --mpp"

    mpp_x_um: Annotated[Number, Says("width of a level-0 pixel, as claimed", "µm/px")]
    mpp_y_um: Annotated[Number, Says("height of a level-0 pixel, as claimed", "µm/px")]
    source: Annotated[Name, Says("the tag or the option that claims it")]
    rung: Annotated[Rung, Says("where the claim stands on the ladder: override, vendor, tiff, image")]
    quality: Annotated[Quality, Says("A, B or C: how far the source is trusted; given: typed by a person")]
    note: Annotated[str, Says("what the source says, word for word; of an override: its reason")]
    u_um: Annotated[
        Length | None,
        Field(exclude_if=not_there),
        Says("standard uncertainty of the size of a pixel, as stated", "µm/px", "none is stated"),
    ] = None
    traced_to: Annotated[
        str | None,
        Field(exclude_if=not_there),
        Says("instrument, date and certificate of a typed size; absent: none on record", empty="none on record"),
    ] = None
    is_confirmed: Annotated[
        Flag | None,
        Field(exclude_if=not_there),
        Says("whether somebody confirmed a typed size; absent: nobody did", empty="nobody did"),
    ] = None


class CalibrationOnRecord(Part):
    """The pixel size that was chosen, every candidate for it, and why; null: none is believed, so pixels only."""

    comes_from: ClassVar = "the best claim that can be believed (compute.calibration)"

    mpp_x_um: Annotated[
        Length | None, Says("width of a level-0 pixel, as believed", "µm/px", NO_MM2, column="mpp_x_um")
    ]
    mpp_y_um: Annotated[
        Length | None, Says("height of a level-0 pixel, as believed", "µm/px", NO_MM2, column="mpp_y_um")
    ]
    source: Annotated[str | None, Says("where that pixel size was found", empty=NO_MM2, column="mpp_source")]
    quality: Annotated[
        Quality | None,
        Says(
            "A, B or C: how far that source is trusted; given: typed by a person; sets the uncertainty where none is "
            "stated",
            empty=NO_MM2,
            column="mpp_quality",
        ),
    ]
    note: Annotated[
        str | None,
        Says(
            "what the source says, word for word; of an override: its reason", empty=f"{NO_MM2}, or no note",
            column="mpp_note",
        ),
    ]  # fmt: skip
    pixel_area_mm2: Annotated[Length | None, Says("area of a level-0 pixel", "mm²", NO_PIXEL_SIZE)]
    relative_u_area: Annotated[
        Area | None, Says("standard uncertainty of an area over the area, from the pixel size", empty=NO_PIXEL_SIZE)
    ]
    uncertainty_from: Annotated[
        str | None,
        Says("what sets that uncertainty: stated, or the quality", empty=f"{NO_PIXEL_SIZE}, or not on record"),
    ] = None
    reason: Annotated[str, Says("why this pixel size, or why none")]
    candidates: Annotated[tuple[Candidate, ...], Says("every claim, the best first")]

    @property
    def mpp(self) -> Mpp | None:
        """Return the pixel size that the areas were made with; None where the slide was counted in pixels only."""
        return None if self.mpp_x_um is None or self.mpp_y_um is None else Mpp(self.mpp_x_um, self.mpp_y_um)


class LightOnRecord(Part):
    """The light that the slide was scanned by: the glass that areas and densities are taken against."""

    comes_from: ClassVar = "the overview (segmenters.colour.glass)"

    glass_rgb: Annotated[tuple[Byte, Byte, Byte], Says("colour of bare glass", "grey levels")]
    glass_source: Annotated[
        GlassSource, Says("seen: found on the overview; given: by segmenter.glass; nominal: none was seen, taken")
    ]
    glass_share: Annotated[Share | None, Says("share of the overview with this colour", empty="it was not looked for")]
    glass_fall: Annotated[
        Share | None,
        Says(
            "fall of the light over the field, of the brightest", "",
            f"too little glass shows it, the segmenter looks for none, or {NOT_COUNTED}", column="glass_fall",
        ),
    ]  # fmt: skip
    leans_on_glass: Annotated[Flag, Says("whether the threshold or the densities were taken from it")]
    tissue_like: Annotated[
        Share | None,
        Says("share of the overview with the colours of stained tissue", empty="next to all of it was not taken"),
    ]


class WorkOnRecord(Part):
    """The grid that was classified: level, whole factor it was reduced by, tiles."""

    comes_from: ClassVar = "the settings and the levels of the file (compute.cut)"

    level: Annotated[Count, Says("the level that was read; 0 is the finest")]
    reduce_factor: Annotated[Whole, Field(ge=1), Says("level pixels along the edge of a work pixel")]
    asked_work_mpp_um: Annotated[
        Length | None,
        Says(
            "the edge that the settings ask for", "µm/px", f"none was asked for, or {NOT_COUNTED}", "the settings",
            "asked_work_mpp_um",
        ),
    ]  # fmt: skip
    work_mpp_x_um: Annotated[Length | None, Says("width of a work pixel", "µm/px", NO_PIXEL_SIZE)]
    work_mpp_y_um: Annotated[Length | None, Says("height of a work pixel", "µm/px", NO_PIXEL_SIZE)]
    work_width_px: Annotated[Count, Says("width of the class map", "work px")]
    work_height_px: Annotated[Count, Says("height of the class map", "work px")]
    tile_px: Annotated[Count, Says("edge of a tile", "work px")]
    halo_px: Annotated[Count, Says("what a tile may see beyond its edge", "work px")]
    batch_tiles: Annotated[Count, Says("tiles along the edge of a batch")]
    tiles: Annotated[Count, Says("tiles of the slide")]
    tiles_skipped: Annotated[Count, Says("tiles counted as bare glass without being read")]
    plan_hash: Annotated[Hash, Says("SHA-256 over the cut: equal for equal cuts")]

    @property
    def work_mpp_um(self) -> Annotated[
        float | None,
        Says(
            "edge of the pixels that were classified (the larger of x and y)", "µm/px", NO_MM2,
            "work.work_mpp_x_um, work.work_mpp_y_um", "work_mpp_um",
        ),
    ]:  # fmt: skip
        """Return the edge of a work pixel in µm, the larger of x and y."""
        x, y = self.work_mpp_x_um, self.work_mpp_y_um
        return None if x is None or y is None else max(x, y)

    @property
    def work_size_px(self) -> Size:
        """Return the size of the class map in work pixels."""
        return Size(self.work_width_px, self.work_height_px)


class MadeFrom(Part):
    """What the counts depend on, part by part."""

    slide_file: Annotated[str, Says("fingerprint of the file")]
    pixel_size: Annotated[str, Says("the pixel size, to the last digit")]
    settings: Annotated[str, Says("hash of the settings that the measurement depends on")]
    drawings: Annotated[str, Says("hash of what was drawn")]
    tiles: Annotated[str, Says("hash of the cut")]
    fit: Annotated[str, Says("hash of what the segmenter found while fitting")]
    measurement_version: Annotated[str, Says("version of the rules of counting")]
    segmenter_package: Annotated[
        Name | None, Field(exclude_if=not_there), Says("package of the segmenter; absent: it is one of ours")
    ] = None

    @property
    def parts(self) -> dict[str, str]:
        """Return each part by its name; what does not apply is left out."""
        return self.model_dump()


class Fit(Part):
    """The segmenter, what it was told and what it found."""

    name: Annotated[Name, Says("the segmenter's name")]
    settings: Annotated[dict[str, Any], Says("what it was told")]
    facts: Annotated[dict[str, Any], Says("what it found while fitting the slide, in its own words")]

    @property
    def threshold(self) -> Annotated[
        float | None,
        Says(
            "what parts tissue from background", "as its method", f"none was used, or {NOT_COUNTED}",
            "segmenter.facts", "threshold",
        ),
    ]:  # fmt: skip
        """Return the threshold between tissue and background, on the scale of its method."""
        return self.facts.get("threshold")

    @property
    def threshold_method(self) -> Annotated[
        str | None,
        Says(
            "how it was found: otsu, fixed …", "", f"none was used, or {NOT_COUNTED}", "segmenter.facts",
            "threshold_method",
        ),
    ]:  # fmt: skip
        """Return the method by which the threshold was found."""
        return self.facts.get("method")


class Drawing(Part):
    """A file in which somebody drew."""

    path: Annotated[Name, Says("the file")]
    kind: Annotated[Name, Says("its format")]
    sha256: Annotated[Hash, Says("SHA-256 of its content")]
    scale_l0_px_per_unit: Annotated[Length, Says("level-0 pixels for a unit of its coordinates", "level-0 px")]


class DrawnOnRecord(Drawing):
    """The drawing that the classes were taken from."""

    path: Annotated[
        Name,
        Says(
            "the drawing or mask that the classes were taken from", empty=f"none was used, or {NOT_COUNTED}",
            column="annotations",
        ),
    ]  # fmt: skip
    regions: Annotated[Count, Says("outlines in it")]
    has_mask: Annotated[Flag, Says("whether it is a mask")]


class RoiMask(Drawing):
    """The region of interest as a mask: its area is that of the pixels inside."""

    path: Annotated[
        Name, Says("the drawing of the region of interest", empty=f"none was used, or {NOT_COUNTED}", column="roi")
    ]


class RoiOutlines(RoiMask):
    """The region of interest as outlines, with their exact area."""

    outline_area_px: Annotated[Area, Says("exact area of the outlines", "level-0 px")]
    outline_area_mm2: Annotated[Area | None, Says("the same in mm²", "mm²", NO_PIXEL_SIZE)]


class TileError(Part):
    """A tile that could not be read; its pixels count as unreadable."""

    row: Annotated[Count, Says("row of the tile")]
    col: Annotated[Count, Says("column of the tile")]
    message: Annotated[str, Says("why, and what to do")]


class Timing(Part):
    """What measuring the slide took, when its tiles were measured."""

    inner_wall_s: Annotated[Seconds, Says("time from the first tile to the last", "s")]
    inner_cpu_s: Annotated[Seconds, Says("CPU time of the tiles", "s")]
    decoded_px: Annotated[Count, Says("pixels that were decoded", "level px")]
    batches: Annotated[Count, Says("batches that were measured")]
    prepare_cpu_s: Annotated[Seconds, Says("CPU time of looking at the slide before its tiles", "s")]
    wall_s: Annotated[Seconds, Says("time from the file to the result", "s")]
    network_runs: Annotated[
        Count, Says("windows that a network was shown, or 0 where it was measured by a version that did not count them")
    ] = 0
    edge_proof_cpu_s: Annotated[
        Seconds,
        Says("CPU time of the tiles that went into comparing stored tiles at edges with OpenSlide's, or 0 where it was "
             "measured by a version that did not tell it apart", "s"),
    ] = 0.0  # fmt: skip
