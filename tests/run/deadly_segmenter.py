"""A segmenter for worker processes: painted DAB makes it kill, hang or crash its process, always or once."""

import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import numpy as np

from wsi_area.model.classes import UNSCANNED_CODE, ClassScheme
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels
from wsi_area.results.class_map import overlaid
from wsi_area.run.work import tile_task
from wsi_area.segmenters.colour.tissue import TISSUE_SCHEME

DAB_RGB = (120, 70, 30)  # as synthetic slides paint it


@dataclass(frozen=True)
class Deadly:
    """Dark is tissue. What it does on a tile with DAB is read from a file, so that a process need not be told."""

    orders: str  # names a file: kill, segfault, hang, memory, chunk, row; with " once" it is taken away before that

    @property
    def scheme(self) -> ClassScheme:
        return TISSUE_SCHEME

    context_um, work_mpp, signal = 0.0, None, None
    facts: ClassVar[dict[str, object]] = {}

    def fit(self, overview: Overview) -> "Deadly":
        return self

    def class_map(self, pixels: TilePixels) -> ClassMap:
        if (np.abs(pixels.rgb.astype(int) - DAB_RGB).max(axis=2) < 10).any():
            self._obey()
        return np.where(pixels.valid, np.uint8(pixels.rgb[..., 1] < 200), np.uint8(UNSCANNED_CODE))

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        return np.ones(overview.valid.shape, bool)

    def _obey(self) -> None:
        orders = Path(self.orders)
        try:
            order = orders.read_text()
        except FileNotFoundError:
            return
        with orders.with_name("deaths").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if order.endswith("once"):
            orders.unlink()
        if order.startswith("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        elif order.startswith("segfault"):
            ctypes.string_at(0)
        elif order.startswith("hang"):
            time.sleep(600)
        elif order.startswith("memory"):
            np.ones(1 << 34, np.uint8)
        elif order.startswith("chunk"):
            _die_after(overlaid, "write_shard")
        elif order.startswith("row"):
            _die_after(tile_task, "commit_batch")


def _die_after(module: ModuleType, name: str) -> None:
    """Have this process killed once it has done something next."""
    function = getattr(module, name)

    def last(*args: object) -> None:
        function(*args)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(module, name, last)
