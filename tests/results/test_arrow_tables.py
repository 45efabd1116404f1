"""Parquet tables hold what the rows hold, to the last bit, and cost no pandas."""

import io
import math
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from wsi_area.results.tables.columns import Kind, columns_of
from wsi_area.results.tables.run_tables import parquet_bytes

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


def test_writing_tables_loads_no_pandas(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from wsi_area.results.tables.run_tables import parquet_bytes; "
        "columns, row = {'slide_id': 'text', 'n_px': 'integer'}, {'slide_id': 'S', 'n_px': 1}; "
        "pathlib.Path(sys.argv[1]).write_bytes(parquet_bytes(columns, [row])); "
        "sys.exit('pandas' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "t.parquet"], check=True)
