"""inputs: which cores a tissue microarray has, from its map; and where they lie, from a grid somebody corrected."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import shapely

from wsi_area.compute.sections.cores import MapCore, core_name, full_map
from wsi_area.errors import SettingsError
from wsi_area.inputs.listed_names import read_names
from wsi_area.inputs.manifest import csv_lines
from wsi_area.settings.section_settings import TmaSettings

MAP_COLUMNS = ("row", "column", "name", "patient")
GRID_COLUMNS = ("slide_id", *MAP_COLUMNS, "status", "x_l0_px", "y_l0_px")
MOST_CORES = 5000
_USUAL = re.compile(r"([A-Za-z]{1,2})[ -]?0*([1-9][0-9]{0,2})")
_MOST_GRID_BYTES = 1 << 26


def wanted_cores(settings: TmaSettings, slide_id: str) -> tuple[MapCore, ...]:
    """Return the cores that a slide should have; none where nobody said which.

    Raises
    ------
    SettingsError
        Naming the file and the line, if a map or a grid is wrong.
    """
    mapped = () if settings.map is None else read_map(settings.map)
    if settings.grid is not None:
        return _with_patients(read_grid(settings.grid, slide_id), mapped)
    if settings.rows is not None and settings.columns is not None:
        return full_map(settings.rows, settings.columns)
    return mapped


def read_map(path: Path) -> tuple[MapCore, ...]:
    """Return the cores of a map: a CSV with row and column, or a usual name such as B7; a name and a patient.

    Raises
    ------
    SettingsError
        Naming the file and the line.
    """
    cores = []
    for line, cells in csv_lines(path, MAP_COLUMNS, (), what="the map of the array"):
        cores.append(_mapped(f"{path}, line {line}", cells, needs_place=True))
    return _distinct(path, cores)


def read_grid(path: Path, slide_id: str) -> tuple[MapCore, ...]:
    """Return the cores of one slide with their centres: from a CSV such as a run writes, or from GeoJSON.

    Raises
    ------
    SettingsError
        Naming the file, and the line or feature.
    """
    if path.name.casefold().endswith((".geojson", ".json", ".geojson.gz")):
        return _distinct(path, _features(path))
    cores, others = [], Counter[str]()
    for line, cells in csv_lines(path, GRID_COLUMNS, ("x_l0_px", "y_l0_px"), what="the grid of the array"):
        where = f"{path}, line {line}"
        if cells.get("slide_id", slide_id) not in ("", slide_id):
            others[cells["slide_id"]] += 1
            continue
        core = _mapped(where, cells, needs_place=False)
        cores.append(replace(core, xy_l0_px=(_number(where, cells, "x_l0_px"), _number(where, cells, "y_l0_px"))))
    if others and not cores:
        raise SettingsError(
            f"{path}: it has cores of {', '.join(others)} and none of {slide_id}; name the slide in slide_id, or leave "
            "that column out"
        )
    return _distinct(path, cores)


def _mapped(where: str, cells: Mapping[str, str], *, needs_place: bool) -> MapCore:
    name, row, column = (cells.get(key, "") for key in ("name", "row", "column"))
    usual = _USUAL.fullmatch(name)
    if not row and not column and usual is not None:
        row, column = usual[1], usual[2]
    if bool(row) != bool(column) or (needs_place and not row):
        raise SettingsError(
            f"{where}: row {row!r}, column {column!r}, name {name!r}; give row and column, or a name like B7"
        )
    if not row and not name:
        raise SettingsError(f"{where}: the core has no name; give one, or row and column")
    places = (_row_number(where, row), _whole(where, "column", column)) if row else (0, 0)
    return MapCore(*places, name or core_name(*places), cells.get("patient", ""))


def _row_number(where: str, text: str) -> int:
    if text.isascii() and text.isalpha() and len(text) <= 2:
        number = 0
        for letter in text.upper():
            number = 26 * number + ord(letter) - 64
        return number
    return _whole(where, "row", text)


def _whole(where: str, what: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 500):
        raise SettingsError(
            f"{where}: {what} is {text!r}; write a whole number from 1 to 500"
            + (", or a letter" if what == "row" else "")
        )
    return int(text)


def _number(where: str, cells: Mapping[str, str], column: str) -> float:
    try:
        value = float(cells[column])
        if not abs(value) < 1e9:
            raise ValueError
    except ValueError:
        raise SettingsError(
            f"{where}: {column} is {cells[column]!r}; write the core's centre in level-0 pixels"
        ) from None
    return value


def _features(path: Path) -> list[MapCore]:
    """Return the cores of GeoJSON: the centre of each feature that has a name, as a viewer exports an array."""
    text = _unpacked(path) if path.suffix.casefold() == ".gz" else read_names(path, "the grid of the array")
    if len(text) > _MOST_GRID_BYTES:
        raise SettingsError(
            f"{path}: it has {len(text)} characters, the most is {_MOST_GRID_BYTES}; export the cores alone"
        )
    try:
        content = json.loads(text)
        features = content["features"] if isinstance(content, dict) else content
        return [core for n, feature in enumerate(features, 1) if (core := _feature(f"{path}, feature {n}", feature))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, shapely.errors.ShapelyError) as error:
        raise SettingsError(
            f"{path}: it is no GeoJSON of cores ({type(error).__name__}: {error}); export it again"
        ) from error


def _unpacked(path: Path) -> str:
    try:
        with gzip.open(path) as file:
            return file.read(_MOST_GRID_BYTES + 1).decode()
    except (OSError, EOFError, ValueError) as error:
        raise SettingsError(f"{path}: the grid of the array cannot be read ({error}); export it again") from error


def _feature(where: str, feature: Mapping[str, Any]) -> MapCore | None:
    told = feature.get("properties") or {}
    name, patient = told.get("name"), told.get("patient") or told.get("parent") or ""
    kind = (told.get("classification") or {}).get("name", "core")
    # of all regions that a run exports only the cores are meant, without what lies outside of them
    is_rest = name == "rest" and kind == "core"
    if not isinstance(name, str) or not name or not isinstance(patient, str) or kind == "section" or is_rest:
        return None
    centre = shapely.from_geojson(json.dumps(feature["geometry"])).centroid
    if centre.is_empty:
        raise SettingsError(f"{where}: the core {name!r} has no place; draw it, or leave it out")
    core = _mapped(where, {"name": name, "patient": patient}, needs_place=False)
    return replace(core, xy_l0_px=(float(centre.x), float(centre.y)))


def _with_patients(cores: Sequence[MapCore], mapped: Iterable[MapCore]) -> tuple[MapCore, ...]:
    """Return cores with the patient that the map has for their name, where they have none."""
    of_name = {core.name: core.patient for core in mapped}
    return tuple(replace(core, patient=core.patient or of_name.get(core.name, "")) for core in cores)


def _distinct(path: Path, cores: Sequence[MapCore]) -> tuple[MapCore, ...]:
    if not cores:
        raise SettingsError(f"{path}: it has no core; give one line a core below row,column,name,patient")
    if len(cores) > MOST_CORES:
        raise SettingsError(f"{path}: it has {len(cores)} cores, the most is {MOST_CORES}; give one array")
    for what, told in (
        ("name", Counter(core.name for core in cores)),
        ("row and column", Counter(f"{core.row}, {core.column}" for core in cores if core.row)),
    ):
        twice = [value for value, count in told.items() if count > 1]
        if twice:
            raise SettingsError(
                f"{path}: {what} {twice[0]} stands {told[twice[0]]} times; give each core one of its own"
            )
    return tuple(cores)
