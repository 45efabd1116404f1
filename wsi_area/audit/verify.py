"""run: a finished run held against itself: class maps, ledgers, documents and tables must say the same."""

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsi_area.audit.recorded_areas import areas_on_record
from wsi_area.compute.count.recount import WorkGrid, disagreement
from wsi_area.errors import CountMismatchError, ResultError, SlideError, WsiAreaError
from wsi_area.model.geometry import Size
from wsi_area.model.ledger import LedgerLayout
from wsi_area.results.class_map.store import ledger_attributes, ledger_rows
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.layout import LEDGER_ARRAY, SCHEMA_VERSION, RunLayout, SlideLayout, read_json
from wsi_area.results.record import is_counted
from wsi_area.results.same_content import SAME_CONTENT, measured_documents, same_content, with_same_content
from wsi_area.results.tables.run_tables import summary_row
from wsi_area.results.unmerged import refuse_unmerged
from wsi_area.slides import inspect
from wsi_area.storage.place import Place

_KNOWN_STATUSES = {"complete", "incomplete", "needs_calibration", "failed"}


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing in a run that contradicts another."""

    slide_id: str  # "" where it concerns the run as a whole
    what: str
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what did not agree."""

    slides: int
    tiles: int
    disagreements: tuple[Disagreement, ...]


def verify_run(run: Place, *, with_slides: bool = True) -> Verified:
    """Return every disagreement in a run folder; nothing in it is changed.

    For each measured slide: the class map is counted again, tile by tile, and held against the ledger; the ledger
    against the document and the size of the slide; each area against its count; the row in ``summary.csv`` against
    the document; the key of the ledger against that of the document; and, where the slide file can be reached, its
    fingerprint against the one on record. Of all slides together: which files hold the same.

    Parameters
    ----------
    run : Place
        The folder that ``--out`` named.
    with_slides : bool
        Whether the slide files themselves are looked at.

    Raises
    ------
    ResultError
        If the folder holds no run.
    """
    layout = RunLayout(run)
    refuse_unmerged(layout)
    about = read_json(layout.run_json)
    found = list(_run_faults(about))
    rows = {row["slide_id"]: row for row in _summary(layout)}
    tiles = 0
    planned = [str(name) for name in about.get("slides_planned", ())]
    for slide_id in planned:
        checked, faults = _verify_slide(layout, slide_id, about, rows.get(slide_id), with_slides)
        tiles += checked
        found += faults
    told, known = about.get(SAME_CONTENT, []), same_content(measured_documents(layout, about)).get(SAME_CONTENT, [])
    if about.get("state") == "finished" and told != known:
        found.append(
            Disagreement("", "run.json", f"slides that hold the same are {told} in it, {known} by their files")
        )
    return Verified(len(planned), tiles, tuple(found))


def _run_faults(about: Mapping[str, Any]) -> Iterator[Disagreement]:
    if about.get("schema_version") != SCHEMA_VERSION:
        yield Disagreement(
            "", "schema", f"run.json has schema {about.get('schema_version')}, known is {SCHEMA_VERSION}"
        )
    if about.get("state") != "finished":
        yield Disagreement("", "run", f"the run is {about.get('state')!r}; run the same command again to finish it")


def _summary(layout: RunLayout) -> list[dict[str, str]]:
    path = layout.root / "summary.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _verify_slide(
    run: RunLayout, slide_id: str, about: Mapping[str, Any], row: Mapping[str, str] | None, with_slides: bool
) -> tuple[int, list[Disagreement]]:
    """Return how many tiles were recounted, and what does not agree."""
    status = about.get("slides", {}).get(slide_id, {}).get("status")

    def fault(what: str, message: str) -> Disagreement:
        return Disagreement(slide_id, what, message)

    if row is None:
        return 0, [fault("summary.csv", "the slide was planned and has no row; run the same command again")]
    if row["status"] != status or status not in _KNOWN_STATUSES:
        return 0, [fault("status", f"run.json says {status!r}, summary.csv {row['status']!r}")]
    if status == "failed":
        return 0, []
    layout = run.slide(slide_id)
    try:
        record = read_json(layout.result_json)
        if status == "needs_calibration" and not is_counted(record):
            return 0, []
        areas_on_record(run, slide_id)
        tiles, found = _recount(layout, record)
        found += _document_faults(layout, with_same_content(record, about), row, status)
    except CountMismatchError as error:
        return 0, [fault("area", str(error))]
    except WsiAreaError as error:
        return 0, [fault("record", str(error))]
    except (KeyError, TypeError) as error:
        return 0, [
            fault("record", f"{layout.result_json} lacks or garbles {error}; measure the slide again with --force")
        ]
    if with_slides:
        found += _slide_faults(record)
    return tiles, [fault(what, message) for what, message in found]


def _recount(layout: SlideLayout, record: Mapping[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    grid = _grid(record)
    columns = LedgerLayout(len(record["classes"]))
    rows = ledger_rows(layout)
    if rows.shape != (*grid.shape, len(columns.columns)):
        return 0, [("ledger", f"{LEDGER_ARRAY} has the shape {rows.shape}, the plan on record {grid.shape} tiles")]
    class_map = open_class_map(layout)
    size = grid.size_px
    if class_map.shape != (size.height_px, size.width_px):
        return 0, [("class map", f"its shape is {class_map.shape}, not {(size.height_px, size.width_px)} as on record")]
    widths, heights = grid.weights()
    found: list[tuple[str, str]] = []
    for tile_row in range(grid.shape[0]):
        for tile_col in range(grid.shape[1]):
            core = grid.tile(tile_row, tile_col)
            try:
                seen = class_map[core.y_px : core.bottom_px, core.x_px : core.right_px]
                fault = disagreement(
                    seen, rows[tile_row, tile_col], columns,
                    widths[core.x_px : core.right_px], heights[core.y_px : core.bottom_px],
                )  # fmt: skip
            except ResultError as error:
                fault = f"its part of the class map is damaged: {error}"
            if fault is not None:
                found.append((f"tile row {tile_row} col {tile_col}", fault))
    return grid.shape[0] * grid.shape[1], [*found, *_total_faults(record, columns, rows)]


def _grid(record: Mapping[str, Any]) -> WorkGrid:
    work = record["work"]
    level = record["levels"][work["level"]]["size_px"]
    return WorkGrid(
        Size(record["width_px"], record["height_px"]),
        Size(level["width_px"], level["height_px"]),
        work["reduce_factor"],
        work["tile_px"],
    )


def _total_faults(record: Mapping[str, Any], columns: LedgerLayout, rows: Any) -> Iterator[tuple[str, str]]:
    total = columns.total(rows.reshape(-1, rows.shape[-1]))
    counts, slide_px = record["counts"], record["width_px"] * record["height_px"]
    told = (*counts["n_px_by_class"], counts["n_px_unscanned"], counts["n_px_outside_roi"], counts["n_px_unreadable"])
    summed = (*total.px_by_class, total.unscanned_px, total.outside_roi_px, total.unreadable_px)
    if tuple(told) != summed:
        yield "counts", f"result.json says {told}, the rows of the ledger add up to {summed}"
    if total.total_px != slide_px:
        yield "accounting law", f"{total.total_px} px are accounted for, the slide has {slide_px}"
    by_class = tuple(c["n_px"] for c in record["classes"])
    if by_class != total.px_by_class:
        yield "classes", f"result.json lists {by_class}, the ledger adds up to {total.px_by_class}"


def _document_faults(
    layout: SlideLayout, record: Mapping[str, Any], row: Mapping[str, str], status: str
) -> Iterator[tuple[str, str]]:
    if record.get("schema_version") != SCHEMA_VERSION:
        yield "schema", f"result.json has schema {record.get('schema_version')}, known is {SCHEMA_VERSION}"
    if record["status"] != status:
        yield "status", f"result.json says {record['status']!r}, run.json {status!r}"
    made_from = ledger_attributes(layout)["made_from"]
    for part in sorted({*made_from, *record["made_from"]}):
        then, now = made_from.get(part), record["made_from"].get(part)
        if then != now:
            yield "made from", f"the ledger was made from another {part.replace('_', ' ')} ({then}) than told ({now})"
    for name, value in summary_row(record).items():
        if not _same(row.get(name), value):
            yield "summary.csv", f"{name} is {row.get(name)!r}, result.json gives {value!r}"


def _same(cell: str | None, value: Any) -> bool:
    """Return whether a cell of the table holds a value: numbers to the last digit, nothing as empty."""
    if value is None:
        return cell in {None, ""}
    if cell is None:
        return False
    if isinstance(value, float):
        try:
            return float(cell) == value or math.isclose(float(cell), value, rel_tol=1e-15)
        except ValueError:
            return False
    return cell == (str(value).lower() if isinstance(value, bool) else str(value))


def _slide_faults(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    path = Path(record["path"])
    if not path.exists():
        return []  # archived since; the counts can still be verified
    try:
        now = inspect(path, slide_id=record["slide_id"]).fingerprint
    except SlideError as error:
        return [("slide file", f"{path} cannot be opened any more ({error})")]
    if now == record["fingerprint"]:
        return []
    return [("slide file", f"{path} is no longer the file that was measured: its fingerprint differs")]
