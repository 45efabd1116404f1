"""segmenters: what a segmenter is, as protocols; anything that has these members is one."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.geometry import Region
from wsi_area.model.light import Light
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace


@frozen_value
class Signal:
    """What ``ClassCounts.signal_by_class`` adds up, and the scale that made it an integer.

    The sum divided by ``micro_scale`` is the signal × level-0 pixels in ``unit``.
    """

    name: str  # becomes part of column names, e.g. "od"
    unit: str  # e.g. "optical density"
    micro_scale: int = 1_000_000


@runtime_checkable
class FittedSegmenter(Protocol):
    """A segmenter made ready for one slide: frozen, picklable, the same answer for the same pixels."""

    @property
    def scheme(self) -> ClassScheme:
        """Return the classes it may write."""

    @property
    def context_um(self) -> float:
        """Return the distance that it looks round a pixel, in µm: the halo a tile must bring along."""

    @property
    def work_mpp(self) -> float | None:
        """Return the pixel size it was made for in µm, or None for any."""

    @property
    def signal(self) -> Signal | None:
        """Return the signal that it measures beside the classes, or None."""

    @property
    def facts(self) -> dict[str, object]:
        """Return the decisions while fitting, JSON-ready: thresholds, method, histogram."""

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids, ``UNSCANNED_CODE`` where the pixels are not valid."""

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), the shape of the overview: True where the slide must be read.

        Its margin is one of intensity; the planner adds the margin of space. A segmenter that cannot
        say returns True everywhere.
        """


@runtime_checkable
class PlacedSegmenter(FittedSegmenter, Protocol):
    """A fitted segmenter whose answer depends on where the tile lies: drawn regions, a grid fixed to the slide."""

    def class_map_at(self, pixels: TilePixels, place: TilePlace) -> ClassMap:
        """Return the class map, as ``class_map`` does, of pixels that lie at this place; asked instead of it."""


@runtime_checkable
class CoreSegmenter(PlacedSegmenter, Protocol):
    """A placed segmenter that spends less where only the core of a tile is wanted of it."""

    def core_class_map_at(self, pixels: TilePixels, place: TilePlace, core_work_px: Region) -> ClassMap:
        """Return the part of ``class_map_at`` that lies in the core, uint8 of the core's shape; asked instead of it."""


@runtime_checkable
class AdaptsToWorkMpp(Protocol):
    """A fitted segmenter that was made for one pixel size and can be told which one it will be given."""

    def at_work_mpp(self, work_mpp: Mpp) -> FittedSegmenter:
        """Return the segmenter for pixels of that size, µm; called once a slide, when its cut is known."""


@runtime_checkable
class PrefersTiles(Protocol):
    """A fitted segmenter that wastes least with tiles of a certain size; ``tiling.tile_px = "auto"`` follows it."""

    @property
    def preferred_tile_px(self) -> int:
        """Return the edge of a tile's core in work pixels; any other gives the same answer."""


@runtime_checkable
class StatesMemory(Protocol):
    """A fitted segmenter that says how much memory it takes, so that a plan can be refused before it starts."""

    @property
    def working_bytes_per_px(self) -> int:
        """Return the most bytes that ``class_map`` holds for each pixel it is given, the pixels themselves left out."""


@runtime_checkable
class WantsSamples(Protocol):
    """Settings of a segmenter that is fitted to pixels of the work size beside the overview."""

    @property
    def sample_blocks(self) -> int:
        """Return the most blocks of 256 × 256 work pixels of tissue that ``Overview.samples`` should hold."""


@runtime_checkable
class WantsSpread(Protocol):
    """A fitted segmenter whose threshold hangs on the scale of the pixels that it was fitted on."""

    @property
    def wants_spread(self) -> bool:
        """Return True if its settings should be fitted again, with `Overview.spread`."""


@runtime_checkable
class MeasuresSignal(Protocol):
    """A fitted segmenter that gives its signal pixel by pixel, beside its class map."""

    def micro_signal(self, pixels: TilePixels) -> NDArray[np.int64]:
        """Return the signal, int64 (h, w), in steps of ``signal.micro_scale``; asked only where ``signal`` is one."""


@runtime_checkable
class MovesThreshold(Protocol):
    """A fitted segmenter that tells tissue by a threshold, and says what it would make of a tile with another one."""

    @property
    def thresholds_by_shift(self) -> Mapping[str, int]:
        """Return the thresholds by the names of `SHIFTS`; none where another rule than a threshold tells tissue."""

    def core_class_maps_by_shift(
        self, pixels: TilePixels, place: TilePlace, core_work_px: Region
    ) -> Mapping[str, ClassMap]:
        """Return the part of ``class_map_at`` that lies in the core, with each of the thresholds."""


@runtime_checkable
class FindsTissue(Protocol):
    """A segmenter whose tissue classes are all the tissue of a slide, whatever else they are called."""

    finds_tissue: ClassVar[bool]


@runtime_checkable
class UsesDrawn(Protocol):
    """Settings of a segmenter that takes its classes from ``Overview.drawn``."""

    @property
    def drawn_classes(self) -> tuple[str, ...]:
        """Return the names of the classes that a drawing may hold."""


@runtime_checkable
class StatesFiles(Protocol):
    """Settings of a segmenter that says which files it reads, so that a finished slide need not be fitted again.

    A slide of one that does not say is opened and fitted in each run, and then found to be finished.
    """

    @property
    def files_read(self) -> tuple[Path, ...]:
        """Return every file, or folder of files, that the answer depends on besides the slide and its drawings."""


@runtime_checkable
class KnowsLight(Protocol):
    """A fitted segmenter that looked for the glass of its slide."""

    @property
    def light(self) -> Light | None:
        """Return the light that it found, None where it looked for no glass."""


@runtime_checkable
class Segmenter(Protocol):
    """The settings of a segmenter; fitting never changes them."""

    def fit(self, overview: Overview) -> FittedSegmenter:
        """Return the segmenter for the slide that the overview shows; called once a slide."""
