"""Where nothing of a slide could be read there is no area: empty, and nowhere 0.0 ± 0.0."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from damage import overwrite, set_tile_number, stored_span
from measuring import measure
from PIL import Image
from synthetic import FileForm, disc, write_slide

from wsi_area.cli.output.results_table import print_results
from wsi_area.errors import ResultError
from wsi_area.model.geometry import Size
from wsi_area.notebook.notebook_run import open_run
from wsi_area.reports.report import write_report

SIZE = Size(2560, 2048)


def rows_of(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines()))


def torn_jpeg(folder: Path) -> Path:
    colours = np.random.default_rng(3).integers(60, 200, (600, 800, 3), dtype=np.uint8)
    Image.fromarray(colours).save(folder / "s.jpg", quality=80)
    return overwrite(folder / "s.jpg", 40_000, bytes(20_000))


def slide_without_tiles(folder: Path) -> Path:
    path = write_slide(folder / "s.svs", SIZE, {"tissue": disc(SIZE, 900, 900, 300)}, FileForm("aperio")).path
    for index in range(80):
        set_tile_number(path, "TileOffsets", index, 0)
    return path


def slide_with_an_overview_only(folder: Path) -> Path:
    """All of level 0 is damaged, level 1 is whole: where it shows bare glass, nobody reads level 0."""
    form = FileForm("tiff", downsamples=(1, 4), compression="jpeg")
    path = write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 900, 900, 300)}, form).path
    for index in range(80):
        overwrite(path, stored_span(path, index)[0], b"no picture at all")
    return path


@pytest.mark.parametrize("write", [torn_jpeg, slide_without_tiles, slide_with_an_overview_only])
def test_no_area_is_given_in_tables_report_terminal_and_notebook(
    tmp_path: Path, write: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("wsi_area.compute.cut.skipping.AUDIT_MIN_TILES", 0)
    monkeypatch.setattr("wsi_area.compute.cut.skipping.AUDIT_FRACTION", 0.0)
    out, sizes = tmp_path / "out", ["tiling.tile_px=128", "tiling.skip_margin_um=10"]
    outcome = measure(write(tmp_path), out, *sizes, mpp="0.25", mpp_reason="a test")
    (record,) = outcome.documents
    assert (record["status"], outcome.exit_code) == ("incomplete", 2)
    assert (record["work"]["tiles_skipped"] > 0) == (write is slide_with_an_overview_only)
    of_areas = [record["tissue"], record["tumor"], record["analyzed"], *record["classes"]]
    assert {part["area_mm2"] for part in of_areas} == {None}
    assert record["unreadable"]["area_mm2"] == pytest.approx(record["counts"]["n_px_unreadable"] * 0.0625e-6)
    (row,) = rows_of(out / "summary.csv")
    given = {name: text for name, text in row.items() if name.endswith("_mm2") and text}
    assert set(given) == {"unread_area_mm2", "total_area_mm2"}
    assert pq.read_table(out / "areas.parquet").column("area_mm2").null_count == len(record["classes"])
    slide = open_run(out)["s"]
    assert slide.tissue_area_mm2 is None
    with pytest.raises(ResultError, match="nothing of it could be read"):
        slide.explain("tissue")
    write_report(out)
    assert "0.0 ±" not in (out / "report.html").read_text()
    capsys.readouterr()
    print_results(outcome.slides, out)
    assert "±" not in capsys.readouterr().out.replace("(± expanded)", "").replace("± pixel size", "")


def test_a_slide_of_which_one_tile_could_be_read_has_an_area(tmp_path: Path) -> None:
    path = slide_without_tiles(tmp_path)
    whole = write_slide(tmp_path / "w.svs", SIZE, {"tissue": disc(SIZE, 900, 900, 300)}, FileForm("aperio")).path
    set_tile_number(path, "TileOffsets", 33, stored_span(whole, 33)[0])
    (record,) = measure(path, tmp_path / "out").documents
    assert record["status"] == "incomplete"
    assert record["analyzed"]["area_mm2"] == pytest.approx(256**2 * 0.0625e-6)
