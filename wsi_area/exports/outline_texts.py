"""exports: regions as packed text of GeoJSON, batch by batch: polygons of a class, or each region a feature."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.machine_code import call_native
from wsi_area.compute.native import Native
from wsi_area.exports.class_outlines import ClassOutlines
from wsi_area.exports.feature_heads import FeatureHeads
from wsi_area.exports.outline_code import BELOW, OUTLINE_CODE
from wsi_area.exports.simplifying import simplified
from wsi_area.exports.tracing.rings import Ints, RingBatch, begins
from wsi_area.frozen_value import frozen_value
from wsi_area.storage.gzip_blocks import PackedPart, check_of, packed_part

_PACKING, _TEXT = "wsi_area.exports.compiled_packing", "wsi_area.exports.compiled_text"
_PACK = (
    "int32* int64 int64* uint8* int64 int64* int64 int64 int64* int64 int64* int64* int64 int64* int64 int64* "
    "int64* int64 int64* int64 int64*"
)
_PUT = "int64* int64 int64* uint8* int64 int64* int64 uint8* int64 int64* int64 uint8* int64 int64*"
NATIVE = (Native(_PACKING, "pack_polygons", _PACK), Native(_TEXT, "put_polygons", _PUT))
SEPARATOR, POLYGON_END, FEATURE_END = ",\n", "]", "]}}"


@frozen_value(eq=False)
class WrittenOutlines:
    """Some regions as packed text, and what they came to."""

    parts: dict[int | None, PackedPart]  # of polygons by class, or of features: by None
    came_to: dict[int, ClassOutlines]  # by class


@frozen_value
class OutlineTexts:
    """How regions are written."""

    heads: FeatureHeads
    split: bool
    simplify_px: float  # 0: not at all

    def keys(self, batch: RingBatch) -> set[int | None]:
        """Return the texts in which a region of a batch begins: classes, or None for all of them."""
        classes: set[int | None] = set(_classes(batch.class_ids[batch.is_outer]))
        return {None} if self.split and classes else classes

    def written(self, batch: RingBatch, begun: frozenset[int | None]) -> WrittenOutlines:
        """Return a batch as text; ``begun`` are the texts that have a region already.

        No polygon is closed, since the next batch may have more of the last one's holes: what stands before a region
        ends the one before it. To be simplified, a batch has whole regions only.
        """
        outer = np.flatnonzero(batch.is_outer)
        regions = _Regions(
            batch.class_ids[outer], batch.areas_px[outer], batch.areas_px[outer], np.zeros(len(outer), np.bool_),
            batch.points[begins(batch.ends)[outer]],
        )  # fmt: skip
        if self.simplify_px:
            simple = simplified(batch, self.simplify_px)
            batch = simple.rings
            regions = _Regions(
                regions.class_ids, regions.areas_px, simple.outline_areas_px, simple.is_exact, regions.corners
            )
        if self.split:
            heads = [head.encode() for head in self._feature_heads(regions)]
            ends = np.cumsum([len(head) for head in heads], dtype=np.int64)
            skipped = 0 if None in begun else len(FEATURE_END + SEPARATOR)
            every = np.arange(len(batch.ends))
            parts: dict[int | None, PackedPart] = {None: _features(batch, every, b"".join(heads), ends, skipped)}
        else:
            most = int(batch.points.max(initial=0))
            parts = {i: _of_class(batch, i, i in begun, most) for i in _classes(batch.class_ids)}
        return WrittenOutlines(parts, regions.by_class(self.heads))

    def _feature_heads(self, regions: "_Regions") -> Iterator[str]:
        """Yield what stands before each region where each is a feature."""
        columns = (regions.class_ids, regions.areas_px, regions.outline_areas_px, regions.corners)
        for class_id, area_px, outline_area_px, (x, y) in zip(*(c.tolist() for c in columns), strict=True):
            # no other region of its class begins there
            head = self.heads.head(class_id, "Polygon", f"{x},{y}", 1, area_px, outline_area_px)
            yield f"{FEATURE_END}{SEPARATOR}{head}"


@frozen_value(eq=False)
class _Regions:
    """What is known of regions, a row each."""

    class_ids: Ints
    areas_px: Ints
    outline_areas_px: NDArray[np.int64 | np.float64]
    is_kept_exact: NDArray[np.bool_]
    corners: NDArray[np.int32] | Ints  # (regions, 2), the first point of each exact outline

    def by_class(self, heads: FeatureHeads) -> dict[int, ClassOutlines]:
        """Return the totals of the regions of each class: halves of whole numbers, whose sums are exact."""
        columns = (None, self.areas_px, self.outline_areas_px, self.is_kept_exact)
        totals = [np.bincount(self.class_ids, weights=column).tolist() for column in columns]
        return {
            i: ClassOutlines(heads.names[i], regions, int(area_px), float(outline_area_px), int(kept_exact))
            for i, (regions, area_px, outline_area_px, kept_exact) in enumerate(zip(*totals, strict=True))
            if regions
        }


def _classes(class_ids: Ints) -> list[int]:
    """Return the classes among some, ascending."""
    found: list[int] = np.flatnonzero(np.bincount(class_ids)).tolist()
    return found


def _of_class(batch: RingBatch, class_id: int, has_begun: bool, most: int) -> PackedPart:
    """Return the polygons of a class, none of them closed; no coordinate of the batch is larger than ``most``."""
    chosen = np.flatnonzero(batch.class_ids == class_id)
    if most >= BELOW:
        head, count = f"{POLYGON_END}{SEPARATOR}".encode(), int(batch.is_outer[chosen].sum())
        ends = np.arange(1, count + 1) * len(head)
        return _features(batch, chosen, head * count, ends, 0 if has_begun else len(head))
    code, words = OUTLINE_CODE, _most_bytes(batch, chosen, most) // 8 + 1
    text, packed = np.empty(words, np.int64), np.empty(words + len(code.begin), np.int64)
    sizes, points = np.zeros(2, np.int64), np.ascontiguousarray(batch.points, np.int32)
    call_native(
        _PACKING, "pack_polygons", _PACK, points, len(points), batch.ends, batch.is_outer, len(batch.ends), chosen,
        len(chosen), int(has_begun), code.begin, len(code.begin), code.marks, code.lengths, len(code.lengths),
        code.distances, len(code.distances), code.digits, text, len(text), packed, len(packed), sizes,
    )  # fmt: skip
    text_bytes, packed_bytes = sizes.tolist()
    return PackedPart(packed.data.cast("B")[:packed_bytes], check_of(text.data.cast("B")[:text_bytes]), text_bytes)


def _features(batch: RingBatch, chosen: Ints, heads: bytes, head_ends: Ints, skipped: int) -> PackedPart:
    """Return some rings as polygons, each after its head; of the first head, some bytes are left out."""
    return packed_part(put_text(batch, chosen, heads[skipped:], head_ends - skipped))


def put_text(batch: RingBatch, chosen: Ints, heads: bytes, head_ends: Ints) -> memoryview:
    """Return the text of some rings as polygons, each after its head; the last is not closed."""
    before, size = np.frombuffer(heads, np.uint8), np.zeros(1, np.int64)
    points = np.ascontiguousarray(batch.points, np.int64)
    text = np.empty(_most_bytes(batch, chosen, int(batch.points.max(initial=0))) + len(before), np.uint8)
    call_native(
        _TEXT, "put_polygons", _PUT, points, len(points), batch.ends, batch.is_outer, len(batch.ends), chosen,
        len(chosen), before, len(before), head_ends, len(head_ends), text, len(text), size,
    )  # fmt: skip
    return text[: size[0]].data


def _most_bytes(batch: RingBatch, chosen: Ints, most: int) -> int:
    """Return how many bytes the text of some rings takes at most, with what stands between polygons of a class."""
    lengths = (batch.ends - begins(batch.ends))[chosen]
    points = int(lengths.sum()) + len(chosen)  # the first of each ring is its last again
    return points * (4 + 2 * len(str(most))) + 8 * len(chosen) + 8
