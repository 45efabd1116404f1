"""tests: the demo slide is what its truth says, as OpenSlide and scikit-image see it."""

import hashlib
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import openslide
import pytest
from skimage.color import hdx_from_rgb, separate_stains

from wsi_area.demo.slide import DemoIsland, DemoTruth, build_demo_slide
from wsi_area.errors import ResultError


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> DemoTruth:
    return build_demo_slide(tmp_path_factory.mktemp("demo") / "demo.svs")


@pytest.fixture(scope="module")
def darkness(truth: DemoTruth) -> np.ndarray:
    """Return 255 - min(R, G, B) of level 0, uint8 (h, w)."""
    width, height = truth.size_px.width_px, truth.size_px.height_px
    darkness = np.empty((height, width), np.uint8)
    with openslide.OpenSlide(truth.path) as slide:
        for top in range(0, height, 1000):
            rgba = np.asarray(slide.read_region((0, top), 0, (width, 1000)))
            assert (rgba[..., 3] == 255).all()
            darkness[top : top + 1000] = 255 - rgba[..., :3].min(axis=2)
    return darkness


def island(truth: DemoTruth, name: str) -> DemoIsland:
    return next(i for i in truth.islands if i.name == name)


def coarse_masks(truth: DemoTruth, step_px: int = 8) -> dict[str, np.ndarray]:
    at = np.arange(step_px / 2, truth.size_px.width_px, step_px)
    return {i.name: i.outline.contains(at[None, :], at[:, None]) for i in truth.islands}


def test_islands_lie_apart_and_nests_inside_them(truth: DemoTruth) -> None:
    at = np.arange(4.0, truth.size_px.width_px, 8.0)
    masks = coarse_masks(truth)
    for one, other in combinations(masks.values(), 2):
        assert not (one & other).any()
    for piece in truth.islands:
        nests = [nest.contains(at[None, :], at[:, None]) for nest in piece.nests]
        for nest in nests:
            assert not (nest & ~masks[piece.name]).any()
        for one, other in combinations(nests, 2):
            assert not (one & other).any()


def test_the_areas_are_those_of_the_geometry(truth: DemoTruth) -> None:
    pixel_mm2 = 0.25e-6  # 0.5 µm squared
    disc, ring = island(truth, "disc"), island(truth, "ring")
    assert disc.tissue_area_mm2 == pytest.approx(math.pi * 0.75**2)  # 1500 px of 0.5 µm
    assert ring.tissue_area_mm2 == pytest.approx(math.pi * (0.725**2 - 0.24**2))
    assert ring.positive_area_mm2 == pytest.approx(math.pi * (0.45**2 - 0.24**2))
    assert island(truth, "ellipse").tissue_area_mm2 == pytest.approx(math.pi * 1750 * 1050 * pixel_mm2)
    assert truth.tissue_area_mm2 == pytest.approx(sum(i.tissue_area_mm2 for i in truth.islands))
    assert 0 < truth.positive_area_mm2 < truth.tissue_area_mm2 < 16  # the slide is 4 mm a side


@pytest.mark.parametrize("threshold", [20, 30, 40, 55])
def test_any_sensible_threshold_finds_the_tissue_area(truth: DemoTruth, darkness: np.ndarray, threshold: int) -> None:
    found_mm2 = int((darkness > threshold).sum()) * 0.5 * 0.5 / 1e6
    assert found_mm2 == pytest.approx(truth.tissue_area_mm2, rel=truth.tolerance_relative)


def test_every_island_has_its_area(truth: DemoTruth, darkness: np.ndarray) -> None:
    for piece in truth.islands:
        left, top, right, bottom = (round(v) for v in piece.outline.reach_px)
        box = darkness[max(0, top - 16) : bottom + 16, max(0, left - 16) : right + 16]
        assert (box > 30).sum() * 0.25e-6 == pytest.approx(piece.tissue_area_mm2, rel=truth.tolerance_relative)


@pytest.mark.parametrize("name", ["ring", "fragment 3", "fragment 4"])
@pytest.mark.parametrize("weak_od", [0.15, 0.2, 0.25])
def test_dab_is_where_the_nests_are(truth: DemoTruth, name: str, weak_od: float) -> None:
    piece = island(truth, name)
    left, top, right, bottom = (int(v) for v in piece.outline.reach_px)
    positive_px = 0
    with openslide.OpenSlide(truth.path) as slide:
        for y in range(top, bottom + 1, 500):
            rows = min(500, bottom + 1 - y)
            rgb = np.asarray(slide.read_region((left, y), 0, (right - left + 1, rows)))[..., :3]
            dab_od = separate_stains(rgb, hdx_from_rgb)[..., 1] * 6  # a fraction of 6 OD
            positive_px += int((dab_od >= weak_od).sum())
    assert positive_px * 0.25e-6 == pytest.approx(piece.positive_area_mm2, rel=truth.tolerance_relative)


def test_it_is_an_aperio_pyramid_with_its_pixel_size(truth: DemoTruth) -> None:
    with openslide.OpenSlide(truth.path) as slide:
        assert slide.level_dimensions == ((8000, 8000), (2000, 2000), (500, 500))
        assert slide.properties["openslide.vendor"] == "aperio"
        assert float(slide.properties["openslide.mpp-x"]) == truth.mpp.x == 0.5
        assert float(slide.properties["openslide.mpp-y"]) == truth.mpp.y == 0.5
        assert slide.properties["openslide.objective-power"] == "20"
        assert slide.properties["openslide.level[0].tile-width"] == "256"
        assert not slide.associated_images


def test_coarser_levels_are_box_means_of_finer_ones(truth: DemoTruth) -> None:
    with openslide.OpenSlide(truth.path) as slide:
        for level, box_px in ((1, 1024), (2, 4096)):
            factor = 4**level
            at = (8000 - box_px, 8000 - box_px)  # the last rows and columns: tiles cut by the edge
            fine = np.asarray(slide.read_region(at, level - 1, (box_px * 4 // factor,) * 2))[..., :3]
            coarse = np.asarray(slide.read_region(at, level, (box_px // factor,) * 2))[..., :3]
            side = box_px // factor
            means = fine.reshape(side, 4, side, 4, 3).mean(axis=(1, 3))
            assert np.abs(coarse - means).mean() < 2.5  # JPEG of both
            assert np.abs((coarse - means).mean()) < 0.1


def test_the_same_seed_writes_the_same_bytes(truth: DemoTruth, tmp_path: Path) -> None:
    again = build_demo_slide(tmp_path / "again.svs")
    first, second = (hashlib.sha256(t.path.read_bytes()).hexdigest() for t in (truth, again))
    assert first == second
    assert list(tmp_path.iterdir()) == [again.path]  # nothing is left beside it


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    for folder in ("no such folder", "a file"):
        with pytest.raises(ResultError, match=rf"{folder}.*demo\.svs.*choose a folder"):
            build_demo_slide(tmp_path / folder / "demo.svs")
