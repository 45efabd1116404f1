"""The signal of regions and bands: against planted densities, scikit-image and numpy, whoever measured the tiles."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from stained_parts import (
    BANDS,
    HEIGHT,
    MPP_X,
    MPP_Y,
    PAINT_RGB,
    REGIONS,
    WIDTH,
    density,
    distances,
    drawn,
    ids_of,
    inputs,
    inside,
    measured,
    slide_with_regions,
    stained_rgb,
    write,
)

from wsi_area.results.margins import boxes
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

PX_MM2 = MPP_X * MPP_Y * 1e-6
EXACT = {"rel": 1e-6, "abs": 1e-9}  # of densities that are rounded to a millionth


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slide_with_regions(tmp_path_factory.mktemp("slide"))


@pytest.fixture(scope="module")
def run(slide: Path, tmp_path_factory: pytest.TempPathFactory, configs: Path) -> OpenedRun:
    return measured(slide, tmp_path_factory.mktemp("run") / "out", configs, "tiling.tile_px=128", *BANDS)


@pytest.mark.parametrize("paint", ["dab", "weak", "blue"])
def test_a_region_of_one_paint_has_its_density_and_one_of_two_the_mean_by_area(
    tmp_path: Path, configs: Path, paint: str
) -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), PAINT_RGB["glass"], np.uint8)
    rgb[100:300, 100:400], rgb[300:360, 100:400] = PAINT_RGB[paint], PAINT_RGB["blue"]
    of_paint, of_blue = (float(density(np.array([[PAINT_RGB[p]]], np.uint8))[0, 0]) for p in (paint, "blue"))
    path = write(tmp_path / "s.tif", rgb)
    shapes = {
        "alone": shapely.box(120, 110, 220, 260), "both": shapely.box(200, 280, 300, 340),
        "with glass": shapely.box(0, 200, 200, 300), "glass": shapely.box(450, 0, 550, 90),
    }  # fmt: skip
    drawn(path.with_suffix(".geojson"), shapes)
    found = measured(path, tmp_path / "out", configs)["s"].regions.set_index("region_name")
    means, integrated = found["mean_od"], found["integrated_od"]
    assert means["alone"] == pytest.approx(of_paint, **EXACT)
    assert integrated["alone"] == pytest.approx(of_paint * 100 * 150 * PX_MM2, **EXACT)
    assert means["both"] == pytest.approx((20 * of_paint + 40 * of_blue) / 60, **EXACT)
    assert means["with glass"] == pytest.approx(of_paint, **EXACT)  # its pixels of tissue alone
    assert integrated["with glass"] == pytest.approx(of_paint * 100 * 100 * PX_MM2, **EXACT)
    assert found["sum_od_per_mm2"]["alone"] == pytest.approx(of_paint / PX_MM2, **EXACT)
    assert np.isnan(means["glass"])
    assert integrated["glass"] == 0


@pytest.mark.parametrize("factor", [1, 2])
def test_regions_have_the_signal_that_numpy_finds_under_their_outlines(
    slide: Path, tmp_path: Path, configs: Path, factor: int
) -> None:
    run = measured(slide, tmp_path / "out", configs, f"tiling.work_mpp={factor * MPP_Y}", "tiling.tile_px=96")
    opened, rgb = run["s"], stained_rgb().astype(np.int64)
    parts = rgb.reshape(HEIGHT // factor, factor, WIDTH // factor, factor, 3).sum(axis=(1, 3))
    of_pixel = density(((2 * parts + factor**2) // (2 * factor**2)).astype(np.uint8))
    class_map, frame = opened.class_map(), opened.regions.set_index("region_name")
    assert class_map.shape == of_pixel.shape
    tissue = np.isin(class_map, ids_of(opened, "is_tissue"))
    for name, shape in REGIONS.items():
        within = inside(shape, factor)
        row, there = frame.loc[name], within & tissue
        assert row["n_px"] == within.sum() * factor**2
        assert row["mean_od"] == pytest.approx(of_pixel[there].mean(), rel=1e-5)
        assert row["integrated_od"] == pytest.approx(of_pixel[there].sum() * factor**2 * PX_MM2, rel=1e-5)
        for c in opened.counted.classes[1:]:
            of_class = of_pixel[within & (class_map == c.id)]
            assert row[f"class_{c.name}_mean_od"] == pytest.approx(of_class.mean(), rel=1e-5, abs=1e-6)
        assert np.isnan(row["class_background_mean_od"])


def test_bands_have_the_signal_that_numpy_finds_at_scipys_distances(run: OpenedRun) -> None:
    opened, of_pixel = run["s"], density(stained_rgb())
    class_map, held = opened.class_map(), 0
    ids = {"positive": ids_of(opened, "is_positive"), "strong": [4]}
    for border, frame in opened.bands.groupby("border_class"):
        distance = distances(class_map, ids[str(border)])
        for row in frame.itertuples():
            code = next(c.id for c in opened.counted.classes if c.name == row[5])
            within = (distance > row.from_um) & (distance <= row.to_um) & (class_map == code)
            assert row.n_px == within.sum()
            assert row.integrated_od == pytest.approx(of_pixel[within].sum() * PX_MM2, rel=1e-5, abs=1e-12)
            if row.n_px:
                assert row.mean_od == pytest.approx(of_pixel[within].mean(), rel=1e-5, abs=1e-6)
                held += 1
            else:
                assert np.isnan(row.mean_od)
    assert held > 12


def test_a_region_of_the_whole_slide_has_the_slides_own_signal_to_the_last_digit(run: OpenedRun) -> None:
    counted = run["s"].counted
    assert counted.regions is not None
    whole = next(region for region in counted.regions.listed if region.name == "the slide")
    own, of_region = counted.signal, whole.signal
    assert own is not None
    assert of_region is not None
    for name in ("name", "n_px", "integrated_px", "mean", "integrated_mm2", "sum_per_mm2"):
        assert getattr(own, name) == getattr(of_region, name), name
    means = {c.name: c.mean_signal for c in counted.classes[1:]}
    assert {c.name: c.mean_signal for c in whole.classes[1:]} == means


def test_regions_that_share_out_the_slide_share_out_its_signal_in_whole_steps(tmp_path: Path, configs: Path) -> None:
    path, middle = write(tmp_path / "s.tif", stained_rgb(8)), shapely.Point(280, 230).buffer(150)
    left = shapely.box(0, 0, 301.5, HEIGHT).difference(middle)
    rest = shapely.box(0, 0, WIDTH, HEIGHT).difference(middle).difference(left)
    drawn(path.with_suffix(".geojson"), {"middle": middle, "left": left, "rest": rest})
    counted = measured(path, tmp_path / "out", configs, "tiling.tile_px=80")["s"].counted
    assert counted.regions is not None
    assert counted.signal is not None
    parts = [region.signal for region in counted.regions.listed if region.signal is not None]
    steps = [round(part.integrated_px * 1_000_000) for part in parts]
    assert sum(steps) == round(counted.signal.integrated_px * 1_000_000)
    assert min(steps) > 10**6
    assert sum(part.n_px for part in parts) == counted.signal.n_px


@pytest.mark.parametrize(
    "further",
    [
        ("tiling.tile_px=256", "run.executor=threads", "run.workers=3"),
        ("tiling.tile_px=512", "reader.lane=openslide"),
        ("tiling.tile_px=1000",),
        ("tiling.tile_px=96", "run.executor=processes", "run.workers=2"),
    ],
)
def test_the_signal_of_parts_is_the_same_for_every_tile_size_reader_and_executor(
    run: OpenedRun, slide: Path, tmp_path: Path, configs: Path, monkeypatch: pytest.MonkeyPatch, further: tuple[str]
) -> None:
    monkeypatch.setattr(boxes, "SIDE_PX", 130)  # boxes with seams through every band
    other = measured(slide, tmp_path / "out", configs, *BANDS, *further)
    pd.testing.assert_frame_equal(other.regions, run.regions, check_exact=True)
    pd.testing.assert_frame_equal(other.bands, run.bands, check_exact=True)


def test_other_bands_and_other_regions_read_no_tile_again(slide: Path, tmp_path: Path, configs: Path) -> None:
    path = write(tmp_path / "s.tif", stained_rgb())
    first = measured(path, tmp_path / "out", configs, *BANDS)["s"].counted
    drawn(path.with_suffix(".geojson"), REGIONS)
    changed = (*BANDS, "bands.edges_um=[-20, 0, 20]")
    again = measured(path, tmp_path / "out", configs, *changed)
    assert again["s"].counted.timing == first.timing  # of the run that read them
    anew = measured(path, tmp_path / "anew", configs, *changed)
    pd.testing.assert_frame_equal(again.regions, anew.regions, check_exact=True)
    pd.testing.assert_frame_equal(again.bands, anew.bands, check_exact=True)
    assert again.regions["mean_od"].notna().all()


def test_pieces_of_tissue_that_are_found_have_a_signal_and_share_out_that_of_the_slide(
    tmp_path: Path, configs: Path
) -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), PAINT_RGB["glass"], np.uint8)
    rgb[60:200, 50:250], rgb[260:420, 300:540] = PAINT_RGB["dab"], PAINT_RGB["weak"]
    asked = ("sections.find=true", "sections.min_mm2=0.001", "sections.closing_um=5", "sections.box_um=4")
    opened = measured(write(tmp_path / "s.tif", rgb), tmp_path / "out", configs, *asked)["s"]
    densities = [float(density(np.array([[PAINT_RGB[p]]], np.uint8))[0, 0]) for p in ("dab", "weak")]
    of_pieces = opened.regions["mean_od"].dropna()  # what is left has no tissue
    assert sorted(of_pieces) == pytest.approx(sorted(densities), **EXACT)
    assert opened.counted.signal is not None
    assert opened.regions["integrated_od"].sum() == pytest.approx(opened.counted.signal.integrated_mm2)


def flags_of(out: Path) -> list[dict[str, str]]:
    with (out / "flags.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_parts_asked_for_after_the_tiles_say_that_their_signal_was_not_kept_and_force_has_it(
    slide: Path, tmp_path: Path, configs: Path, run: OpenedRun
) -> None:
    path, out = write(tmp_path / "s.tif", stained_rgb()), tmp_path / "out"
    measured(path, out, configs)
    assert not (out / "slides/s/signal.ome.zarr").exists()  # nobody asked for a part
    assert "SIGNAL_NOT_KEPT" not in {row["code"] for row in flags_of(out)}
    drawn(path.with_suffix(".geojson"), REGIONS)
    later = measured(path, out, configs, *BANDS)
    assert not {name for name in (*later.regions, *later.bands) if "_od" in name}
    (flag,) = [row for row in flags_of(out) if row["code"] == "SIGNAL_NOT_KEPT"]
    assert "--force" in flag["message"] + flag["remedy"]
    forced = measured(path, out, configs, *BANDS, force=True)
    assert "SIGNAL_NOT_KEPT" not in {row["code"] for row in flags_of(out)}
    pd.testing.assert_frame_equal(forced.bands, run.bands, check_exact=True)
    pd.testing.assert_frame_equal(forced.regions["mean_od"].to_frame(), run.regions["mean_od"].to_frame())


def test_in_a_tissue_layer_a_band_has_the_signal_of_the_classes_there_and_none_of_background(
    slide: Path, tmp_path: Path, configs: Path
) -> None:
    layer = ("tissue.name=tissue", "tissue.threshold=15", f"tissue.work_mpp={2 * MPP_Y}")
    opened = measured(slide, tmp_path / "out", configs, *BANDS, *layer)["s"]
    assert opened.tissue is not None
    assert opened.tissue.layout.signal_map.exists() is False
    of_pixel, codes = density(stained_rgb()), opened.class_map()
    under = np.isin(opened.tissue.class_map(), ids_of(opened.tissue, "is_tissue")).repeat(2, 0).repeat(2, 1)
    under = under[:HEIGHT, :WIDTH]
    distance = distances(codes, ids_of(opened, "is_positive"))
    frame = opened.bands[opened.bands["border_class"] == "positive"]
    for row in frame.itertuples():
        code = next(c.id for c in opened.counted.classes if c.name == row[5])
        within = under & (distance > row.from_um) & (distance <= row.to_um) & (codes == code)
        assert row.n_px == within.sum()
        if row[5] == "background":
            assert np.isnan(row.integrated_od)
        else:
            assert row.integrated_od == pytest.approx(of_pixel[within].sum() * PX_MM2, rel=1e-5, abs=1e-12)
    assert (frame["class"] == "background").any()


@pytest.mark.parametrize(
    ("signal", "unit_of"),
    [("grey", lambda rgb: rgb.mean(axis=-1)), ("od", lambda rgb: -np.log10(np.maximum(rgb, 1) / 255).mean(axis=-1))],
)
def test_a_region_has_the_mean_of_grey_values_and_of_absorption_too(
    slide: Path, tmp_path: Path, signal: str, unit_of
) -> None:
    told = [
        "segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", f"segmenter.signal={signal}",
        "segmenter.glass=[255,255,255]", f"tiling.work_mpp={MPP_Y}",
    ]  # fmt: skip
    run_slides(inputs(slide, slide.with_suffix(".geojson")), load(None, told), tmp_path / "out")
    opened = open_run(str(tmp_path / "out"))["s"]
    of_pixel, codes = unit_of(stained_rgb().astype(float)), opened.class_map()
    frame = opened.regions.set_index("region_name")
    for name, shape in REGIONS.items():
        within = inside(shape) & (codes == 1)
        assert frame.loc[name, f"mean_{signal}"] == pytest.approx(of_pixel[within].mean(), rel=1e-5)


def test_a_segmenter_without_a_signal_keeps_no_map_and_says_nothing(slide: Path, tmp_path: Path, configs: Path) -> None:
    run = measured(slide, tmp_path / "out", configs, *BANDS, "exclusions.pen=true")
    assert not (tmp_path / "out/slides/s/signal.ome.zarr").exists()
    assert not {name for name in (*run.regions, *run.bands) if "_od" in name}
    assert not [row for row in flags_of(tmp_path / "out") if row["code"].startswith("SIGNAL")]
