"""audit: the areas of measurements of one subject, as far as they can be held against each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsi_area.audit.repeats.occasions import Measurement
from wsi_area.audit.same_rules import rules_apart
from wsi_area.errors import ResultError
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.slide_result import CountedSlide
from wsi_area.model.uncertainty.repeat_study import Repeat
from wsi_area.results.tables.light_text import doubt_text


@dataclass(slots=True)
class MeasuredAgain:
    """The measurements that can be compared, the subjects that cannot, and what a reader should know."""

    run_names: Mapping[int, str]  # by the id of the opened run
    despite_settings: bool
    kept: dict[str, list[Repeat]] = field(default_factory=dict)  # by subject
    lost: dict[str, str] = field(default_factory=dict)  # subject → why
    notes: dict[str, None] = field(default_factory=dict)
    _seen: dict[tuple[str, str, str], str] = field(default_factory=dict)
    _first: tuple[Measurement, CountedSlide] | None = None

    def add(self, one: Measurement) -> None:
        """Take in a measurement.

        Raises
        ------
        ResultError
            It was made by other rules than the first one.
        """
        counted, run_name = _complete(one), self.run_names[id(one.run)]
        if counted is None:
            ended = one.run.run_record.ended_slides.get(one.slide_id)
            how = "not measured" if ended is None else ended.status
            self.lost.setdefault(one.subject, f"{one.slide_id} of {run_name} is {how}; only complete slides count")
            return
        same = (one.subject, counted.content_digest, counted.made_from.drawings)
        if same in self._seen:
            told = f"{self._seen[same]} and {one.slide_id} are one image with one drawing, so that nothing can differ"
            self.lost.setdefault(one.subject, f"{told}; give rescans, or other readers' drawings")
        self._seen[same] = one.slide_id
        self._first = self._first or (one, counted)
        self._require_same_rules(one, counted)
        if doubt := doubt_text(counted):
            self.notes[f"{one.slide_id} of {run_name}: {doubt}"] = None
        repeat = Repeat(
            subject=one.subject, occasion=one.occasion, run=run_name, slide_id=one.slide_id, key=counted.key,
            area_mm2=_areas_mm2(counted),
        )  # fmt: skip
        self.kept.setdefault(one.subject, []).append(repeat)

    @property
    def repeats(self) -> tuple[Repeat, ...]:
        """Return the measurements of subjects that can be compared."""
        return tuple(r for subject, own in self.kept.items() if subject not in self.lost for r in own)

    def _require_same_rules(self, one: Measurement, counted: CountedSlide) -> None:
        assert self._first is not None
        before, slide = self._first
        apart = rules_apart(before.run.run_record, slide, one.run.run_record, counted)
        if apart and not self.despite_settings:
            raise ResultError(
                f"{before.slide_id} of {self.run_names[id(before.run)]} and {one.slide_id} of "
                f"{self.run_names[id(one.run)]} were measured by different rules ({'; '.join(apart)}), so their spread "
                "may be one of the rules; measure both with the same settings, or give --despite-settings"
            )
        self.notes |= dict.fromkeys(f"other rules: {text}" for text in apart)


def _complete(one: Measurement) -> CountedSlide | None:
    slide = one.run.get(one.slide_id)
    return slide.counted if slide is not None and slide.is_counted and slide.status == "complete" else None


def _areas_mm2(slide: CountedSlide) -> dict[str, float]:
    """Return the totals and classes of a slide in mm², by kind and name; none without a pixel size."""
    positive = slide.positive
    totals = {
        "tumor": slide.tumor.area_mm2,
        "positive": None if positive is None or slide.tumor.n_px is not None else positive.area_mm2,
        "tissue": slide.tissue.area_mm2,
    }
    found = {f"total {name}": area for name, area in totals.items()}
    found |= {f"class {c.name}": c.area_mm2 for c in slide.classes if c.id != BACKGROUND_ID}
    return {name: area for name, area in found.items() if area is not None}
