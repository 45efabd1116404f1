"""tests: tiled pyramids written from painted shapes, without loss unless asked, and the truth about them.

Levels are box means of whole downsample factors; a rest of columns or rows at the right or the bottom is
dropped, as scanners do, so 2001 × 1501 px has a level of 500 × 375.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import imagecodecs
import numpy as np
import tifffile
from synthetic_shapes import Shape

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import ClassMap, RgbArray

GLASS_RGB = (243, 243, 243)
PAINT_RGB = {
    "tissue": (222, 128, 176),  # eosin pink
    "dab": (120, 70, 30),  # diaminobenzidine brown
    "blue": (120, 124, 186),  # haematoxylin
}
UNSCANNED, UNREADABLE = 255, 253  # in SyntheticSlide.class_map, as in a class map of the package

Compression = Literal["none", "deflate", "lzw", "jpeg", "jpeg2000"]
_ENCODE: dict[Compression, Callable[[RgbArray], bytes]] = {
    "none": lambda tile: tile.tobytes(),
    "deflate": lambda tile: zlib.compress(tile.tobytes(), 1),
    "lzw": lambda tile: imagecodecs.lzw_encode(tile.tobytes()),
    "jpeg": lambda tile: imagecodecs.jpeg8_encode(
        tile, level=95, colorspace="rgb", outcolorspace="ycbcr", subsampling="444"
    ),
    "jpeg2000": lambda tile: imagecodecs.jpeg2k_encode(tile, level=0, codecformat="j2k", mct=False),
}
_TIFF_NAME = {"none": None, "jpeg2000": "aperio_jp2000_rgb"}  # 33005, which only Aperio slides may use


@dataclass(frozen=True, slots=True)
class FileForm:
    """How a slide is written.

    ``tiff`` has the mpp per axis in its resolution tags. ``aperio`` has ``MPP``, one value for both axes,
    and ``AppMag`` in its description, and no resolution tags; ``mpp_text`` is written there word for word.

    Two forms that OpenSlide 4.0.1 does not read: big-endian without ``bigtiff``, which it refuses to open;
    uncompressed tiles of a size in bytes that 1024 does not divide, of which it cannot read the last one.
    """

    kind: Literal["tiff", "aperio"] = "tiff"
    mpp: Mpp | None = Mpp(0.25, 0.25)  # noqa: RUF009  # frozen
    mpp_text: str | None = None
    objective_power: str | None = "20"  # aperio only
    downsamples: tuple[int, ...] = (1,)
    tile_px: int = 256
    compression: Compression = "deflate"
    bigtiff: bool = False
    byteorder: Literal["<", ">"] = "<"

    def __post_init__(self) -> None:
        if self.kind == "aperio" and self.mpp is not None and self.mpp.x != self.mpp.y:
            raise ValueError("Aperio writes one MPP for both axes; an anisotropic slide needs kind='tiff'")

    def tags(self, size: Size, factor: int) -> dict[str, object]:
        """The arguments of ``TiffWriter.write`` that describe the level of a downsample factor."""
        jpeg = self.compression == "jpeg"
        tags: dict[str, object] = {
            "shape": (size.height_px // factor, size.width_px // factor, 3),
            "dtype": np.uint8,
            "tile": (self.tile_px, self.tile_px),
            "compression": _TIFF_NAME.get(self.compression, self.compression),
            "photometric": "ycbcr" if jpeg else "rgb",
            "subsampling": (1, 1) if jpeg else None,
            "subfiletype": 0 if factor == 1 else 1,
            "metadata": None,
            "software": False,
        }
        if self.kind == "aperio":
            tags["description"] = self._description(size)
        elif self.mpp is not None:
            tags["resolution"] = (1e4 / (self.mpp.x * factor), 1e4 / (self.mpp.y * factor))
            tags["resolutionunit"] = "CENTIMETER"
        return tags

    def _description(self, size: Size) -> str:
        words = [f"Aperio Image Library v11.2.1 \r\n{size.width_px}x{size.height_px} synthetic"]
        if self.objective_power is not None:
            words.append(f"AppMag = {self.objective_power}")
        if self.mpp_text is not None:
            words.append(f"MPP = {self.mpp_text}")
        elif self.mpp is not None:
            words.append(f"MPP = {self.mpp.x:.10g}")
        return "|".join(words)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a measurement of the slide must find."""

    px: Mapping[str, int]  # exact level-0 count by class, "glass" among them
    area_px2: Mapping[str, float]  # closed form by class, without "glass"
    bound_px2: Mapping[str, float]  # |px − area_px2| cannot be more
    unscanned_px: int
    unreadable_px: int


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticSlide:
    """A slide on disk and everything that is true of it."""

    path: Path
    size_px: Size
    mpp: Mpp | None  # what the file says; None where it says nothing, or nonsense
    levels_px: tuple[Size, ...]
    truth: Truth
    shapes: Mapping[str, Shape]
    rgb: RgbArray = field(repr=False)  # uint8 (h, w, 3) RGB, as painted; 0 where not scanned
    class_map: ClassMap = field(repr=False)  # uint8 (h, w): 0 glass; 1, 2 … as in ``shapes``; 253, 255

    def area_mm2(self, name: str) -> float:
        """The closed-form area of a class in mm²."""
        if self.mpp is None:
            raise ValueError(f"{self.path.name} has no pixel size, so no mm²")
        return self.truth.area_px2[name] * self.mpp.x * self.mpp.y / 1e6


def write_slide(
    path: Path,
    size: Size,
    shapes: Mapping[str, Shape],
    form: FileForm = FileForm(),
    *,
    noise_sd: float = 0.0,
    seed: int = 0,
    unscanned: Sequence[Region] = (),
    garbage: Sequence[Region] = (),
) -> SyntheticSlide:
    """Write disjoint shapes, by the name of their paint, as a slide; return it with its truth.

    ``unscanned``: level-0 boxes on the tile grid of the coarsest level, whose tiles are absent (byte count
    0), which OpenSlide gives as alpha 0. ``garbage``: level-0 boxes on the tile grid of level 0, whose tiles
    hold no image, which OpenSlide cannot decode; other levels are whole. A run that reads larger tiles loses
    more pixels with one of these than ``truth.unreadable_px``.
    """
    _check_on_grid(size, unscanned, form.tile_px * max(form.downsamples))
    _check_on_grid(size, garbage, form.tile_px)
    rgb, class_map = _painted(size, shapes, noise_sd, seed)
    for regions, code in ((garbage, UNREADABLE), (unscanned, UNSCANNED)):
        for r in regions:
            class_map[r.y_px : r.bottom_px, r.x_px : r.right_px] = code
    rgb[class_map == UNSCANNED] = 0
    with tifffile.TiffWriter(path, bigtiff=form.bigtiff, byteorder=form.byteorder) as tiff:
        for factor in form.downsamples:
            tiles = _tiles(
                reduced(rgb, factor), form, _covers(unscanned, factor), _covers(garbage if factor == 1 else (), 1)
            )
            tiff.write(tiles, **form.tags(size, factor))
    levels_px = tuple(Size(size.width_px // f, size.height_px // f) for f in form.downsamples)
    mpp = None if form.mpp_text is not None else form.mpp
    truth = _truth(shapes, class_map)
    return SyntheticSlide(path, size, mpp, levels_px, truth, shapes, rgb, class_map)


def reduced(rgb: RgbArray, factor: int) -> RgbArray:
    """Box means over whole ``factor`` × ``factor`` blocks, halves rounded up; a rest is dropped."""
    if factor == 1:
        return rgb
    height, width = rgb.shape[0] // factor, rgb.shape[1] // factor
    blocks = rgb[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    total = blocks.sum(axis=(1, 3), dtype=np.uint32)
    return ((total + factor**2 // 2) // factor**2).astype(np.uint8)


def _painted(size: Size, shapes: Mapping[str, Shape], noise_sd: float, seed: int) -> tuple[RgbArray, ClassMap]:
    class_map = np.zeros((size.height_px, size.width_px), np.uint8)
    for class_id, (name, shape) in enumerate(shapes.items(), start=1):
        if class_map[shape.mask].any():
            raise ValueError(f"shape {name!r} overlaps an earlier one: the truth would not add up")
        class_map[shape.mask] = class_id
    palette = np.array([GLASS_RGB, *(PAINT_RGB[name] for name in shapes)], np.uint8)
    rgb = palette[class_map]
    if noise_sd:
        noise = np.random.default_rng(seed).normal(0.0, noise_sd, rgb.shape)
        rgb = np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8)
    return rgb, class_map


def _tiles(
    rgb: RgbArray,
    form: FileForm,
    missing: Callable[[int, int], bool],
    garbage: Callable[[int, int], bool],
) -> Iterator[bytes]:
    """Yield the encoded tiles row by row; a missing one is empty, which is written as byte count 0."""
    step = form.tile_px
    for y_px in range(0, rgb.shape[0], step):
        for x_px in range(0, rgb.shape[1], step):
            if missing(x_px, y_px):
                yield b""
            elif garbage(x_px, y_px):
                yield b"no image at all " * 64
            else:
                tile = rgb[y_px : y_px + step, x_px : x_px + step]
                pad = ((0, step - tile.shape[0]), (0, step - tile.shape[1]), (0, 0))
                yield _ENCODE[form.compression](np.ascontiguousarray(np.pad(tile, pad, mode="edge")))


def _covers(regions: Sequence[Region], factor: int) -> Callable[[int, int], bool]:
    """Return the test whether the tile at (x, y) of a level lies in one of the level-0 regions."""
    return lambda x_px, y_px: any(
        r.x_px <= x_px * factor < r.right_px and r.y_px <= y_px * factor < r.bottom_px for r in regions
    )


def _check_on_grid(size: Size, regions: Sequence[Region], grid_px: int) -> None:
    for region in regions:
        ends = ((region.right_px, size.width_px), (region.bottom_px, size.height_px))
        if region.x_px % grid_px or region.y_px % grid_px or any(end % grid_px and end != edge for end, edge in ends):
            raise ValueError(f"{region} is not made of whole {grid_px}-px tiles")


def _truth(shapes: Mapping[str, Shape], class_map: ClassMap) -> Truth:
    lost = class_map >= UNREADABLE
    px = {"glass": int((class_map == 0).sum())}
    area: dict[str, float] = {}
    bound: dict[str, float] = {}
    for class_id, (name, shape) in enumerate(shapes.items(), start=1):
        px[name] = int((class_map == class_id).sum())
        if not (shape.mask & lost).any():
            area[name], bound[name] = shape.area_px2, shape.bound_px2()
        elif shape.pixel_aligned:
            area[name], bound[name] = float(px[name]), 0.0
        else:
            raise ValueError(f"{name!r} reaches into pixels that are lost: no closed form for the rest")
    return Truth(px, area, bound, int((class_map == UNSCANNED).sum()), int((class_map == UNREADABLE).sum()))
