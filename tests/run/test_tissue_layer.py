"""Tissue as a layer of its own under the classes: integers held against both pictures painted out at level 0."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
import zarr
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.audit.difference import compare_runs
from wsi_area.audit.same_rules import remarks_of
from wsi_area.audit.verify import verify_run
from wsi_area.errors import SettingsError
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.layered_map import LayeredMap, grid_of
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.events import Event, SlidePreparing, SlideStarted
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

pytestmark = pytest.mark.usefixtures("small_batches")

SIZE = Size(1201, 903)
TUMOR = (300, 200, 800, 420)  # left, top, right, bottom: partly on glass
FLAT_TISSUE = ("tissue.name=tissue", "tissue.background=bright", "tissue.threshold=60")
DRAWN = ("segmenter.name=regions", "run.executor=serial")


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    path = tmp_path_factory.mktemp("layer") / "layered.tif"
    form = FileForm(mpp=Mpp(0.5, 0.5), downsamples=(1, 2, 4), tile_px=64)
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 600, 470, 330)}, form, noise_sd=2.0)


def outlines(path: Path, **boxes: tuple[int, int, int, int]) -> Path:
    def feature(name: str, box: tuple[int, int, int, int]) -> dict[str, object]:
        x0, y0, x1, y1 = box
        ring = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        return {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"objectType": "annotation", "classification": {"name": name}},
        }

    features = [feature(name, box) for name, box in boxes.items()]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def measured(slide: SyntheticSlide, drawn: Path, out: Path, *assignments: str, **options: object) -> CountedSlide:
    inputs = collect_slides([str(slide.path)], annotations=drawn)
    outcome = run_slides(inputs, load(None, [*DRAWN, *assignments]), out, **options)  # type: ignore[arg-type]
    assert outcome.exit_code == 0, [ended.reason for ended in outcome.all_slides]
    return open_run(out)["layered"].counted


def drawn_l0() -> np.ndarray:
    found = np.zeros((SIZE.height_px, SIZE.width_px), bool)
    left, top, right, bottom = TUMOR
    found[top:bottom, left:right] = True
    return found


def painted_out(counted: CountedSlide, classes: np.ndarray) -> np.ndarray:
    columns, rows = grid_of(counted).weights()
    return np.repeat(np.repeat(classes, rows, axis=0), columns, axis=1)


def layer_l0(out: Path) -> np.ndarray:
    """The layer's class map read back, at level 0."""
    layer = open_run(out)["layered"].tissue
    assert layer is not None
    return painted_out(layer.counted, layer.class_map())


def test_the_share_is_the_tumour_in_tissue_over_the_tissue(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    found = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, "tissue.work_mpp=0.5")
    tissue, tumor = slide.class_map == 1, drawn_l0()
    inside = int((tissue & tumor).sum())
    assert (found.tissue.source, found.tissue.n_px) == ("layer", int(tissue.sum()))
    assert (found.tumor.n_px, found.tumor.in_tissue_px) == (int(tumor.sum()), inside)
    assert 0 < inside < tumor.sum()
    assert found.tumor.pct_tissue == pytest.approx(100 * inside / tissue.sum(), rel=1e-12)
    px_mm2 = 0.5e-3**2
    assert found.tumor.in_tissue_area_mm2 == pytest.approx(inside * px_mm2)
    assert found.tumor.outside_tissue_area_mm2 == pytest.approx((tumor.sum() - inside) * px_mm2)
    assert found.tissue.area_mm2 == pytest.approx(tissue.sum() * px_mm2)


@pytest.mark.parametrize("work_mpp", ["0.5", "1.6", "2.0", "3.1"])
def test_the_cross_table_is_that_of_both_maps_painted_out(slide: SyntheticSlide, tmp_path: Path, work_mpp: str) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    found = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, f"tissue.work_mpp={work_mpp}")
    tissue, tumor = layer_l0(tmp_path / "out") == 1, drawn_l0()
    assert found.tissue_layer is not None
    table = [row[:2] for row in found.tissue_layer.n_px_crossed[:2]]
    expected = [[int((above & below).sum()) for below in (~tissue, tissue)] for above in (~tumor, tumor)]
    assert [list(row) for row in table] == expected
    assert sum(map(sum, found.tissue_layer.n_px_crossed)) == SIZE.area_px
    assert sum(found.tissue_layer.n_px_enclosed) == found.tissue_envelope.enclosed_px  # type: ignore[union-attr]


def test_integers_are_the_same_for_any_tile_executor_and_task_of_an_array(
    slide: SyntheticSlide, tmp_path: Path
) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    tables = []
    for n, further in enumerate(
        (["tiling.tile_px=64"], ["tiling.tile_px=333"], ["run.executor=threads"], ["run.executor=processes"])
    ):
        found = measured(slide, drawn, tmp_path / f"out{n}", *FLAT_TISSUE, *further)
        tables.append((found.tissue_layer.n_px_crossed, found.tissue_layer.n_px_enclosed, found.tumor, found.tissue))  # type: ignore[union-attr]
    inputs = collect_slides([str(slide.path)], annotations=drawn)
    settings = load(None, [*DRAWN, *FLAT_TISSUE, "run.piece_mib=0", "tiling.tile_px=64"])
    for task in (1, 2):
        assert run_task(inputs, settings, tmp_path / "array", ArrayTask(task, 2)).exit_code == 0
    assert merge_run(tmp_path / "array").exit_code == 0
    found = open_run(tmp_path / "array")["layered"].counted
    tables.append((found.tissue_layer.n_px_crossed, found.tissue_layer.n_px_enclosed, found.tumor, found.tissue))  # type: ignore[union-attr]
    assert all(table == tables[0] for table in tables[1:])


def test_a_lost_part_of_the_layer_is_measured_again_and_nothing_else_is(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    first = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE)
    place = RunLayout(tmp_path / "out").slide("layered")
    shard = sorted((place.tissue.class_map / "0").rglob("c/*/*"))[0]
    own = {path: path.stat().st_mtime_ns for path in place.class_map.rglob("*") if path.is_file()}
    shard.write_bytes(shard.read_bytes()[:-7])
    again = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE)
    assert again.tissue_layer == first.tissue_layer
    assert {path: path.stat().st_mtime_ns for path in place.class_map.rglob("*") if path.is_file()} == own


def test_without_a_layer_and_with_tumour_alone_drawn_there_is_no_share(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    found = measured(slide, drawn, tmp_path / "out")
    assert (found.tissue.source, found.tissue.n_px, found.tumor.pct_tissue) == (None, None, None)
    assert "[tissue]" in found.tissue.reason
    assert found.tumor.n_px == drawn_l0().sum()
    assert found.pct_tissue(found.classes[1]) is None
    assert found.tumor.in_tissue_area_mm2 is None


CLASSES = (
    'segmenter.classes=[{id=0,name="background",color="#ffffff"},{id=1,name="stroma",color="#00ff00",is_tissue=true},'
    '{id=2,name="tumor",color="#ff0000",is_tissue=true,is_tumor=true}]'
)


def test_where_tissue_is_drawn_the_drawing_is_the_tissue(slide: SyntheticSlide, tmp_path: Path) -> None:
    box = (100, 100, 1000, 800)
    drawn = outlines(tmp_path / "layered.geojson", stroma=box, tumor=TUMOR)
    found = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, CLASSES)
    assert (found.tissue.source, found.tissue.n_px) == ("drawing", 900 * 700)
    assert found.tissue_layer is None
    assert found.tumor.pct_tissue == pytest.approx(100 * 500 * 220 / (900 * 700))
    assert not RunLayout(tmp_path / "out").slide("layered").tissue.root.exists()


def test_on_a_plain_image_the_tissue_is_no_layer(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    found = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, "calibration.profile=plain")
    assert (found.tissue_layer, found.tissue.source) == (None, None)
    assert "plain" in found.tissue.reason


def test_the_same_rule_at_the_same_pixel_size_is_not_measured_twice(slide: SyntheticSlide, tmp_path: Path) -> None:
    rule = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", *FLAT_TISSUE)
    for n, work_mpp in enumerate(("2.0", "0.5")):
        settings = load(None, [*rule, f"tiling.work_mpp={work_mpp}", "run.executor=serial"])
        outcome = run_slides(collect_slides([str(slide.path)]), settings, tmp_path / f"out{n}")
        assert outcome.exit_code == 0
        found = open_run(tmp_path / f"out{n}")["layered"].counted
        assert found.tissue.source == ("segmenter" if work_mpp == "2.0" else "layer")


def test_a_mask_can_be_the_tissue(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    tissue = tmp_path / "tissue"
    tissue.mkdir()
    outlines(tissue / "layered.geojson", tissue=(0, 0, 600, 903))
    glass = '{id=0,name="background",color="#ffffff"}'
    classes = f'tissue.classes=[{glass},{{id=1,name="tissue",color="#d0d0d0",is_tissue=true}}]'
    further = ("tissue.name=regions", f"tissue.drawing={tissue}", classes, "tissue.work_mpp=0.5")
    found = measured(slide, drawn, tmp_path / "out", *further)
    assert (found.tissue.source, found.tissue.n_px) == ("layer", 600 * 903)
    assert found.tumor.in_tissue_px == 300 * 220


def test_the_layered_map_has_the_overlap_of_both_grids(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    found = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, "tiling.work_mpp=1.5")
    opened = open_run(tmp_path / "out")["layered"]
    grid = grid_of(found)
    layered = LayeredMap.over(opened.layout, grid, [c.tissue_class for c in found.classes])
    tissue, (columns, rows) = layer_l0(tmp_path / "out") == 1, grid.edges_l0_px
    box = np.s_[37:211, 5:301]
    expected = np.add.reduceat(np.add.reduceat(tissue.astype(int), rows[:-1], axis=0), columns[:-1], axis=1)
    assert np.array_equal(layered.tissue_l0_px(*box), expected[box])
    assert layered.l0_px(slice(None), slice(None)).sum() == SIZE.area_px


def test_verify_finds_a_pixel_of_the_layer_that_was_changed(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE)
    assert verify_run(tmp_path / "out").disagreements == ()
    place = RunLayout(tmp_path / "out").slide("layered").tissue
    array = zarr.open_array(place.class_map, path="0", mode="r+")
    array[100, 150] = 1 - int(array[100, 150])
    assert any(found.what == "tissue layer" for found in verify_run(tmp_path / "out").disagreements)


@pytest.mark.parametrize("field", ["n_px_crossed", "in_tissue_px", "fraction_of_tissue", "n_px"])
def test_verify_finds_a_number_of_the_layer_that_was_changed(slide: SyntheticSlide, tmp_path: Path, field: str) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE)
    place = RunLayout(tmp_path / "out").slide("layered").result_json
    document = json.loads(place.read_text())
    part = {"n_px_crossed": "tissue_layer", "n_px": "tissue"}.get(field, "tumor")
    was = document[part][field]
    if isinstance(was, list):
        was[0][0] += 1
    else:
        document[part][field] = was * 0.5 if isinstance(was, float) else was + 1
    place.write_text(json.dumps(document))
    assert verify_run(tmp_path / "out").disagreements


def test_change_and_diff_say_that_the_denominator_is_another(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    with_layer = measured(slide, drawn, tmp_path / "now", *FLAT_TISSUE)
    tissue_px = int(drawn_l0().sum())
    # as versions before the tissue layer wrote it: what was drawn is the tissue
    tissue = with_layer.tissue.model_copy(update={"source": None, "reason": "", "n_px": tissue_px})
    before = with_layer.model_copy(update={"tissue": tissue, "tissue_layer": None})
    assert any("denominator" in remark for remark in remarks_of(before, with_layer))
    assert not any("denominator" in remark for remark in remarks_of(with_layer, with_layer))
    measured(slide, drawn, tmp_path / "then")
    found = compare_runs(tmp_path / "then", tmp_path / "now")
    assert "tissue, the denominator of shares" in {difference.what for difference in found.slides}


def test_of_a_drawn_slide_no_tile_is_read_but_those_at_the_drawing(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=(300, 200, 360, 260))
    found = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, "tiling.tile_px=64", "tiling.skip_margin_um=0")
    assert found.work.tiles - found.work.tiles_skipped <= 9  # four hold it, and their neighbours
    assert found.skipped_tissue_px_upper_bound == 0
    assert found.tumor.n_px == 60 * 60
    assert "SKIP_BOUND_HIGH" not in {finding.code for finding in found.findings}


def test_the_tiles_of_the_layer_are_told_as_a_phase_and_never_as_those_of_the_slide(
    slide: SyntheticSlide, tmp_path: Path
) -> None:
    told: list[Event] = []
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE, "tissue.work_mpp=0.5", listener=told.append)
    layer = open_run(tmp_path / "out")["layered"].tissue
    assert layer is not None
    tiles = layer.counted.work.tiles
    phases = [event.phase for event in told if isinstance(event, SlidePreparing) and "tiles" in event.phase]
    assert len(phases) > 1
    assert phases[-1] == f"its tissue: {tiles} of {tiles} tiles"
    assert len([event for event in told if isinstance(event, SlideStarted)]) == 1


def test_the_layer_is_exported_as_outlines_and_labels_with_its_own_areas(slide: SyntheticSlide, tmp_path: Path) -> None:
    drawn = outlines(tmp_path / "layered.geojson", tumor=TUMOR)
    counted = measured(slide, drawn, tmp_path / "out", *FLAT_TISSUE)
    layer = open_run(tmp_path / "out")["layered"].tissue
    assert layer is not None
    assert counted.tissue_layer is not None
    (written,) = export_run(tmp_path / "out", ExportOptions("geojson", tissue=True))
    assert written.path == tmp_path / "out/slides/layered/tissue/regions.geojson.gz"
    features = json.loads(gzip.decompress(written.path.read_bytes()))["features"]
    enclosed = sum(shapely.geometry.shape(feature["geometry"]).area for feature in features)
    assert enclosed == counted.tissue_layer.tissue_px == layer.counted.tissue.n_px
    (labels,) = export_run(tmp_path / "out", ExportOptions("ome-zarr", tissue=True))
    assert labels.path is not None
    assert np.array_equal(zarr.open_group(labels.path, mode="r")["0"][:].squeeze(), layer.class_map()[:])
    assert not verify_run(tmp_path / "out").disagreements
    (elsewhere,) = export_run(tmp_path / "out", ExportOptions("geojson", tissue=True), out=tmp_path / "else")
    assert elsewhere.path == tmp_path / "else/layered/tissue/regions.geojson.gz"


def test_a_slide_without_a_layer_has_none_to_export_and_what_has_none_is_refused(
    slide: SyntheticSlide, tmp_path: Path
) -> None:
    measured(slide, outlines(tmp_path / "layered.geojson", tumor=TUMOR), tmp_path / "out")
    (told,) = export_run(tmp_path / "out", ExportOptions("geojson", tissue=True))
    assert (told.path, told.not_exported) == (None, "it has no tissue layer")
    for further in ({"amended": True}, {"format": "regions"}):
        with pytest.raises(SettingsError, match="--tissue exports"):
            ExportOptions(**{"format": "geojson", "tissue": True, **further})  # type: ignore[arg-type]
