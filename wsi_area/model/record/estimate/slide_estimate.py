"""model: the estimate of a slide: how its spots were drawn, what they came to, what of the slide was decoded."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wsi_area.model.documented import Area, Count, Flag, Hash, Name, Number, Part, Says, Whole, not_there

_ESTIMATE = "the slide was measured whole"
_NOTHING_WHOLE = f"measuring whole decodes nothing, or {_ESTIMATE}"
_PX = "level-0 px"
_SAMPLE = "the spots that were drawn (compute.estimate)"


class DrawnStratum(Part):
    """Spots that were drawn apart from others."""

    kind: Annotated[Name, Says("what a coarse look shows of them and beside them")]
    spots: Annotated[Count, Says("how many there are")]
    drawn: Annotated[Count, Says("how many of them were drawn: those of the lowest random numbers")]


class CoarseLook(Part):
    """All of the slide at a coarse level; its own counts lie in the folder coarse."""

    key: Annotated[Hash, Says("SHA-256 over all that its counts depend on")]
    level: Annotated[Count, Says("the level that was read")]
    reduce_factor: Annotated[Whole, Says("by which that was reduced")]
    tile_px: Annotated[Count, Says("edge of a tile", "work px")]
    class_count: Annotated[Count, Says("its classes: fewer than the slide has where coarse pixels cannot show one")]
    work_mpp_x_um: Annotated[Area, Says("width of its work pixel", "µm")]
    work_mpp_y_um: Annotated[Area, Says("height of its work pixel", "µm")]
    decoded_px: Annotated[Count, Says("pixels of that level in tiles that were read", "level px")]


class EstimatedArea(Part):
    """A class or a total: its estimate and the interval of the sampling."""

    kind: Annotated[Literal["class", "total"], Says("class, or total of all that is tumour, positive, tissue")]
    name: Annotated[Name, Says("the class, or tumor, positive, tissue")]
    n_px: Annotated[Count, Says("its estimate", _PX)]
    low_px: Annotated[Number, Says("lower end of the 95 % interval of the sampling", _PX)]
    high_px: Annotated[Number, Says("upper end of it", _PX)]
    area_mm2: Annotated[Area | None, Says("its estimate", "mm²", "no pixel size is known")]
    ci95_low_mm2: Annotated[Area | None, Says("lower end of the interval", "mm²", "no pixel size is known")]
    ci95_high_mm2: Annotated[Area | None, Says("upper end of the interval", "mm²", "no pixel size is known")]

    @property
    def half_width_px(self) -> float:
        """Return half the width of its interval in level-0 px."""
        return (self.high_px - self.low_px) / 2

    @property
    def half_width_pct(self) -> float | None:
        """Return half the width of its interval in percent of the estimate; None of nothing."""
        return 100 * self.half_width_px / self.n_px if self.n_px else None


class EstimateOnRecord(Part):
    """How the areas were estimated from random spots, how exact that is, and what was decoded for it."""

    comes_from: ClassVar[str] = _SAMPLE

    seed: Annotated[Count, Says("of the random numbers", "", _ESTIMATE, column="estimate_seed")]
    wanted_half_width_pct: Annotated[
        Number | None,
        Says("half of the 95 % interval that was asked for", "%", f"none was, or {_ESTIMATE}", "the settings",
             "estimate_wanted_pct"),
    ]  # fmt: skip
    budget_pct: Annotated[
        Number | None,
        Says("most of the pixels of that level that may be decoded", "%", "all may be", "the settings"),
    ]
    about: Annotated[
        Name, Says("the area that is to be so exact: tumor, positive or tissue", "", _ESTIMATE, column="estimate_about")
    ]
    is_reached: Annotated[Flag, Says("whether all that was asked was reached", "", _ESTIMATE)]
    spot_px: Annotated[Count, Says("edge of a spot", "work px")]
    spot_x_um: Annotated[Area, Says("width of a spot", "µm", _ESTIMATE, column="estimate_spot_um")]
    spot_y_um: Annotated[Area, Says("height of a spot", "µm")]
    coarse: Annotated[
        CoarseLook | None,
        Says(CoarseLook.__doc__ or "", empty="no coarse level helps: two spots were drawn in each of some cells"),
    ]
    cells: Annotated[Count | None, Says("compact cells with two spots each", empty="a coarse look was had")]
    strata: Annotated[tuple[DrawnStratum, ...], Says("the spots, by how they were drawn")]
    bare_drawn: Annotated[tuple[Count, ...], Says("numbers of the spots drawn that look like bare glass, row by row")]
    bare_miss: Annotated[Number, Says("share of a spot that may look bare and is not, even if no drawn one shows it")]
    areas: Annotated[tuple[EstimatedArea, ...], Says("each class and total with its interval")]
    counted_px: Annotated[Count, Says("pixels of the level read in spots that were drawn", "level px")]
    decoded_px: Annotated[
        Count,
        Says("pixels decoded: the stored tiles under the spots, whole, and the coarse look", "level px"),
    ]
    whole_px: Annotated[Count, Says("pixels that measuring the slide whole decodes", "level px")]

    @property
    def spots(self) -> Annotated[
        int, Says("spots that may be drawn", "", _ESTIMATE, "estimate.strata", "estimate_spots")
    ]:  # fmt: skip
        """Return the number of spots that may be drawn."""
        return sum(stratum.spots for stratum in self.strata)

    @property
    def spots_drawn(self) -> Annotated[
        int, Says("spots that were drawn", "", _ESTIMATE, "estimate.strata", "estimate_spots_drawn")
    ]:  # fmt: skip
        """Return the number of spots drawn."""
        return sum(stratum.drawn for stratum in self.strata)

    @property
    def aim(self) -> EstimatedArea | None:
        """Return the area that is to be so exact."""
        return self.of("total", self.about) or self.of("class", self.about)

    def of(self, kind: str, name: str) -> EstimatedArea | None:
        """Return the estimate of a class or total; None where there is none."""
        return next((area for area in self.areas if area.kind == kind and area.name == name), None)

    @property
    def ci95_low_mm2(self) -> Annotated[
        float | None,
        Says("lower end of the 95 % interval that the sampling alone gives the area it is about", "mm²", _ESTIMATE,
             "estimate.areas", "estimate_ci95_low_mm2"),
    ]:  # fmt: skip
        """Return the lower end of the interval in mm²."""
        return None if self.aim is None else self.aim.ci95_low_mm2

    @property
    def ci95_high_mm2(self) -> Annotated[
        float | None,
        Says("upper end of the 95 % interval that the sampling alone gives it", "mm²", _ESTIMATE, "estimate.areas",
             "estimate_ci95_high_mm2"),
    ]:  # fmt: skip
        """Return the upper end of the interval in mm²."""
        return None if self.aim is None else self.aim.ci95_high_mm2

    @property
    def half_width_pct(self) -> Annotated[
        float | None,
        Says("half of that interval over the estimate", "%", f"nothing of it was found, or {_ESTIMATE}",
             "estimate.areas", "estimate_half_width_pct"),
    ]:  # fmt: skip
        """Return half the width of the interval in percent of the estimate."""
        return None if self.aim is None else self.aim.half_width_pct

    @property
    def counted_pct(self) -> Annotated[
        float | None,
        Says("pixels in spots that were drawn, of those that measuring whole decodes", "%", _NOTHING_WHOLE,
             "estimate.counted_px", "estimate_counted_pct"),
    ]:  # fmt: skip
        """Return the pixels that lie in drawn spots, of all that measuring whole decodes, in percent."""
        return 100 * self.counted_px / self.whole_px if self.whole_px else None

    @property
    def decoded_pct(self) -> Annotated[
        float | None,
        Says("pixels decoded, of those that measuring whole decodes", "%", _NOTHING_WHOLE, "estimate.decoded_px",
             "estimate_decoded_pct"),
    ]:  # fmt: skip
        """Return the pixels that were decoded, of all that measuring whole decodes, in percent."""
        return 100 * self.decoded_px / self.whole_px if self.whole_px else None


Estimate = Annotated[
    EstimateOnRecord | None,
    Field(exclude_if=not_there),
    Says(EstimateOnRecord.__doc__ or "", empty="it was measured whole, and the field is absent"),
]
"""The field of a slide's result."""
