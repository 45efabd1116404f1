"""Ki-67 on a public slide: the positive share of the nuclei, by scikit-image and beside what QuPath counts."""

from pathlib import Path

import numpy as np
import openslide
import pytest
from measuring import class_maps_of
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter
from skimage.color import hdx_from_rgb, separate_stains
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops_table
from skimage.segmentation import watershed

from wsi_area.inputs.collect import collect_slides
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

POSITIVE_OD, STAINED_OD = 0.2, 0.25  # of DAB, of haematoxylin
PIXEL_UM2 = 0.2270972 * 0.2271024
QUPATH_CELLS, QUPATH_POSITIVE = 1323, 219  # 16.553 %


@pytest.fixture(scope="module")
def density(testdata: Path) -> np.ndarray:
    """float64 (h, w, 3): haematoxylin, DAB and what is neither, as scikit-image separates them."""
    with openslide.OpenSlide(testdata / "slides/OS-2-ndpi.tif") as opened:
        rgb = np.asarray(opened.read_region((0, 0), 0, opened.dimensions))[..., :3]
    return np.asarray(6 * separate_stains(rgb, hdx_from_rgb))  # it divides the logarithm by ln(1e-6)


@pytest.fixture(scope="module")
def labelled(density: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area (µm²) and mean DAB density of nuclei that scikit-image labels."""
    stained = gaussian_filter(np.minimum(density[..., 0] + density[..., 1], 0.6), 5)
    nuclei = binary_fill_holes(stained > threshold_otsu(stained))
    depth = gaussian_filter(distance_transform_edt(nuclei), 2)
    peaks = peak_local_max(depth, min_distance=10, labels=label(nuclei))
    middles = np.zeros(nuclei.shape, np.int64)
    middles[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    found = regionprops_table(
        watershed(-depth, middles, mask=nuclei), density[..., 1], properties=("area", "mean_intensity")
    )
    area_um2 = found["area"] * PIXEL_UM2
    kept = (area_um2 > 10) & (area_um2 < 400)  # QuPath's own limits of a nucleus
    return area_um2[kept], found["mean_intensity"][kept]


def reaches(slide: Path, out: Path, config: Path, target: str, least_od: float) -> np.ndarray:
    """bool (h, w): the pixels that a run of the IHC settings puts into the bands of a stain."""
    settings = (f"segmenter.target={target}", f"segmenter.weak_od={least_od}")
    full = ("tiling.work_mpp=0.2271", "tiling.skip_glass=false", "segmenter.glass=[255,255,255]")  # as scikit-image
    assert run_slides(collect_slides([str(slide)]), load(config, [*full, *settings]), out).exit_code == 0
    (found,) = class_maps_of(out).values()
    return np.asarray((found >= 2) & (found <= 4))


@pytest.fixture(scope="module")
def found(testdata: Path, configs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, np.ndarray]:
    """Nuclear pixels, and those of them that are positive."""
    slide, out, config = testdata / "slides/OS-2-ndpi.tif", tmp_path_factory.mktemp("ki67"), configs / "ihc_dab.toml"
    positive = reaches(slide, out / "dab", config, "dab", POSITIVE_OD)
    return positive | reaches(slide, out / "hematoxylin", config, "hematoxylin", STAINED_OD), positive


def test_the_positive_share_of_nuclear_area_is_that_of_scikit_image(
    found: tuple[np.ndarray, np.ndarray], density: np.ndarray
) -> None:
    nuclei, positive = found
    dab = density[..., 1] >= POSITIVE_OD
    stained = dab | (density[..., 0] >= STAINED_OD)
    assert int((nuclei != stained).sum()) <= 10  # where the last bit of a logarithm decides
    assert positive.sum() / nuclei.sum() == pytest.approx(dab.sum() / stained.sum(), abs=1e-5)
    assert positive.sum() / nuclei.sum() == pytest.approx(0.286, abs=0.005)


def test_nuclei_that_were_labelled_positive_are_little_larger_than_the_positive_pixels(
    found: tuple[np.ndarray, np.ndarray], labelled: tuple[np.ndarray, np.ndarray]
) -> None:
    area_um2, dab = labelled
    positive_um2 = float(found[1].sum()) * PIXEL_UM2
    # outlines reach a little beyond the stain, so their area is somewhat more; never a multiple
    assert 1 < area_um2[dab >= POSITIVE_OD].sum() / positive_um2 < 1.7


def test_qupath_counts_as_many_positive_nuclei_and_more_pale_negative_ones(
    labelled: tuple[np.ndarray, np.ndarray],
) -> None:
    _, dab = labelled
    positive, negative = int((dab >= POSITIVE_OD).sum()), int((dab < POSITIVE_OD).sum())
    assert positive == pytest.approx(QUPATH_POSITIVE, rel=0.25)
    assert 400 < negative < QUPATH_CELLS - QUPATH_POSITIVE
    assert positive / len(dab) > QUPATH_POSITIVE / QUPATH_CELLS


def test_positive_nuclei_are_larger_so_their_share_of_area_is_above_their_share_of_number(
    labelled: tuple[np.ndarray, np.ndarray],
) -> None:
    area_um2, dab = labelled
    positive = dab >= POSITIVE_OD
    assert np.median(area_um2[positive]) > 1.5 * np.median(area_um2[~positive])
    assert area_um2[positive].sum() / area_um2.sum() > 1.3 * positive.mean()
