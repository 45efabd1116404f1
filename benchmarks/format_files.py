"""benchmarks: the most stained cut of a slide, written in each format, so that OpenSlide knows it as the vendor's."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import ROOT
from wsi_area.model.geometry import Region
from wsi_area.slides import inspect
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader

SIDE_PX = 4096
"""The side of the cut: what reading takes a pixel does not grow with it."""

MPP = 0.25
TILE_PX = 256
_TRIED = 5

Picture = NDArray[np.uint8]  # (h, w, 3)


def most_stained(slide: Path) -> Picture:
    """Return the darkest of some cuts of a slide's finest level, where tiles are the dearest to decode."""
    info = inspect(slide)
    size = info.size_l0_px
    width, height = min(SIDE_PX, size.width_px), min(SIDE_PX, size.height_px)
    places = np.linspace(0, 1, _TRIED)
    boxes = {
        Region(round(x * (size.width_px - width)), round(y * (size.height_px - height)), width, height)
        for x in places
        for y in places
    }
    reader = OpenSlideReader(info)
    try:
        coarse = info.levels[-1]
        shown = reader.read(coarse.index, Region(0, 0, coarse.size_px.width_px, coarse.size_px.height_px)).rgb

        def light(box: Region) -> tuple[float, int, int]:
            x, y = int(box.x_px / coarse.downsample_x), int(box.y_px / coarse.downsample_y)
            right, bottom = int(box.right_px / coarse.downsample_x), int(box.bottom_px / coarse.downsample_y)
            return float(shown[y : bottom + 1, x : right + 1].mean()), box.x_px, box.y_px

        return reader.read(0, min(boxes, key=light)).rgb
    finally:
        reader.close()


def written(picture: Picture, folder: Path) -> Mapping[str, Path]:
    """Return the files of a picture by the name of their format; each has a folder of its own.

    The first half are read directly; what OpenSlide alone reads begins with "other".
    """
    sys.path[:0] = [str(ROOT / "tests" / "slides")]
    from mirax_files import write_mirax
    from vendor_files import write_leica, write_philips, write_trestle, write_ventana

    levels = [picture, picture[::2, ::2], picture[::4, ::4]]
    writers: dict[str, Callable[[Path], object]] = {
        **{name: partial(_dicom, picture, name) for name in ("jpeg-420", "jpeg2000-ict", "raw")},
        **{name: partial(_dicom, picture, name) for name in ("sparse", "concatenated", "fragments")},
        "ndpi-444": partial(_ndpi, levels, 0),
        "ndpi-422": partial(_ndpi, levels, 1),
        "ndpi-rows": partial(_ndpi, levels, 0, across=1),
        "philips": lambda at: write_philips(at / "s.tiff", levels, mpp=MPP),
        "trestle": lambda at: write_trestle(at / "s.tif", levels),
        "ventana": lambda at: write_ventana(at / "s.bif", levels, mpp=MPP),
        "ome": partial(_tiff, levels, '<?xml version="1.0"?><OME/>'),
        "tiff": partial(_tiff, levels, None),
        "other leica": lambda at: write_leica(at / "s.scn", levels, mpp=MPP),
        "other mirax": lambda at: write_mirax(at / "s.mrxs", picture, mpp=MPP),
    }
    found = {}
    for name, write in writers.items():
        at = folder / name.replace(" ", "-")
        at.mkdir(parents=True)
        write(at)
        found[name] = next(path for path in sorted(at.iterdir()) if path.is_file())
    return found


def _dicom(picture: Picture, name: str, at: Path) -> None:
    from dicom_files import write_dicom

    across, down = -(-picture.shape[1] // TILE_PX), -(-picture.shape[0] // TILE_PX)
    if name == "concatenated":
        half = across * down // 2
        write_dicom(at / "a.dcm", picture, part=(1, 0, half))
        write_dicom(at / "b.dcm", picture, part=(2, half, across * down))
    elif name == "sparse":
        write_dicom(at / "a.dcm", picture, held=list(range(across * down))[::-1])
    elif name == "fragments":
        write_dicom(at / "a.dcm", picture, fragments=3)
    else:
        write_dicom(at / "a.dcm", picture, name)


def _ndpi(levels: list[Picture], subsampling: int, at: Path, *, across: int = 2) -> None:
    """Write restart intervals of half the cut's width: 2 048 px, as most scanners do; or of all of it, as others do."""
    from ndpi_files import write_ndpi_slide

    block_px = 16 if subsampling else 8
    interval_mcus = levels[0].shape[1] // across // block_px
    write_ndpi_slide(at / "s.ndpi", levels, interval_mcus=interval_mcus, subsampling=subsampling, mpp=MPP)


def _tiff(levels: list[Picture], description: str | None, at: Path) -> None:
    from tiff_files import write_tiled

    write_tiled(at / "s.tif", levels, tile_px=TILE_PX, subsampling=(2, 2), description=description)
