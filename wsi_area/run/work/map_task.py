"""run: what the end of a slide asks of its final class map, counted in one reading of it by whoever is free."""

import numpy as np

from wsi_area.compute.count.recount import WorkGrid
from wsi_area.compute.picture.majority_picture import (
    PictureGrid,
    SampleCounts,
    majority_counts,
    picture_of_counts,
)
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.pixels import ClassMap, MaskArray
from wsi_area.results.class_map.enclosed import EnclosedBoxes, EnvelopeRule
from wsi_area.results.class_map.sparse_class_map import sparse_class_map, tiles_of
from wsi_area.results.layout import SlideLayout
from wsi_area.results.seal.contents import ClassMapDigest, codes_digest
from wsi_area.storage.place import Place

MAX_BOXES = 1024
"""Boxes along the longer side: memory and time stay flat in the size of the slide."""
_BACKGROUND, _TISSUE, _OTHER = 0, 1, 2


@frozen_value
class EnvelopeScales:
    """How the envelope is made, µm."""

    closing_um: float
    fill_um: float
    box_um: float


@frozen_value
class EnvelopeWanted:
    """Whose envelope is wanted: the grid, and the classes that are tissue."""

    grid: WorkGrid
    work_mpp: Mpp
    tissue_ids: tuple[int, ...]
    scales: EnvelopeScales

    @property
    def rule(self) -> EnvelopeRule:
        """Return the rule that it is made by."""
        scales, side = self.scales, box_work_px(self.grid, self.work_mpp, self.scales.box_um)
        return EnvelopeRule(side, (side * self.work_mpp.x, side * self.work_mpp.y), scales.closing_um, scales.fill_um)


@frozen_value
class CoverWanted:
    """The boxes of an overview of which is asked whether enough tissue covers them."""

    class_count: int
    box_x_work_px: float
    box_y_work_px: float
    least_cover: float  # share of a box


@frozen_value
class PictureWanted:
    """The small picture of a class map: its grid, and every code that the class map may hold, ascending."""

    grid: PictureGrid
    codes: tuple[int, ...]


@frozen_value
class MapTask:
    """What is wanted of one class map; small and picklable, so that a worker can do it."""

    slide_dir: Place  # whose class map is final
    slide_id: str
    envelope: EnvelopeWanted | None = None
    cover: CoverWanted | None = None
    wants_digest: bool = False
    picture: PictureWanted | None = None  # only beside something else

    @property
    def is_asked(self) -> bool:
        """Return True if anything is wanted."""
        return self.wants_digest or self.envelope is not None or self.cover is not None


@frozen_value
class Envelope:
    """The background that the envelope of a slide's tissue encloses."""

    enclosed_px: int  # level-0 px of background within the envelope
    box_um: tuple[float, float]
    side_work_px: int = 0  # of a box
    boxes: MaskArray | None = None  # bool (rows, columns), True where the background of a box is in the envelope


@frozen_value
class MapOutcome:
    """What the task sends back of what was wanted; ``error`` is set where it came to nothing."""

    envelope: Envelope | None = None
    covered_share: float | None = None  # of what was scanned, in boxes with enough tissue; None where nothing was
    sha256: str | None = None
    picture: ClassMap | None = None  # uint8 (h, w)
    error: str | None = None


def read_map(task: MapTask) -> MapOutcome:
    """Return what a class map holds of what is wanted; never raises: it is the boundary of a task."""
    try:
        return _read(task)
    except Exception as error:  # the one place: see the docstring
        return MapOutcome(error=f"{task.slide_id}, its class map: {type(error).__name__}: {error}")


def box_work_px(grid: WorkGrid, work_mpp: Mpp, box_um: float, most: int = MAX_BOXES) -> int:
    """Return the width and height of a box in work pixels: the nearest to the wish, and no more boxes than the most."""
    size, wished = grid.size_px, round(box_um / max(work_mpp.x, work_mpp.y))
    return max(1, wished, -(-max(size.width_px, size.height_px) // most))


def _read(task: MapTask) -> MapOutcome:
    layout, asked, cover = SlideLayout(task.slide_dir), task.envelope, task.cover
    shape = sparse_class_map(layout).shape
    boxes = None if asked is None else EnclosedBoxes.of(asked.grid, asked.tissue_ids, asked.rule)
    covered = None if cover is None else _cover_counts(shape, cover)
    digest = ClassMapDigest(shape, codes_digest) if task.wants_digest else None
    drawn = None if task.picture is None else majority_counts(shape, task.picture.grid, task.picture.codes)
    counts = [made for made in (None if boxes is None else boxes.counts, covered, drawn) if made is not None]
    for y, x, tile in tiles_of(layout):
        for made in counts:
            made.add(y, x, tile)
        if digest is not None:
            digest.add(y, x, tile)
    return MapOutcome(
        None if asked is None or boxes is None else _envelope(asked, boxes),
        None if cover is None or covered is None else _covered_share(cover, covered),
        None if digest is None else digest.hex,
        None if task.picture is None or drawn is None else picture_of_counts(drawn, task.picture.codes),
    )


def _envelope(asked: EnvelopeWanted, boxes: EnclosedBoxes) -> Envelope:
    made, rule = boxes.enclosed(), asked.rule
    return Envelope(made.n_px, rule.box_um, rule.side_work_px, made.boxes)


def _cover_counts(shape: tuple[int, ...], cover: CoverWanted) -> SampleCounts:
    (height, width), sides = shape, (cover.box_y_work_px, cover.box_x_work_px)
    rows, columns = (max(1, round(n / side)) for n, side in zip((height, width), sides, strict=True))
    group_of = np.full(256, _OTHER, np.uint8)
    group_of[: cover.class_count] = _TISSUE
    group_of[BACKGROUND_ID] = _BACKGROUND
    return SampleCounts.of(shape, PictureGrid(columns, rows, width / columns, height / rows), group_of, 3)


def _covered_share(cover: CoverWanted, counts: SampleCounts) -> float | None:
    seen = counts.seen()
    tissue = seen[..., _TISSUE]
    scanned = tissue + seen[..., _BACKGROUND]  # at most what was asked, which fits into as many bits
    covered = tissue > cover.least_cover * scanned
    in_all, in_covered = int(scanned.sum()), int(scanned.sum(where=covered))
    return in_covered / in_all if in_all else None
