"""Restart intervals joined into one JPEG: the pixels of each by itself, or none."""

import io

import numpy as np
import pytest
import simplejpeg
from ndpi_files import interval_starts
from PIL import Image
from tiff_files import tissue_like

from wsi_area.slides.stored.joined_intervals import joined_intervals


def jpeg_of(width_px: int, height_px: int, subsampling: int, interval_mcus: int) -> bytes:
    stream = io.BytesIO()
    picture = Image.fromarray(tissue_like(height_px, width_px))
    picture.save(stream, "JPEG", quality=90, subsampling=subsampling, restart_marker_blocks=interval_mcus)
    return stream.getvalue()


def parts_of(jpeg: bytes, width_px: int, height_px: int) -> tuple[bytes, list[bytes]]:
    """Return the head that makes a JPEG of one interval, and the data of each with the marker behind it."""
    starts = interval_starts(jpeg)
    frame = jpeg.index(b"\xff\xc0")
    head = bytearray(jpeg[: starts[0]])
    head[frame + 5 : frame + 9] = height_px.to_bytes(2, "big") + width_px.to_bytes(2, "big")
    ends = [*starts[1:], len(jpeg)]
    return bytes(head), [jpeg[begin:end] for begin, end in zip(starts, ends, strict=True)]


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("count", [1, 3, 8, 13])
@pytest.mark.parametrize(("subsampling", "block_px"), [(0, 8), (1, 16)])
def test_intervals_of_a_column_have_the_pixels_that_each_has_by_itself(
    subsampling: int, block_px: int, count: int, column: int
) -> None:
    across, width_px = 3, 96
    jpeg = jpeg_of(across * width_px, 13 * 8, subsampling, width_px // block_px)
    head, intervals = parts_of(jpeg, width_px, 8)
    wanted = intervals[column::across][:count]
    joined = joined_intervals(head, wanted)
    assert joined is not None
    each = [simplejpeg.decode_jpeg(head + data[:-2] + b"\xff\xd9", strict=True) for data in wanted]
    assert np.array_equal(simplejpeg.decode_jpeg(joined, strict=True), np.concatenate(each))


def test_chroma_that_stands_for_two_rows_is_not_joined_since_rows_of_neighbours_would_be_blended() -> None:
    head, intervals = parts_of(jpeg_of(96, 96, 2, 6), 96, 16)
    assert joined_intervals(head, intervals) is None


@pytest.mark.parametrize("interval_mcus", [3, 4, 24])
def test_intervals_that_are_no_whole_rows_of_blocks_are_not_joined(interval_mcus: int) -> None:
    head, intervals = parts_of(jpeg_of(96, 48, 0, interval_mcus), 96, 8)
    assert joined_intervals(head, intervals) is None


@pytest.mark.parametrize("lost", [b"\xff\xdd", b"\xff\xda"])
def test_a_head_that_cannot_be_followed_is_not_joined(lost: bytes) -> None:
    head, intervals = parts_of(jpeg_of(96, 48, 0, 12), 96, 8)
    assert joined_intervals(head, intervals) is not None
    at = head.index(lost)
    assert (
        joined_intervals(head[:at] + head[at + 2 + int.from_bytes(head[at + 2 : at + 4], "big") :], intervals) is None
    )
    assert joined_intervals(head[:-1], intervals) is None
    assert joined_intervals(b"\xff\xd8", intervals) is None


def test_more_rows_than_a_jpeg_can_have_are_not_joined() -> None:
    head, intervals = parts_of(jpeg_of(96, 48, 0, 12), 96, 8)
    assert joined_intervals(head, intervals[:1] * 8191) is not None
    assert joined_intervals(head, intervals[:1] * 8192) is None
