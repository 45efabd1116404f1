"""Parquet tables hold what the rows hold, to the last bit, as pyarrow reads them; written without it."""

import io
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsi_area.results.tables.columns import Kind, columns_of
from wsi_area.results.tables.parquet_file import parquet_bytes

AREA_COLUMNS = {column.name: column.kind for column in columns_of("areas")}

ROW = {
    "slide_id": 'S "1" µ', "class_id": 1, "class_name": "", "is_tissue": True, "is_tumor": False, "is_positive": True,
    "n_px": 2**53 + 1,
    "area_mm2": 0.1 + 0.2, "area_u_mm2": 5e-324, "scale_ci95_low_mm2": 3, "scale_ci95_high_mm2": -1.7e308,
    "ci95_low_mm2": None, "ci95_high_mm2": None, "ci95_reason": "no points", "expanded_u_mm2": 0.0, "u_holds": None,
    "pct_tissue": None,
    "mean_<signal>": None, "integrated_<signal>": None, "sum_<signal>_per_mm2": None, "status": "2020-01-01T00:00:00",
}  # fmt: skip


def test_every_value_comes_back_and_what_is_unknown_stays_unknown(tmp_path: Path) -> None:
    nothing = dict.fromkeys(AREA_COLUMNS)
    (tmp_path / "areas.parquet").write_bytes(parquet_bytes(AREA_COLUMNS, [ROW, {}, ROW]))
    assert pq.read_table(tmp_path / "areas.parquet").to_pylist() == [ROW, nothing, ROW]


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    (tmp_path / "areas.parquet").write_bytes(parquet_bytes(AREA_COLUMNS, []))
    table = pq.read_table(tmp_path / "areas.parquet")
    assert (table.num_rows, tuple(table.column_names)) == (0, tuple(AREA_COLUMNS))


@pytest.mark.parametrize(
    ("kind", "cell"),
    [("integer", 1.0), ("integer", True), ("integer", "1"), ("number", True), ("number", "0.5"), ("flag", 1),
     ("text", 0), ("text", ["a"]), ("number", math.nan), ("number", -math.inf)],
)  # fmt: skip
def test_a_cell_that_is_not_of_the_type_of_its_column_is_refused_with_its_name(kind: Kind, cell: object) -> None:
    with pytest.raises((TypeError, ValueError), match="'odd_one'"):
        parquet_bytes({"slide_id": "text", "odd_one": kind}, [{"slide_id": "a"}, {"odd_one": cell}])


def test_texts_of_any_script_and_length_come_back_each_in_its_row() -> None:
    texts = ["", None, "µm² 日本 🔬", "x" * 70_000, "a\x00b", "caf\udce9"]
    kept = pq.read_table(io.BytesIO(parquet_bytes({"t": "text"}, [{"t": text} for text in texts])))
    assert kept["t"].to_pylist() == [*texts[:4], "a\\x00b", "caf\\xe9"]


def test_writing_tables_loads_neither_pyarrow_nor_pandas(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from wsi_area.results.tables.parquet_file import parquet_bytes; "
        "columns, row = {'slide_id': 'text', 'n_px': 'integer'}, {'slide_id': 'S', 'n_px': 1}; "
        "pathlib.Path(sys.argv[1]).write_bytes(parquet_bytes(columns, [row])); "
        "sys.exit(bool({'pyarrow', 'pandas'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "t.parquet"], check=True)
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == [{"slide_id": "S", "n_px": 1}]


CELLS: dict[Kind, st.SearchStrategy[Any]] = {
    "text": st.none() | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])),
    "flag": st.none() | st.booleans(),
    "integer": st.none() | st.integers(-(2**63), 2**63 - 1),
    "number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
}
ARROW = {"text": pa.string(), "flag": pa.bool_(), "integer": pa.int64(), "number": pa.float64()}


@given(st.data())
def test_pyarrow_reads_any_table_with_its_names_types_and_cells(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=40))
    columns: dict[str, Kind] = {f"{kind} µ {number}": kind for number, kind in enumerate(kinds)}
    rows = data.draw(
        st.lists(st.fixed_dictionaries({name: CELLS[kind] for name, kind in columns.items()}), max_size=20)
    )
    table = pq.read_table(io.BytesIO(parquet_bytes(columns, rows)))
    assert table.equals(pa.Table.from_pylist(rows, pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])))


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("rows", [1, 7, 8, 9, 63, 64, 65, 1000, 70_000])
def test_columns_of_any_length_with_and_without_gaps_come_back(kind: Kind, rows: int) -> None:
    one = {"text": "é", "flag": True, "integer": -5, "number": 0.25}[kind]
    every, some = [one] * rows, [one if row % 3 else None for row in range(rows)]
    cells = [{"every": a, "some": b} for a, b in zip(every, some, strict=True)]
    table = pq.read_table(io.BytesIO(parquet_bytes({"every": kind, "some": kind, "none": kind}, cells)))
    assert table["every"].to_pylist() == every
    assert table["some"].to_pylist() == some
    assert table["none"].null_count == rows


@pytest.mark.parametrize("notes", [{}, {"key": "made of this"}, {f"note {n}": "µ" * n for n in range(40)}])
def test_what_a_file_says_of_itself_comes_back_beside_its_columns(notes: dict[str, str]) -> None:
    table = pq.read_table(io.BytesIO(parquet_bytes({"a": "text"}, [{"a": "b"}], notes)))
    assert {key.decode(): note.decode() for key, note in (table.schema.metadata or {}).items()} == notes


def test_the_footer_accounts_for_every_byte_of_the_file() -> None:
    content = parquet_bytes(
        {"a": "text", "b": "number", "c": "flag"}, [{"a": "x" * 5000, "b": n / 3} for n in range(500)]
    )
    group = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(0)
    chunks = [group.column(number) for number in range(3)]
    ends = [chunk.data_page_offset + chunk.total_compressed_size for chunk in chunks]
    assert [chunk.data_page_offset for chunk in chunks] == [4, *ends[:-1]]
    assert ends[-1] + int.from_bytes(content[-8:-4], "little") + 8 == len(content)
    assert group.total_byte_size == sum(chunk.total_uncompressed_size for chunk in chunks) > 500 * 5000


def test_texts_that_no_page_can_hold_are_refused_with_the_column_and_the_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("wsi_area.results.tables.parquet_file._MOST_PAGE_BYTES", 1000)
    with pytest.raises(ValueError, match="the column 'long' have 1010 bytes, too many for a table"):
        parquet_bytes({"short": "text", "long": "text"}, [{"short": "a", "long": "x" * 1000}])
