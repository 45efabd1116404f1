"""benchmarks: a cut of the slide in formats that are read directly, and what reading it takes in either lane."""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import ROOT
from wsi_area.model.geometry import Region
from wsi_area.slides import SlideReader, choose_lane, inspect
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader

SIDE_PX = 4096
"""The side of the cut, from the middle of the slide: what reading takes a pixel does not grow with it."""

REGION_PX = 512
"""What is asked for at once, as a run at 0.25 µm/px does."""

ROUNDS = 5
"""The cut is read as often, since the clock of CPU time ticks a hundred times a second."""


def middle_of(slide: Path) -> NDArray[np.uint8]:
    """Return uint8 (h, w, 3), the middle of a slide's finest level."""
    info = inspect(slide)
    width, height = min(SIDE_PX, info.size_l0_px.width_px), min(SIDE_PX, info.size_l0_px.height_px)
    x, y = (info.size_l0_px.width_px - width) // 2, (info.size_l0_px.height_px - height) // 2
    reader = OpenSlideReader(info)
    try:
        return reader.read(0, Region(x, y, width, height)).rgb
    finally:
        reader.close()


def write(picture: NDArray[np.uint8], folder: Path) -> dict[str, Path]:
    """Return the files of a picture in each format, by name; DICOM has a folder for each."""
    sys.path[:0] = [str(ROOT / "tests" / "slides")]
    from dicom_files import write_dicom
    from ndpi_files import write_ndpi_slide

    written = {}
    for coding in ("jpeg-420", "jpeg2000-ict", "raw"):
        (folder / coding).mkdir(parents=True, exist_ok=True)
        written[coding] = write_dicom(folder / coding / "s.dcm", picture, coding)
    for name, subsampling, block_px in (("444", 0, 8), ("422", 1, 16)):
        path = folder / f"{name}.ndpi"
        written[f"ndpi-{name}"] = write_ndpi_slide(
            path, [picture], interval_mcus=picture.shape[1] // 2 // block_px, subsampling=subsampling
        )
    return written


def reading_s(spent_s: Callable[[Callable[[], object]], float], slide: Path, folder: Path) -> Mapping[str, float]:
    """Return the CPU seconds that reading a cut of a slide takes in each format and lane.

    OpenSlide is taken bare, without the check of stored tiles that a run adds to it.

    Raises
    ------
    SystemExit
        A file is not read directly: then there is nothing to compare.
    """
    found = {}
    for name, path in write(middle_of(slide), folder).items():
        info = inspect(path)
        decision = choose_lane(info, [0], "auto")
        if decision.lane != "direct":
            raise SystemExit(f"{path} is read through OpenSlide: {decision.reason}")
        boxes = _regions(info.size_l0_px.width_px, info.size_l0_px.height_px)
        for lane, reader in (
            ("direct", DirectReader(info)),
            ("openslide", OpenSlideReader(info, checks_tiles=False)),
        ):
            found[f"{name} {lane}"] = spent_s(partial(_read, reader, boxes))
            reader.close()
    return found


def _regions(width_px: int, height_px: int) -> list[Region]:
    return [
        Region(x, y, min(REGION_PX, width_px - x), min(REGION_PX, height_px - y))
        for y in range(0, height_px, REGION_PX)
        for x in range(0, width_px, REGION_PX)
    ]


def _read(reader: SlideReader, boxes: list[Region]) -> None:
    for box in boxes * ROUNDS:
        for _ in reader.decoded_tiles(0, box):
            pass
