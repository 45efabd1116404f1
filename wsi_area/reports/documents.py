"""reports: the documents of a run that a report is made from, read once and checked against each other."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import CountMismatchError, ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.results.layout import RunLayout, SlideLayout, read_json
from wsi_area.results.record import is_counted
from wsi_area.results.run_folder import require_readable
from wsi_area.results.same_content import with_same_content
from wsi_area.storage.place import Place

Record = Mapping[str, Any]

STATUS_ORDER = ("failed", "incomplete", "needs_calibration", "complete")
"""What needs somebody first."""
_ROUND_OFF = 1e-9  # relative; the same product in another order differs in the last bits only


@dataclass(frozen=True, slots=True)
class RunDocuments:
    """run.json and the document of every planned slide, those that need somebody first."""

    layout: RunLayout
    about: Record
    slides: tuple[tuple[SlideLayout, Record], ...]

    @property
    def records(self) -> tuple[Record, ...]:
        """Return the slides' documents."""
        return tuple(record for _, record in self.slides)


def read_documents(run: Place) -> RunDocuments:
    """Return everything on record about a run, each area computed again from its count and found the same.

    Raises
    ------
    ResultError
        If the folder holds no run, or one that has not ended.
    CountMismatchError
        If a slide's pixels do not add up, or an area is not its count times the pixel size.
    """
    layout = RunLayout(run)
    about = require_readable(layout)
    ended = about.get("slides")
    if about.get("state") == "running" or not isinstance(ended, Mapping):
        raise ResultError(f"{run}: this run has not ended; run the same command again to finish it, then report")
    slides = [(slide, with_same_content(record, about)) for slide, record in _slides(layout, ended)]
    slides.sort(key=lambda slide: STATUS_ORDER.index(slide[1]["status"]))  # stable: else as planned
    return RunDocuments(layout, about, tuple(slides))


def _slides(layout: RunLayout, ended: Mapping[str, Any]) -> Iterator[tuple[SlideLayout, Record]]:
    for slide_id, how in ended.items():
        if not slide_id or Path(slide_id).name != slide_id:
            raise ResultError(f"{layout.run_json}: {slide_id!r} is not the id of a slide; the file was changed")
        slide = layout.slide(slide_id)
        yield slide, _document(slide, {**how, "slide_id": slide_id})


def _document(slide: SlideLayout, ended: Record) -> Record:
    """Return what the run says of a slide; what lies in the folder of one that failed is of an earlier run."""
    if ended.get("status") != "failed":
        try:
            record = read_json(slide.result_json)
        except ResultError as error:  # a report of the others is still wanted, and this one stands first in it
            return {**ended, "status": "failed", "reason": str(error)}
        if record.get("status") in STATUS_ORDER[1:] and is_counted(record):
            _refuse_other_numbers(slide, record)
            return record
        if record.get("status") == ended.get("status") == "needs_calibration":
            return record
        return {**ended, "status": "failed", "reason": f"{slide.result_json} is not the result that run.json names"}
    return ended


def mpp_of(record: Record) -> Mpp | None:
    """Return the pixel size that a slide was measured with, None where it was counted in pixels only.

    >>> mpp_of({"calibration": {"mpp_x_um": 0.5, "mpp_y_um": 0.25}})
    Mpp(x=0.5, y=0.25)
    """
    x, y = record["calibration"]["mpp_x_um"], record["calibration"]["mpp_y_um"]
    return None if x is None or y is None else Mpp(float(x), float(y))


def _refuse_other_numbers(slide: SlideLayout, record: Record) -> None:
    """Refuse to show numbers that are not what the counts and the pixel size make."""
    counts, mpp = record["counts"], mpp_of(record)
    parts = [*counts["n_px_by_class"], *(counts[f"n_px_{n}"] for n in ("unscanned", "outside_roi", "unreadable"))]
    if sum(parts) != counts["n_px_total"] or counts["n_px_total"] != record["width_px"] * record["height_px"]:
        raise CountMismatchError(
            f"{slide.result_json}: {sum(parts)} px are accounted for, the slide has {counts['n_px_total']}; the file "
            "was changed or is damaged, run the slide again"
        )
    for area in (*record["classes"], record["tumor"], record["tissue"]):
        expected = None if mpp is None or area["n_px"] is None else area_mm2(area["n_px"], mpp)
        found = area["area_mm2"]
        if (found is None) != (expected is None) or (
            expected is not None and not math.isclose(found, expected, rel_tol=_ROUND_OFF)
        ):
            raise CountMismatchError(
                f"{slide.result_json}: {area.get('name', 'a total')} is on record with {found} mm², but "
                f"{area['n_px']} px make {expected} mm²; the file was changed or is damaged, run the slide again"
            )
