"""A folder of many small slides with bad ones of ten kinds among them, and how each of them must end."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from synthetic import (
    FileForm,
    SyntheticSlide,
    disc,
    write_empty_file,
    write_slide,
    write_slide_with_garbage_tile,
    write_text_slide,
    write_truncated_slide,
)

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE = Size(300, 260)
FORMS = 6
"""Different good slides; the others are copies of them."""


def _good(path: Path, form: FileForm | None = None, radius_px: int = 100) -> SyntheticSlide:
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 150, 130, radius_px)}, form or FileForm())


def _sixteen_bit(path: Path) -> None:
    tifffile.imwrite(path, np.full((64, 64, 3), 40_000, np.uint16), photometric="rgb")


def _picture_named_slide(path: Path) -> None:
    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(path, "PNG")


def _bomb(path: Path) -> None:
    """Write a header that claims 2²⁹ × 2²⁹ px, and 12 KB of pixels."""
    tifffile.imwrite(path, np.zeros((64, 64, 3), np.uint8), photometric="rgb", tile=(64, 64), metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[name].overwrite(1 << 29, dtype="I")


BAD: Mapping[str, tuple[str, str, Callable[[Path], object]]] = {
    "text": (".svs", "failed", write_text_slide),
    "empty": (".svs", "failed", write_empty_file),
    "cut_off": (".svs", "failed", lambda path: write_truncated_slide(path, opens=False)),
    "cut_short": (".svs", "incomplete", lambda path: write_truncated_slide(path, opens=True)),
    "garbage_tile": (".svs", "incomplete", write_slide_with_garbage_tile),
    "no_mpp": (".tif", "needs_calibration", lambda path: _good(path, FileForm(mpp=None))),
    "absurd_mpp": (".tif", "needs_calibration", lambda path: _good(path, FileForm(mpp=Mpp(352.8, 352.8)))),
    "sixteen_bit": (".tif", "failed", _sixteen_bit),
    "misnamed": (".svs", "failed", _picture_named_slide),
    "bomb": (".tif", "failed", _bomb),
}
"""By name: how the file is called, how the slide must end, how it is written."""


def write_batch(folder: Path, count: int, bad: int) -> dict[str, str]:
    """Write so many slides, the bad ones spread among them, and return how each must end, by slide id, in order."""
    folder.mkdir()
    names = list(BAD)[:bad] if bad < len(BAD) else list(BAD)
    every = count // len(names)
    forms = [_good(folder / f".{n}.tif", radius_px=60 + 10 * n).path for n in range(FORMS)]
    ends: dict[str, str] = {}
    for n in range(count):
        if n % every == every // 2 and names:
            name = names.pop(0)
            suffix, status, write = BAD[name]
            ends[f"s{n:03d}_{name}"] = status
            write(folder / f"s{n:03d}_{name}{suffix}")
        else:
            ends[f"s{n:03d}"] = "complete"
            shutil.copy(forms[n % FORMS], folder / f"s{n:03d}.tif")
    for path in forms:
        path.unlink()
    return ends
