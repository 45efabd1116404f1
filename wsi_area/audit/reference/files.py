"""audit: the folder of a draw in a run: what a reader gets, what stays out of sight, and what came of the answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from wsi_area.audit.reference.answers import POINT_COLUMNS
from wsi_area.audit.reference.draw import design_slide
from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.documented import without_version
from wsi_area.model.uncertainty.reference_design import ReferenceDesign
from wsi_area.model.uncertainty.reference_score import ReferenceScore
from wsi_area.results.csv_text import csv_bytes
from wsi_area.results.documents import document_of
from wsi_area.results.layout import RunLayout, read_json, write_bytes, write_json
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.seal.sealed_run import add_to_seal
from wsi_area.results.uncertainty.reference_scores import SCORE_NAME, reference_scores
from wsi_area.storage.place import Place

AREA_COLUMNS = ("slide_id", "class", "counted_mm2", "adjusted_mm2", "ci95_low_mm2", "ci95_high_mm2")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def folder_of(layout: RunLayout, name: str) -> Place:
    """Return the folder of a draw.

    Raises
    ------
    SettingsError
        The name would be no plain folder's.
    """
    if not name or not set(name) <= _NAME:
        raise SettingsError(f"--name {name!r}: use letters, digits, - and _ only")
    return layout.root / "reference" / name


def require_new(layout: RunLayout, name: str) -> Place:
    """Return the folder for a new draw; one that is there stays, since somebody may be answering it."""
    folder = folder_of(layout, name)
    if (folder / "design.json").exists():
        raise SettingsError(f"{folder} holds a draw already, which somebody may be answering; give another --name")
    return folder


def write_draw(layout: RunLayout, design: ReferenceDesign) -> list[Place]:
    """Write points.csv, the GeoJSON files and design.json; return their places."""
    folder = require_new(layout, design.name)
    rows = [{**_row(point), "answer": ""} for point in design.points]
    write_bytes(folder / "points.csv", csv_bytes(POINT_COLUMNS, rows))
    write_json(folder / "points.geojson", _geojson(rows))
    written = [folder / "points.csv", folder / "points.geojson"]
    slides = sorted({row["slide_id"] for row in rows})
    for slide_id in slides if len(slides) > 1 else ():  # QuPath takes the points of one slide at a time
        place = folder / "geojson" / f"{slide_id}.geojson"
        write_json(place, _geojson([row for row in rows if row["slide_id"] == slide_id]))
        written.append(place)
    write_json(folder / "design.json", document_of(design))
    return [*written, folder / "design.json"]


def _row(point: Any) -> dict[str, Any]:
    return {"point_id": point.point_id, "slide_id": point.slide_id, "x_px": point.x_px, "y_px": point.y_px}


def _geojson(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return points in the middle of their pixels, as QuPath imports them."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [row["x_px"] + 0.5, row["y_px"] + 0.5]},
                "properties": {"objectType": "annotation", "name": row["point_id"], "slide_id": row["slide_id"]},
            }
            for row in rows
        ],
    }


def read_design(run: OpenedRun, name: str) -> ReferenceDesign:
    """Return a draw of a run whose slides are still what they were.

    Raises
    ------
    SettingsError
        There is no such draw.
    ResultError
        It is damaged, or a slide was measured again since.
    """
    place = folder_of(run.layout, name) / "design.json"
    if not place.exists():
        there = ", ".join(names_of(run.layout)) or "none"
        raise SettingsError(f"{run.layout.root} has no draw {name!r} (it has {there}); see wsi-area reference draw")
    try:
        design = ReferenceDesign.model_validate(without_version(read_json(place)))
    except ValidationError as error:
        raise ResultError(
            f"{place} was changed ({error.error_count()} faults); draw again with another --name"
        ) from error
    for told in (*design.slides, *design.not_drawn):
        slide = run.get(told.slide_id)
        if slide is None or not slide.is_counted or design_slide(slide) != told:
            raise ResultError(
                f"{told.slide_id} was measured again since {name!r} was drawn, so its points are of another map; draw "
                "again with another --name: answers can be given to new points only"
            )
    return design


def names_of(layout: RunLayout) -> list[str]:
    """Return the names of the draws of a run."""
    return sorted(place.parent.name for place in (layout.root / "reference").glob("*/design.json"))


def name_of_draw(layout: RunLayout, point_id: str) -> str:
    """Return the name of the draw that a point is of; ids begin with what is each draw's own.

    Raises
    ------
    SettingsError
        It is of none, or of several that are equal.
    """
    draws = names_of(layout)
    found = [name for name in draws if _has(layout, name, point_id)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(draws) or "none"
    of = "none" if not found else ", ".join(found)
    raise SettingsError(
        f"point {point_id!r} is of {of} of the draws in {layout.root} (it has {there}); name the draw with --name, or "
        "draw with wsi-area reference draw"
    )


def _has(layout: RunLayout, name: str, point_id: str) -> bool:
    points = read_json(folder_of(layout, name) / "design.json").get("points")
    return isinstance(points, list) and any(isinstance(p, dict) and p.get("point_id") == point_id for p in points)


def totals_of(run: OpenedRun) -> dict[str, frozenset[str]]:
    """Return the classes that tumour, positive and tissue are made of in a run, as far as there are any.

    Where the tissue is a layer of its own, no classes make it up.
    """
    counted = [slide.counted for slide in run.values() if slide.is_counted]
    classes = [c for slide in counted for c in slide.classes]
    found = {
        "tumor": frozenset(c.name for c in classes if c.is_tumor),
        "positive": frozenset(c.name for c in classes if c.is_positive),
        "tissue": frozenset(c.name for c in classes if c.is_tissue),
    }
    if any(slide.tissue_layer is not None for slide in counted):
        del found["tissue"]
    return {name: members for name, members in found.items() if members}


def unless_shown(layout: RunLayout, score: ReferenceScore) -> ReferenceScore:
    """Return a score, or the same with its earlier time where it is the one that is shown: then no file changes."""
    newest = next(iter(reference_scores(layout)), None)
    return newest if newest is not None and newest.model_copy(update={"scored": score.scored}) == score else score


def write_score(layout: RunLayout, score: ReferenceScore, answers: Sequence[tuple[str, bytes]]) -> Place:
    """Write areas.csv, score.json and the answers themselves beside the points, and add them to the seal."""
    folder = folder_of(layout, score.draw)
    rows = [area.model_dump(mode="json") for area in score.areas]
    write_bytes(folder / "areas.csv", csv_bytes(AREA_COLUMNS, rows))
    write_json(folder / SCORE_NAME, document_of(score))
    places = [folder / "areas.csv", folder / SCORE_NAME, folder / "design.json", folder / "points.csv"]
    for reader, content in answers:
        place = folder / "answers" / f"{reader}.csv"
        write_bytes(place, content)
        places.append(place)
    add_to_seal(layout, f"reference {score.draw}", places)
    return folder / "areas.csv"
