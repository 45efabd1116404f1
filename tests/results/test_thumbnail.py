"""The small picture of a slide: what it shows, and where it says that it lies."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsi_area.errors import ResultError
from wsi_area.results.layout import SlideLayout
from wsi_area.results.thumbnail import (
    THUMBNAIL_NAME,
    UNSCANNED_RGB,
    ThumbnailFrame,
    read_thumbnail,
    thumbnail_jpeg,
    write_thumbnail,
)


def flat(height: int, width: int, rgb: tuple[int, int, int]) -> np.ndarray:
    return np.full((height, width, 3), rgb, np.uint8)


def test_a_picture_comes_back_with_its_frame(tmp_path: Path) -> None:
    layout = SlideLayout(tmp_path / "S1")
    write_thumbnail(layout, thumbnail_jpeg(flat(30, 40, (200, 90, 140)), np.ones((30, 40), bool), (3.0, 3.25)))
    found = read_thumbnail(layout)
    assert found is not None
    assert found.frame == ThumbnailFrame(40, 30, 3.0, 3.25)
    assert found.rgb.shape == (30, 40, 3)
    assert np.abs(found.rgb.astype(int) - (200, 90, 140)).max() <= 3  # JPEG


def test_what_was_not_scanned_is_grey_and_not_black(tmp_path: Path) -> None:
    layout = SlideLayout(tmp_path)
    valid = np.ones((64, 64), bool)
    valid[:, :32] = False
    write_thumbnail(layout, thumbnail_jpeg(flat(64, 64, (0, 0, 0)), valid, (1.0, 1.0)))
    found = read_thumbnail(layout)
    assert found is not None
    assert np.abs(found.rgb[:, :24].astype(int) - UNSCANNED_RGB).max() <= 6
    assert found.rgb[:, 40:].max() <= 6


def test_the_same_overview_makes_the_same_bytes() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (50, 60, 3)).astype(np.uint8)
    valid = np.ones((50, 60), bool)
    assert thumbnail_jpeg(noise, valid, (2.0, 2.0)) == thumbnail_jpeg(noise, valid, (2.0, 2.0))


def test_a_run_that_left_no_picture_is_no_error(tmp_path: Path) -> None:
    assert read_thumbnail(SlideLayout(tmp_path)) is None


def jpeg_with(comment: bytes) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "JPEG", comment=comment)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a picture",
        jpeg_with(b""),
        jpeg_with(b"[]"),
        jpeg_with(b'{"box_x_l0_px": 4}'),
        jpeg_with(b'{"box_x_l0_px": 0, "box_y_l0_px": 4}'),
        jpeg_with(b'{"box_x_l0_px": NaN, "box_y_l0_px": 4}'),
    ],
)
def test_a_picture_that_cannot_be_placed_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / THUMBNAIL_NAME).write_bytes(content)
    with pytest.raises(ResultError, match=r"thumb\.jpg"):
        read_thumbnail(SlideLayout(tmp_path))
