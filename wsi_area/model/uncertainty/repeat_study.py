"""model: repeat.json, how far measurements of the same subjects lie apart: a calibration that other runs can name.

Spreads are of the natural logarithm of the area: 0.05 is about 5 % of it. They are of one measurement.
"""

from typing import Annotated, Any, Literal

from wsi_area.model.documented import Area, Count, Hash, Length, Name, Number, Part, Says
from wsi_area.model.json_tree import json_digest

By = Literal["slide", "subject", "block"]
Between = Literal["runs", "order"]
AreaKind = Literal["class", "total"]


class Estimated(Part):
    """A value and its 95 % interval."""

    value: Annotated[Number, Says("the value")]
    ci95_low: Annotated[Number, Says("lower end of its 95 % interval")]
    ci95_high: Annotated[Number, Says("upper end of its 95 % interval")]


class OccasionPair(Part):
    """Two occasions held against each other; ratios are the second area over the first."""

    first: Annotated[Name, Says("the first occasion")]
    second: Annotated[Name, Says("the second occasion")]
    bias_ratio: Annotated[Estimated, Says("the mean ratio, of logarithms: 1 where there is no bias")]
    lower_limit_ratio: Annotated[Estimated, Says("lower limit of agreement: 2.5 % of subjects lie below")]
    upper_limit_ratio: Annotated[Estimated, Says("upper limit of agreement: 2.5 % of subjects lie above")]


class NextMeasurement(Part):
    """How far one more measurement may lie from the mean of many: a term of a budget."""

    sd: Annotated[Area, Says("its standard deviation", "ln mm²")]
    degrees_of_freedom: Annotated[Area, Says("degrees of freedom of that")]
    relative_u: Annotated[
        Area, Says("standard uncertainty of an area over the area; 1.96 of it reach the farther end of its interval")
    ]


class RepeatedArea(Part):
    """One class, or all tumour, positive or tissue, over subjects that were measured more than once."""

    kind: Annotated[AreaKind, Says("class; or total, of all classes that are tumour, positive or tissue")]
    name: Annotated[Name, Says("the class; or tumor, positive, tissue")]
    subjects: Annotated[Count, Says("subjects that have an area on every occasion")]
    occasions: Annotated[Count, Says("measurements of each")]
    area_low_mm2: Annotated[Length, Says("the smallest mean area of a subject", "mm²")]
    area_high_mm2: Annotated[Length, Says("the largest mean area of a subject", "mm²")]
    repeatability_sd: Annotated[Estimated, Says("spread of one measurement where occasions are alike", "ln mm²")]
    reproducibility_sd: Annotated[Estimated, Says("spread of one measurement on any occasion", "ln mm²")]
    degrees_of_freedom: Annotated[Area, Says("effective degrees of freedom of the reproducibility")]
    repeatability_pct: Annotated[Estimated, Says("coefficient of variation where occasions are alike", "%")]
    variation_pct: Annotated[Estimated, Says("coefficient of variation of one measurement on any occasion", "%")]
    icc: Annotated[Estimated, Says("ICC(2,1) of the logarithms: the share of the spread that is the subjects'")]
    icc_published: Annotated[Estimated, Says("the same with the interval of McGraw and Wong 1996, which is too narrow")]
    pairs: Annotated[tuple[OccasionPair, ...], Says("every two occasions")]
    on_another: Annotated[NextMeasurement, Says("on an occasion that is not among these: another scanner, reader, day")]
    on_these: Annotated[NextMeasurement, Says("on one of these occasions")]


class Repeat(Part):
    """One measurement of a subject."""

    subject: Annotated[Name, Says("who or what was measured")]
    occasion: Annotated[Name, Says("on which occasion")]
    run: Annotated[Name, Says("folder of the run")]
    slide_id: Annotated[Name, Says("the slide in that run")]
    key: Annotated[Hash, Says("SHA-256 over all that its counts depend on")]
    area_mm2: Annotated[dict[Name, Area], Says("areas by kind and name", "mm²")]


class LeftOut(Part):
    """What could not be compared."""

    subject: Annotated[Name, Says("who or what")]
    name: Annotated[str, Says("the class or the total; empty: none of them")]
    reason: Annotated[Name, Says("why, and what to do")]


class RepeatStudy(Part):
    """How far repeated measurements lie apart, with every area that this was found from."""

    wsi_area_version: Annotated[Name, Says("version that wrote it")]
    by: Annotated[By, Says("what makes two slides measurements of one thing: same slide id, subject, or block")]
    between: Annotated[Between, Says("what the occasions are: runs, or the order of slides within one run")]
    occasions: Annotated[tuple[Name, ...], Says("names of the occasions")]
    runs: Annotated[dict[Name, Hash | None], Says("seal of each run, by the name of its folder", empty="it has none")]
    areas: Annotated[tuple[RepeatedArea, ...], Says("what was found of each total and class")]
    repeats: Annotated[tuple[Repeat, ...], Says("every measurement")]
    left_out: Annotated[tuple[LeftOut, ...], Says("what could not be compared, and why")]
    notes: Annotated[tuple[str, ...], Says("what a reader should know")]
    seal: Annotated[Hash, Says("SHA-256 over all the rest")]

    @property
    def expected_seal(self) -> str:
        """Return the seal that everything else in it makes."""
        told: dict[str, Any] = self.model_dump(mode="json", exclude={"seal"})
        return json_digest(told)

    def of(self, kind: AreaKind, name: str) -> RepeatedArea | None:
        """Return the findings on one total or class; None where nothing was."""
        return next((area for area in self.areas if (area.kind, area.name) == (kind, name)), None)
