"""model: score.json, the areas that readers' answers to reference points make; and what a slide shows of the latest."""

from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wsi_area.model.documented import Area, Count, Hash, Name, Number, Part, Says

TotalName = Literal["tumor", "positive", "tissue"]

NO_POINTS = "no reader answered reference points on the slide, or it was measured again since"
_FROM = "wsi-area reference score"


class Reader(Part):
    """One reader."""

    reader: Annotated[Name, Says("name of the file of answers")]
    answered: Annotated[Count, Says("points that were answered")]


class AdjustedArea(Part):
    """One class, or total, of a slide or of all slides, as readers see it on average."""

    slide_id: Annotated[Name, Says("the slide; (run): all of them")]
    class_: Annotated[Name, Field(alias="class"), Says("the class; of a total tumor, positive or tissue")]
    counted_mm2: Annotated[Area, Says("area on the map", "mm²")]
    adjusted_mm2: Annotated[Area, Says("area as the readers see it on average", "mm²")]
    ci95_low_mm2: Annotated[Area, Says("lower end of its 95 % interval: points and pixel size", "mm²")]
    ci95_high_mm2: Annotated[Area, Says("upper end of that interval", "mm²")]
    points_u_mm2: Annotated[Area | None, Says("standard uncertainty from the points alone, its wider side", "mm²")] = (
        None
    )
    published_mm2: Annotated[
        Area, Says("half width of the interval of Olofsson et al. 2014: points alone, too narrow", "mm²")
    ]
    observer_u_mm2: Annotated[Area | None, Says("standard deviation between readers", "mm²", "there is one reader")]
    users_accuracy: Annotated[
        Number | None, Says("share of what is mapped that is right", empty="nothing is mapped, or no point lies there")
    ]
    producers_accuracy: Annotated[
        Number | None, Says("share of what is there that is mapped", empty="nothing is there")
    ]
    points: Annotated[Count, Says("points that were answered")]
    more_points_to_halve: Annotated[
        Count | None,
        Says(
            "points that would halve the interval",
            empty="the pixel size alone, or what nobody can tell, is half of it; or more slides would",
        ),
    ]


class ReferenceScore(Part):
    """What came of the answers to one draw."""

    draw: Annotated[Name, Says("name of the draw")]
    scored: Annotated[str | None, Says("when it was scored, ISO 8601, UTC", empty="an earlier version did")] = None
    readers: Annotated[tuple[Reader, ...], Says("who answered")]
    kappa: Annotated[Number | None, Says("mean of Cohen's kappa over pairs of readers", empty="there is one reader")]
    interval: Annotated[Name, Says("what the interval holds")] = (
        "95 %: points and pixel size; as the readers see it on average, the spread between them apart"
    )
    areas: Annotated[tuple[AdjustedArea, ...], Says("classes of each slide, and of the run")]
    totals: Annotated[tuple[AdjustedArea, ...], Says("all tumour, positive and tissue classes together")] = ()
    slides: Annotated[dict[Name, Hash], Says("SHA-256 of all that the counts of each slide depend on")] = Field(
        default_factory=dict
    )
    notes: Annotated[tuple[str, ...], Says("what a reader of the numbers should know")]

    @cached_property
    def by_slide(self) -> dict[str, tuple[list[AdjustedArea], list[AdjustedArea]]]:
        """Return the classes and the totals of each slide; a run of many slides asks for each of them."""
        found: dict[str, tuple[list[AdjustedArea], list[AdjustedArea]]] = {}
        for number, listed in enumerate((self.areas, self.totals)):
            for area in listed:
                found.setdefault(area.slide_id, ([], []))[number].append(area)
        return found


def _says(of: str, what: str, column: str) -> Says:
    empty = f"{NO_POINTS}, or no class of the settings is {of}" if of != "tissue" else NO_POINTS
    return Says(f"{of if of != 'tumor' else 'tumour'}: {what}", "mm²", empty, _FROM, column)


_AREA = "area as readers of reference points see it, free of what the map has wrong"
_LOW, _HIGH = "lower end of its 95 % interval: points and pixel size", "upper end of its 95 % interval"


class AdjustedOnSlide(Part):
    """What the reference points that were answered last say of a slide; beside its result, and no part of it."""

    comes_from: ClassVar = _FROM

    draw: Annotated[
        Name, Says("draw of reference points that adjusted areas are from", "", NO_POINTS, "", "adjusted_by")
    ]
    readers: Annotated[Count, Says("readers of its points")]
    areas: Annotated[tuple[AdjustedArea, ...], Says("its classes")]
    totals: Annotated[tuple[AdjustedArea, ...], Says("its totals")]

    def total(self, name: TotalName) -> AdjustedArea | None:
        """Return the adjusted area of a total; None where no class is."""
        return next((area for area in self.totals if area.class_ == name), None)

    @property
    def tumor_mm2(self) -> Annotated[float | None, _says("tumor", _AREA, "tumor_area_adjusted_mm2")]:
        """Return the adjusted area of the tumour in mm²."""
        return None if (found := self.total("tumor")) is None else found.adjusted_mm2

    @property
    def tumor_low_mm2(self) -> Annotated[float | None, _says("tumor", _LOW, "tumor_area_adjusted_ci95_low_mm2")]:
        """Return the lower end of its interval in mm²."""
        return None if (found := self.total("tumor")) is None else found.ci95_low_mm2

    @property
    def tumor_high_mm2(self) -> Annotated[float | None, _says("tumor", _HIGH, "tumor_area_adjusted_ci95_high_mm2")]:
        """Return the upper end of its interval in mm²."""
        return None if (found := self.total("tumor")) is None else found.ci95_high_mm2

    @property
    def positive_mm2(self) -> Annotated[float | None, _says("positive", _AREA, "positive_area_adjusted_mm2")]:
        """Return the adjusted area of what is positive in mm²."""
        return None if (found := self.total("positive")) is None else found.adjusted_mm2

    @property
    def positive_low_mm2(
        self,
    ) -> Annotated[float | None, _says("positive", _LOW, "positive_area_adjusted_ci95_low_mm2")]:
        """Return the lower end of its interval in mm²."""
        return None if (found := self.total("positive")) is None else found.ci95_low_mm2

    @property
    def positive_high_mm2(
        self,
    ) -> Annotated[float | None, _says("positive", _HIGH, "positive_area_adjusted_ci95_high_mm2")]:
        """Return the upper end of its interval in mm²."""
        return None if (found := self.total("positive")) is None else found.ci95_high_mm2

    @property
    def tissue_mm2(self) -> Annotated[float | None, _says("tissue", _AREA, "tissue_area_adjusted_mm2")]:
        """Return the adjusted area of the tissue classes in mm²."""
        return None if (found := self.total("tissue")) is None else found.adjusted_mm2

    @property
    def tissue_low_mm2(self) -> Annotated[float | None, _says("tissue", _LOW, "tissue_area_adjusted_ci95_low_mm2")]:
        """Return the lower end of its interval in mm²."""
        return None if (found := self.total("tissue")) is None else found.ci95_low_mm2

    @property
    def tissue_high_mm2(self) -> Annotated[float | None, _says("tissue", _HIGH, "tissue_area_adjusted_ci95_high_mm2")]:
        """Return the upper end of its interval in mm²."""
        return None if (found := self.total("tissue")) is None else found.ci95_high_mm2
