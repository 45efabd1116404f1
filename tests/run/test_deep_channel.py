"""A channel of 16 bits through a whole run: class map and signal are those of its stored samples, at every scale."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from measuring import class_maps_of, measure
from numpy.typing import NDArray
from skimage.filters import threshold_otsu

UM = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}


def dim_samples(side_px: int = 640, low: int = 220, high: int = 260) -> NDArray[np.uint16]:
    rows, columns = np.mgrid[:side_px, :side_px]
    disc = (rows - 300) ** 2 + (columns - 320) ** 2 < 180**2
    noise = np.random.default_rng(5).normal(0, 5, disc.shape)
    return (np.where(disc, high, low) + noise).round().astype(np.uint16)


def written(path: Path, samples: NDArray[np.uint16], *, channels: bool) -> Path:
    planes = np.stack([samples // 2, samples]) if channels else samples
    metadata = {"axes": "CYX" if channels else "YX", **UM}
    tifffile.imwrite(path, planes, ome=True, tile=(128, 128), photometric="minisblack", metadata=metadata)
    return path


def means_of(samples: NDArray[np.uint16], factor: int) -> NDArray[np.int64]:
    side = samples.shape[0] // factor
    sums = samples.astype(np.int64).reshape(side, factor, side, factor).sum(axis=(1, 3))
    return (2 * sums + factor**2) // (2 * factor**2)


@pytest.mark.parametrize("channels", [True, False])
@pytest.mark.parametrize("factor", [1, 2, 4])
def test_area_and_signal_are_those_of_the_stored_samples(tmp_path: Path, channels: bool, factor: int) -> None:
    samples = dim_samples()
    path = written(tmp_path / "s.ome.tif", samples, channels=channels)
    asked = ["reader.channel=1"] if channels else []
    outcome = measure(
        path, tmp_path / "out", *asked, "segmenter.background=dark", "segmenter.threshold=otsu",
        "segmenter.signal=grey", f"tiling.work_mpp={0.5 * factor}", "tiling.tile_px=256",
    )  # fmt: skip
    record = outcome.documents[0]
    means = means_of(samples, factor)
    expected = means > threshold_otsu(means.astype(np.uint16))
    (found,) = class_maps_of(tmp_path / "out").values()
    assert record["status"] == "complete"
    assert np.array_equal(found == 1, expected)
    assert record["tissue"]["n_px"] == int(expected.sum()) * factor**2
    (tissue,) = [c for c in record["classes"] if c["name"] == "tissue"]
    assert tissue["mean_signal"] == pytest.approx(means[expected].mean(), rel=1e-12)


def test_a_drawn_region_has_the_mean_of_its_stored_samples_and_no_filter_by_size_goes_with_a_signal(
    tmp_path: Path,
) -> None:
    samples = dim_samples()
    path = written(tmp_path / "s.ome.tif", samples, channels=False)
    ring = [[100, 90], [500, 90], [500, 420], [100, 420], [100, 90]]
    drawing = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {"name": "in"}}
    (tmp_path / "in.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [drawing]}))
    asked = ["segmenter.background=dark", "segmenter.threshold=otsu", "segmenter.signal=grey", "tiling.tile_px=256"]
    outcome = measure(path, tmp_path / "out", *asked, regions_from=tmp_path / "in.geojson")
    (found,) = class_maps_of(tmp_path / "out").values()
    (region,) = outcome.documents[0]["regions"]["listed"]
    within = samples[90:420, 100:500][found[90:420, 100:500] == 1].astype(np.int64)
    assert region["signal"]["mean"] == pytest.approx(within.mean(), rel=1e-12)
    assert region["signal"]["n_px"] == within.size
    refused = measure(path, tmp_path / "filtered", *asked, "objects.min_tissue_um2=40")
    assert refused.documents[0]["status"] == "failed"
    assert "signal" in refused.documents[0]["reason"]
