"""results: result.json and run.json read into the values that the model has of them, and written from these.

The only place where such a document is a mapping with keys. A document of an earlier version opens: what it lacks has a
default on its field. One of a later version is refused, by every command in the same words.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from wsi_area.errors import ResultError
from wsi_area.model.corrections.amendment import AmendedSeal
from wsi_area.model.documented import PLAIN, SCHEMA_VERSION, without_version
from wsi_area.model.record.run_seal import RunSeal
from wsi_area.model.run_record import RunRecord, TaskRecord
from wsi_area.model.slide_result import CountedSlide, EndedSlide, FailedSlide, SlideResult, UncountedSlide
from wsi_area.plain_text import plain_values
from wsi_area.results.layout import RunLayout, SlideLayout, json_bytes, read_json, write_bytes, write_json
from wsi_area.storage.place import Place

V = TypeVar("V", bound=BaseModel)


def read_result(layout: SlideLayout) -> SlideResult:
    """Return the result of one slide, read from its result.json.

    Raises
    ------
    NewerDocumentError
        If a later version wrote it.
    ResultError
        If it is missing, damaged, or lacks or garbles a field.
    """
    document = read_json(layout.result_json)
    if "classes" in document:
        return _value(CountedSlide, document, layout.result_json)
    return _value(UncountedSlide, document, layout.result_json)


def earlier_result(layout: SlideLayout) -> CountedSlide | None:
    """Return the counted slide whose result lies there from before; None where there is none that can be read."""
    try:
        found = read_result(layout)
    except ResultError:
        return None
    return found if isinstance(found, CountedSlide) else None


def write_result(layout: SlideLayout, slide: SlideResult) -> None:
    """Write the result of one slide; it is there whole, or not at all."""
    write_json(layout.result_json, document_of(slide))


def read_run(layout: RunLayout) -> RunRecord:
    """Return the record of what ran and how it ended, read from run.json; for errors as `read_result`."""
    return _value(RunRecord, read_json(layout.run_json), layout.run_json)


def write_run(layout: RunLayout, run: RunRecord) -> None:
    """Write run.json; it is there whole, or not at all."""
    write_bytes(layout.run_json, run_bytes(run))


def run_bytes(run: RunRecord) -> bytes:
    """Return the bytes of run.json, as `write_run` writes them."""
    return json_bytes(document_of(run))


def read_seal(layout: RunLayout) -> RunSeal:
    """Return the seal of a run, read from seal.json; for errors as `read_result`."""
    return _value(RunSeal, read_json(layout.seal_json), layout.seal_json)


def write_seal(layout: RunLayout, seal: RunSeal) -> None:
    """Write seal.json; it is there whole, or not at all."""
    write_json(layout.seal_json, document_of(seal))


def read_amended_seal(layout: SlideLayout) -> AmendedSeal:
    """Return the seal of an amended version of a slide, read from its folder; for errors as `read_result`."""
    return _value(AmendedSeal, read_json(layout.seal_json), layout.seal_json)


def write_amended_seal(layout: SlideLayout, seal: AmendedSeal) -> None:
    """Write the seal of an amended version; it is there whole, or not at all."""
    write_json(layout.seal_json, document_of(seal))


def read_task(layout: RunLayout, index: int, count: int) -> TaskRecord:
    """Return the record that one task of a job array keeps of its slides; for errors as `read_result`."""
    path = layout.task(index, count)
    return _value(TaskRecord, read_json(path), path)


def document_of(value: BaseModel) -> dict[str, Any]:
    """Return a value as the document that is written, JSON-ready, its schema version first."""
    return {"schema_version": SCHEMA_VERSION, **value.model_dump(mode="json")}


def ended_slide(document: Mapping[str, Any], where: Place) -> EndedSlide:
    """Return the end of a slide, from a document inside another, whatever became of the slide.

    Raises
    ------
    ResultError
        If it lacks or garbles a field; ``where`` names the file.
    """
    kinds: dict[str, type[EndedSlide]] = {
        "classes": CountedSlide, "config_hash": UncountedSlide, "error": FailedSlide
    }  # fmt: skip
    kind = next((kinds[key] for key in kinds if key in document), EndedSlide)
    return _value(kind, document, where)


def _value(kind: type[V], document: Mapping[str, Any], path: Place) -> V:
    try:
        return kind.model_validate(plain_values(without_version(document)), context=PLAIN)
    except ValidationError as error:
        raise ResultError(f"{path} {_fault(error)}; it was changed or is damaged: measure the slide again") from error


def _fault(error: ValidationError) -> str:
    """Return the fault of the first field that has one."""
    first = error.errors(include_url=False, include_input=True)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"lacks or garbles {place or 'a field'} ({first['msg']}, found {str(first.get('input'))[:80]!r})"
