"""benchmarks: what a light that falls over the field does to the tissue area of painted slides.

``python -m benchmarks.accuracy.light_fall`` paints a disc of tissue, strong or pale, on glass whose light falls along a
side, to a corner, or from the middle to the rim, measures it with ``configs/he_tissue.toml`` at 0.5 µm, and prints the
error of the area, with a star where a warning doubts the light or the threshold.
"""

import tempfile
from pathlib import Path

import numpy as np
import tifffile

from wsi_area.inputs.collect import collect_slides
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

CONFIG = Path(__file__).parents[2] / "configs" / "he_tissue.toml"
SIDE_PX, RADIUS_PX, UM = 1000, 300, 0.5
GLASS = np.array((243.0, 241.0, 244.0))
TISSUE = {"strong": np.array((190.0, 110.0, 170.0)), "pale": np.array((228.0, 205.0, 224.0))}
FALLS = (0.03, 0.06, 0.10, 0.20, 0.30)
ABOUT_LIGHT = {"GLASS_UNEVEN", "GLASS_NOT_SEEN", "ALL_TISSUE", "THRESHOLD_UNSTABLE"}


def main() -> None:
    """Print the table in Markdown."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    disc = (x - 500) ** 2 + (y - 450) ** 2 < RADIUS_PX**2
    shapes = {
        "along a side": x / (SIDE_PX - 1),
        "to a corner": (x + y) / (2 * SIDE_PX - 2),
        "to the rim": ((x - 500) ** 2 + (y - 500) ** 2) / (2 * 500**2),
    }
    print("| tissue | the light falls | " + " | ".join(f"{fall:.0%}" for fall in FALLS) + " |")
    print("|---|---|" + "---|" * len(FALLS))
    with tempfile.TemporaryDirectory() as folder:
        for tissue, colour in TISSUE.items():
            for shape, share in shapes.items():
                rgb, disc_px = np.where(disc[..., None], colour, GLASS), int(disc.sum())
                cells = [_cell(Path(folder), rgb, disc_px, share, fall) for fall in FALLS]
                print(f"| {tissue} | {shape} | " + " | ".join(cells) + " |", flush=True)


def _cell(folder: Path, rgb: np.ndarray, disc_px: int, share: np.ndarray, fall: float) -> str:
    """Return the error of the area, with a star where something was said of the light."""
    path = folder / "slide.tif"
    noise = np.random.default_rng(0).normal(0, 2, rgb.shape)
    pixels = np.clip(rgb * (1 - fall * share)[..., None] + noise, 0, 255).astype(np.uint8)
    tifffile.imwrite(
        path, pixels, photometric="rgb", tile=(256, 256), resolution=(1e4 / UM, 1e4 / UM), resolutionunit="CENTIMETER"
    )
    settings = load(CONFIG, ["tiling.work_mpp=0.5", "run.executor=serial"])
    (record,) = run_slides(collect_slides([str(path)]), settings, folder / "out", force=True).documents
    error = record["tissue"]["n_px"] / disc_px - 1
    said = any(f["code"] in ABOUT_LIGHT and f["severity"] == "warning" for f in record["findings"])
    return f"{error:+.1%}{'*' if said else ''}".replace("-", "−")


if __name__ == "__main__":
    main()
