"""results: the hot spots of a slide as outlines for QuPath, and what every window holds as a picture."""

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wsi_area.compute.hotspots.window import radius_um
from wsi_area.model.calibration import Mpp
from wsi_area.model.record.slide_hotspots import HotSpot, HotSpotsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import HEAT_MAP_NAME, HOTSPOTS_NAME, SlideLayout, write_bytes
from wsi_area.results.margins.hotspot_record import AllWindows

_CORNERS = 96
"""Corners of a round window's outline; its area is 0.07 % less than that of the circle."""
_STOPS = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)], np.float64)
"""Dark violet for nothing, by way of green, to yellow for the most: also in grey, and for those who see no red."""
_LEAST_SIDE_PX = 600


def hotspot_files_lie(layout: SlideLayout) -> bool:
    """Return True if both files of a slide's hot spots are there."""
    return all((layout.root / name).is_file() for name in (HOTSPOTS_NAME, HEAT_MAP_NAME))


def discard_hotspot_files(layout: SlideLayout) -> None:
    """Remove both files, where no hot spots are asked for any more."""
    for name in (HOTSPOTS_NAME, HEAT_MAP_NAME):
        (layout.root / name).unlink(missing_ok=True)


def write_hotspot_files(layout: SlideLayout, slide: CountedSlide, found: HotSpotsOnRecord, every: AllWindows) -> None:
    """Write the outlines of a slide's hot spots, and the picture of the windows of the first area.

    Raises
    ------
    ResultError
        If they cannot be written.
    """
    write_bytes(layout.root / HOTSPOTS_NAME, geojson_bytes(slide, found))
    write_bytes(layout.root / HEAT_MAP_NAME, heat_map_png(every.of_area[0]))


def geojson_bytes(slide: CountedSlide, found: HotSpotsOnRecord) -> bytes:
    """Return the windows as GeoJSON in level-0 pixels, as QuPath takes it: an annotation a window, with its numbers."""
    mpp = slide.mpp
    features = [] if mpp is None else [_feature(spot, found.shape, mpp) for spot in found.listed]
    text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1, allow_nan=False)
    return f"{text}\n".encode()


def _feature(spot: HotSpot, shape: str, mpp: Mpp) -> dict[str, Any]:
    name = f"hot spot {spot.rank} ({spot.window_mm2:.4g} mm²)"
    numbers = {
        "tissue mm²": spot.tissue_mm2,
        "positive mm²": spot.positive_mm2,
        "positive %": spot.positive_pct,
        "times mean": spot.times_mean,
    }
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [_ring(spot, shape, mpp)]},
        "properties": {
            "objectType": "annotation",
            "name": name,
            "classification": {"name": "hot spot", "color": [253, 231, 37]},
            "measurements": numbers,
        },
    }


def _ring(spot: HotSpot, shape: str, mpp: Mpp) -> list[list[float]]:
    """Return the closed outline of a window as stated, in level-0 px."""
    if shape == "round":
        angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        radius = radius_um(spot.window_mm2)
        xy_um = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    else:
        half = 500 * spot.window_mm2**0.5
        xy_um = np.array([(-half, -half), (half, -half), (half, half), (-half, half)])
    ring = xy_um / (mpp.x, mpp.y) + (spot.center_x_px, spot.center_y_px)
    return [[round(float(x), 2), round(float(y), 2)] for x, y in (*ring, ring[0])]


def heat_map_png(sums: NDArray[np.int64]) -> bytes:
    """Return the picture of every window of a grid: the positive in it, from none to the most of any; PNG.

    A window without tissue is transparent. One grid step is a square of whole picture pixels.

    Parameters
    ----------
    sums : int64 (2, rows, columns)
        Level-0 pixels of tissue, and of what of it is positive.
    """
    tissue, positive = sums
    share = positive / max(1, int(positive.max(initial=0)))
    at = np.arange(len(_STOPS)) / (len(_STOPS) - 1)
    colours = [np.interp(share, at, _STOPS[:, i]) for i in range(3)]
    rgba = np.stack([*colours, np.where(tissue > 0, 255.0, 0.0)], axis=-1)
    scale = max(1, _LEAST_SIDE_PX // max(share.shape))
    grown = np.rint(rgba).astype(np.uint8).repeat(scale, axis=0).repeat(scale, axis=1)
    file = io.BytesIO()
    Image.fromarray(grown, "RGBA").save(file, "PNG")
    return file.getvalue()
