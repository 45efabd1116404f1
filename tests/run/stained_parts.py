"""A stained slide whose every density is known, regions drawn on it, and what numpy makes of both."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import tifffile
from numpy.typing import NDArray
from scipy import ndimage
from skimage import color

from wsi_area.inputs.collect import CollectedSlides, collect_slides
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import RunSettings, load

HEIGHT, WIDTH = 460, 590
MPP_X, MPP_Y = 0.5, 0.8
PAINT_RGB = {"dab": (120, 70, 30), "weak": (170, 130, 105), "blue": (120, 124, 186), "glass": (255, 255, 255)}
LINE = (
    "segmenter.glass=[255, 255, 255]", "segmenter.tissue_threshold=40", "tiling.skip_glass=false",
    f"tiling.work_mpp={MPP_Y}", "run.executor=serial",
)  # fmt: skip
BANDS = ("bands.edges_um=[-30, -8, 0, 12, 45]", 'bands.classes=["positive", "strong"]')
REGIONS = {
    "a star": shapely.Polygon(
        [
            (60.137, 40.291),
            (220.3, 150.71),
            (400.9, 60.13),
            (330.2, 230.57),
            (560.43, 400.1),
            (250.77, 330.3),
            (90.2, 430),
        ]
    ),  # no centre of a pixel lies on it
    "overlaps it": shapely.Point(300, 200).buffer(120),
    "with a hole": shapely.box(20, 20, 500, 300).difference(shapely.box(150, 90, 300, 200)),
    "the slide": shapely.box(0, 0, WIDTH, HEIGHT),
}


def stained_rgb(seed: int = 3) -> NDArray[np.uint8]:
    """A picture of haematoxylin and DAB in patches, with noise, on glass; uint8 (h, w, 3)."""
    random = np.random.default_rng(seed)
    dab, blue = (ndimage.gaussian_filter(random.standard_normal((HEIGHT, WIDTH)), 9) for _ in range(2))
    dab, blue = (np.clip(field / field.std(), 0, None) for field in (dab, blue))
    density = np.stack([0.25 * blue, 0.3 * dab], axis=-1) @ color.rgb_from_hdx[:2]
    density[:, :60] = 0
    noise = random.normal(0, 0.01, (HEIGHT, WIDTH, 3))
    return np.clip(255 * 10 ** -(density + noise), 0, 255).astype(np.uint8)


def write(path: Path, rgb: NDArray[np.uint8]) -> Path:
    """A tiled TIFF with pixels that are higher than wide."""
    tifffile.imwrite(
        path, rgb, tile=(128, 128), photometric="rgb", resolution=(1e4 / MPP_X, 1e4 / MPP_Y),
        resolutionunit="CENTIMETER", compression="zlib",
    )  # fmt: skip
    return path


def drawn(path: Path, regions: Mapping[str, shapely.Geometry]) -> Path:
    """A drawing of named regions."""
    features = [
        {"type": "Feature", "geometry": json.loads(shapely.to_geojson(shape)), "properties": {"name": name}}
        for name, shape in regions.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def told(configs: Path, *further: str) -> RunSettings:
    return load(configs / "ihc_dab.toml", [*LINE, *further])


def measured(slide: Path, out: Path, configs: Path, *further: str, **options: Any) -> OpenedRun:
    """The run of the slide with the regions that are drawn beside it, if any are."""
    drawing = slide.with_suffix(".geojson")
    run_slides(inputs(slide, drawing if drawing.exists() else None), told(configs, *further), out, **options)
    return open_run(str(out))


def inputs(slide: Path, drawing: Path | None) -> CollectedSlides:
    """The slide with its pixel size, whose axes differ by more than is believed without a word."""
    return collect_slides([str(slide)], mpp=f"{MPP_X},{MPP_Y}", mpp_reason="as painted", regions_from=drawing)


def slide_with_regions(folder: Path) -> Path:
    """The stained slide in a folder, its regions drawn beside it."""
    path = write(folder / "s.tif", stained_rgb())
    drawn(path.with_suffix(".geojson"), REGIONS)
    return path


def density(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The optical density of DAB by scikit-image, 0 where it is negative."""
    found: NDArray[np.float64] = np.maximum(color.separate_stains(rgb, color.hdx_from_rgb)[..., 1] * 6, 0)
    return found


def inside(shape: shapely.Geometry, factor: int = 1) -> NDArray[np.bool_]:
    """The work pixels whose centres lie in an outline."""
    y, x = np.mgrid[0 : HEIGHT // factor, 0 : WIDTH // factor]
    found: NDArray[np.bool_] = shapely.contains_xy(shape, factor * (x + 0.5), factor * (y + 0.5))
    return found


def distances(class_map: NDArray[np.uint8], ids: list[int]) -> NDArray[np.float64]:
    """The distance of each pixel from the border of some classes in µm, negative inside."""
    within, steps = np.isin(class_map, ids), (MPP_Y, MPP_X)
    outer, inner = (ndimage.distance_transform_edt(side, sampling=steps) for side in (~within, within))
    found: NDArray[np.float64] = np.where(within, -inner, outer)
    return found


def ids_of(slide: OpenedSlide, flag: str) -> list[int]:
    return [c.id for c in slide.counted.classes if getattr(c, flag)]
