"""Pieces of tissue and cores of an array, painted at known places, have their rows with what lies in them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from measuring import FLAT, measure
from synthetic import FileForm, Shape, disc, write_slide
from synthetic_shapes import box

from wsi_area.audit.verify import verify_run
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.picture.photo_layers import Frame
from wsi_area.reports.picture.region_outlines import region_outlines
from wsi_area.reports.report import write_report
from wsi_area.results.layout import SlideLayout
from wsi_area.results.opened_run import open_run
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(2400, 2000)
FORM = FileForm(mpp=Mpp(4.0, 4.0))
SECTIONS = "sections.find=true"
CORE_RADIUS_PX = 120  # of 125 in the nominal core of 1 mm


def all_of(shapes: list[Shape]) -> Shape:
    total = shapes[0]
    for shape in shapes[1:]:
        total = total + shape
    return total


def counted(out: Path) -> CountedSlide:
    run = open_run(out)
    return run[next(iter(run))].counted


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    with (out / "regions.csv").open(encoding="utf-8", newline="") as file:
        return {row["region_id"]: row for row in csv.DictReader(file)}


@pytest.fixture
def pieces() -> list[Shape]:
    return [disc(SIZE, 500, 600, 300), disc(SIZE, 1700, 1200, 400), box(SIZE, 1000, 200, 20, 20)]


@pytest.fixture
def slide(tmp_path: Path, pieces: list[Shape]) -> Path:
    return write_slide(tmp_path / "pieces.tif", SIZE, {"tissue": all_of(pieces)}, FORM).path


def test_each_piece_has_its_tissue_and_the_rest_has_what_is_left(
    tmp_path: Path, slide: Path, pieces: list[Shape]
) -> None:
    measure(slide, tmp_path / "out", SECTIONS)
    rows = rows_of(tmp_path / "out")
    assert {name: (row["region_class"], row["status"]) for name, row in rows.items()} == {
        "section 1": ("section", "complete"),
        "section 2": ("section", "complete"),
        "section rest": ("section", "rest"),
    }
    tissue = [int(row["n_px_tissue"]) for row in rows.values()]
    assert tissue == [piece.count_px for piece in pieces]
    assert sum(int(row["n_px"]) for row in rows.values()) == SIZE.area_px
    assert float(rows["section 1"]["tissue_area_mm2"]) == pytest.approx(pieces[0].count_px * 16e-6, rel=1e-12)


@pytest.mark.parametrize(
    "how", [("tiling.tile_px=128",), ("tiling.tile_px=448",), ("run.executor=serial",), ("run.executor=processes",)]
)
def test_tile_size_and_executor_change_no_row(tmp_path: Path, slide: Path, how: tuple[str, ...]) -> None:
    measure(slide, tmp_path / "one", SECTIONS, "run.workers=2", "tiling.tile_px=256")
    measure(slide, tmp_path / "other", SECTIONS, "run.workers=2", *how)
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "other")


def test_the_tasks_of_a_job_array_find_the_same_rows(tmp_path: Path, slide: Path) -> None:
    measure(slide, tmp_path / "one", SECTIONS, "tiling.tile_px=256")
    settings = load(None, [*FLAT, SECTIONS, "tiling.tile_px=256", "run.piece_mib=0"])
    for n in (1, 2):
        run_task(collect_slides([str(slide)]), settings, tmp_path / "array", ArrayTask(n, 2))
    assert merge_run(tmp_path / "array").exit_code == 0
    assert rows_of(tmp_path / "array") == rows_of(tmp_path / "one")


def test_with_a_tissue_layer_on_a_grid_of_its_own_rows_add_up_to_its_tissue(tmp_path: Path, slide: Path) -> None:
    drawn = tmp_path / "drawn.geojson"
    ring = [[300, 500], [700, 500], [700, 800], [300, 800], [300, 500]]
    feature = {
        "type": "Feature",
        "properties": {"classification": {"name": "Tumor"}},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    layer = "tissue.name=tissue", "tissue.threshold=60", "tissue.work_mpp=12"
    slides = collect_slides([str(slide)], annotations=drawn)
    run_slides(slides, load("regions", [SECTIONS, *layer]), tmp_path / "out")
    result = counted(tmp_path / "out")
    sections = [row for row in rows_of(tmp_path / "out").values() if row["region_class"] == "section"]
    assert result.tissue.source == "layer"
    assert sum(int(row["n_px_tissue"]) for row in sections) == result.tissue.n_px
    assert sum(int(row["n_px"]) for row in sections) == SIZE.area_px
    assert [int(row["n_px_tumor"]) for row in sections] == [400 * 300, 0, 0]


def test_verify_counts_found_rows_again(tmp_path: Path, slide: Path) -> None:
    measure(slide, tmp_path / "out", SECTIONS)
    assert verify_run(tmp_path / "out").disagreements == ()


def test_a_piece_at_the_rim_says_that_it_is_cut(tmp_path: Path) -> None:
    shapes = {"tissue": disc(SIZE, 0, 900, 300) + disc(SIZE, 1500, 900, 300)}
    measure(write_slide(tmp_path / "rim.tif", SIZE, shapes, FORM).path, tmp_path / "out", SECTIONS)
    assert [row["status"] for row in rows_of(tmp_path / "out").values()] == ["cut", "complete", "rest"]


def test_without_a_pixel_size_no_piece_is_guessed(tmp_path: Path, pieces: list[Shape]) -> None:
    path = write_slide(tmp_path / "bare.tif", SIZE, {"tissue": all_of(pieces)}, FileForm(mpp=None)).path
    measure(path, tmp_path / "out", SECTIONS, "tma.core_mm=1")
    assert "SECTIONS_NOT_ASSESSED" in {finding.code for finding in counted(tmp_path / "out").findings}
    assert not (tmp_path / "out" / "regions.csv").exists()


def test_a_slide_that_is_measured_again_without_them_has_no_rows_left(tmp_path: Path, slide: Path) -> None:
    measure(slide, tmp_path / "out", SECTIONS)
    assert (tmp_path / "out" / "regions.csv").exists()
    measure(slide, tmp_path / "out", force=True)
    assert not (tmp_path / "out" / "regions.csv").exists()


# --------------------------------------------------------------------------------------------- arrays

ROWS, COLUMNS, PITCH_PX = 4, 5, 380


def core_centres(turn_deg: float = 8.0) -> np.ndarray:
    r, c = np.mgrid[:ROWS, :COLUMNS].astype(float)
    x, y = (c - (COLUMNS - 1) / 2) * PITCH_PX, (r - (ROWS - 1) / 2) * PITCH_PX
    turn = np.radians(turn_deg)
    return np.stack(
        [
            x * np.cos(turn) - y * np.sin(turn) + SIZE.width_px / 2,
            x * np.sin(turn) + y * np.cos(turn) + SIZE.height_px / 2,
        ],
        axis=-1,
    )


def array_slide(path: Path, gone: set[tuple[int, int]] = frozenset(), half: tuple[int, int] | None = None) -> Path:  # type: ignore[assignment]
    centres, shapes = core_centres(), []
    for r in range(ROWS):
        for c in range(COLUMNS):
            if (r, c) in gone:
                continue
            core = disc(SIZE, *centres[r, c], CORE_RADIUS_PX)
            if (r, c) == half:
                mask = core.mask & (np.arange(SIZE.width_px)[None, :] > centres[r, c, 0] + 20)
                core = Shape(mask, float(mask.sum()), core.boundary_px)
            shapes.append(core)
    return write_slide(path, SIZE, {"tissue": all_of(shapes)}, FORM).path


def map_file(path: Path) -> Path:
    lines = [f"{chr(65 + r)}{c + 1},patient {(r * COLUMNS + c) // 2}" for r in range(ROWS) for c in range(COLUMNS)]
    path.write_text("name,patient\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_each_core_has_its_name_its_patient_and_its_tissue_in_percent_of_the_nominal_core(tmp_path: Path) -> None:
    slide = array_slide(tmp_path / "array.tif", gone={(1, 2)}, half=(2, 3))
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.map={map_file(tmp_path / 'map.csv')}")
    rows = rows_of(tmp_path / "out")
    cores = {row["region_name"]: row for row in rows.values() if row["status"] != "rest"}
    assert len(cores) == ROWS * COLUMNS
    assert {name: row["status"] for name, row in cores.items() if row["status"] != "complete"} == {
        "B3": "missing",
        "C4": "broken",
    }
    assert cores["A3"]["parent_id"] == "patient 1"
    whole = 100 * CORE_RADIUS_PX**2 / 125**2
    assert float(cores["D5"]["pct_tissue"]) == pytest.approx(whole, rel=0.005)
    assert float(cores["D5"]["outline_area_mm2"]) == pytest.approx(np.pi / 4, rel=1e-9)
    assert float(cores["B3"]["tissue_area_mm2"]) == 0
    assert sum(int(row["n_px"]) for row in rows.values()) == SIZE.area_px
    assert sum(int(row["n_px_tissue"]) for row in rows.values()) == counted(tmp_path / "out").tissue.n_px


def test_a_grid_that_was_corrected_comes_back(tmp_path: Path) -> None:
    slide = array_slide(tmp_path / "array.tif")
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.map={map_file(tmp_path / 'map.csv')}")
    (written,) = (tmp_path / "out" / "slides").glob("*/tma_grid.csv")
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(written.read_text(encoding="utf-8").replace(",B2,", ",liver control,"), encoding="utf-8")
    measure(slide, tmp_path / "again", "tma.core_mm=1", f"tma.grid={corrected}")
    found, again = ({r["region_name"]: r for r in rows_of(tmp_path / o).values()} for o in ("out", "again"))
    assert set(again) == set(found) - {"B2"} | {"liver control"}
    for name in set(again) & set(found):
        assert int(again[name]["n_px_tissue"]) == pytest.approx(int(found[name]["n_px_tissue"]), abs=5)
        assert again[name]["parent_id"] == found[name]["parent_id"]


def test_exported_cores_come_back_by_name_and_patient(tmp_path: Path) -> None:
    slide = array_slide(tmp_path / "array.tif", gone={(0, 0)})
    measure(slide, tmp_path / "out", SECTIONS, "tma.core_mm=1", f"tma.map={map_file(tmp_path / 'map.csv')}")
    (exported,) = (made.path for made in export_run(tmp_path / "out", ExportOptions(format="regions")))
    measure(slide, tmp_path / "again", "tma.core_mm=1", f"tma.grid={exported}")
    found, again = (rows_of(tmp_path / out) for out in ("out", "again"))
    assert {name: row for name, row in again.items() if row["status"] != "rest"}.keys() == {
        name for name, row in found.items() if row["region_class"] == "core" and row["status"] != "rest"
    }
    for name, row in again.items():
        assert row["parent_id"] == found[name]["parent_id"]
        assert row["status"] == found[name]["status"]


def test_the_report_outlines_each_core_with_its_name_and_its_status(tmp_path: Path) -> None:
    slide = array_slide(tmp_path / "array.tif", gone={(1, 2)}, half=(2, 3))
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.map={map_file(tmp_path / 'map.csv')}")
    record, notes = counted(tmp_path / "out"), list[str]()
    (folder,) = (tmp_path / "out" / "slides").iterdir()
    shown = region_outlines(
        SlideLayout(folder), record, Frame(float(SIZE.width_px), float(SIZE.height_px), 1.0), (), notes
    )
    assert notes == []
    assert {outline.title for outline in shown if outline.is_doubtful} == {"B3: missing", "C4: broken"}
    centres = core_centres()
    for outline in shown:
        r, c = ord(outline.label[0]) - 65, int(outline.label[1:]) - 1
        assert np.hypot(outline.x - centres[r, c, 0], outline.y - centres[r, c, 1]) < 80, outline.title
    write_report(tmp_path / "out")
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert html.count('class="found"') == ROWS * COLUMNS


def test_a_plot_in_a_notebook_names_each_core(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("Agg")
    from wsi_area.notebook.plotting import plot_slide

    slide = array_slide(tmp_path / "array.tif", gone={(1, 2)})
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.map={map_file(tmp_path / 'map.csv')}")
    run = open_run(tmp_path / "out")
    axes = plot_slide(run["array"], None, overlay=True, classes=None)
    names = {f"{chr(65 + r)}{c + 1}" for r in range(ROWS) for c in range(COLUMNS)}
    assert names <= {text.get_text() for text in axes.texts}
    assert [line.get_linestyle() for line in axes.lines].count("--") == 1


def test_resuming_finds_the_same_rows_and_a_changed_map_is_followed(tmp_path: Path) -> None:
    slide, cores = array_slide(tmp_path / "array.tif"), map_file(tmp_path / "map.csv")
    asked = "tma.core_mm=1", f"tma.map={cores}"
    measure(slide, tmp_path / "out", *asked)
    first = rows_of(tmp_path / "out")
    measure(slide, tmp_path / "out", *asked)
    assert rows_of(tmp_path / "out") == first
    cores.write_text(cores.read_text(encoding="utf-8").replace("A1,patient 0", "A1,patient 99"), encoding="utf-8")
    measure(slide, tmp_path / "out", *asked)
    assert rows_of(tmp_path / "out")["core A1"]["parent_id"] == "patient 99"


def test_an_array_whose_edge_row_is_lost_says_that_no_core_is_sure(tmp_path: Path) -> None:
    slide = array_slide(tmp_path / "array.tif", gone={(0, c) for c in range(COLUMNS)})
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.rows={ROWS}", f"tma.columns={COLUMNS}")
    (finding,) = (f for f in counted(tmp_path / "out").findings if f.code == "TMA_GRID_UNSURE")
    assert "2 ways" in finding.message
    assert {row["status"] for row in rows_of(tmp_path / "out").values()} == {"unplaced", "rest"}


def test_two_sections_of_a_lymph_node_are_two_rows(tmp_path: Path, testdata: Path) -> None:
    slide = testdata / "slides" / "camelyon16_tumor_072"
    if not slide.exists():
        pytest.skip(f"no public slide at {slide}")
    run_slides(collect_slides([str(slide)]), load("he_tissue", [SECTIONS]), tmp_path / "out")
    sections = [row for row in rows_of(tmp_path / "out").values() if row["status"] != "rest"]
    # scipy's closing with the 4-neighbour cross, six times, on the same map: 87.96 and 86.20 mm²
    assert [float(row["tissue_area_mm2"]) for row in sections] == pytest.approx([87.962, 86.199], rel=0.005)


def test_a_grid_that_was_corrected_where_it_lies_is_read_before_it_is_written_again(tmp_path: Path) -> None:
    slide = array_slide(tmp_path / "array.tif", gone={(1, 2)})
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.map={map_file(tmp_path / 'map.csv')}")
    (grid,) = (tmp_path / "out" / "slides").glob("*/tma_grid.csv")
    assert verify_run(tmp_path / "out").disagreements == ()
    grid.write_text(grid.read_text(encoding="utf-8").replace("patient 0", "patient 70"), encoding="utf-8")
    faults = verify_run(tmp_path / "out").disagreements
    assert [Path(fault.what).name for fault in faults] == ["tma_grid.csv"]
    measure(slide, tmp_path / "out", "tma.core_mm=1", f"tma.grid={grid}")
    assert "patient 70" in {row["parent_id"] for row in rows_of(tmp_path / "out").values()}
    assert "patient 70" in grid.read_text(encoding="utf-8")
    assert verify_run(tmp_path / "out").disagreements == ()
