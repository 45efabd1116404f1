"""benchmarks: a class map beside its truth, from public slides and masks, with mistakes as maps have them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion, gaussian_filter, label
from skimage.color import hdx_from_rgb, rgb2gray, separate_stains
from skimage.filters import threshold_otsu

from benchmarks.accuracy.places import testdata

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class MapPair:
    """What a map says and what is true, on one grid; uint8 (h, w)."""

    name: str
    mapped: Codes
    truth: Codes
    class_count: int
    other_reader: Codes  # a second reader's truth: outlines drawn tighter or wider


def map_pairs() -> Iterator[MapPair]:
    """Every pair but the glands, which are many slides: `gland_pairs`."""
    Image.MAX_IMAGE_PIXELS = None
    yield from _camelyon()
    yield from _bcss()
    yield _dab()


def gland_pairs() -> list[MapPair]:
    """The 85 images of glands: each a slide, found by a threshold of its brightness."""
    folder = testdata() / "glas_train"
    pairs = []
    for path in sorted(folder.glob("*_anno.png")):
        truth = (np.asarray(Image.open(path)) > 0)[::2, ::2]
        grey = rgb2gray(np.asarray(Image.open(path.with_name(path.name.replace("_anno", ""))).convert("RGB")))[::2, ::2]
        smooth = gaussian_filter(grey, 6)
        found = smooth > threshold_otsu(smooth)
        if (found & truth).mean() < (~found & truth).mean():
            found = ~found
        pairs.append(_pair(path.name.replace("_anno.png", ""), found, truth))
    return pairs


def _pair(name: str, mapped: NDArray[np.bool_], truth: NDArray[np.bool_], px: int = 2) -> MapPair:
    other = binary_erosion(truth, iterations=px) if truth.mean() < 0.5 else binary_dilation(truth, iterations=px)
    return MapPair(name, mapped.astype(np.uint8), truth.astype(np.uint8), 2, other.astype(np.uint8))


def _camelyon() -> Iterator[MapPair]:
    """A metastasis: nearly right with the small foci missed and a false one; and a third of it missed."""
    truth = np.asarray(Image.open(testdata() / "masks" / "camelyon16_tumor_072_level0.png")) > 0
    pieces, count = label(truth)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    large = truth & np.isin(pieces, [n for n in range(1, count + 1) if sizes[n] > 1000])
    false = np.zeros_like(truth)
    false[600:615, 300:320] = True
    yield _pair("CAMELYON tumour, outline 1 px wide of it, small foci missed", binary_dilation(large) | false, truth)
    yield _pair("CAMELYON tumour, a third missed", binary_erosion(large, iterations=8) | false, truth)
    yield _pair("CAMELYON tumour, a perfect map", truth, truth)


def _bcss() -> Iterator[MapPair]:
    """Four tissues of a breast cancer, mapped with smooth outlines; and the tumour alone, mapped 15 % too large."""
    whole = np.asarray(Image.open(testdata() / "masks" / "bcss_TCGA-A2-A0YE_class_map.png"))
    codes = (whole if whole.ndim == 2 else whole[..., 0])[::4, ::4]
    truth = np.select([codes == 1, codes == 2, codes == 3], [1, 2, 3], 0).astype(np.uint8)
    mapped = _smoothed(truth, 4, 10.0)
    yield MapPair("BCSS, four classes, smoothed", mapped, truth, 4, _smoothed(truth, 4, 3.0))
    tumor = truth == 1
    yield _pair("BCSS tumour, 15 % too large", gaussian_filter(tumor.astype(np.float32), 8) > 0.36, tumor)


def _smoothed(codes: Codes, count: int, sigma_px: float) -> Codes:
    scores = [gaussian_filter((codes == k).astype(np.float32), sigma_px) for k in range(count)]
    return np.argmax(scores, axis=0).astype(np.uint8)


def _dab() -> MapPair:
    """Brown nuclei at 0.23 µm, mapped at 2 µm by another threshold."""
    rgb = np.asarray(Image.open(testdata() / "slides" / "OS-2-ndpi.tif").convert("RGB"))[::2, ::2]
    dab = separate_stains(rgb, hdx_from_rgb)[..., 1]
    level = threshold_otsu(dab)
    truth = gaussian_filter(dab, 1) > level
    coarse = gaussian_filter(dab, 4)
    return _pair("OS-2 brown, coarse and another threshold", coarse > 0.8 * level, truth, px=1)
