"""run: a finished run held against itself: class maps, ledgers, documents and tables must say the same."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wsi_area.compute.count.recount import disagreement
from wsi_area.errors import CountMismatchError, NewerDocumentError, ResultError, SlideError, WsiAreaError
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.plain_text import named_file
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.certificate import certificate_of
from wsi_area.results.class_map.store import ledger_attributes, ledger_rows
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.documents import read_result
from wsi_area.results.layout import LEDGER_ARRAY, RunLayout, SlideLayout, text_of_csv
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.results.run_folder import require_readable
from wsi_area.results.same_content import measured_slides, same_content, with_same_content
from wsi_area.results.sound_areas import require_areas
from wsi_area.results.tables.run_tables import summary_row
from wsi_area.slides import inspect
from wsi_area.storage.place import Place


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


def verify_run(folder: Place, *, with_slides: bool = True) -> Verified:
    """Return every disagreement in a run folder; nothing in it is changed.

    For each measured slide: the class map is counted again, tile by tile, and held against the ledger; the ledger
    against the document and the size of the slide; each area against its count; the certificate against its hash and
    the rest of the document; the row in ``summary.csv`` against the document; the key of the ledger against that of the
    document; and, where the slide file can be reached, its fingerprint against the one on record. Of all slides
    together: which files hold the same.

    Parameters
    ----------
    folder : Place
        The folder that ``--out`` named.
    with_slides : bool
        Whether the slide files themselves are looked at.

    Raises
    ------
    ResultError
        If the folder holds no run.
    """
    layout = RunLayout(folder)
    run = require_readable(layout)
    found = list(_run_faults(run))
    rows = {row["slide_id"]: row for row in _summary(layout)}
    tiles = 0
    for slide_id in run.slides_planned:
        checked, faults = _verify_slide(layout, slide_id, run, rows.get(slide_id), with_slides)
        tiles += checked
        found += faults
    told, known = run.twins, same_content(measured_slides(layout, run.ended_slides))
    if run.state == "finished" and told != known:
        found.append(
            Disagreement(
                "", "run.json", f"slides that hold the same are {_groups(told)} in it, {_groups(known)} by their files"
            )
        )
    return Verified(len(run.slides_planned), tiles, tuple(found))


def _groups(twins: Iterable[Sequence[str]]) -> str:
    return "; ".join(" = ".join(names) for names in twins) or "none"


def _run_faults(run: RunRecord) -> Iterator[Disagreement]:
    if run.state != "finished":
        yield Disagreement("", "run", f"the run is {run.state!r}; run the same command again to finish it")


def _summary(layout: RunLayout) -> list[dict[str, str]]:
    path = layout.root / "summary.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{name: text_of_csv(cell or "") for name, cell in row.items() if name is not None} for row in rows]


def _verify_slide(
    folder: RunLayout, slide_id: str, run: RunRecord, row: Mapping[str, str] | None, with_slides: bool
) -> tuple[int, list[Disagreement]]:
    """Return how many tiles were recounted, and what does not agree."""
    ended = run.ended_slides.get(slide_id)
    status = None if ended is None else ended.status

    def fault(what: str, message: str) -> Disagreement:
        return Disagreement(slide_id, what, message)

    if row is None:
        return 0, [fault("summary.csv", "the slide was planned and has no row; run the same command again")]
    if status is None or row["status"] != status:
        return 0, [fault("status", f"run.json says {status!r}, summary.csv {row['status']!r}")]
    if status == "failed":
        return 0, []
    layout = folder.slide(slide_id)
    try:
        slide = read_result(layout)
        if not isinstance(slide, CountedSlide):
            faults = [] if status == "needs_calibration" else [("status", f"result.json says {slide.status!r}")]
            return 0, [fault(what, message) for what, message in faults]
        require_areas(slide, layout.result_json)
        tiles, found = _recount(layout, slide)
        found += _document_faults(layout, with_same_content(slide, run.twins), row, status)
    except NewerDocumentError:
        raise
    except CountMismatchError as error:
        return 0, [fault("area", str(error))]
    except WsiAreaError as error:
        return 0, [fault("record", str(error))]
    if with_slides:
        found += _slide_faults(slide)
    return tiles, [fault(what, message) for what, message in found]


def _recount(layout: SlideLayout, slide: CountedSlide) -> tuple[int, list[tuple[str, str]]]:
    grid = OpenedSlide(layout, slide).grid
    columns = LedgerLayout(len(slide.classes))
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
    return grid.shape[0] * grid.shape[1], [*found, *_total_faults(slide, columns, rows)]


def _total_faults(slide: CountedSlide, columns: LedgerLayout, rows: Any) -> Iterator[tuple[str, str]]:
    total = columns.total(rows.reshape(-1, rows.shape[-1]))
    counts, slide_px = slide.counts, slide.size_l0_px.area_px
    told = (*counts.n_px_by_class, counts.n_px_unscanned, counts.n_px_outside_roi, counts.n_px_unreadable)
    summed = (*total.px_by_class, total.unscanned_px, total.outside_roi_px, total.unreadable_px)
    if told != summed:
        yield "counts", f"result.json says {told}, the rows of the ledger add up to {summed}"
    if total.total_px != slide_px:
        yield "accounting law", f"{total.total_px} px are accounted for, the slide has {slide_px}"
    by_class = tuple(c.n_px for c in slide.classes)
    if by_class != total.px_by_class:
        yield "classes", f"result.json lists {by_class}, the ledger adds up to {total.px_by_class}"


def _document_faults(
    layout: SlideLayout, slide: CountedSlide, row: Mapping[str, str], status: str
) -> Iterator[tuple[str, str]]:
    if slide.status != status:
        yield "status", f"result.json says {slide.status!r}, run.json {status!r}"
    of_ledger, of_result = ledger_attributes(layout)["made_from"], slide.made_from.parts
    for part in sorted({*of_ledger, *of_result}):
        then, now = of_ledger.get(part), of_result.get(part)
        if then != now:
            yield "made from", f"the ledger was made from another {part.replace('_', ' ')} ({then}) than told ({now})"
    yield from _certificate_faults(slide)
    for name, value in summary_row(slide).items():
        if not _same(row.get(name), value):
            yield "summary.csv", f"{name} is {row.get(name)!r}, result.json gives {value!r}"


def _certificate_faults(slide: CountedSlide) -> Iterator[tuple[str, str]]:
    told = slide.certificate
    if told is None:
        return
    if not told.is_sound:
        yield "certificate", f"its hash {told.sha256} is not that of what it says"
    made = certificate_of(slide, told.completeness)
    for block in type(told).model_fields:
        if block != "sha256" and getattr(made, block, None) != getattr(told, block):
            yield "certificate", f"its {block.replace('_', ' ')} is not what the rest of result.json says"


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


def _slide_faults(slide: CountedSlide) -> list[tuple[str, str]]:
    path = Path(named_file(slide.path))
    if not path.exists():
        return []  # archived since; the counts can still be verified
    try:
        now = inspect(path, slide_id=slide.slide_id, choice=slide.choice).fingerprint
    except SlideError as error:
        return [("slide file", f"{path} cannot be opened any more ({error})")]
    if now == slide.fingerprint:
        return []
    return [("slide file", f"{path} is no longer the file that was measured: its fingerprint differs")]
