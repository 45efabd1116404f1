"""Bands and hot spots of a run: the same for every worker and tile, taken over, counted again, refused in time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.errors import ResultError, SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.margins import boxes
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.run.passes.outcomes import outcomes
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE, MPP = Size(900, 700), Mpp(0.25, 0.25)
ASKED = (
    "bands.edges_um=[-40, -10, 0, 15, 60]", 'bands.classes=["positive", "strong"]', "hotspots.areas_mm2=[0.002, 0.004]",
    "hotspots.step_um=10", "hotspots.best=3", "hotspots.tissue_share=0.2",
)  # fmt: skip


def slides(folder: Path, mpp: Mpp | None = MPP) -> list[Path]:
    folder.mkdir(exist_ok=True)
    form = FileForm(mpp=mpp)
    return [
        write_slide(folder / "a.tiff", SIZE, {"dab": disc(SIZE, 400, 300, 180)}, form).path,
        write_slide(folder / "b.tiff", SIZE, {"dab": disc(SIZE, 120, 500, 90)}, form).path,
    ]


def run(paths: list[Path], out: Path, configs: Path, *further: str, asked: tuple[str, ...] = ASKED) -> OpenedRun:
    settings = load(configs / "ihc_dab.toml", ["tiling.skip_glass=false", *asked, *further])
    run_slides(collect_slides([str(path) for path in paths]), settings, out)
    return open_run(str(out))


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> OpenedRun:
    folder = tmp_path_factory.mktemp("margins")
    return run(slides(folder / "in"), folder / "out", configs, "tiling.tile_px=128")


def test_the_bands_of_a_run_are_those_of_scipy_on_its_class_map(one_run: OpenedRun) -> None:
    slide, mpp = one_run["a"], one_run["a"].mpp
    assert mpp is not None
    class_map, step_um = slide.class_map(), slide.counted.work.work_mpp_x_um
    columns, rows = slide.grid.weights()
    l0_px = np.outer(rows, columns)
    positive = [c.id for c in slide.counted.classes if c.is_positive]
    tissue = [c.id for c in slide.counted.classes if c.is_tissue]
    inside = pd.Series(class_map.ravel()).isin(positive).to_numpy().reshape(class_map.shape)
    distance = ndimage.distance_transform_edt(~inside, sampling=step_um)
    inner = ndimage.distance_transform_edt(inside, sampling=step_um)
    frame = slide.bands[slide.bands["border_class"] == "positive"]
    for (low, high), band in frame.groupby(["from_um", "to_um"]):
        within = (distance > low) & (distance <= high) & ~inside | inside & (-inner > low) & (-inner <= high)
        for _, row in band.iterrows():
            code = next(c.id for c in slide.counted.classes if c.name == row["class"])
            due = int(l0_px[within & (class_map == code)].sum()) if code in tissue else 0
            assert row["n_px"] == due
            assert row["area_mm2"] == pytest.approx(due * mpp.x * mpp.y * 1e-6)
    assert frame["n_px"].sum() > 1000


@pytest.mark.parametrize(
    "further",
    [
        ("tiling.tile_px=64",),
        ("tiling.tile_px=512", "run.executor=serial"),
        ("run.executor=processes", "run.workers=2"),
    ],
)
def test_the_tables_are_the_same_for_every_tile_size_and_executor(
    one_run: OpenedRun, tmp_path: Path, configs: Path, further: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxes, "SIDE_PX", 200)  # several boxes, with seams right through the disc
    other = run(slides(tmp_path / "in"), tmp_path / "out", configs, *further)
    pd.testing.assert_frame_equal(other.bands, one_run.bands)
    pd.testing.assert_frame_equal(other.hotspots, one_run.hotspots)


def test_a_finished_slide_is_taken_over_and_measured_anew_where_its_picture_is_gone(
    one_run: OpenedRun, tmp_path: Path, configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = slides(tmp_path / "in")
    first = run(paths, tmp_path / "out", configs)
    (tmp_path / "out" / "slides" / "b" / "hotspots.png").unlink()
    asked: list[tuple[str, bool, bool]] = []
    original = outcomes

    def told(executor: Any, function: Any, tasks: Any, slide_id: str, what: str) -> Any:
        asked.append((slide_id, tasks[0].wanted.rule is not None, tasks[0].wanted.grid is not None))
        return original(executor, function, tasks, slide_id, what)

    monkeypatch.setattr("wsi_area.run.passes.margin_pass.outcomes", told)
    again = run(paths, tmp_path / "out", configs)
    assert asked == [("b", False, True)]  # its hot spots, and not its bands
    pd.testing.assert_frame_equal(again.bands, first.bands)
    assert not verify_run(tmp_path / "out").disagreements


def changed(out: Path, part: str, name: str, value: float) -> None:
    place = out / "slides" / "a" / "result.json"
    document = json.loads(place.read_text(encoding="utf-8"))
    document[part]["listed"][0][name] = value
    place.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "name", "value"), [("bands", "n_px", 7), ("bands", "pct_band", 1.5), ("hotspots", "positive_pct", 99.0)]
)
def test_verify_counts_bands_and_hot_spots_again(
    tmp_path: Path, configs: Path, part: str, name: str, value: float
) -> None:
    run(slides(tmp_path / "in"), tmp_path / "out", configs)
    assert not verify_run(tmp_path / "out").disagreements
    changed(tmp_path / "out", part, name, value)
    told = [d for d in verify_run(tmp_path / "out").disagreements if d.what == part]
    assert [d.slide_id for d in told] == ["a"]
    assert name in told[0].message


def test_verify_finds_an_exchanged_outline_and_picture(tmp_path: Path, configs: Path) -> None:
    run(slides(tmp_path / "in"), tmp_path / "out", configs)
    for name in ("hotspots.geojson", "hotspots.png"):
        first, second = (tmp_path / "out" / "slides" / slide / name for slide in ("a", "b"))
        first.write_bytes(second.read_bytes())
    told = {d.what for d in verify_run(tmp_path / "out").disagreements if d.slide_id == "a"}
    assert {"hotspots.geojson", "hotspots.png"} <= told


def test_outlines_lie_where_the_windows_are_and_have_their_area(one_run: OpenedRun) -> None:
    from shapely.geometry import shape

    place = one_run.layout.slide("a").root / "hotspots.geojson"
    features = json.loads(place.read_bytes())["features"]
    for feature, (_, row) in zip(features, one_run["a"].hotspots.iterrows(), strict=True):
        outline = shape(feature["geometry"])
        assert outline.area * 0.0625e-6 == pytest.approx(row["window_mm2"], rel=0.002)
        assert (outline.centroid.x, outline.centroid.y) == pytest.approx(
            (row["center_x_px"], row["center_y_px"]), abs=0.1
        )
        assert row["counted_mm2"] <= row["window_mm2"] * 1.02


def test_a_class_that_is_none_is_refused_before_a_tile_is_read_and_the_classes_are_named(
    tmp_path: Path, configs: Path
) -> None:
    for number, (key, wrong) in enumerate([("bands", "stroma"), ("hotspots", "stroma"), ("bands", "tumor")]):
        asked = ("bands.edges_um=[0, 50]", "hotspots.areas_mm2=[0.01]", 'bands.classes=["strong"]')
        made = run(slides(tmp_path / "in"), tmp_path / str(number), configs, f'{key}.classes=["{wrong}"]', asked=asked)
        assert {slide.status for slide in made.values()} == {"failed"}
        assert all(f"{key}.classes names '{wrong}'" in slide.result.reason for slide in made.values())
        assert all("negative, weak, moderate, strong" in slide.result.reason for slide in made.values())
        assert not (tmp_path / str(number) / "slides" / "a" / "mask.ome.zarr").exists()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("bands.edges_um=[0]", "at least two edges"),
        ("bands.edges_um=[50, 0]", "ascending"),
        ("bands.edges_um=[0, 9000]", "farther than 5000 µm"),
        ("hotspots.areas_mm2=[0]", "0.001 to 100 mm²"),
        ("hotspots.areas_mm2=[1, 1]", "repeat"),
        ("hotspots.hpf_count=10", "field_number_mm"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_with_a_remedy(asked: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(None, [asked])


def test_without_a_pixel_size_there_are_no_bands_and_nothing_is_made_up(tmp_path: Path, configs: Path) -> None:
    made = run(slides(tmp_path / "in", None), tmp_path / "out", configs)
    assert {slide.status for slide in made.values()} == {"needs_calibration"}
    assert not (tmp_path / "out" / "bands.parquet").exists()
    with pytest.raises(ResultError, match="no slide has a pixel size"):
        _ = made.bands
    assert made["a"].bands.empty
    assert list(made["a"].bands.columns) == list(made["a"].bands.columns.unique())


def test_a_run_that_asks_for_neither_has_neither_table_nor_files(tmp_path: Path, configs: Path) -> None:
    run(slides(tmp_path / "in"), tmp_path / "out", configs, asked=())
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert not names & {"bands.parquet", "hotspots.parquet", "hotspots.geojson", "hotspots.png"}
