"""Packed outlines: what zlib, ISA-L and JSON make of them again are the points that were packed."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib

from wsi_area.exports import outline_texts
from wsi_area.exports.class_outlines import ClassOutlines
from wsi_area.exports.outline_texts import OutlineTexts
from wsi_area.exports.tracing.rings import RingBatch
from wsi_area.storage.gzip_blocks import PackedPart

Rings = list[list[tuple[int, int]]]
SPIRAL = [(0, 0), (9, 0), (9, 10), (99, 10), (99, 100), (9999, 100), (9999, 10_000), (0, 10_000)]


class Heads:
    """What is asked of the heads of features where classes are one feature each."""

    names = {1: "one", 2: "two"}  # noqa: RUF012 (nobody changes it)


def batch_of(rings: Rings, is_outer: list[bool], class_ids: list[int] | None = None) -> RingBatch:
    points = np.array([point for ring in rings for point in ring], np.int64)
    areas_px = np.where(is_outer, 7, 0).astype(np.int64)
    ends = np.cumsum([len(ring) for ring in rings], dtype=np.int64)
    return RingBatch(points, ends, np.array(class_ids or [1] * len(rings), np.int64), areas_px)


def parts_of(batch: RingBatch, *begun: int) -> tuple[dict[int, PackedPart], dict[int, ClassOutlines]]:
    written = OutlineTexts(Heads(), False, 0.0).written(batch, frozenset(begun))  # type: ignore[arg-type]
    return written.parts, written.came_to  # type: ignore[return-value]


def text_of(part: PackedPart) -> str:
    """The text of a part, read by two libraries, with what gzip would hold it against."""
    text, again = (module.decompressobj(wbits=-15).decompress(part.deflated) for module in (zlib, isal_zlib))
    assert text == again
    assert (zlib.crc32(text), len(text)) == (part.check, part.size_bytes)
    return text.decode()


def polygons_of(text: str) -> list:
    return json.loads(f"[{text}]]") if text else []


def expected(rings: Rings, is_outer: list[bool]) -> list:
    found: list = []
    for ring, outer in zip(rings, is_outer, strict=True):
        found += [[]] if outer else []
        found[-1].append([list(point) for point in (*ring, ring[0])])
    return found


@st.composite
def outlines(draw: st.DrawFn, most: int = 10**6 - 1) -> tuple[Rings, list[bool]]:
    """Rings whose points are anywhere, or a few steps from the point before, along x, y or both."""
    rings, is_outer = [], []
    for _ in range(draw(st.integers(1, 5))):
        x, y = (draw(st.integers(0, most)) for _ in "xy")
        ring = [(x, y)]
        for dx, dy in draw(st.lists(st.tuples(*[st.integers(-120, 120) | st.just(0)] * 2), max_size=12)):
            x, y = (min(max(0, n), most) for n in (x + dx, y + dy))
            ring.append((x, y))
        rings.append(ring)
        is_outer.append(draw(st.booleans()) if is_outer else True)
    return rings, is_outer


@settings(max_examples=300, deadline=None)
@given(drawn=outlines())
def test_points_of_any_kind_are_read_again_as_they_were(drawn):
    [part] = parts_of(batch_of(*drawn))[0].values()
    assert polygons_of(text_of(part)) == expected(*drawn)


@settings(max_examples=100, deadline=None)
@given(drawn=outlines(most=10**7))
def test_numbers_that_are_too_large_for_the_code_are_packed_by_the_library(drawn):
    [part] = parts_of(batch_of(*drawn))[0].values()
    assert polygons_of(text_of(part)) == expected(*drawn)


@pytest.mark.parametrize("scale", [1, 99, 100])
@pytest.mark.parametrize("turned", [False, True])
def test_a_ring_whose_numbers_get_more_digits_and_fewer(scale, turned):
    ring = [(scale * (y if turned else x), scale * (x if turned else y)) for x, y in SPIRAL]
    [part] = parts_of(batch_of([ring, ring[::-1]], [True, False]))[0].values()
    assert polygons_of(text_of(part)) == expected([ring, ring[::-1]], [True, False])


@pytest.mark.parametrize("largest", [999_999, 1_000_000])
def test_both_ways_write_one_text_at_the_bound_between_them(largest):
    ring = [(0, 999_990), (largest, 999_990), (largest, 999_999), (0, 999_999)]
    [part] = parts_of(batch_of([ring], [True]))[0].values()
    assert text_of(part) == f"[[[0,999990],[{largest},999990],[{largest},999999],[0,999999],[0,999990]]"


def test_text_does_not_depend_on_who_packs_it(monkeypatch):
    rng = np.random.default_rng(4)
    rings = [[(int(x), int(y)) for x, y in rng.integers(0, 3000, (n, 2))] for n in rng.integers(1, 9, 300)]
    batch = batch_of(rings, [i % 3 == 0 for i in range(300)], [1 + i // 3 % 2 for i in range(300)])
    ours = {i: text_of(part) for i, part in parts_of(batch, 2)[0].items()}
    monkeypatch.setattr(outline_texts, "BELOW", 0)
    assert {i: text_of(part) for i, part in parts_of(batch, 2)[0].items()} == ours
    assert ours[1].startswith("[[[")
    assert ours[2].startswith("],\n[[[")


def test_stairs_of_one_pixel_take_less_than_a_fifth_of_their_text():
    steps = [(5000 + (i + 1) // 2, 6000 + i // 2) for i in range(4000)]
    ring = [*steps, (5000, steps[-1][1])]
    [part] = parts_of(batch_of([ring], [True]))[0].values()
    assert polygons_of(text_of(part)) == expected([ring], [True])
    assert len(part.deflated) < part.size_bytes / 5
