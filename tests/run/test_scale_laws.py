"""One picture measured twice, the second time with pixels of twice the size: every number follows its unit."""

import csv
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command_line import wsi_area
from synthetic import FileForm, disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.results.tables.columns import CLASS, SIGNAL, Column
from wsi_area.results.tables.dictionary import TABLES
from wsi_area.results.tables.scale_law import scale_power

SIZE = Size(900, 700)
ROLES = {"negative": 'role = "stroma"', "weak": 'role = "necrosis"', "moderate": "is_tumor = true"}
SETTINGS = """
[tiling]
work_mpp = {work}
skip_glass = false
[envelope]
closing_um = {gap}
fill_um = {gap}
box_um = {box}
[objects]
foci = true
[tissue]
name = "tissue"
work_mpp = {tissue}
[bands]
edges_um = [-{gap}, 0, {gap}]
[hotspots]
areas_mm2 = [{window}]
step_um = {box}
[segmenter]
name = "stain"
"""
"""Every length and area that a run is told, so that it can grow with the pixels."""


def measured(folder: Path, mpp: float) -> Path:
    """A run of the slide with pixels of ``mpp`` × 1.2 ``mpp`` µm."""
    text = SETTINGS.format(work=2 * mpp, tissue=4 * mpp, gap=100 * mpp, box=16 * mpp, window=0.02 * mpp**2)
    for number, name in enumerate(("background", "negative", "weak", "moderate", "strong")):
        further = f"is_tissue = true\n{ROLES.get(name, 'is_tumor = true')}\n" if number else ""
        text += f'[[segmenter.classes]]\nid = {number}\nname = "{name}"\ncolor = "#{number:06d}"\n{further}'
    (folder / "s.toml").write_text(text)
    ring = [[50, 100], [850, 100], [850, 600], [50, 600], [50, 100]]
    outline = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"name": "roi"}}
    (folder / "roi.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [outline]}))
    (folder / "m.csv").write_text(
        "path,mpp_x,mpp_y,mpp_u_um,mpp_reason,subject,roi\n"
        f"one.tif,{mpp},{1.2 * mpp},{0.01 * mpp},typed,x,roi.geojson\n"
    )
    out = folder / f"out_{mpp}"
    ended = wsi_area("run", "--manifest", folder / "m.csv", "--config", folder / "s.toml", "--out", out)
    assert ended.code == 0, ended.err
    assert wsi_area("review", out, "--accept", "one", "--by", "A. Reader").code == 0
    return out


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two discs, one stained by DAB."""
    folder = tmp_path_factory.mktemp("scale")
    painted = {"dab": disc(SIZE, 250, 300, 150), "tissue": disc(SIZE, 640, 350, 180)}
    write_slide(folder / "one.tif", SIZE, painted, FileForm(mpp=None))
    return measured(folder, 0.5), measured(folder, 1.0)


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: numeric(text) for name, text in row.items()} for row in csv.DictReader(file)]


def numeric(text: str) -> Any:
    """What a cell of a CSV holds: nothing, a number, or a text."""
    try:
        return float(text) if text else None
    except ValueError:
        return text


def numbers(column: Column, row: dict[str, Any]) -> Iterator[str]:
    """The names that a column has in a row: one for each class or signal that it stands for."""
    marks = re.escape(column.name).replace(CLASS, "[a-z0-9_]+").replace(SIGNAL, "(od|grey)")
    yield from (name for name in row if re.fullmatch(marks, name))


@pytest.mark.parametrize(("files", "columns"), [(files, columns) for files, (_, columns) in TABLES.items()])
def test_every_number_of_every_table_follows_the_size_of_a_pixel_as_its_unit_says(runs, files, columns) -> None:
    once, twice = (rows_of(run / files.split(", ")[-1]) for run in runs)
    assert len(once) == len(twice)
    held = {column.name: 0 for column in columns if column.kind in {"integer", "number"}}
    for column in (c for c in columns if c.name in held):
        power = scale_power(column.unit)
        for row, other in zip(once, twice, strict=True):
            for name in numbers(column, row):
                assert (row[name] is None) == (other[name] is None), name
                if power is not None and row[name]:
                    assert math.isclose(other[name], row[name] * 2.0**power, rel_tol=1e-9), name
                    held[column.name] += 1
    never = {name for name, times in held.items() if not times}
    if files.split(".")[0] in {"areas", "ratios", "subjects", "bands", "hotspots"}:
        unknown = (
            {"ci95_low_mm2", "ci95_high_mm2"} if files.startswith("areas") else set()
        )  # no reader looked at the map
        assert not never - {"from_um"} - unknown  # of each other column some number was held to its law
    if files.startswith("regions"):
        assert not never & {
            "mean_<signal>", "integrated_<signal>", "sum_<signal>_per_mm2", "class_<class>_mean_<signal>", "area_mm2",
        }  # fmt: skip
    if "summary" in files:
        assert not never & {
            "mpp_x_um", "tumor_area_mm2", "tumor_pct_tissue", "n_px_tumor", "largest_extent_mm", "work_mpp_um",
            "tissue_envelope_area_mm2", "mean_<signal>", "integrated_<signal>", "sum_<signal>_per_mm2",
        }  # fmt: skip
