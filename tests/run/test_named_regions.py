"""Named regions over the whole line: drawn in a file, counted with any segmenter, in every table, held by verify."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from measuring import FLAT, measure
from PIL import Image
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.verification import regions_check
from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.record.slide_regions import RegionOnRecord
from wsi_area.results.opened_run import open_run
from wsi_area.results.tables.reading import read_workbook
from wsi_area.results.tables.region_tables import read_regions, rows_in
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE, MPP = Size(300, 200), 0.5
CASES = {  # corners of boxes, and which part of them is paint: a disc of 60 px round (150, 100)
    "inside": (120, 80, 180, 120),
    "beside": (5, 5, 60, 60),
    "across": (150, 100, 300, 200),
}


def feature(name: str, corners: tuple[float, ...], **more: Any) -> dict[str, Any]:
    x0, y0, x1, y1 = corners
    ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
    return {
        "type": "Feature", "id": f"00000000-0000-4000-8000-00000000000{len(name)}",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"objectType": "annotation", "name": name, **more},
    }  # fmt: skip


@pytest.fixture
def drawn(tmp_path: Path) -> tuple[Path, Path]:
    """A slide with a disc, and a folder with what was drawn on it: three boxes, one with a class."""
    slide = write_slide(tmp_path / "s.tiff", SIZE, {"dab": disc(SIZE, 150, 100, 60)}, FileForm(mpp=Mpp(MPP, MPP))).path
    features = [feature(name, corners) for name, corners in CASES.items()]
    features[0]["properties"]["classification"] = {"name": "Hotspot"}
    for number, one in enumerate(features):
        one["id"] = f"00000000-0000-4000-8000-00000000000{number}"
    folder = tmp_path / "drawn"
    folder.mkdir()
    (folder / "s.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return Path(slide), folder


def painted_px(corners: tuple[int, ...]) -> int:
    """The pixels of the disc in a box, by their centres."""
    x0, y0, x1, y1 = corners
    return sum((x + 0.5 - 150) ** 2 + (y + 0.5 - 100) ** 2 < 60**2 for y in range(y0, y1) for x in range(x0, x1))


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "regions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_with_drawn_regions_loads_no_pandas(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    slide, folder = drawn
    program = (
        "import sys; from wsi_area.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "sys.exit('pandas' in sys.modules)"
    )
    options = ["--config", "he_tissue", "--regions-from", folder, "--out", tmp_path / "out"]
    subprocess.run([sys.executable, "-c", program, "run", slide, *options], check=True, timeout=100)
    assert [row["region_name"] for row in rows_of(tmp_path / "out")] == list(CASES)


@pytest.mark.parametrize("tile_px", [64, 128, 512])
def test_each_drawn_region_has_a_row_with_its_name_its_class_and_the_tissue_inside_it(
    drawn: tuple[Path, Path], tmp_path: Path, tile_px: int
) -> None:
    slide, folder = drawn
    out = tmp_path / "out"
    measure(slide, out, f"tiling.tile_px={tile_px}", regions_from=folder)
    rows = rows_of(out)
    assert [(r["region_name"], r["region_class"], r["status"]) for r in rows] == [
        ("inside", "Hotspot", "complete"), ("beside", "", "complete"), ("across", "", "complete"),
    ]  # fmt: skip
    assert not [f.code for f in open_run(out)["s"].counted.findings if "OVERLAP" in f.code]  # they are meant to
    for row, corners in zip(rows, CASES.values(), strict=True):
        x0, y0, x1, y1 = corners
        assert int(row["n_px"]) == (x1 - x0) * (y1 - y0)
        assert float(row["outline_area_mm2"]) == pytest.approx((x1 - x0) * (y1 - y0) * MPP**2 * 1e-6, rel=1e-12)
        assert int(row["n_px_tissue"]) == pytest.approx(painted_px(corners), abs=4)  # the painter's own rim
        assert float(row["pct_tissue"]) == pytest.approx(100 * int(row["n_px_tissue"]) / int(row["n_px"]))


def test_the_same_rows_stand_in_parquet_workbook_and_notebook(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    slide, folder = drawn
    out = tmp_path / "out"
    measure(slide, out, regions_from=folder)
    ids = [row["region_id"] for row in rows_of(out)]
    assert pq.read_table(out / "regions.parquet")["region_id"].to_pylist() == ids
    assert [row["region_id"] for row in read_workbook((out / "summary.xlsx").read_bytes(), "x")["regions"].rows] == ids
    assert open_run(out).regions["region_id"].tolist() == ids


def test_verify_finds_a_region_whose_numbers_or_outline_were_changed(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    slide, folder = drawn
    out = tmp_path / "out"
    measure(slide, out, regions_from=folder)
    assert verify_run(out).disagreements == ()
    place = out / "slides/s/regions.parquet"
    table = pq.read_table(place)
    for column, old, new in (("row", '"n_px":2400', '"n_px":2401'), ("outline_wkb_l0_px", "40", "41")):
        at = table.column_names.index(column)
        texts = [text.replace(old, new) for text in table[column].to_pylist()]
        assert texts != table[column].to_pylist()
        pq.write_table(table.set_column(at, column, [texts]), place)
        faults = {(fault.slide_id, fault.what) for fault in verify_run(out).disagreements}
        assert ("s", "regions.parquet") in faults or ("s", "record") in faults


def test_other_regions_are_counted_without_a_tile_being_read_again(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    slide, folder = drawn
    out, other = tmp_path / "out", tmp_path / "other"
    measure(slide, out, regions_from=folder)
    ledger = {p: p.read_bytes() for p in (out / "slides/s/ledger.zarr").rglob("*") if p.is_file()}
    other.mkdir()
    (other / "s.geojson").write_text(json.dumps(feature("new", (100, 50, 200, 150))))
    measure(slide, out, regions_from=other)
    assert [row["region_name"] for row in rows_of(out)] == ["new"]
    assert {p: p.read_bytes() for p in ledger} == ledger
    assert verify_run(out).disagreements == ()
    measure(slide, out)
    assert not (out / "regions.csv").exists()
    assert not (out / "slides/s/regions.parquet").exists()


def test_a_region_outside_the_region_of_interest_is_told_as_outside(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    slide, folder = drawn
    (tmp_path / "roi.geojson").write_text(json.dumps(feature("field", (150, 0, 300, 200))["geometry"]))
    out = tmp_path / "out"
    measure(slide, out, regions_from=folder, roi=tmp_path / "roi.geojson")
    by_name = {row["region_name"]: row for row in rows_of(out)}
    assert set(by_name) == set(CASES)  # the field itself says nothing but where it lies
    assert by_name["beside"]["n_px_outside_roi"] == by_name["beside"]["n_px"] == str(55 * 55)
    assert by_name["beside"]["pct_tissue"] == ""
    half = by_name["inside"]  # all of it is paint
    assert (half["n_px"], half["n_px_outside_roi"], half["n_px_tissue"]) == ("2400", "1200", "1200")
    assert (half["pct_tissue"], half["class_tissue_pct_region"]) == ("100.0", "100.0")


def test_an_outline_of_another_kind_and_a_second_file_each_keep_ids_of_their_own(tmp_path: Path) -> None:
    form = FileForm(mpp=Mpp(MPP, MPP))
    slide = Path(write_slide(tmp_path / "s.tiff", SIZE, {"dab": disc(SIZE, 150, 100, 60)}, form).path)
    region = (
        '<Region Id="1" Text="{}"><Vertices><Vertex X="{x}" Y="20"/><Vertex X="{z}" Y="20"/><Vertex X="{z}" Y="90"/>'
        "</Vertices></Region>"
    )
    layers = "".join(
        f'<Annotation Id="{n}" Name="{name}"><Regions>{region.format(name, x=9 * n, z=99 * n)}</Regions></Annotation>'
        for n, name in ((1, "tumor"), (2, "stroma"))
    )
    (tmp_path / "a.xml").write_text(f"<Annotations>{layers}</Annotations>")
    shutil.copy(tmp_path / "a.xml", tmp_path / "b.xml")
    (tmp_path / "b.xml").write_text((tmp_path / "b.xml").read_text() + "<!-- saved again -->")
    out = tmp_path / "out"
    measure(slide, out, regions_from=tmp_path / "a.xml", roi=tmp_path / "b.xml")
    rows = rows_of(out)
    assert [r["region_id"] for r in rows] == ["tumor/1", "stroma/1", "roi/tumor/1", "roi/stroma/1"]
    assert [r["found_in"] for r in rows] == ["regions", "regions", "roi", "roi"]
    assert rows[0]["n_px"] == rows[2]["n_px"]


def test_tasks_of_an_array_that_share_the_slide_come_to_the_same_rows(
    drawn: tuple[Path, Path], tmp_path: Path, small_batches: None
) -> None:
    slide, folder = drawn
    one, shared = tmp_path / "one", tmp_path / "shared"
    measure(slide, one, regions_from=folder)
    settings = load(None, [*FLAT, "run.piece_mib=0", "tiling.tile_px=64"])
    inputs = collect_slides([str(slide)], regions_from=folder)
    for index in (2, 1):
        run_task(inputs, settings, shared, ArrayTask(index, 2))
    merge_run(shared)
    assert (shared / "regions.csv").read_bytes() == (one / "regions.csv").read_bytes()
    assert verify_run(shared).disagreements == ()


@pytest.mark.parametrize(("given", "relative"), [({}, 0.02), ({"mpp": "0.5", "mpp_reason": "stage micrometer"}, 0.06)])
def test_each_area_of_a_region_has_the_uncertainty_of_the_pixel_size(
    drawn: tuple[Path, Path], tmp_path: Path, given: dict[str, str], relative: float
) -> None:
    slide, folder = drawn
    measure(slide, tmp_path / "given", regions_from=folder, **given)  # a TIFF tag is 1 % of p, a size typed 3 %
    for row in rows_of(tmp_path / "given"):
        for name in ("area", "tissue_area"):
            due = float(row[f"{name}_mm2"]) * relative
            assert float(row[f"{name}_u_mm2"]) == pytest.approx(due, rel=1e-12), name
        assert row["tumor_area_u_mm2"] == row["viable_tumor_pct"] == ""
    assert verify_run(tmp_path / "given").disagreements == ()


def test_a_region_has_the_ratios_that_its_classes_allow_and_no_other(tmp_path: Path) -> None:
    form = FileForm(mpp=Mpp(MPP, MPP))
    slide = Path(write_slide(tmp_path / "s.tiff", SIZE, {"dab": disc(SIZE, 150, 100, 60)}, form).path)
    boxes = {
        "tumor": (20, 20, 80, 80), "dead": (80, 20, 110, 80), "frame": (20, 20, 140, 80), "bare": (200, 20, 220, 40),
    }  # fmt: skip
    features = []
    for name, corners in boxes.items():
        drawn_box = feature(name, corners)
        drawn_box["properties"]["classification"] = {"name": name}
        features.append(drawn_box)
    (tmp_path / "s.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    classes = (
        'segmenter.classes=[{id=0, name="background", color="#ffffff"}, '
        '{id=1, name="tumor", color="#a0281e", is_tissue=true, is_tumor=true, match=["tumor"]}, '
        '{id=2, name="dead", color="#555555", is_tissue=true, role="necrosis", match=["dead"]}]'
    )
    settings = load(None, ["segmenter.name=regions", "segmenter.unmatched=ignore", classes])
    inputs = collect_slides([str(slide)], annotations=tmp_path / "s.geojson")
    assert run_slides(inputs, settings, tmp_path / "out").exit_code == 0
    rows = {row["region_name"]: row for row in rows_of(tmp_path / "out")}
    assert {name: row["necrosis_pct"] for name, row in rows.items()} == dict.fromkeys(boxes, "")  # no class is stroma
    assert verify_run(tmp_path / "out").disagreements == ()
    stroma = '{id=3, name="stroma", color="#888888", is_tissue=true, role="stroma", match=["bare"]}'
    with_stroma = f"{classes[:-1]}, {stroma}]"
    settings = load(None, ["segmenter.name=regions", "segmenter.unmatched=ignore", with_stroma])
    assert run_slides(inputs, settings, tmp_path / "all").exit_code == 0
    rows = {row["region_name"]: row for row in rows_of(tmp_path / "all")}
    told = {name: (row["viable_tumor_pct"], row["necrosis_pct"], row["stroma_pct"], row["tumor_stroma_ratio"])
            for name, row in rows.items()}  # fmt: skip
    assert told["tumor"] == ("100.0", "0.0", "0.0", "")
    assert told["bare"] == ("0.0", "0.0", "100.0", "0.0")
    assert [float(value or -1) for value in told["frame"]] == pytest.approx([200 / 3, 100 / 3, 0, -1])
    assert verify_run(tmp_path / "all").disagreements == ()


def test_an_id_that_several_regions_of_a_file_have_is_told(drawn: tuple[Path, Path], tmp_path: Path) -> None:
    slide, folder = drawn
    place = folder / "s.geojson"
    told = json.loads(place.read_text())
    for one in told["features"][:2]:
        one["id"] = "copied-by-hand"
    place.write_text(json.dumps(told))
    measure(slide, tmp_path / "out", regions_from=folder)
    assert [row["region_id"] for row in rows_of(tmp_path / "out")][:2] == [
        "copied-by-hand outline 0", "copied-by-hand outline 1",
    ]  # fmt: skip
    (finding,) = [f for f in open_run(tmp_path / "out")["s"].counted.findings if f.code == "REGION_IDS_REPEATED"]
    assert "copied-by-hand" in finding.message
    for one in told["features"]:
        del one["id"]  # no id at all is nothing to be told apart
    place.write_text(json.dumps(told))
    measure(slide, tmp_path / "out", regions_from=folder)
    assert not [f for f in open_run(tmp_path / "out")["s"].counted.findings if f.code == "REGION_IDS_REPEATED"]


@pytest.mark.parametrize("name", ["t.geojson", "T2.xml", "other_mask.png", "s2.json"])
def test_a_file_of_regions_that_fits_no_slide_is_told_and_the_slides_are_measured(
    drawn: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    slide, folder = drawn
    other = Path(shutil.copy(slide, tmp_path / "b.tiff"))
    shutil.copy(folder / "s.geojson", folder / "b.geojson")
    assert collect_slides([str(slide), str(other)], regions_from=folder).left_out == ()
    (folder / name).write_bytes((folder / "s.geojson").read_bytes())
    (folder / "notes.csv").write_text("no drawing")
    slides = collect_slides([str(slide), str(other)], regions_from=folder)
    (left,) = slides.left_out
    assert ([Path(path).name for path in left.paths], left.is_lost) == ([name], False)
    assert "named like no slide" in left.line
    assert collect_slides([str(slide)], regions_from=folder).left_out == ()  # one of many was asked for


@pytest.mark.parametrize("scale", [None, "2"])
def test_a_region_that_is_a_code_of_a_mask_is_counted_again_while_the_mask_lies_where_it_was(
    drawn: tuple[Path, Path], tmp_path: Path, scale: str | None
) -> None:
    slide, _ = drawn
    codes = np.zeros((SIZE.height_px // 2, SIZE.width_px // 2), np.uint8)  # a mask pixel is two by two of the slide
    codes[40:60, 50:90], codes[10:30, 5:140] = 3, 7
    mask = tmp_path / "mask.png"
    Image.fromarray(codes).save(mask)
    inputs = collect_slides([str(slide)], regions_from=mask, regions_scale=scale)
    assert run_slides(inputs, load(None, [*FLAT]), tmp_path / "out").exit_code == 0
    opened = open_run(tmp_path / "out")["s"]
    assert verify_run(tmp_path / "out").disagreements == ()
    rows = rows_in(read_regions(opened.layout.root / "regions.parquet"))
    assert [(row.mask_file, row.mask_code, row.n_px) for row in rows] == [(0, 3, 4 * 800), (0, 7, 4 * 2700)]

    def faults(*told: RegionOnRecord) -> list[str]:
        return list(regions_check._counted_faults(opened.layout, opened.counted, told, [None] * len(told)))

    assert faults(*rows) == []
    other = rows[1].model_copy(update={"n_px_tissue": rows[1].n_px_tissue + 1})
    assert faults(rows[0], other) == ["row 2 (code 7): counted again, n_px_tissue are others"]
    codes[0, 0] = 3
    Image.fromarray(codes).save(mask)  # another mask tells nothing of what was counted
    assert faults(rows[0], other) == []
    mask.unlink()
    assert verify_run(tmp_path / "out").disagreements == ()
