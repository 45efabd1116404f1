"""cli: the doctor's trials: a small slide read through both lanes, and the compiled kernels against plain numpy."""

import tempfile
from pathlib import Path

import numpy as np
import tifffile

from wsi_area.compute.count.counting import count_class_map
from wsi_area.compute.picture.majority_picture import PictureGrid, sample_counts
from wsi_area.errors import WsiAreaError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.kernels import classify_and_count
from wsi_area.slides import borrow_reader, choose_lane, close_readers, inspect

_SIDE_PX = 512
_THRESHOLD = 60
_TWO_GROUPS = np.minimum(np.arange(256), 1).astype(np.uint8)


def trial_picture() -> RgbArray:
    """Return uint8 (512, 512, 3) RGB, the same each time: glass, and a disc of coloured texture on it."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:_SIDE_PX, :_SIDE_PX]
    inside = np.hypot(x - _SIDE_PX / 2, y - _SIDE_PX / 2) < _SIDE_PX / 3
    rgb = np.full((_SIDE_PX, _SIDE_PX, 3), 243, np.uint8)
    rgb[inside] = rng.integers(60, 200, (int(inside.sum()), 3))
    return rgb


def lanes_fault() -> str:
    """Return the fault of the two lanes, on a small tiled TIFF with JPEG tiles; empty where nothing is."""
    with tempfile.TemporaryDirectory(prefix="wsi-area-doctor-") as folder:
        path = Path(folder) / "trial.tif"
        try:
            tifffile.imwrite(
                path, trial_picture(), tile=(256, 256), compression="jpeg", photometric="ycbcr", metadata=None
            )
            info = inspect(path)
            decision = choose_lane(info, [0], "direct")
            whole = Region(0, 0, _SIDE_PX, _SIDE_PX)
            read = []
            for lane in ("openslide", decision.lane):
                with borrow_reader(info, lane) as reader:
                    read.append(reader.read(0, whole).rgb)
        except (WsiAreaError, OSError, ValueError, RuntimeError) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            close_readers()  # the file is about to go
    apart = int(np.abs(read[0].astype(int) - read[1]).max())
    return f"the lanes differ by up to {apart} grey levels on a JPEG tile" if apart else ""


def kernel_fault() -> str:
    """Return the fault of the compiled kernels, held against numpy; empty where nothing is.

    They are those that every run calls, so that after this no run on this machine compiles one.
    """
    rgb = trial_picture()
    ones = np.ones(_SIDE_PX, np.int64)
    seen, counts, signal = np.zeros(rgb.shape[:2], np.uint8), np.zeros(5, np.int64), np.zeros(2, np.int64)
    rule = ColourRule("darkness", _THRESHOLD)
    try:
        classify_and_count(rgb, None, rule, ones, ones, 1, seen, counts, signal)
        again = count_class_map(seen, ones, ones, 2).px_by_class
        picture, _ = sample_counts(seen, PictureGrid(_SIDE_PX // 2, _SIDE_PX // 2, 2, 2), _TWO_GROUPS, 2)
    except (WsiAreaError, OSError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    expected = (255 - rgb.min(axis=-1)) > _THRESHOLD
    found, told = int((seen != expected).sum()), [int(n) for n in counts[:2]]
    if found or told != [int((~expected).sum()), int(expected.sum())]:
        return f"{found} of {expected.size} pixels got another class than by numpy; counted were {told}"
    if list(again) != told:
        return f"{told} pixels of the classes are {list(again)} when they are counted again"
    in_fours = expected.reshape(_SIDE_PX // 2, 2, _SIDE_PX // 2, 2).sum(axis=(1, 3))
    if wrong := int((picture[..., 1] != in_fours).sum()):
        return f"{wrong} of {in_fours.size} pixels of a picture got another share of tissue than by numpy"
    return ""
