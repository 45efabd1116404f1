"""inputs: the manifest, a CSV with one row a slide and the pixel size somebody vouches for."""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.drawn_source import AS_THE_FILES_SAY, Scales, scale_number
from wsi_area.inputs.listed_names import is_utf8, nearest, read_names
from wsi_area.inputs.slide_ids import safe_id
from wsi_area.inputs.typed_mpp import UNSURE, Sureness, in_words, mpp_number, typed_mpp
from wsi_area.model.calibration import Mpp
from wsi_area.model.record.subjects import Case
from wsi_area.plain_text import plain
from wsi_area.settings.own_settings import CONFIG_COLUMN, OWN_SECTIONS, OwnSettings, is_setting, own_settings
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.place import Place, is_object, place_of

COLUMNS = (
    "path", "mpp_x", "mpp_y", "mpp_reason", "mpp_u_um", "mpp_record", "mpp_confirmed", "slide_id", "annotations", "roi",
    "regions", "annotation_scale", "roi_scale", "regions_scale", "subject", "block", "date", CONFIG_COLUMN,
)  # fmt: skip
SCALE_COLUMNS = {"annotations": "annotation_scale", "roi": "roi_scale", "regions": "regions_scale"}
"""The column with the level-0 px per unit of a drawing, by the column that names its file."""
MOST_TOLD = 50
"""Wrong rows that one message names; further ones are counted."""
_NAMES = ("path", "annotations", "roi", "regions", CONFIG_COLUMN, "mpp_record")
"""Columns that name files, whose names may hold bytes that are no UTF-8."""
_YES, _NO = frozenset({"yes", "true", "1", "x"}), frozenset({"", "no", "false", "0"})


@frozen_value
class ManifestRow:
    """One slide as its manifest has it."""

    row: int  # line of the file, the header being line 1, for messages
    path: Place  # absolute
    mpp: Mpp | None  # None: whatever the slide itself says
    mpp_reason: str
    slide_id: str | None
    sureness: Sureness = UNSURE  # of `mpp`
    annotations: Path | None = None  # absolute, like `roi`
    roi: Path | None = None
    regions: Path | None = None
    case: Case | None = None  # who or what is on it: sums and changes of a subject; a run does not need it
    own: OwnSettings | None = None  # what is otherwise for this slide
    scales: Scales = AS_THE_FILES_SAY  # of its drawings; None: those of the command

    @property
    def named(self) -> str:
        """Return the file that the row is of, and which of its pictures where it says so: no two rows are of one."""
        chosen = {} if self.own is None else self.own.tree.get("reader", {})
        said = [f"reader.{key} = {chosen[key]}" for key in ("picture", "channel", "plane") if key in chosen]
        return ", ".join([str(self.path), *said])


def read_manifest(path: Path) -> tuple[ManifestRow, ...]:
    """Return the rows of a manifest.

    Columns are ``path`` and any of the other `COLUMNS`; an empty ``mpp_y`` is ``mpp_x``. Settings of single slides
    stand in columns named like them (``segmenter.threshold``), or in a TOML file below the folder, or a preset,
    that the column ``config`` names; an empty cell leaves what the run has, and a column counts for more than the file.
    Relative paths start at the manifest's folder. What spreadsheets write is read too: a byte order mark, semicolons or
    tabs, a decimal comma, empty lines.

    Raises
    ------
    SettingsError
        Naming the file, and every wrong line of it.
    """
    rows: list[ManifestRow] = []
    wrong: list[str] = []
    for line, cells in csv_lines(path, COLUMNS, ("path",), is_setting, wrong):
        try:
            rows.append(_row(f"{path}, line {line}", line, cells, path.parent))
        except SettingsError as error:
            wrong.append(str(error))
    _refuse_wrong(path, wrong)
    if not rows:
        raise SettingsError(f"{path}: the manifest has no rows; give one line a slide below {','.join(COLUMNS)}")
    _refuse_repeats(path, [(row.named, row.row) for row in rows], "path")
    _refuse_nameless(path, rows)
    _refuse_repeats(path, [(row.slide_id.casefold(), row.row) for row in rows if row.slide_id], "slide_id")
    return tuple(rows)


def _refuse_nameless(path: Path, rows: Sequence[ManifestRow]) -> None:
    """Refuse rows of one file with a picture each that have no slide_id to tell them apart."""
    lines = Counter(row.path for row in rows)
    for row in rows:
        if lines[row.path] > 1 and row.slide_id is None:
            raise SettingsError(
                f"{path}, line {row.row}: {lines[row.path]} lines name {row.path}, each with another picture; give "
                "each of them a slide_id"
            )


def _refuse_wrong(path: Path, wrong: Sequence[str]) -> None:
    if len(wrong) > 1:
        told = "\n".join(f"  {line.removeprefix(f'{path}, ')}" for line in wrong[:MOST_TOLD])
        more = f"\n  and {len(wrong) - MOST_TOLD} more" if len(wrong) > MOST_TOLD else ""
        raise SettingsError(f"{path}: {len(wrong)} lines are wrong:\n{told}{more}")
    if wrong:
        raise SettingsError(wrong[0])


def csv_lines(
    path: Path,
    columns: Sequence[str],
    needed: Sequence[str],
    also: Callable[[str], bool] = lambda name: False,
    wrong: list[str] | None = None,
    what: str = "the manifest",
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each line below the header that is not empty, as its number and its cells by column.

    Raises
    ------
    SettingsError
        It is no CSV, has a column that is neither among ``columns`` nor taken by ``also``, or lacks one of ``needed``.
        Lines that are no row go into ``wrong``, if it is given, and the others are read.
    """
    text = read_names(path, what)
    skipped = 0
    if text[:4].casefold() == "sep=":  # Excel's own first line
        text = text.partition("\n")[2]
        skipped = 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), skipinitialspace=True)
    try:
        names = (cell.strip() for cell in next(reader, []))
        header = _header(path, [n if also(n) else n.casefold() for n in names], columns, needed, also)
        for cells in reader:
            line = reader.line_num + skipped
            if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
                told = (
                    f"{path}, line {line}: {len(cells)} cells for {len(header)} columns; write 0.25 or "
                    'quote "0,25" where commas separate the columns'
                )
                if wrong is None:
                    raise SettingsError(told)
                wrong.append(told)
                continue
            padded = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
            if any(padded):
                yield line, dict(zip(header, padded, strict=False))
    except csv.Error as error:
        raise SettingsError(f"{path}, line {reader.line_num + skipped}: not a CSV line ({error})") from error


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return ";" if ";" in header else "\t" if "\t" in header else ","


def _header(
    path: Path, header: list[str], columns: Sequence[str], needed: Sequence[str], also: Callable[[str], bool]
) -> list[str]:
    while header and not header[-1]:  # spreadsheets leave empty columns at the end
        header = header[:-1]
    known = ", ".join(columns)
    unknown = [name for name in header if name not in columns and not also(name)]
    if unknown and unknown[0].partition(".")[0] in RunSettings.model_fields.keys() - set(OWN_SECTIONS):
        raise SettingsError(
            f"{path}, line 1: column {unknown[0]!r}: who does the work is settled for all slides of a run; give it in "
            "--config or with --set"
        )
    if unknown:
        told = ", ".join(_unknown(name, columns) for name in unknown)
        raise SettingsError(f"{path}, line 1: unknown column {told}; known: {known}")
    for name in needed:
        if name not in header:
            raise SettingsError(f"{path}, line 1: there is no column {name!r}; known: {known}")
    if len(set(header)) != len(header):
        raise SettingsError(f"{path}, line 1: a column stands twice in {', '.join(header)}; leave one of each")
    return header


def _unknown(name: str, columns: Sequence[str]) -> str:
    near = nearest(name, [*columns])
    return f"{name!r} (did you mean {near}?)" if near else repr(name)


def _refuse_no_text(where: str, cells: dict[str, str]) -> None:
    for column, cell in cells.items():
        if column not in _NAMES and not is_utf8(cell):
            raise SettingsError(f"{where}: {column} {plain(cell)!r} is not UTF-8; save the file as 'CSV UTF-8'")


def _row(where: str, line: int, cells: dict[str, str], folder: Path) -> ManifestRow:
    _refuse_no_text(where, cells)
    if not cells["path"]:
        raise SettingsError(f"{where}: the path is empty; name the slide")
    reason = in_words(cells.get("mpp_reason", ""), f"{where}: mpp_reason")
    mpp = _mpp(where, cells.get("mpp_x", ""), cells.get("mpp_y", ""))
    record = cells.get("mpp_record", "")
    u_um = cells.get("mpp_u_um", "").replace(",", ".")  # a cell is one number, with a decimal comma too
    mpp, sureness = typed_mpp(
        mpp, u_um, _absolute(folder, record) if record else None,
        is_confirmed=_is_yes(f"{where}: mpp_confirmed", cells.get("mpp_confirmed", "")),
        names=(f"{where}: mpp_u_um", f"{where}: mpp_record"),
    )  # fmt: skip
    if mpp is None and (reason or sureness.is_confirmed):
        what = f"a reason ({reason!r})" if reason else "mpp_confirmed"
        raise SettingsError(f"{where}: {what} but no mpp_x; give both or neither")
    slide_id = cells.get("slide_id", "") or None
    if slide_id is not None and safe_id(slide_id) != slide_id:
        raise SettingsError(
            f"{where}: slide_id {slide_id!r} cannot name a folder everywhere; write {safe_id(slide_id)!r}"
        )
    path = place_of(cells["path"]) if is_object(cells["path"]) else _absolute(folder, cells["path"])
    annotations, roi, regions = (_drawing(folder, cells, name) for name in ("annotations", "roi", "regions"))
    return ManifestRow(
        line,
        path,
        mpp,
        reason,
        slide_id,
        sureness,
        annotations,
        roi,
        regions,
        _case(where, cells),
        own_settings(where, cells, folder),
        Scales(*(_scale(where, cells, name) for name in ("annotations", "roi", "regions"))),
    )


def _is_yes(what: str, cell: str) -> bool:
    if cell.casefold() not in _YES | _NO:
        raise SettingsError(f"{what} is {cell!r}; write yes or no")
    return cell.casefold() in _YES


def _case(where: str, cells: dict[str, str]) -> Case | None:
    subject, block, day = (plain(cells.get(name, "")) for name in ("subject", "block", "date"))
    if not subject:
        if block or day:
            raise SettingsError(f"{where}: block is {block!r} and date is {day!r}, but subject is empty; give it, too")
        return None
    try:
        return Case(subject, block or None, date.fromisoformat(day).isoformat() if day else None)
    except ValueError as error:
        raise SettingsError(f"{where}: date is {day!r}; write year-month-day, such as 2026-03-01") from error


def _absolute(folder: Path, text: str) -> Path:
    return Path(os.path.abspath(folder / Path(text).expanduser()))


def _drawing(folder: Path, cells: dict[str, str], column: str) -> Path | None:
    text = cells.get(column, "")
    if not text:
        return None
    return _absolute(folder, text)  # one that is missing is that row's failure, not the batch's


def _scale(where: str, cells: dict[str, str], drawing: str) -> float | None:
    column = SCALE_COLUMNS[drawing]
    text = cells.get(column, "")
    if not text:
        return None
    if not cells.get(drawing):
        raise SettingsError(f"{where}: {column} is {text} but {drawing} is empty; name the file that it is of")
    return scale_number(text.replace(",", "."), f"{where}: {column}")


def _mpp(where: str, x: str, y: str) -> Mpp | None:
    if not x:
        if y:
            raise SettingsError(f"{where}: mpp_y is {y} but mpp_x is empty; give mpp_x, or both")
        return None
    mpp_x = mpp_number(x, f"{where}: mpp_x")
    return Mpp(mpp_x, mpp_number(y, f"{where}: mpp_y") if y else mpp_x)


def _refuse_repeats(path: Path, keys: list[tuple[str, int]], what: str) -> None:
    seen: dict[str, int] = {}
    for key, line in keys:
        if key in seen:
            raise SettingsError(f"{path}: lines {seen[key]} and {line} have the same {what} ({key}); keep one")
        seen[key] = line
