"""Pictures of a slide with drawn artefacts and their true masks: pen, folds, bubbles, edges, blur, painted black.

All are bright-field at ``PX_UM`` µm a pixel: textured tissue (pink ground, purple nuclei, camera noise) on glass.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy import ndimage

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview, TilePixels

PX_UM = 1.0
GLASS = np.array((243.0, 242.0, 244.0))
HEMATOXYLIN, EOSIN = np.array((0.65, 0.70, 0.29)), np.array((0.07, 0.99, 0.11))
INKS = {"blue": (40, 70, 160), "green": (30, 130, 80), "red": (205, 30, 45), "black": (34, 33, 36)}


@dataclass
class Picture:
    """A slide under construction: its optical density, and where what was drawn."""

    od: np.ndarray  # float (h, w, 3)
    tissue: np.ndarray  # bool, before anything was laid over it
    truth: dict[str, np.ndarray] = field(default_factory=dict)
    blurred: list[tuple[np.ndarray, float]] = field(default_factory=list)
    black: np.ndarray | None = None
    seed: int = 7

    @property
    def shape(self):
        return self.tissue.shape

    def draw(self, name, mask):
        self.truth[name] = self.truth.get(name, np.zeros(self.shape, bool)) | mask

    def pen(self, ink, mask, strength=1.0):
        """Ink absorbs on top of whatever lies under it."""
        self.od[mask] += strength * -np.log10(np.array(INKS[ink]) / GLASS)
        self.draw("pen", mask)

    def fold(self, mask, layers=3):
        """Tissue that lies folded absorbs once for each layer; a section folded back on itself has three."""
        mask = mask & self.tissue
        self.od[mask] *= layers
        self.draw("fold", mask)

    def bubble(self, centre, radius_um, line_um):
        """A dark grey ring, clear inside."""
        distance = np.hypot(*(np.indices(self.shape) - np.reshape(centre, (2, 1, 1)))) * PX_UM
        ring = np.abs(distance - radius_um) < line_um / 2
        self.od[ring] += 0.35
        self.draw("bubble", ring)

    def edge(self, row, line_um):
        """The edge of a coverslip: a straight grey line across the slide."""
        line = np.zeros(self.shape, bool)
        line[row : row + round(line_um / PX_UM)] = True
        self.od[line] += 0.2
        self.draw("bubble", line)

    def blur(self, mask, sigma_um):
        self.blurred.append((mask, sigma_um))
        self.draw("out_of_focus", mask & self.tissue)

    def paint_black(self, mask):
        self.black = mask
        self.draw("unscanned_black", mask)

    def rgb(self):
        """uint8 (h, w, 3): light through all of it, blurred by the optics, then the noise of the camera."""
        light = GLASS * 10**-self.od
        for mask, sigma_um in self.blurred:
            soft = ndimage.gaussian_filter(light, (sigma_um / PX_UM, sigma_um / PX_UM, 0))
            light[mask] = soft[mask]
        noise = np.random.default_rng(self.seed).normal(0, 1.0, light.shape)
        rgb = np.clip(np.round(light + noise), 0, 255).astype(np.uint8)
        if self.black is not None:
            rgb[self.black] = 0
        return rgb

    def pixels(self):
        return TilePixels(self.rgb(), np.ones(self.shape, bool))


def overview_of_picture(pixels, px_um=PX_UM, factor=4):
    """The overview of a picture: box means, cut to whole boxes."""
    height, width = (n // factor for n in pixels.valid.shape)
    boxes = pixels.rgb[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    rgb = np.floor(boxes.mean(axis=(1, 3)) + 0.5).astype(np.uint8)
    valid = pixels.valid[: height * factor, : width * factor].reshape(height, factor, width, factor).all(axis=(1, 3))
    size = Size(pixels.valid.shape[1], pixels.valid.shape[0])
    return Overview(rgb, valid, size, Mpp(px_um * factor, px_um * factor))


def box(shape, top, left, bottom, right):
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def stroke(shape, start, end, width_um):
    """A straight stroke from one (row, col) to another."""
    at = np.indices(shape).astype(float)
    along = np.subtract(end, start).astype(float)
    t = np.clip(((at[0] - start[0]) * along[0] + (at[1] - start[1]) * along[1]) / (along @ along), 0, 1)
    distance = np.hypot(at[0] - start[0] - t * along[0], at[1] - start[1] - t * along[1])
    return distance * PX_UM < width_um / 2


def slide(height=600, width=800, tissue=None, eosin_od=0.3, nuclei_od=0.6, seed=7):
    """Tissue in a box on glass: an eosin ground that varies, and nuclei of 7 µm with sharp rims."""
    random = np.random.default_rng(seed)
    if tissue is None:
        tissue = box((height, width), 100, 150, height - 100, width - 150)
    height, width = tissue.shape
    ground = ndimage.gaussian_filter(random.normal(0, 1, (height, width)), 3)
    ground = np.clip(1 + 0.25 * ground / ground.std(), 0.4, 1.8)
    seeds = random.random((height, width)) < 0.004
    nuclei = ndimage.distance_transform_edt(~seeds) < 3.5 / PX_UM
    od = (eosin_od * ground)[..., None] * EOSIN + (nuclei_od * nuclei)[..., None] * HEMATOXYLIN
    return Picture(od * tissue[..., None], tissue, seed=seed)
