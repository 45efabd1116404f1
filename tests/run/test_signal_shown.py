"""The signal of regions and bands where people look for it: workbook, report, notebook, QuPath; and what it takes."""

import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest
from plans import plan_of, slide_info
from stained_parts import BANDS, REGIONS, drawn, measured, stained_rgb, write

from wsi_area.compute.cut.planning import Tiling, estimated_disk_bytes, plan_slide
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.model.calibration import Mpp
from wsi_area.notebook.notebook_run import open_run as open_in_notebook
from wsi_area.reports.report import write_report
from wsi_area.results.opened_run import open_run
from wsi_area.results.tables.columns import unit_of

openpyxl = pytest.importorskip("openpyxl", reason="no openpyxl: pip install openpyxl")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Path:
    folder = tmp_path_factory.mktemp("shown")
    path = write(folder / "s.tif", stained_rgb())
    drawn(path.with_suffix(".geojson"), REGIONS)
    measured(path, folder / "out", configs, *BANDS)
    return folder / "out"


def cells_after(page: str, heading: str) -> list[list[str]]:
    """The cells of each row of the first table that has a heading."""
    table = next(part for part in re.findall(r"<table.*?</table>", page, re.DOTALL) if f">{heading}</th>" in part)
    names = [re.sub("<.*?>", "", cell) for cell in re.findall(r"<th[^>]*>(.*?)</th>", table.partition("</thead>")[0])]
    rows = re.findall(r"<tr>(.*?)</tr>", table.partition("</thead>")[2], re.DOTALL)
    at = names.index(heading)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)[at : at + 1] for row in rows]


def test_the_report_and_the_notebook_say_the_mean_of_each_region(out: Path) -> None:
    frame = open_run(out)["s"].regions
    due = [[f"{value:.4g}"] for value in frame["mean_od"]]
    report = write_report(out).html.read_text(encoding="utf-8")
    assert cells_after(report, "mean od") == due
    assert cells_after(open_in_notebook(out)["s"]._repr_html_(), "mean od") == due


def test_the_report_says_the_mean_of_each_band_over_all_of_its_tissue(out: Path) -> None:
    frame, expected = open_run(out)["s"].bands, []
    for _, band in frame.groupby(["border_class", "from_um", "to_um"], sort=False):
        n_px = band["n_px"][band["mean_od"].notna()]
        mean = (band["mean_od"] * band["n_px"]).sum() / n_px.sum() if n_px.sum() else None
        expected.append([f"{mean:.4g}" if mean is not None else "–"])
    report = write_report(out).html.read_text(encoding="utf-8")
    of_bands = report[report.index("<h3>Bands</h3>") :]
    assert cells_after(of_bands, "mean od") == expected


def test_the_workbook_has_the_same_numbers_as_the_tables(out: Path) -> None:
    book, run = openpyxl.load_workbook(out / "summary.xlsx"), open_run(out)
    for name, frame in (("bands", run.bands), ("regions", run.regions)):
        rows = list(book[name].iter_rows(values_only=True))
        columns = [column for column in frame if "_od" in column]
        assert len(columns) == {"bands": 2, "regions": 8}[name]
        for column in columns:
            at = rows[0].index(column)
            found = [np.nan if row[at] is None else row[at] for row in rows[1:]]
            np.testing.assert_array_equal(np.array(found, float), frame[column].to_numpy(float))
            assert unit_of(name, column) in {"<signal>", "<signal>·mm²", "<signal>/mm²"}


def test_an_outline_goes_back_to_qupath_with_its_mean(out: Path) -> None:
    (written,) = (one.path for one in export_run(out, ExportOptions("regions")))
    assert isinstance(written, Path)
    features = json.loads(gzip.decompress(written.read_bytes()))["features"]
    means = open_run(out)["s"].regions.set_index("region_name")["mean_od"]
    told = {f["properties"]["name"]: f["properties"]["measurements"]["mean_od"] for f in features}
    assert told == means.to_dict()


def test_a_plan_with_a_signal_map_tells_more_disk_and_more_memory_and_the_same_cut() -> None:
    plan, info = plan_of((40_000, 40_000)), slide_info((40_000, 40_000))
    px = 40_000**2
    assert estimated_disk_bytes(plan, has_signal=True) - estimated_disk_bytes(plan) == pytest.approx(2.4 * px, rel=0.01)
    one, other = (plan_slide(info, Mpp(0.25, 0.25), [0], Tiling(keeps_signal=keeps)) for keeps in (False, True))
    assert one.fingerprint == other.fingerprint
    batch_px = (one.batch_tiles * one.tile_px) ** 2
    assert other.projected_bytes_per_task - one.projected_bytes_per_task == 8 * batch_px
