"""audit: what a reader answered, held against the draw; whatever would bend the sample is refused with its number."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.manifest import csv_lines
from wsi_area.model.uncertainty.reference_design import ReferenceDesign
from wsi_area.results.csv_text import text_of_csv

POINT_COLUMNS = ("point_id", "slide_id", "x_px", "y_px", "answer")
CANNOT_TELL = "?"
"""The answer of a reader who looked and cannot tell: in the interval it counts both ways."""


@frozen_value
class Reading:
    """One reader's answers to the first points of a draw."""

    reader: str
    answers: Mapping[str, str]  # point id → class name or `CANNOT_TELL`


def read_answers(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of answers.

    Raises
    ------
    SettingsError
        It cannot be read, lacks a column, or a line is no row.
    """
    lines = csv_lines(path, POINT_COLUMNS, POINT_COLUMNS, lambda name: name.casefold() not in POINT_COLUMNS,
                      what="the answers")  # fmt: skip
    return [{name: text_of_csv(cells[name]) for name in POINT_COLUMNS} for _, cells in lines]


def reading_of(path: Path, rows: Sequence[Mapping[str, str]], design: ReferenceDesign) -> Reading:
    """Return the answers of one file.

    A reader may stop early: points are numbered in random order, so the first ones are a sample too. Points left out
    among them are not: those would be the hard ones.

    Raises
    ------
    SettingsError
        Points are of another draw, were moved, are answered twice or left out, or an answer is no class of the run.
    """
    points = {point.point_id: point for point in design.points}
    if strange := [row["point_id"] for row in rows if row["point_id"] not in points]:
        raise SettingsError(
            f"{path}: {len(strange)} of {len(rows)} points are not of the draw {design.name!r}, the first "
            f"{strange[0]!r}; give the answers to that draw's points.csv"
        )
    moved = [row["point_id"] for row in rows if not _is_there(row, points[row["point_id"]])]
    if moved:
        raise SettingsError(
            f"{path}: {len(moved)} points are not where they were drawn, the first {moved[0]}; a point that is moved "
            "is no random one: put its slide_id, x_px and y_px back from points.csv"
        )
    answers: dict[str, str] = {}
    for row in rows:
        if row["answer"] and row["point_id"] in answers:
            raise SettingsError(f"{path}: {row['point_id']} is answered twice; keep one row")
        if row["answer"]:
            answers[row["point_id"]] = _class_meant(row["answer"], design)
    _require_known(path, answers, design)
    _require_first(path, answers, list(points))
    return Reading(path.stem, answers)


def _class_meant(answer: str, design: ReferenceDesign) -> str:
    """Return the class that an answer names, whatever its case; the answer itself where it names none."""
    known = {c.name for slide in design.slides for c in slide.classes}
    return next((name for name in known if name.casefold() == answer.casefold()), answer)


def _is_there(row: Mapping[str, str], point: object) -> bool:
    try:
        at = (row["slide_id"], int(row["x_px"]), int(row["y_px"]))
    except ValueError:
        return False
    return at == (getattr(point, "slide_id", ""), getattr(point, "x_px", -1), getattr(point, "y_px", -1))


def _require_known(path: Path, answers: Mapping[str, str], design: ReferenceDesign) -> None:
    known = {c.name for slide in design.slides for c in slide.classes} | {CANNOT_TELL}
    if strange := [(point, answer) for point, answer in answers.items() if answer not in known]:
        point, answer = strange[0]
        raise SettingsError(
            f"{path}: {len(strange)} answers are no class of the run, the first {answer!r} at {point}; the classes are "
            f"{', '.join(sorted(known - {CANNOT_TELL}))}, and {CANNOT_TELL} where nobody can tell"
        )


def _require_first(path: Path, answers: Mapping[str, str], ids: Sequence[str]) -> None:
    if not answers:
        raise SettingsError(f"{path} has no answers; fill in the column answer")
    last = max(n for n, point in enumerate(ids) if point in answers)
    if missing := [point for point in ids[:last] if point not in answers]:
        raise SettingsError(
            f"{path}: {len(missing)} of the first {last + 1} points have no answer, the first {missing[0]}; answer "
            f"them, with {CANNOT_TELL} where nobody can tell: without the hard points the map would look too good"
        )
