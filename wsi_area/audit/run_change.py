"""audit: the same subjects measured at two dates: what each class gained or lost in mm², and how sure that is.

Not to be mixed up with ``audit.difference``, where one slide was measured twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Any

from wsi_area.audit.class_change import CHANGE_COLUMNS, ClassChange, DatedClass, class_change
from wsi_area.audit.dated_areas import dated_areas
from wsi_area.audit.same_rules import remarks_of, rules_apart
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.results.csv_text import write_csv
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # pandas takes longer to load than a run: only who asks for a frame pays
    import pandas as pd

_SCALE_ROUND_OFF = 1e-9


@frozen_value
class DatedSlide:
    """A slide of a run, and the day it was taken where that is known."""

    run: OpenedRun
    slide_id: str
    date: str | None = None  # ISO 8601

    @property
    def name(self) -> str:
        """Return the slide with its run, for messages."""
        return f"{self.run.layout.root}: {self.slide_id}"


@frozen_value
class Pair:
    """One subject at two dates."""

    subject: str
    before: DatedSlide
    after: DatedSlide


@frozen_value
class Missing:
    """A subject, or a date of it, that could not be compared."""

    subject: str
    reason: str
    needs_calibration: bool = False  # and nothing else is the matter


@frozen_value(repr=False)
class RunChange:
    """Every subject at two dates: the changes, and who could not be compared."""

    rows: tuple[ClassChange, ...]
    missing: tuple[Missing, ...]
    same_scale: bool

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return who was compared, each once."""
        return tuple(dict.fromkeys(row.subject for row in self.rows))

    @property
    def table(self) -> "pd.DataFrame":
        """Return one row for each subject, pair of dates, total and class."""
        import pandas as pd

        return pd.DataFrame([astuple(row) for row in self.rows], columns=list(CHANGE_COLUMNS))

    def document(self) -> dict[str, Any]:
        """Return everything, JSON-ready."""
        return {
            "same_scale": self.same_scale,
            "changes": [asdict(row) for row in self.rows],
            "not_compared": [asdict(missing) for missing in self.missing],
        }

    def write_csv(self, path: Place) -> None:
        """Write the rows; what is missing is empty."""
        write_csv(path, CHANGE_COLUMNS, [asdict(row) for row in self.rows])

    def __repr__(self) -> str:
        return f"<change of {len(self.subjects)} subjects; {len(self.missing)} not compared>"


def changes(
    pairs: Sequence[Pair], missing: Iterable[Missing] = (), *, same_scale: bool = False, despite_settings: bool = False
) -> RunChange:
    """Return the change of each class of each subject between two dates.

    Parameters
    ----------
    pairs
        Who is held against what.
    missing
        Subjects that have no pair, to be named beside the others.
    same_scale : bool
        Whether one calibration serves both dates, so that its error is common (`compute.judge.area_change`).
    despite_settings : bool
        Whether to compare slides that were measured by different rules.

    Raises
    ------
    ResultError
        Two slides were measured by different rules, or have two scales that were said to be one.
    """
    rows: list[ClassChange] = []
    lost = list(missing)
    for pair in pairs:
        reason = _not_comparable(pair)
        if reason is not None:
            lost.append(reason)
            continue
        before, after = (dated.run[dated.slide_id] for dated in (pair.before, pair.after))
        apart = rules_apart(pair.before.run.run_record, before.counted, pair.after.run.run_record, after.counted)
        if apart and not despite_settings:
            raise ResultError(
                f"{pair.subject}: {pair.before.name} and {pair.after.name} were measured by different rules "
                f"({'; '.join(apart)}), so a change of area may be one of the rules; measure both with the same "
                "settings, or give --despite-settings"
            )
        if same_scale:
            _require_one_scale(pair, before, after)
        remarks = [*(f"other rules: {text}" for text in apart), *remarks_of(before.counted, after.counted)]
        rows += _rows(pair, before, after, same_scale, "; ".join(remarks) or None)
    return RunChange(tuple(rows), tuple(lost), same_scale)


def _not_comparable(pair: Pair) -> Missing | None:
    """Return the reason why two slides cannot be compared, or None where they can."""
    ended = [_ended(dated) for dated in (pair.before, pair.after)]
    told = [
        f"{dated.name} is {status}{f': {reason}' if reason else ''}"
        for dated, (status, reason) in zip((pair.before, pair.after), ended, strict=True)
        if status != "complete"
    ]
    if told:
        statuses = {status for status, _ in ended} - {"complete"}
        return Missing(pair.subject, "; ".join(told), statuses == {"needs_calibration"})
    before, after = (dated.run[dated.slide_id].counted for dated in (pair.before, pair.after))
    if before.fingerprint == after.fingerprint:
        return Missing(pair.subject, f"{pair.before.name} and {pair.after.name} are one and the same image")
    return None


def _ended(dated: DatedSlide) -> tuple[str, str]:
    """Return the status of a slide, and the reason."""
    ended = dated.run.run_record.ended_slides.get(dated.slide_id)
    if ended is not None and ended.status == "estimated":
        return "estimated", "from random spots, whose error no interval of a change holds; measure it whole"
    return ("not reached", "") if ended is None else (ended.status, ended.reason)


def _require_one_scale(pair: Pair, before: OpenedSlide, after: OpenedSlide) -> None:
    scales = [slide.counted.calibration for slide in (before, after)]
    sizes = [(s.mpp.x, s.mpp.y) for s in scales if s.mpp is not None]
    alike = len(sizes) == 2 and all(abs(a / b - 1) <= _SCALE_ROUND_OFF for a, b in zip(*sizes, strict=True))
    if not alike or scales[0].quality != scales[1].quality:
        told = " and ".join(f"{s.mpp_x_um or 0:g} × {s.mpp_y_um or 0:g} µm/px from {s.source}" for s in scales)
        raise ResultError(
            f"{pair.subject}: --same-scale says that one calibration serves both dates, but they have {told}; leave "
            "it out, or measure both with one --mpp"
        )


def _rows(
    pair: Pair, before: OpenedSlide, after: OpenedSlide, same_scale: bool, remarks: str | None
) -> list[ClassChange]:
    old, new = (
        {(area.kind, area.name): DatedClass(slide, date, area) for area in dated_areas(slide)}
        for slide, date in ((before, pair.before.date), (after, pair.after.date))
    )
    # a class that one of the two schemes does not know was not measured there, which is not an area of 0
    return [class_change(pair.subject, old[key], new[key], same_scale, remarks) for key in old if key in new]
