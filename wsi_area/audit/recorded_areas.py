"""run: the numbers of one slide of a finished run that its areas were made from, read back and checked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import CountMismatchError, ResultError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.results.record import is_counted
from wsi_area.results.run_folder import Standing, Wish, decide, read_folder
from wsi_area.storage.place import Place

_ROUND_OFF = 1e-9  # relative; the same product in another order differs in the last bits only
_WITHOUT_TABLES = {Standing.ABSENT, Standing.EMPTY, Standing.UNMERGED}  # that could say another thing than a document


@dataclass(frozen=True, slots=True)
class RecordedArea:
    """One class, or the tumour, as the run recorded it."""

    name: str
    n_px: int
    area_mm2: float | None


@dataclass(frozen=True, slots=True)
class RecordedSlide:
    """What a slide's areas were made from."""

    slide_id: str
    mpp: Mpp | None
    source: str
    reason: str  # why this pixel size, or why none
    areas: tuple[RecordedArea, ...]
    lacking: str = ""  # what the areas lack, where the slide is incomplete


def recorded_slide(run: Place, slide_id: str | None = None, class_name: str | None = None) -> RecordedSlide:
    """Return one slide of a run, every area computed again from its count and found the same.

    Raises
    ------
    ResultError
        There is no such run or slide, the slide failed, or its result lacks a key.
    CountMismatchError
        An area on record is not its count times the pixel size on record.
    SettingsError
        The run has several slides and none was named, or no such class.
    """
    layout = RunLayout(run)
    name = slide_id if slide_id is not None else _only_slide(layout)
    if Path(name).name != name:
        raise SettingsError(f"{name!r} is not the id of a slide; see {layout.slides}")
    _refuse_earlier(layout, name)
    return areas_on_record(layout, name, class_name)


def _refuse_earlier(layout: RunLayout, name: str) -> None:
    """Refuse what lies in the folder of a slide that failed in this run, or left it: it is of an earlier one."""
    slide = layout.slide(name)
    folder = read_folder(layout)
    if folder.standing in _WITHOUT_TABLES or not slide.result_json.exists():
        return
    decide(folder, Wish.READ)
    about = folder.earlier or {}
    ended = about.get("slides", {}).get(name, {})
    if ended.get("status") == "failed" and is_counted(read_json(slide.result_json)):
        raise ResultError(
            f"{layout.root}: slide {name} failed in this run ({ended.get('reason', 'no reason on record')}); the "
            f"result in {slide.root} is of an earlier one. Mend that and run the same command again, or read that file"
        )
    if name not in about.get("slides_planned", [name]):
        raise ResultError(
            f"{layout.root}: slide {name} is not in this run any more; the result in {slide.root} is of an earlier "
            "one. Measure it into this folder again, or read that file"
        )


def areas_on_record(layout: RunLayout, name: str, class_name: str | None = None) -> RecordedSlide:
    """Return what the document of one slide says, whatever run it is of; for the rest as `recorded_slide`."""
    path = layout.slide(name).result_json
    if not path.is_file():
        raise ResultError(f"{path}: there is no result of slide {name}; {_slides_text(layout)}")
    record = read_json(path)
    status = record.get("status")
    if status == "failed" or (status == "needs_calibration" and not is_counted(record)):
        why = record.get("reason", "no reason on record")
        raise ResultError(f"{path}: the slide ended as {status} and has no areas: {why}")
    calibration = _part(path, record, "calibration")
    areas = _areas(path, record)
    if class_name is not None:
        areas = [area for area in areas if area.name == class_name]
        if not areas:
            known = ", ".join(area.name for area in _areas(path, record))
            raise SettingsError(f"slide {name} has no class {class_name!r}; it has {known}")
    mpp = _mpp(path, calibration)
    _refuse_other_areas(path, mpp, areas)
    source, reason = str(calibration.get("source")), str(calibration.get("reason") or record.get("reason") or "")
    lacking = str(record.get("reason") or "tiles are missing") if record.get("status") == "incomplete" else ""
    return RecordedSlide(name, mpp, source, reason, tuple(areas), lacking)


def _only_slide(layout: RunLayout) -> str:
    found = _slide_ids(layout)
    if len(found) != 1:
        raise SettingsError(f"name one slide of the run: {_slides_text(layout)}")
    return found[0]


def _slide_ids(layout: RunLayout) -> list[str]:
    if not layout.slides.is_dir():
        raise ResultError(f"{layout.root}: this is no run folder (it has no {layout.slides.name}/); name one")
    return sorted(path.parent.name for path in layout.slides.glob(f"*/{layout.slide('x').result_json.name}"))


def _slides_text(layout: RunLayout) -> str:
    found = _slide_ids(layout)
    listed = ", ".join(found[:20]) + (f" and {len(found) - 20} more" if len(found) > 20 else "")
    return f"{layout.root} has {listed}" if found else f"{layout.root} has no results yet"


def _part(path: Place, record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = record.get(key)
    if not isinstance(part, Mapping):
        raise ResultError(f"{path}: it has no {key!r}; it was not written by this version, run the slide again")
    return part


def _mpp(path: Place, calibration: Mapping[str, Any]) -> Mpp | None:
    x, y = calibration.get("mpp_x_um"), calibration.get("mpp_y_um")
    if x is None and y is None:
        return None
    if not all(isinstance(um, int | float) and 0 < um < math.inf for um in (x, y)):
        raise ResultError(f"{path}: calibration.mpp_x_um and mpp_y_um are {x!r} and {y!r}; run the slide again")
    return Mpp(float(x or 0), float(y or 0))


def _areas(path: Place, record: Mapping[str, Any]) -> list[RecordedArea]:
    classes = record.get("classes")
    if not isinstance(classes, list):
        raise ResultError(f"{path}: it has no 'classes'; it was not written by this version, run the slide again")
    areas = [_area(path, entry, None) for entry in classes]
    tumor = record.get("tumor")
    if isinstance(tumor, Mapping) and tumor.get("n_px") is not None and len(_tumor_classes(classes)) > 1:
        areas.append(_area(path, tumor, "tumor"))  # with one tumour class it would be the same line again
    return areas


def _tumor_classes(classes: list[Any]) -> list[Any]:
    return [entry for entry in classes if isinstance(entry, Mapping) and entry.get("is_tumor")]


def _area(path: Place, entry: Any, name: str | None) -> RecordedArea:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("n_px"), int):
        raise ResultError(f"{path}: the count of {name or 'a class'} is missing; run the slide again")
    area = entry.get("area_mm2")
    return RecordedArea(name or str(entry.get("name")), entry["n_px"], None if area is None else float(area))


def _refuse_other_areas(path: Place, mpp: Mpp | None, areas: list[RecordedArea]) -> None:
    for area in areas:
        expected = None if mpp is None else area_mm2(area.n_px, mpp)
        same = area.area_mm2 is None if expected is None else (
            area.area_mm2 is not None and math.isclose(area.area_mm2, expected, rel_tol=_ROUND_OFF)
        )  # fmt: skip
        if not same:
            raise CountMismatchError(
                f"{path}: {area.name} is on record with {area.area_mm2} mm², but {area.n_px} px make {expected} mm²; "
                "the file was changed or is damaged, run the slide again"
            )
