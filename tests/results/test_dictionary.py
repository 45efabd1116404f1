"""The data dictionary has every column of every table that a run writes, and the published one is the one in code."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from stain_settings import POSITIVE_IS_TUMOUR
from synthetic import FileForm, disc, write_slide, write_slide_with_garbage_tile, write_text_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.documented import NEVER
from wsi_area.model.geometry import Size
from wsi_area.model.review.event import Reviewer
from wsi_area.results.opened_run import open_run
from wsi_area.results.tables.dictionary import TABLES, data_dictionary
from wsi_area.results.tables.scale_law import scale_power
from wsi_area.review.decide import Decision, RunReview
from wsi_area.review.tables import write_review
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

DOCS = Path(__file__).resolve().parents[2] / "docs"
COLUMNS = {name: columns for names, (_, columns) in TABLES.items() for name in names.split(", ")}


@pytest.fixture(scope="module")
def measured_run(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Path:
    """A run of slides of every ending, with tumour."""
    folder, size = tmp_path_factory.mktemp("slides"), Size(300, 200)
    stained = {"dab": disc(size, 150, 100, 60)}
    slides = [
        write_slide(folder / "complete.tiff", size, stained).path,
        write_slide(folder / "bare.tiff", size, stained, FileForm(mpp=None)).path,
        write_slide_with_garbage_tile(folder / "torn.svs").path,
        write_text_slide(folder / "text.svs"),
    ]
    settings = load(
        configs / "ihc_dab.toml",
        [
            "tiling.tile_px=128",
            "tiling.skip_glass=false",
            "objects.foci=true",
            POSITIVE_IS_TUMOUR,
            "bands.edges_um=[-9, 0, 20]",
            "hotspots.areas_mm2=[0.001]",
            "hotspots.step_um=5",
            "hotspots.tissue_share=0.1",
        ],
    )
    outline = {"type": "Polygon", "coordinates": [[[90, 40], [210, 40], [210, 160], [90, 160], [90, 40]]]}
    (folder / "region.geojson").write_text(json.dumps(outline))
    regions = ["region.geojson", "region.geojson", "", ""]  # that of complete.tiff, with and without a pixel size
    rows = [f"{path},one,{region}\n" for path, region in zip(slides, regions, strict=True)]
    (folder / "cases.csv").write_text("path,subject,regions\n" + "".join(rows))
    run_slides(collect_slides([], manifest=folder / "cases.csv"), settings, folder / "out")
    decide_on(folder / "out")
    return folder / "out"


def decide_on(run: Path) -> None:
    """Somebody decides on two of its slides, says something of one, and signs it."""
    review = RunReview(open_run(run), Reviewer(name="Ada Miller", role="pathologist"))
    review.record(Decision("accept_with_remark", ("complete",), remark="a thin rim"))
    review.record(Decision("reject", ("text",), reason="incomplete"))
    review.record(Decision("sign", ("complete",)))
    write_review(open_run(run))


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Every row of a table; what is empty is None."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(file)]


def columns_of(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return list(pq.read_schema(path).names)
    with path.open(newline="", encoding="utf-8") as file:
        return next(csv.reader(file))


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_every_column_of_a_run_has_an_entry_and_every_entry_a_column(measured_run: Path, name: str) -> None:
    found = columns_of(measured_run / name)
    entries = {
        c.name: re.compile(re.escape(c.name).replace("<class>", "[a-z0-9_]+").replace("<signal>", "od"))
        for c in COLUMNS[name]
    }
    assert not [column for column in found if not any(e.fullmatch(column) for e in entries.values())]
    assert not [entry for entry, e in entries.items() if not any(e.fullmatch(column) for column in found)]


def test_a_run_writes_no_table_that_the_dictionary_does_not_know(measured_run: Path) -> None:
    places = [*measured_run.iterdir(), *(measured_run / "review").iterdir()]
    tables = {str(p.relative_to(measured_run)) for p in places if p.suffix in {".csv", ".parquet"}}
    assert tables == set(COLUMNS)


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_a_column_that_is_never_empty_never_is_and_the_others_say_when(measured_run: Path, name: str) -> None:
    rows = rows_of(measured_run / name)
    assert rows
    for column in COLUMNS[name]:
        empty = [number for number, row in enumerate(rows) if column.name in row and row[column.name] is None]
        assert not (empty and column.empty == NEVER), (column.name, empty)


def test_lengths_areas_and_counts_have_their_unit() -> None:
    for column in {c for columns in COLUMNS.values() for c in columns}:
        assert column.meaning
        if column.name.startswith("n_px") or column.name.endswith(("_mm2", "_um", "_px", "_mm")):
            assert column.unit, column.name


def test_the_published_dictionary_is_the_one_in_the_code() -> None:
    published = (DOCS / "data_dictionary.md").read_text(encoding="utf-8")
    assert published == data_dictionary(), "run: python -m wsi_area.results.tables.dictionary > docs/data_dictionary.md"


@pytest.mark.parametrize(
    "column",
    [c for columns in COLUMNS.values() for c in columns if c.kind in {"integer", "number"}],
    ids=lambda c: c.name,
)
def test_every_number_says_by_its_unit_how_it_follows_the_size_of_a_pixel(column) -> None:
    power = scale_power(column.unit)  # an unknown unit is refused
    assert power is None or -2 <= power <= 2
    by_name = {"_per_mm2": -2, "_mm2": 2, "_mm": 1, "_um": 1, "_px": 0, "_pct": 0, "_pct_tissue": 0}
    ending = max((e for e in by_name if column.name.endswith(e)), key=len, default=None)
    assert ending is None or power == by_name[ending]  # a name and its unit say the same
