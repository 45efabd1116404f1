"""results: which sheets the workbook of a run has, and in which order their columns stand."""

import hashlib
from collections.abc import Mapping

from wsi_area.model.documented import Table
from wsi_area.results.layout import RunLayout, write_bytes
from wsi_area.results.tables.columns import unit_of
from wsi_area.results.tables.run_tables import RunTable
from wsi_area.results.tables.workbook.file import Sheet, workbook

WORKBOOK = "summary.xlsx"

_ENDS = ("_mm2", "_ci95_low_mm2", "_ci95_high_mm2")
_BESIDE: dict[Table, dict[str, tuple[str, ...]]] = {
    "summary": {
        "tumor_pct_tissue": ("positive_area_mm2", "positive_pct_tissue"),
        "tissue_area_mm2": ("tissue_source", "tumor_in_tissue_area_mm2", "tumor_outside_tissue_area_mm2"),
        "mpp_quality": ("area_quality",),
    },
    "regions": {
        "pct_tissue": (
            "tissue_area_mm2", "tumor_area_mm2", "tumor_pct_tissue", "positive_area_mm2", "positive_pct_tissue",
            "largest_focus_mm2",
        ),
    },
}  # fmt: skip
"""What a person reads together stands together; the files for programs keep the order that they have had."""
_BESIDE_WHERE_KNOWN: dict[Table, dict[str, tuple[str, ...]]] = {
    "summary": {"tumor_area_mm2": tuple(f"tumor_area_adjusted{end}" for end in _ENDS)}
}
"""The same of what few runs have: where it is empty in every row it would part what everybody reads."""


def write_workbook(layout: RunLayout, tables: Mapping[Table, RunTable], seal: str) -> str:
    """Return the SHA-256 of the workbook of a run, written; one of its sheets has the seal."""
    content = workbook(sheets_of(tables, seal))
    write_bytes(layout.root / WORKBOOK, content)
    return hashlib.sha256(content).hexdigest()


def sheets_of(tables: Mapping[Table, RunTable], seal: str) -> list[Sheet]:
    """Return the sheets of the workbook: a sheet for each table, and one with the seal of the run."""
    sealed = [{"what": "seal of the run", "value": seal}, {"what": "held by", "value": "wsi-area verify"}]
    return [*(_sheet(name, table) for name, table in tables.items()), Sheet("seal", ("what", "value"), sealed)]


def workbook_with(content: bytes, name: Table, table: RunTable) -> bytes:
    """Return a workbook with one more table, or another one under that name; all other sheets stay as they are.

    Raises
    ------
    ResultError
        It is no workbook that this program wrote.
    """
    from wsi_area.results.tables.workbook.added_sheet import with_sheet

    return with_sheet(content, _sheet(name, table))


def _sheet(name: Table, table: RunTable) -> Sheet:
    looks = {column: (unit_of(name, column), kind) for column, kind in table.columns.items()}
    return Sheet(name, _placed(name, table), table.rows, looks)


def _placed(name: Table, table: RunTable) -> list[str]:
    """Return the columns of a table in the order of its sheet."""
    columns = list(table.columns)
    filled = {column for row in table.rows for column, value in row.items() if value is not None}
    known = {first: filled.intersection(others) for first, others in _BESIDE_WHERE_KNOWN.get(name, {}).items()}
    told = {**_BESIDE.get(name, {}), **{first: _BESIDE_WHERE_KNOWN[name][first] for first in known if known[first]}}
    beside = {first: [column for column in others if column in columns] for first, others in told.items()}
    moved = {column for first, others in beside.items() if first in columns for column in others}
    return [column for first in columns if first not in moved for column in (first, *beside.get(first, ()))]
