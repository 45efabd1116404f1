"""segmenters: the fitted form of ``onnx``: windows cut on the slide's own grid, shown, and put together."""

import math
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SegmentationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import UNSCANNED_CODE, ClassScheme
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.onnx.asking import blank_windows, class_maps_to, classes_of, scores_to
from wsi_area.segmenters.onnx.between import read_at
from wsi_area.segmenters.onnx.card import OnnxCard
from wsi_area.segmenters.onnx.grid import (
    Axis,
    Taps,
    answer_taps,
    answerable,
    input_taps,
    ratio_for,
    windows_over,
)
from wsi_area.segmenters.onnx.picture import Picture, Shown
from wsi_area.segmenters.onnx.session import Floats, NetworkAt
from wsi_area.segmenters.protocol import Signal

LARGEST_UPSAMPLING = 1.25
"""Work pixels more than a quarter larger than the network's show it too little of what it was trained on."""
_TILE_TARGET_PX = 1024
Ask = Callable[[NetworkAt, OnnxCard, Shown], Sequence[NDArray[Any]]]
"""What is asked of a batch of windows: numbers of each of their output pixels, (n, h, w)."""
Spans = tuple[tuple[int, int], tuple[int, int]]
"""Work pixels ``[first, end)`` of the slide: rows, then columns."""


@frozen_value
class FittedOnnx:
    """A network for one slide; its session is opened by each process that uses it."""

    scheme: ClassScheme
    card: OnnxCard
    network: NetworkAt
    batch: int
    slide_mpp: Mpp  # µm per level-0 px
    slide_size_l0_px: Size
    lowered_rule: ColourRule | None  # None: whatever the slide holds must be read
    facts: dict[str, object] = field(compare=False)
    signal: Signal | None = None

    @property
    def context_um(self) -> float:
        """Return the distance that it looks round a pixel, resampling included, in µm."""
        return self.card.reach_um

    @property
    def work_mpp(self) -> float | None:
        """Return the pixel size the network was trained at, in µm."""
        return self.card.input.mpp_um

    @property
    def preferred_tile_px(self) -> int:
        """Return a multiple of what a window keeps, near 1024: a tile's edge cuts no window, which would run twice."""
        kept = self.card.input.kept_px
        return kept * max(1, round(_TILE_TARGET_PX / kept))

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the overview is more than background by a lowered threshold.

        True everywhere if the network may find something on bare glass.
        """
        if self.lowered_rule is None:
            return np.ones(overview.valid.shape, np.bool_)
        return self.lowered_rule.is_foreground(overview.rgb) | ~overview.valid

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids, for pixels of the network's own size that are a whole picture."""
        height, width = pixels.valid.shape
        return self._classes(pixels, Axis(0, height, 1.0, False, False), Axis(0, width, 1.0, False, False))

    def class_map_at(self, pixels: TilePixels, place: TilePlace) -> ClassMap:
        """Return uint8 (h, w) of class ids; the same for a pixel wherever its tile was cut.

        Pixels nearer to a cut than the network looks are 0: another tile, which sees what they need, owns them.

        Raises
        ------
        SegmentationError
            If the work pixels are too large for the network, or its answer is unusable.
        """
        return self._classes(pixels, *self._axes(place))

    def core_class_map_at(self, pixels: TilePixels, place: TilePlace, core_work_px: Region) -> ClassMap:
        """Return uint8 of the core's shape, the same classes as ``class_map_at`` gives it.

        Only windows that decide on a pixel of the core are shown to the network: those of the halo alone are not.

        Raises
        ------
        SegmentationError
            As ``class_map_at``.
        """
        rows, columns = self._axes(place)
        y, x = core_work_px.y_px - rows.start_px, core_work_px.x_px - columns.start_px
        of_core = np.s_[y : y + core_work_px.height_px, x : x + core_work_px.width_px]
        wanted = ((core_work_px.y_px, core_work_px.bottom_px), (core_work_px.x_px, core_work_px.right_px))
        return self._classes(pixels, rows, columns, wanted)[of_core]

    def probabilities_at(self, pixels: TilePixels, place: TilePlace) -> Floats:
        """Return float32 (channels, h, w), what the classes were chosen by; 0 where ``class_map_at`` does not know."""
        rows, columns = self._axes(place)
        answer = np.zeros((self.card.channel_count, *pixels.valid.shape), np.float32)
        inside, scores = self._answer(pixels, rows, columns, scores_to)
        if scores is not None:
            answer[:, *inside] = scores
        answer[:, ~pixels.valid] = 0
        return answer

    def _axes(self, place: TilePlace) -> tuple[Axis, Axis]:
        at, size, mpp = place.work_px, self.slide_size_l0_px, self.slide_mpp
        rows = (at.y_px, place.y_centres_l0_px, size.height_px, mpp.y)
        columns = (at.x_px, place.x_centres_l0_px, size.width_px, mpp.x)
        return self._axis(*rows), self._axis(*columns)

    def _axis(self, start_px: int, centres_l0_px: NDArray[np.float64], size_l0_px: int, mpp_um: float) -> Axis:
        # levels are whole reductions of level 0, give or take rounding: the factor is whole, too
        steps = np.diff(centres_l0_px) if len(centres_l0_px) > 1 else 2 * centres_l0_px
        factor = max(1, round(float(np.median(steps))))
        ratio = ratio_for(factor * mpp_um, self.card.input.mpp_um)
        if ratio > LARGEST_UPSAMPLING:
            raise SegmentationError(
                f"work pixels of {factor * mpp_um:.4g} µm are too large for the network {self.card.name!r}, trained at "
                f"{self.card.input.mpp_um} µm/px; leave tiling.work_mpp out"
            )
        # the last centre is half a pixel from the slide's edge, unless more pixels follow
        goes_on = size_l0_px - float(centres_l0_px[-1]) > 1.5 * factor + 1
        return Axis(start_px, len(centres_l0_px), ratio, start_px > 0, goes_on)

    def _classes(self, pixels: TilePixels, rows: Axis, columns: Axis, wanted: Spans | None = None) -> ClassMap:
        classes = np.zeros(pixels.valid.shape, np.uint8)
        # where each pixel is one of the answer's, classes are chosen window by window: scores of a tile are many
        is_between_pixels = rows.ratio != 1 or columns.ratio != 1 or self.card.output.stride != 1
        inside, found = self._answer(pixels, rows, columns, scores_to if is_between_pixels else class_maps_to, wanted)
        if found is not None:
            classes[inside] = classes_of(found, self.card) if is_between_pixels else found[0]
        classes[~pixels.valid] = UNSCANNED_CODE
        return classes

    def _answer(
        self, pixels: TilePixels, rows: Axis, columns: Axis, ask: Ask, wanted: Spans | None = None
    ) -> tuple[tuple[slice, slice], NDArray[Any] | None]:
        """Return the part of the box that is answered, and the answer of ``ask`` for it, (n, h, w); None if none is.

        Of what is wanted, work px by row and by column, only the part whose whole context is in the box.
        """
        spans = [answerable(axis, self.card) for axis in (rows, columns)]
        if wanted is not None:
            spans = [(max(a[0], w[0]), max(a[0], w[0], min(a[1], w[1]))) for a, w in zip(spans, wanted, strict=True)]
        inside = (
            slice(spans[0][0] - rows.start_px, spans[0][1] - rows.start_px),
            slice(spans[1][0] - columns.start_px, spans[1][1] - columns.start_px),
        )
        if not pixels.valid[inside].any():
            return inside, None
        windows = [windows_over(axis, self.card, *span) for axis, span in zip((rows, columns), spans, strict=True)]
        found = self._windowed(pixels, (rows, columns), (windows[0], windows[1]), ask)
        if found is None:
            return inside, None
        taps = []
        for axis, span, shown in zip((rows, columns), spans, windows, strict=True):
            of_slide = answer_taps(axis, self.card, *span)
            first = shown.start * self.card.input.kept_px // self.card.output.stride
            taps.append(Taps(of_slide.index - first, of_slide.weight))
        return inside, read_at(found, taps[0], taps[1])

    def _windowed(
        self, pixels: TilePixels, axes: tuple[Axis, Axis], windows: tuple[range, range], ask: Ask
    ) -> NDArray[Any] | None:
        """Return the kept middles of what is said of the windows, put together, (n, h, w); None if none matters."""
        kept, overlap = self.card.input.kept_px, self.card.input.overlap
        taps = [
            input_taps(a, w.start * kept - overlap, w.stop * kept + overlap) for a, w in zip(axes, windows, strict=True)
        ]
        picture = Picture.of(pixels, axes, (taps[0], taps[1]), self.card.input)
        spots = [
            (row, column)
            for row in windows[0]
            for column in windows[1]
            if self._matters(pixels.valid, axes, (row, column))
        ]
        out_kept, out_rim = kept // self.card.output.stride, overlap // self.card.output.stride
        size = (len(windows[0]) * out_kept, len(windows[1]) * out_kept)
        answer: NDArray[Any] | None = None
        shown = blank_windows(self.card, self.batch)
        for first in range(0, len(spots), self.batch):
            group = spots[first : first + self.batch]
            corners = [(r - windows[0].start, c - windows[1].start) for r, c in group]
            for place, (r, c) in zip(shown, corners, strict=False):
                picture.show(r * kept, c * kept, place)
            shown[len(group) :] = 0
            for (r, c), said in zip(corners, ask(self.network, self.card, shown), strict=False):
                if answer is None:
                    answer = np.zeros((len(said), *size), said.dtype)
                middle = said[:, out_rim : out_rim + out_kept, out_rim : out_rim + out_kept]
                answer[:, r * out_kept : (r + 1) * out_kept, c * out_kept : (c + 1) * out_kept] = middle
        return answer

    def _matters(self, valid: MaskArray, axes: tuple[Axis, Axis], window: tuple[int, int]) -> bool:
        """Return True if a scanned pixel of the box lies where this window has a say."""
        kept, stride = self.card.input.kept_px, self.card.output.stride
        part = []
        for axis, number in zip(axes, window, strict=True):
            low = math.floor((number * kept - stride) / axis.ratio) - 1 - axis.start_px
            high = math.ceil(((number + 1) * kept + stride) / axis.ratio) + 1 - axis.start_px
            part.append(slice(max(0, low), max(0, high)))
        return bool(valid[tuple(part)].any())
