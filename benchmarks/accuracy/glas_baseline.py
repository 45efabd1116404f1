"""benchmarks: the plain prototype that the pixel classifier has to beat on GlaS: scipy, scikit-image, scikit-learn.

66 features at six scales: Gaussians of the optical density of R, G, B and of the haematoxylin and eosin density, and
gradient, Laplacian and local deviation of the two densities; gradient boosting with scikit-learn's own settings on
4 000 pixels drawn from each image at 1.24 µm/px; the probability smoothed by a Gaussian of 2 px.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace
from skimage.color import rgb2hed
from sklearn.ensemble import HistGradientBoostingClassifier

SCALES_PX = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SMOOTHING_PX = 2.0
PIXELS_AN_IMAGE = 4000
Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class GlasImage:
    """One image at 1.24 µm/px and the truth of its own full-size pixels."""

    name: str
    rgb: Rgb  # uint8 (h, w, 3), means of 2 × 2
    gland: Mask  # bool (2h or 2h-1, 2w or 2w-1)

    @property
    def work_gland(self) -> Mask:
        """The truth at the centre of each work pixel."""
        sizes = zip(self.rgb.shape[:2], self.gland.shape, strict=True)
        rows, cols = (np.minimum(2 * np.arange(n) + 1, m - 1) for n, m in sizes)
        return self.gland[np.ix_(rows, cols)]


def glas_image(folder: Path, name: str) -> GlasImage:
    """Read one image with its mask; an odd edge is filled up by repeating it."""
    with Image.open(folder / f"{name}.png") as opened:
        rgb = np.asarray(opened.convert("RGB"))
    with Image.open(folder / f"{name}_anno.png") as opened:
        gland = np.asarray(opened) > 0
    even = np.pad(rgb, ((0, rgb.shape[0] % 2), (0, rgb.shape[1] % 2), (0, 0)), mode="edge")
    quarters = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 3)
    return GlasImage(name, np.round(quarters.mean(axis=(1, 3))).astype(np.uint8), gland)


def features_of(rgb: Rgb) -> Floats:
    """float32 (66, h, w)."""
    od = -np.log10(np.maximum(rgb, 1) / np.float32(255)).astype(np.float32)
    stains = rgb2hed(rgb).astype(np.float32)[..., :2]
    channels = [*np.moveaxis(od, -1, 0), *np.moveaxis(stains, -1, 0)]
    planes = []
    for scale in SCALES_PX:
        planes += [gaussian_filter(channel, scale) for channel in channels]
        for stain in channels[3:]:
            mean, square = gaussian_filter(stain, scale), gaussian_filter(stain**2, scale)
            deviation = np.sqrt(np.maximum(square - mean**2, 0))
            planes += [gaussian_gradient_magnitude(stain, scale), gaussian_laplace(stain, scale), deviation]
    return np.stack(planes).astype(np.float32, copy=False)


def drawn_pixels(image: GlasImage, number: int) -> tuple[Floats, Mask]:
    """Features (n, 66) and truth (n,) of the pixels that an image gives to training."""
    planes, truth = features_of(image.rgb), image.work_gland.ravel()
    chosen = np.random.default_rng([0, number]).choice(truth.size, min(PIXELS_AN_IMAGE, truth.size), replace=False)
    return planes.reshape(len(planes), -1)[:, chosen].T, truth[chosen]


def fitted(parts: Sequence[tuple[Floats, Mask]]) -> Any:
    """The classifier, with the settings that scikit-learn comes with."""
    features, truth = (np.concatenate([part[n] for part in parts]) for n in range(2))
    return HistGradientBoostingClassifier(random_state=0).fit(features, truth)


def predicted_gland(classifier: Any, rgb: Rgb) -> Mask:
    """bool (h, w): what is gland by the smoothed probability."""
    planes = features_of(rgb)
    probability = classifier.predict_proba(planes.reshape(len(planes), -1).T)[:, 1].reshape(rgb.shape[:2])
    return np.asarray(gaussian_filter(probability, SMOOTHING_PX) >= 0.5)
