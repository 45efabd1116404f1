"""results: repeat.json, the calibration that repeated measurements make, written and read back unchanged."""

from pydantic import ValidationError

from wsi_area.errors import ResultError
from wsi_area.model.documented import without_version
from wsi_area.model.uncertainty.repeat_study import RepeatStudy
from wsi_area.results.documents import document_of
from wsi_area.results.layout import read_json, write_json
from wsi_area.storage.place import Place

REPEAT_NAME = "repeat.json"


def write_repeat(place: Place, study: RepeatStudy) -> None:
    """Write a study; it is there whole, or not at all."""
    write_json(place, document_of(study))


def read_repeat(place: Place) -> RepeatStudy:
    """Return a study whose seal holds.

    Raises
    ------
    ResultError
        It is missing, damaged, or was changed since it was written.
    """
    try:
        study = RepeatStudy.model_validate(without_version(read_json(place)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ResultError(
            f"{place} is no calibration by repeats ({where}: {first['msg']}); make one with wsi-area repeat"
        ) from error
    if study.expected_seal != study.seal:
        raise ResultError(
            f"{place} was changed since it was written: its content makes the seal {study.expected_seal[:12]}…, it "
            f"says {study.seal[:12]}…; make it again with wsi-area repeat"
        )
    return study
