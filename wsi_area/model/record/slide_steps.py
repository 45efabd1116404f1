"""model: each step between what was found on a slide and what is counted, with what it took or added."""

from typing import Annotated, ClassVar, Literal

from wsi_area.model.documented import Area, Count, Flag, Name, Part, Says
from wsi_area.model.record.slide_origin import NO_AREA, NOT_COUNTED, NOTHING_READ

StepKind = Literal["removes", "fills", "excludes", "clamps"]
StepOf = Literal["tissue", "tumour", "positive"]

NO_FILTER = f"no such filter was asked for, or {NOT_COUNTED}"
NO_FILTER_MM2 = f"no such filter was asked for, {NO_AREA}"
_PX = "level-0 px"
_VERBS: dict[StepKind, str] = {"removes": "removed", "fills": "filled", "excludes": "excluded", "clamps": "clamped"}


class StepOnRecord(Part):
    """One step that changes what is counted: a filter by size, an exclusion, a threshold held within bounds."""

    comes_from: ClassVar[str] = "the filters by size, the excluded classes, the fit (compute.judge.steps)"

    name: Annotated[Name, Says("what it is about: focus, tissue, hole, an excluded class, threshold, bands")]
    kind: Annotated[StepKind, Says("removes small objects, fills holes, excludes a class, clamps a threshold")]
    setting: Annotated[Name, Says("the setting that asks for it")]
    of: Annotated[StepOf, Says("what it makes smaller or larger")]
    n_px: Annotated[Count | None, Says("pixels that it changed", "level-0 px", "it was not assessed")]
    area_mm2: Annotated[Area | None, Says("the same in mm²", "mm²", f"it was not assessed, {NOTHING_READ}")]
    share_of_left: Annotated[
        Area | None,
        Says("the same over what is left when all steps are done", empty="it was not assessed, or nothing is left"),
    ]
    objects: Annotated[Count | None, Says("objects that it changed", empty="it does not go by objects")]
    is_estimate: Annotated[Flag, Says("the pixels are taken from a histogram; else each one was counted")]
    note: Annotated[str, Says("its limit; why it was not assessed", empty="nothing more is to be said")]

    @property
    def is_assessed(self) -> bool:
        """Return False where the step was asked for, and could not be judged on this slide."""
        return self.n_px is not None

    @property
    def title(self) -> str:
        """Return the step in words.

        >>> known = dict(setting="s", of="tissue", n_px=1, area_mm2=None, share_of_left=None, objects=1, note="")
        >>> [StepOnRecord(name=n, kind=k, is_estimate=False, **known).title for n, k in (("hole", "fills"),
        ...     ("tissue", "removes"), ("pen", "excludes"), ("threshold", "clamps"))]
        ['holes filled', 'specks of tissue removed', 'pen excluded', 'threshold clamped']
        """
        named = {"hole": "holes", "tissue": "specks of tissue", "focus": "small foci"}
        name = self.name if self.kind in {"excludes", "clamps"} else named.get(self.name, self.name)
        return f"{name} {_VERBS[self.kind]}"


class StepsOnRecord(Part):
    """Each step between what was found and what is counted, with what it took or added."""

    comes_from: ClassVar[str] = "the filters by size, the excluded classes, the fit (compute.judge.steps)"

    listed: Annotated[tuple[StepOnRecord, ...], Says("the steps, in the order in which they were done")]

    @property
    def excluded_area_mm2(self) -> Annotated[
        float | None,
        Says(
            "area of all excluded classes: pen, fold, out of focus", "mm²", f"there is no such class, {NO_AREA}",
            "steps.listed", "excluded_area_mm2",
        ),
    ]:  # fmt: skip
        """Return the area of the excluded classes in mm²."""
        areas = [step.area_mm2 for step in self.listed if step.kind == "excludes" and step.area_mm2 is not None]
        return sum(areas) if areas else None

    @property
    def n_px_specks_removed(
        self,
    ) -> Annotated[
        int | None,
        Says("pixels of small specks of tissue removed", _PX, NO_FILTER, "steps.listed", "n_px_specks_removed"),
    ]:
        """Return the level-0 pixels of the specks of tissue that were removed."""
        return self._n_px("tissue")

    @property
    def specks_removed_area_mm2(
        self,
    ) -> Annotated[
        float | None,
        Says("area of small specks of tissue removed", "mm²", NO_FILTER_MM2, "steps.listed", "specks_removed_area_mm2"),
    ]:
        """Return the area of the specks of tissue that were removed, in mm²."""
        return self._mm2("tissue")

    @property
    def n_px_holes_filled(
        self,
    ) -> Annotated[
        int | None, Says("pixels of small holes filled", _PX, NO_FILTER, "steps.listed", "n_px_holes_filled")
    ]:
        """Return the level-0 pixels of the holes that were filled."""
        return self._n_px("hole")

    @property
    def holes_filled_area_mm2(
        self,
    ) -> Annotated[
        float | None, Says("area of small holes filled", "mm²", NO_FILTER_MM2, "steps.listed", "holes_filled_area_mm2")
    ]:
        """Return the area of the holes that were filled, in mm²."""
        return self._mm2("hole")

    @property
    def n_px_foci_removed(
        self,
    ) -> Annotated[
        int | None, Says("pixels of small foci of tumour removed", _PX, NO_FILTER, "steps.listed", "n_px_foci_removed")
    ]:
        """Return the level-0 pixels of the foci that were removed."""
        return self._n_px("focus")

    @property
    def foci_removed_area_mm2(
        self,
    ) -> Annotated[
        float | None,
        Says("area of small foci of tumour removed", "mm²", NO_FILTER_MM2, "steps.listed", "foci_removed_area_mm2"),
    ]:
        """Return the area of the foci that were removed, in mm²."""
        return self._mm2("focus")

    @property
    def not_assessed(self) -> Annotated[
        str | None,
        Says(
            "exclusions that were asked for and cannot be judged on the slide, with spaces between", "",
            f"there is none, or {NOT_COUNTED}", "steps.listed", "not_assessed",
        ),
    ]:  # fmt: skip
        """Return the names of the exclusions that could not be judged, in a line; None where there are none."""
        return " ".join(step.name for step in self.listed if not step.is_assessed) or None

    def _n_px(self, name: str) -> int | None:
        return next((s.n_px for s in self.listed if s.name == name and s.kind in ("removes", "fills")), None)

    def _mm2(self, name: str) -> float | None:
        return next((s.area_mm2 for s in self.listed if s.name == name and s.kind in ("removes", "fills")), None)


StepsOfSlide = Annotated[
    StepsOnRecord | None,
    Says(StepsOnRecord.__doc__ or "", empty="it was measured by a version that did not list them"),
]
"""The steps of a slide, or that nobody listed them."""
