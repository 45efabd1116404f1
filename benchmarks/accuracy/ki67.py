"""benchmarks: Ki-67 on OS-2-ndpi.tif: DAB-positive area, nuclear-positive fraction, and QuPath's figure beside them.

``python -m benchmarks.accuracy.ki67 --out FOLDER`` runs ``configs/ihc_dab.toml`` as it is, and at full resolution once
for each stain. A pixel is nucleus if its haematoxylin density reaches 0.25 (about where Otsu's method cuts the whole
slide) or its DAB density reaches 0.2; it is positive in the second case. Beside that stand nuclei that scikit-image
labels without any of our code: counted like QuPath's cells, and by their area.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import openslide
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter
from skimage.color import hdx_from_rgb, separate_stains
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops_table
from skimage.segmentation import watershed

from benchmarks.accuracy.places import CONFIGS, testdata, wsi_area
from wsi_area.results.opened_run import open_run

SLIDE = "slides/OS-2-ndpi.tif"
MPP_UM = 0.2271
POSITIVE_OD, STAINED_OD = 0.2, 0.25  # of DAB, of haematoxylin
QUPATH_CELLS, QUPATH_POSITIVE = 1323, 0.16553
FULL_OD = 0.6  # a darker pixel is no more nucleus than this: dark DAB must not decide where Otsu cuts
LEAST_UM2, MOST_UM2 = 10.0, 400.0  # of a nucleus: QuPath's own limits


def measured(out: Path, target: str, least_od: float) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """The result of a run, and bool (h, w) of what reaches its first band."""
    text = (CONFIGS / "ihc_dab.toml").read_text().replace('target = "dab"', f'target = "{target}"')
    text = text.replace("work_mpp = 0.5", f"work_mpp = {MPP_UM}").replace("skip_glass = true", "skip_glass = false")
    text = text.replace("weak_od = 0.2 ", f"weak_od = {least_od} ")
    out.mkdir(parents=True)
    (out / "config.toml").write_text(text)
    wsi_area("run", testdata() / SLIDE, "--config", out / "config.toml", "--out", out / "run")
    slide = open_run(out / "run")["OS-2-ndpi"]
    (record,) = (out / "run" / "slides").glob("*/result.json")
    return json.loads(record.read_text()), slide.class_map() >= 2


def labelled_nuclei(hematoxylin: NDArray[np.float64], dab: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Area in px and mean DAB density of every nucleus, by scipy and scikit-image alone."""
    stained = gaussian_filter(np.minimum(hematoxylin + dab, FULL_OD), 5)
    nuclei = binary_fill_holes(stained > threshold_otsu(stained))
    depth = gaussian_filter(distance_transform_edt(nuclei), 2)
    middles = np.zeros(nuclei.shape, np.int64)
    peaks = peak_local_max(depth, min_distance=10, labels=label(nuclei))
    middles[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    found = regionprops_table(watershed(-depth, middles, mask=nuclei), dab, properties=("area", "mean_intensity"))
    areas_um2 = found["area"] * MPP_UM**2
    kept = (areas_um2 > LEAST_UM2) & (areas_um2 < MOST_UM2)
    return found["area"][kept], found["mean_intensity"][kept]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the runs")
    out = parser.parse_args().out
    wsi_area("run", testdata() / SLIDE, "--config", CONFIGS / "ihc_dab.toml", "--out", out / "as_shipped")
    (shipped,) = (json.loads(p.read_text()) for p in (out / "as_shipped" / "slides").glob("*/result.json"))
    print(f"configs/ihc_dab.toml: DAB-positive {shipped['positive']['area_mm2']:.5f} mm²")
    record, positive = measured(out / "dab", "dab", POSITIVE_OD)
    _, stained = measured(out / "hematoxylin", "hematoxylin", STAINED_OD)
    nuclei = stained | positive
    print(f"full resolution: DAB-positive {record['positive']['area_mm2']:.5f} mm², {positive.mean():.2%} of the slide")
    rule = f"haematoxylin ≥ {STAINED_OD} or DAB ≥ {POSITIVE_OD}"
    print(f"positive share of the area of nuclei, pixel by pixel ({rule}): {positive.sum() / nuclei.sum():.2%}")
    with openslide.OpenSlide(testdata() / SLIDE) as opened:
        rgb = np.asarray(opened.read_region((0, 0), 0, opened.dimensions))[..., :3]
    # scikit-image divides the logarithm by ln(1e-6): its density × 6 is the optical density (log10)
    density = 6 * separate_stains(rgb, hdx_from_rgb)
    for at_od in (0.15, 0.2, 0.25, 0.3):
        pixels = density[..., 0] >= at_od
        print(f"  scikit-image, haematoxylin ≥ {at_od}: {positive.sum() / (pixels | positive).sum():.2%}")
    areas, dab = labelled_nuclei(density[..., 0], density[..., 1])
    for at_od in (0.1, 0.2, 0.3):
        is_positive = dab >= at_od
        count, area = is_positive.mean(), areas[is_positive].sum() / areas.sum()
        found = f"{is_positive.sum()} of {len(dab)} = {count:.2%} by number, {area:.2%} by area"
        print(f"labelled nuclei, mean DAB ≥ {at_od}: {found}")
    is_positive = dab >= POSITIVE_OD
    sizes = [float(np.median(areas[which])) * MPP_UM**2 for which in (is_positive, ~is_positive)]
    print(f"median nucleus: {sizes[0]:.1f} µm² positive, {sizes[1]:.1f} µm² negative")
    print(
        f"QuPath 0.3.2: {QUPATH_POSITIVE * QUPATH_CELLS:.0f} of {QUPATH_CELLS} cells = {QUPATH_POSITIVE:.2%} by number"
    )


if __name__ == "__main__":
    main()
