"""tests: pictures of two textures whose boundary is known, as images with masks and as slides with outlines."""

import json
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

STROMA_RGB, TUMOR_RGB = (226, 168, 198), (150, 92, 168)


def discs(count: int, shape: tuple[int, int] = (96, 128), seed: int = 0) -> list[np.ndarray]:
    """Masks, bool, each of one disc somewhere."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    centres = [(rng.integers(35, shape[0] - 35), rng.integers(35, shape[1] - 35)) for _ in range(count)]
    return [(y - cy) ** 2 + (x - cx) ** 2 < 28**2 for cy, cx in centres]


def textured(tumor: np.ndarray, seed: int) -> np.ndarray:
    """uint8 (h, w, 3): smooth pink, and inside the mask violet with dark dots."""
    rng = np.random.default_rng(seed)
    rgb = np.where(tumor[..., None], TUMOR_RGB, STROMA_RGB).astype(np.float64)
    dots = np.repeat(np.repeat(rng.random(tuple(n // 2 + 1 for n in tumor.shape)) < 0.3, 2, 0), 2, 1)
    rgb -= 60.0 * (dots[: tumor.shape[0], : tumor.shape[1]] & tumor)[..., None]
    return np.clip(rgb + rng.normal(0, 5, rgb.shape), 0, 255).astype(np.uint8)


def write_pairs(folder: Path, count: int = 6, *, instances: bool = False, seed: int = 0) -> Path:
    """``im0.png`` with ``im0_mask.png`` and so on; ``instances`` numbers the objects 1, 2 … from left to right."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, mask in enumerate(discs(count, seed=seed)):
        codes = mask.astype(np.uint8)
        if instances:
            codes[:, mask.shape[1] // 2 :] *= 2
        Image.fromarray(textured(mask, seed + number)).save(folder / f"im{number}.png")
        Image.fromarray(codes).save(folder / f"im{number}_mask.png")
    return folder


def write_tiff_slide(path: Path, rgb: np.ndarray, mpp_um: float = 1.0) -> Path:
    """A tiled TIFF of one level that OpenSlide reads, with its pixel size."""
    per_cm = 10_000 / mpp_um
    tifffile.imwrite(
        path, rgb, tile=(256, 256), photometric="rgb", resolution=(per_cm, per_cm), resolutionunit="CENTIMETER",
        compression="zlib",
    )  # fmt: skip
    return path


def write_outlines(path: Path, boxes: dict[str, list[tuple[float, float, float, float]]]) -> Path:
    """GeoJSON with boxes (left, top, right, bottom) in level-0 px by class."""
    features = [
        {
            "type": "Feature",
            "properties": {"classification": {"name": name}},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]],
            },
        }
        for name, of_class in boxes.items()
        for x0, y0, x1, y1 in of_class
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path
