"""cli: an amended version as people and programs are told of it: each area beside the measured one, each correction."""

from collections.abc import Iterator
from typing import Any

from wsi_area.errors import ResultError
from wsi_area.model.corrections.amendment import CorrectionOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.amended import AmendedSlide, amended_slides
from wsi_area.results.content_hash import content_hash
from wsi_area.results.documents import document_of
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.tables.quantity import mm2_text
from wsi_area.run.amending.after_run import LaidCorrections

_TOLD = ("CORRECTION", "OUTLINE", "REGIONS_NOT_AMENDED")
"""How the codes of findings begin that say what became of a drawing."""


def amended_lines(run: OpenedRun, version: AmendedSlide) -> Iterator[str]:
    """Yield the version, each area that it changed, each correction, and where it lies."""
    measured, result = _measured(run, version.layout.slide_id), version.result
    yield f"{result.slide_id}: amended version {version.number}"
    before = {c.name: (c.n_px, c.area_mm2) for c in measured.classes}
    for c in result.classes:
        then_px, then_mm2 = before.get(c.name, (0, 0.0 if c.area_mm2 is not None else None))
        if then_px != c.n_px:
            yield f"  {c.name}: {_area(then_px, then_mm2)} measured, {_area(c.n_px, c.area_mm2)} amended"
    if (measured.tissue.n_px, measured.tissue.area_mm2) != (result.tissue.n_px, result.tissue.area_mm2):
        then, now = measured.tissue, result.tissue
        yield f"  tissue in all: {_area(then.n_px, then.area_mm2)} measured, {_area(now.n_px, now.area_mm2)} amended"
    yield from (f"  {number}. {_correction(one)}" for number, one in enumerate(version.amendment.listed, 1))
    for finding in result.findings:
        if finding not in measured.findings and finding.code.startswith(_TOLD):
            yield f"  {finding.code}: {finding.message}"
    yield f"  base of further corrections: {version.content_hash}"
    yield f"  in full: {version.layout.root}"


def _correction(one: CorrectionOnRecord) -> str:
    what = f"{one.kind} {one.class_name}".strip()
    changed = one.n_px_changed + one.n_px_tissue_changed
    clipped = one.n_px_unscanned + one.n_px_outside_roi + one.n_px_unreadable
    told = f", {_area(clipped, one.clipped_mm2)} not painted" if clipped else ""
    empty = "" if one.n_px_drawn else ", the centre of no pixel lies in it"
    done = f"{_area(changed, one.changed_mm2)} changed" if changed else f"nothing changed{empty}"
    return f"{what}: {done}{told} ({one.reviewer}, {one.utc})"


def _area(n_px: int | None, area_mm2: float | None) -> str:
    return f"{n_px} px" if area_mm2 is None else f"{mm2_text(area_mm2)} mm²"


def versions_lines(run: OpenedRun, slide_id: str) -> Iterator[str]:
    """Yield the results of a slide that corrections may be for, each with the base that a file has to name."""
    measured = _measured(run, slide_id)
    yield f"{slide_id}: measured, base {content_hash(measured)}"
    for version in amended_slides(run.layout.slide(slide_id)):
        gone = "; its base is gone: the slide was measured again since" if version.is_base_gone else ""
        yield f"{slide_id}: amended version {version.number}, base {version.content_hash}{gone}"


def versions_document(run: OpenedRun, slide_id: str) -> dict[str, Any]:
    """Return the same for programs."""
    versions = amended_slides(run.layout.slide(slide_id))
    return {
        "slide_id": slide_id,
        "measured": content_hash(_measured(run, slide_id)),
        "versions": [
            {"number": v.number, "content_hash": v.content_hash, "base": v.base_content_hash,
             "is_base_gone": v.is_base_gone} for v in versions
        ],
    }  # fmt: skip


def version_document(run: OpenedRun, version: AmendedSlide, *, was_there: bool) -> dict[str, Any]:
    """Return an amended version for programs: its result, and the areas measured beside those amended."""
    measured, result = _measured(run, version.layout.slide_id), version.result
    then = {c.name: c for c in measured.classes}
    return {
        "slide_id": result.slide_id,
        "version": version.number,
        "was_there": was_there,
        "path": str(version.layout.root),
        "base": version.base_content_hash,
        "content_hash": version.content_hash,
        "classes": [
            {"name": c.name, "measured_px": then[c.name].n_px if c.name in then else 0, "amended_px": c.n_px,
             "measured_mm2": then[c.name].area_mm2 if c.name in then else None, "amended_mm2": c.area_mm2}
            for c in result.classes
        ],
        "result": document_of(result),
    }  # fmt: skip


def versions_without_base(run: OpenedRun) -> dict[str, list[int]]:
    """Return the amended versions of each slide whose base is gone, by their numbers; slides without any are left out.

    Raises
    ------
    ResultError
        If a version cannot be read.
    """
    found = {
        slide_id: [v.number for v in amended_slides(run.layout.slide(slide_id)) if v.is_base_gone]
        for slide_id in run.run_record.slides_planned
    }
    return {slide_id: numbers for slide_id, numbers in found.items() if numbers}


def without_base_lines(gone: dict[str, list[int]]) -> Iterator[str]:
    """Yield a line for each slide that has amended versions whose base is gone."""
    for slide_id, numbers in gone.items():
        versions = f"version{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
        yield f"{slide_id}: the base of its amended {versions} is gone, since it was measured again; amend it again"


def laid_text(laid: LaidCorrections) -> str:
    """Return what became of a file of corrections that was given with a run, in a line."""
    name, file = laid.given.slide_id, laid.given.file
    if laid.outcome is None:
        return f"{name}: {file} was not laid: {laid.reason}"
    return f"{name}: {file} makes the amended version {laid.outcome.version.number}"


def laid_document(laid: LaidCorrections) -> dict[str, Any]:
    """Return the same for programs."""
    version = None if laid.outcome is None else laid.outcome.version
    return {
        "slide_id": laid.given.slide_id,
        "file": str(laid.given.file),
        "version": None if version is None else version.number,
        "content_hash": None if version is None else version.content_hash,
        "reason": laid.reason or None,
    }


def _measured(run: OpenedRun, slide_id: str) -> CountedSlide:
    if slide_id not in run:
        raise ResultError(f"{run.layout.root} has no slide {slide_id!r}; it has {', '.join(map(repr, run)) or 'none'}")
    return run[slide_id].counted
