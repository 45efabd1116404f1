"""A region of interest limits any segmenter; the truth is the geometry that was drawn, pixel centre by pixel centre."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from measuring import class_maps_of, counts_of, measure
from PIL import Image
from synthetic import FileForm, SyntheticSlide, disc, write_slide, write_slide_with_garbage_tile

from wsi_area.errors import SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import OUTSIDE_ROI_CODE
from wsi_area.model.geometry import Region, Size

SIZE = Size(1801, 1303)
SHELL = [(200.2, 90.7), (1500.4, 40.1), (1750.9, 700.3), (1100.6, 1250.2), (320.1, 1100.8), (200.2, 90.7)]
HOLE = [(700.3, 500.2), (1000.7, 480.6), (950.2, 820.9), (700.3, 500.2)]


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """Two discs on noisy glass, and a corner that was never scanned."""
    path = tmp_path_factory.mktemp("roi") / "limited.tif"
    shapes = {"tissue": disc(SIZE, 900, 600, 480), "dab": disc(SIZE, 1550, 250, 140)}
    form = FileForm(mpp=Mpp(0.25, 0.26), downsamples=(1, 2), tile_px=128)
    return write_slide(path, SIZE, shapes, form, noise_sd=2.0, unscanned=[Region(1536, 1024, 265, 279)])


def feature(rings: list[list[tuple[float, float]]], name: str) -> dict[str, object]:
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": rings},
        "properties": {"objectType": "annotation", "classification": {"name": name, "color": [0, 0, 0]}},
    }


@pytest.fixture(scope="module")
def outline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A polygon with a hole, and a triangle cut out of it by the name of its class."""
    path = tmp_path_factory.mktemp("outline") / "limited.geojson"
    cut = [(1200.3, 100.1), (1400.2, 100.4), (1300.9, 300.3), (1200.3, 100.1)]
    features = [feature([SHELL, HOLE], "Region*"), feature([cut], "Ignore*")]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture(scope="module")
def inside() -> np.ndarray:
    """Which level-0 pixel centres lie in it, by shapely."""
    cut = shapely.Polygon([(1200.3, 100.1), (1400.2, 100.4), (1300.9, 300.3)])
    area = shapely.Polygon(SHELL, [HOLE]).difference(cut)
    x, y = np.meshgrid(np.arange(SIZE.width_px) + 0.5, np.arange(SIZE.height_px) + 0.5)
    return np.asarray(shapely.contains_xy(area, x, y))


def truth(slide: SyntheticSlide, inside: np.ndarray) -> tuple[int, ...]:
    painted = slide.class_map
    counted = [int(((painted == code) & inside).sum()) for code in (0, 1, 2, 255)]
    return (counted[0], counted[1] + counted[2], counted[3], int((~inside).sum()), 0)


@pytest.mark.parametrize("tile_px", [64, 333, 777])
@pytest.mark.parametrize("lane", ["openslide", "auto"])
def test_the_integers_are_those_inside_the_outline_for_any_tile_and_lane(
    slide: SyntheticSlide, outline: Path, inside: np.ndarray, tmp_path: Path, tile_px: int, lane: str
) -> None:
    outcome = measure(slide.path, tmp_path / "out", f"tiling.tile_px={tile_px}", f"reader.lane={lane}", roi=outline)
    assert outcome.exit_code == 0, outcome.documents[0]["reason"]
    assert counts_of(outcome) == [truth(slide, inside)]
    (found,) = class_maps_of(tmp_path / "out").values()
    assert np.array_equal(found == OUTSIDE_ROI_CODE, ~inside)


def test_the_record_says_where_the_region_came_from_and_how_large_it_is(
    slide: SyntheticSlide, outline: Path, tmp_path: Path
) -> None:
    (record,) = measure(slide.path, tmp_path / "out", roi=outline).documents
    cut = shapely.Polygon([(1200.3, 100.1), (1400.2, 100.4), (1300.9, 300.3)])
    expected_px = shapely.Polygon(SHELL, [HOLE]).difference(cut).area
    assert record["roi"]["path"] == str(outline)
    assert record["roi"]["outline_area_px"] == pytest.approx(expected_px, rel=1e-9)
    assert record["roi"]["outline_area_mm2"] == pytest.approx(expected_px * 0.25 * 0.26e-6, rel=1e-9)


def test_a_mask_limits_as_an_outline_does(slide: SyntheticSlide, inside: np.ndarray, tmp_path: Path) -> None:
    mask = tmp_path / "limited.png"
    Image.fromarray(inside.astype(np.uint8) * 7).save(mask)
    outcome = measure(slide.path, tmp_path / "out", "tiling.tile_px=200", roi=mask)
    assert counts_of(outcome) == [truth(slide, inside)]


@pytest.mark.parametrize("work_mpp", [0.52, 1.04, 2.6])
def test_at_a_coarser_grid_every_pixel_is_accounted_for_and_the_tile_never_matters(
    slide: SyntheticSlide, outline: Path, inside: np.ndarray, tmp_path: Path, work_mpp: float
) -> None:
    found = [
        counts_of(
            measure(
                slide.path, tmp_path / f"{tile}", f"tiling.work_mpp={work_mpp}", f"tiling.tile_px={tile}", roi=outline
            )
        )[0]
        for tile in (64, 333)
    ]
    assert sum(found[0]) == SIZE.area_px
    assert found[0] == found[1]
    # work pixels on the outline are in or out as a whole: no further off than the boundary is long
    perimeter_work_px = shapely.Polygon(SHELL, [HOLE]).length / (work_mpp / 0.25)
    tolerance_px = 2 * np.sqrt(0.09 * perimeter_work_px) * (work_mpp / 0.25) ** 2
    assert abs(found[0][3] - int((~inside).sum())) < 2 * tolerance_px


def test_glass_that_is_not_read_is_still_inside_or_outside(
    slide: SyntheticSlide, outline: Path, tmp_path: Path
) -> None:
    cut = ("tiling.tile_px=32", "tiling.skip_margin_um=10")
    skipping = measure(slide.path, tmp_path / "skip", *cut, roi=outline)
    reading = measure(slide.path, tmp_path / "read", *cut, "tiling.skip_glass=false", roi=outline)
    assert skipping.documents[0]["work"]["tiles_skipped"] > 0
    assert counts_of(skipping) == counts_of(reading)


def test_a_stain_and_its_signal_are_those_of_the_whole_slide_where_all_of_it_is_inside(
    slide: SyntheticSlide, tmp_path: Path
) -> None:
    around = tmp_path / "all.geojson"
    corners = [(-1.0, -1.0), (1900.0, -1.0), (1900.0, 1400.0), (-1.0, 1400.0), (-1.0, -1.0)]
    around.write_text(json.dumps(feature([corners], "Everything")))
    stain = ("segmenter.name=stain", "segmenter.vectors=h-dab")
    with_roi, without = (
        measure_stain(slide.path, tmp_path / name, stain, roi) for name, roi in (("a", around), ("b", None))
    )
    assert with_roi["counts"] == without["counts"]
    assert with_roi["signal"] == without["signal"]


def measure_stain(path: Path, out: Path, assignments: tuple[str, ...], roi: Path | None) -> dict[str, object]:
    from wsi_area.inputs.collect import collect_slides
    from wsi_area.run.pipeline import run_slides
    from wsi_area.settings.run_settings import load

    outcome = run_slides(collect_slides([str(path)], roi=roi), load(None, assignments), out)
    return dict(outcome.documents[0])


def test_what_cannot_be_read_counts_only_inside(tmp_path: Path) -> None:
    slide = write_slide_with_garbage_tile(tmp_path / "torn.tif")
    (whole,) = measure(slide.path, tmp_path / "whole").documents
    assert whole["counts"]["n_px_unreadable"] > 0
    height, width = slide.class_map.shape
    left = tmp_path / "left.geojson"
    corners = [(0.0, 0.0), (1.0, 0.0), (1.0, float(height)), (0.0, float(height)), (0.0, 0.0)]
    left.write_text(json.dumps(feature([corners], "Strip")))
    (record,) = measure(slide.path, tmp_path / "strip", roi=left).documents
    counts = record["counts"]
    assert counts["n_px_outside_roi"] == (width - 1) * height
    assert counts["n_px_accounted"] == width * height
    assert counts["n_px_unreadable"] <= height


def test_another_region_is_never_mixed_in(slide: SyntheticSlide, outline: Path, tmp_path: Path) -> None:
    measure(slide.path, tmp_path / "out", roi=outline)
    other = measure(slide.path, tmp_path / "out")
    assert other.documents[0]["status"] == "failed"
    assert "drawings" in other.documents[0]["reason"]


def test_a_slide_without_its_own_region_fails_and_the_others_go_on(
    slide: SyntheticSlide, outline: Path, tmp_path: Path
) -> None:
    lonely = write_slide(tmp_path / "lonely.tif", Size(300, 300), {}, FileForm(mpp=Mpp(0.5, 0.5)))
    outcome = measure([slide.path, lonely.path], tmp_path / "out", roi=outline.parent)
    statuses = {r["slide_id"]: r["status"] for r in outcome.documents}
    assert statuses == {"limited": "complete", "lonely": "failed"}
    assert "lonely.geojson" in outcome.documents[1]["reason"]


def test_one_file_for_several_slides_is_refused(slide: SyntheticSlide, outline: Path, tmp_path: Path) -> None:
    other = write_slide(tmp_path / "other.tif", Size(300, 300), {}, FileForm(mpp=Mpp(0.5, 0.5)))
    with pytest.raises(SettingsError, match="one file, but there are 2 slides"):
        measure([slide.path, other.path], tmp_path / "out", roi=outline)


def test_annotations_that_would_not_be_used_are_refused(slide: SyntheticSlide, outline: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not take classes from a drawing"):
        measure(slide.path, tmp_path / "out", annotations=outline)
    assert not (tmp_path / "out").exists()
