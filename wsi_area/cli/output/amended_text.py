"""cli: an amended version as people and programs are told of it: each area beside the measured one, each correction."""

from collections.abc import Iterator, Sequence
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
_LISTED = 30
"""Corrections that are told one by one."""


def unchanged_lines(slide_id: str, listed: Sequence[CorrectionOnRecord]) -> Iterator[str]:
    """Yield that corrections leave every pixel what it was, so that there is no version, and each of them."""
    yield f"{slide_id}: no pixel is another one by these corrections, so no version is made"
    yield from _numbered(listed)


def _numbered(listed: Sequence[CorrectionOnRecord]) -> Iterator[str]:
    """Yield a line for each of some corrections, as far as somebody may read them all."""
    for number, one in enumerate(listed[:_LISTED], 1):
        yield f"  {number}. {_correction(one)}"
    if len(listed) > _LISTED:
        rest = listed[_LISTED:]
        idle = sum(not (one.n_px_changed or one.n_px_tissue_changed) for one in rest)
        yield f"  and {len(rest)} more, of which {idle} change nothing: amendment.listed in result.json has them"


def unchanged_document(run: OpenedRun, slide_id: str, listed: Sequence[CorrectionOnRecord]) -> dict[str, Any]:
    """Return the same for programs, with the newest result, which stays what it is."""
    measured, versions = _measured(run, slide_id), amended_slides(run.layout.slide(slide_id))
    stays = versions[-1].result if versions else measured
    return {
        "slide_id": slide_id,
        "version": None,
        "was_there": False,
        "path": str(versions[-1].layout.root if versions else run.layout.slide(slide_id).root),
        "content_hash": content_hash(stays),
        "listed": [one.model_dump(mode="json") for one in listed],
        "classes": _both(measured, stays),
        "result": document_of(stays),
    }


def amended_lines(run: OpenedRun, version: AmendedSlide) -> Iterator[str]:
    """Yield the version, each area that it changed, each correction, and where it lies."""
    measured, result = _measured(run, version.layout.slide_id), version.result
    yield f"{result.slide_id}: amended version {version.number}"
    before = {c.name: (c.n_px, c.area_mm2) for c in measured.classes}
    for c in result.classes:
        then_px, then_mm2 = before.get(c.name, (0, 0.0 if c.area_mm2 is not None else None))
        if then_px != c.n_px:
            told = f"{_area(then_px, then_mm2)} measured, {_area(c.n_px, c.area_mm2)} amended"
            yield f"  {c.name}: {_more(c.n_px - then_px, _less(c.area_mm2, then_mm2))}, {told}"
    if (measured.tissue.n_px, measured.tissue.area_mm2) != (result.tissue.n_px, result.tissue.area_mm2):
        then, now = measured.tissue, result.tissue
        told = f"{_area(then.n_px, then.area_mm2)} measured, {_area(now.n_px, now.area_mm2)} amended"
        more_px = (now.n_px or 0) - (then.n_px or 0)
        yield f"  tissue in all: {_more(more_px, _less(now.area_mm2, then.area_mm2))}, {told}"
    yield from _numbered(version.amendment.listed)
    for finding in result.findings:
        if finding not in measured.findings and finding.code.startswith(_TOLD):
            yield f"  {finding.code}: {finding.message}"
    if beside := versions_beside(run, version):
        of = f"version{'s' if len(beside) > 1 else ''} {', '.join(map(str, beside))}"
        yield f"  the corrections of {of} are not in it; to keep them, correct that version: name its base"
    yield f"  base of further corrections: {version.content_hash}"
    yield f"  in full: {version.layout.root}"


def versions_beside(run: OpenedRun, version: AmendedSlide) -> list[int]:
    """Return the earlier versions whose corrections are not in one, by number; those without a base are left out."""
    versions = {v.number: v for v in amended_slides(run.layout.slide(version.layout.slide_id)) if not v.is_base_gone}
    at: int | None = version.number
    held = set()
    while at is not None:
        held.add(at)
        at = versions[at].amendment.corrects if at in versions else None
    return [number for number in versions if number < version.number and number not in held]


def _correction(one: CorrectionOnRecord) -> str:
    what = f"{one.kind} {one.class_name}".strip()
    changed = one.n_px_changed + one.n_px_tissue_changed
    told = f", {_area(one.n_px_not_painted, one.clipped_mm2)} not painted" if one.n_px_not_painted else ""
    empty = "" if one.n_px_drawn else ", the centre of no pixel lies in it"
    done = f"{_area(changed, one.changed_mm2)} changed" if changed else f"nothing changed{empty}"
    return f"{what}: {done}{told} ({one.reviewer}, {one.utc})"


def _less(now_mm2: float | None, then_mm2: float | None) -> float | None:
    return None if now_mm2 is None or then_mm2 is None else now_mm2 - then_mm2


def _more(n_px: int, area_mm2: float | None) -> str:
    """Return a difference with its sign: equal digits of two areas say nothing of it."""
    return ("+" if n_px >= 0 else "−") + _area(abs(n_px), None if area_mm2 is None else abs(area_mm2))


def _area(n_px: int | None, area_mm2: float | None) -> str:
    return f"{n_px} px" if area_mm2 is None else f"{mm2_text(area_mm2)} mm²"


def versions_lines(run: OpenedRun, slide_id: str) -> Iterator[str]:
    """Yield the results of a slide that corrections may be for, each with the base that a file has to name."""
    measured = _measured(run, slide_id)
    yield f"{slide_id}: measured, {_classes(measured)}"
    yield f"  base {content_hash(measured)}"
    for version in amended_slides(run.layout.slide(slide_id)):
        told = version.amendment
        gone = "; its base is gone: the slide was measured again since" if version.is_base_gone else ""
        of = "what was measured" if told.corrects is None else f"version {told.corrects}"
        yield f"{slide_id}: amended version {version.number} of {of}{gone}, {_classes(version.result)}"
        yield from _numbered([one for one in told.listed if one.version == version.number])
        yield f"  base {version.content_hash}"


def _classes(slide: CountedSlide) -> str:
    """Return the areas of a slide's classes, background left out."""
    return ", ".join(f"{c.name} {_area(c.n_px, c.area_mm2)}" for c in slide.classes[1:])


def versions_document(run: OpenedRun, slide_id: str) -> dict[str, Any]:
    """Return the same for programs."""
    versions = amended_slides(run.layout.slide(slide_id))
    return {
        "slide_id": slide_id,
        "measured": content_hash(_measured(run, slide_id)),
        "versions": [
            {"number": v.number, "content_hash": v.content_hash, "base": v.base_content_hash,
             "is_base_gone": v.is_base_gone, "corrects": v.amendment.corrects,
             "areas_mm2": {c.name: c.area_mm2 for c in v.result.classes},
             "listed": [one.model_dump(mode="json") for one in v.amendment.listed]} for v in versions
        ],
    }  # fmt: skip


def version_document(run: OpenedRun, version: AmendedSlide, *, was_there: bool) -> dict[str, Any]:
    """Return an amended version for programs: its result, and the areas measured beside those amended."""
    measured, result = _measured(run, version.layout.slide_id), version.result
    return {
        "slide_id": result.slide_id,
        "version": version.number,
        "was_there": was_there,
        "versions_beside": versions_beside(run, version),
        "path": str(version.layout.root),
        "base": version.base_content_hash,
        "content_hash": version.content_hash,
        "classes": _both(measured, result),
        "result": document_of(result),
    }


def _both(measured: CountedSlide, amended: CountedSlide) -> list[dict[str, Any]]:
    """Return each class as measured and as amended."""
    then = {c.name: c for c in measured.classes}
    return [
        {"name": c.name, "measured_px": then[c.name].n_px if c.name in then else 0, "amended_px": c.n_px,
         "measured_mm2": then[c.name].area_mm2 if c.name in then else None, "amended_mm2": c.area_mm2}
        for c in amended.classes
    ]  # fmt: skip


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
    """Return the outcome of a file of corrections that was given with a run, in a line."""
    name, file = laid.given.slide_id, laid.given.file
    if laid.outcome is None:
        return f"{name}: {file} was not laid: {laid.reason}"
    version = laid.outcome.version
    if version is None:
        return f"{name}: no pixel is another one by {file}, so no version is made"
    return f"{name}: {file} makes the amended version {version.number}"


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
