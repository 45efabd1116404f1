"""The OpenSlide lane against openslide-python's own pictures, and against itself in other cuts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openslide
import pytest
from openslide import _convert
from tiff_files import spoil_tile, tissue_like, write_tiled

from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.slides import borrow_reader, choose_lane, inspect
from wsi_area.slides.lanes.argb import split_argb
from wsi_area.slides.lanes.exactness import is_exactly_addressable

REAL = [
    "CMU-1-Small-Region.svs", "OS-2-ndpi.tif", "TCGA-CR-7395-01A-01-TS1.svs", "boxes-72dpi.tiff",
    "camelyon16_tumor_072", "test3-DAPI-2-387.ndpi", "wsi2dcm_jpeg2000", "wsi2dcm_raw",
]  # fmt: skip


def test_every_alpha_and_colour_is_unpremultiplied_as_openslides_own_binding_does_it() -> None:
    alpha, colour = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    colour = np.minimum(colour, alpha).astype(np.uint32)
    words = (alpha.astype(np.uint32) << 24) | (colour << 16) | ((colour // 2) << 8) | (colour // 3)
    theirs = words.copy()
    _convert.argb2rgba(theirs)
    rgba = theirs.view(np.uint8).reshape(256, 256, 4)
    ours = np.empty((256, 256, 3), np.uint8)
    valid = split_argb(words, ours)
    assert np.array_equal(ours, rgba[..., :3])
    assert valid is not None
    assert np.array_equal(valid, alpha >= 128)


def test_fully_opaque_pixels_need_no_mask() -> None:
    out = np.empty((2, 2, 3), np.uint8)
    assert split_argb(np.full((2, 2), 0xFF010203, np.uint32), out) is None
    assert out[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("name", REAL)
def test_reading_the_whole_equals_reading_the_halves_on_every_level(testdata: Path, name: str) -> None:
    info = inspect(testdata / "slides" / name)
    with borrow_reader(info, "openslide") as reader:
        for level in info.levels:
            width, height = min(level.size_px.width_px, 1500), min(level.size_px.height_px, 1300)
            left, top = level.size_px.width_px - width, level.size_px.height_px - height
            whole = reader.read(level.index, Region(left, top, width, height))
            x, y = width // 2 + 1, height // 3
            parts = [
                reader.read(level.index, Region(left + a, top + b, c, d))
                for b, d in ((0, y), (y, height - y))
                for a, c in ((0, x), (x, width - x))
            ]
            for field in ("rgb", "valid"):
                rows = [
                    np.concatenate([getattr(parts[i], field), getattr(parts[i + 1], field)], axis=1) for i in (0, 2)
                ]
                assert np.array_equal(np.concatenate(rows), getattr(whole, field))


@pytest.mark.parametrize("name", REAL)
def test_level_0_equals_the_picture_that_openslide_python_gives(testdata: Path, name: str) -> None:
    info = inspect(testdata / "slides" / name)
    width, height = min(700, info.size_l0_px.width_px - 13), min(600, info.size_l0_px.height_px - 17)
    with openslide.OpenSlide(info.path) as slide:
        theirs = np.asarray(slide.read_region((13, 17), 0, (width, height)))
    with borrow_reader(info, "openslide") as reader:
        ours = reader.read(0, Region(13, 17, width, height))
    assert np.array_equal(ours.rgb, theirs[..., :3])
    assert np.array_equal(ours.valid, theirs[..., 3] == 255)


def test_one_dicom_slide_in_two_encodings_has_identical_pixels(testdata: Path) -> None:
    pixels = []
    for name in ("wsi2dcm_raw", "wsi2dcm_jpeg2000"):
        info = inspect(testdata / "slides" / name)
        with borrow_reader(info, "openslide") as reader:
            pixels.append(reader.read(0, Region(0, 0, info.size_l0_px.width_px, info.size_l0_px.height_px)))
    assert np.array_equal(pixels[0].rgb, pixels[1].rgb)
    assert np.array_equal(pixels[0].valid, pixels[1].valid)


def test_a_fractional_level_gives_a_pixel_the_same_colour_whatever_was_asked_around_it(tmp_path: Path) -> None:
    fine = tissue_like(1501, 2001)
    coarse = np.ascontiguousarray(fine[:1500:4, :2000:4])
    path = write_tiled(tmp_path / "s.tif", [fine, coarse], compression="zlib")
    info = inspect(path)
    assert (info.levels[1].downsample_x, info.levels[1].downsample_y) == (2001 / 500, 1501 / 375)
    with borrow_reader(info, "openslide") as reader:
        assert not reader.is_exact(1)
        whole = reader.read(1, Region(0, 0, 500, 375))
        for box in (Region(0, 0, 251, 375), Region(251, 0, 249, 375), Region(37, 41, 300, 300)):
            part = reader.read(1, box)
            rows, columns = slice(box.y_px, box.bottom_px), slice(box.x_px, box.right_px)
            assert np.array_equal(part.rgb, whole.rgb[rows, columns])
            assert np.array_equal(part.valid, whole.valid[rows, columns])
    decision = choose_lane(info, [1], "auto")
    assert (decision.lane, "fractional" in decision.reason) == ("openslide", True)
    assert choose_lane(info, [0], "auto").lane == "direct"


def test_an_exactly_addressable_level_holds_the_stored_pixels(tmp_path: Path) -> None:
    fine = tissue_like(1024, 1536)
    coarse = np.ascontiguousarray(fine[::4, ::4])
    info = inspect(write_tiled(tmp_path / "s.tif", [fine, coarse], compression="zlib"))
    with borrow_reader(info, "openslide") as reader:
        assert reader.is_exact(1)
        assert np.array_equal(reader.read(1, Region(3, 5, 301, 211)).rgb, coarse[5:216, 3:304])


@pytest.mark.parametrize(
    ("length_px", "downsample", "is_exact"),
    [
        (10**6, 16.0, True),
        (500, (2001 / 500 + 1501 / 375) / 2, False),
        (50, 4.00001, True),  # 50 * 1e-5 / 4 px off at most
        (10_000, 4.00001, False),
        (1 << 24, 2.5, False),
    ],
)
def test_a_level_is_exact_where_whole_level_0_pixels_hit_its_pixels(
    length_px: int, downsample: float, is_exact: bool
) -> None:
    assert is_exactly_addressable(length_px, downsample) is is_exact


def test_a_bad_tile_raises_and_leaves_its_neighbours_readable(tmp_path: Path) -> None:
    path = spoil_tile(write_tiled(tmp_path / "bad.tif", [tissue_like(1024, 1024)], tile_px=256), 5)
    info = inspect(path)
    with borrow_reader(info, "openslide") as reader:
        with pytest.raises(TileReadError, match=r"'bad', level 0, .*row 1 column 1: it is no JPEG"):
            reader.read(0, Region(256, 256, 256, 256))
        assert reader.read(0, Region(0, 0, 256, 256)).valid.all()
        assert reader.read(0, Region(512, 512, 256, 256)).valid.all()


def test_threads_that_share_a_reader_do_not_suffer_from_anothers_bad_tile(tmp_path: Path) -> None:
    path = spoil_tile(write_tiled(tmp_path / "bad.tif", [tissue_like(1024, 1024)], tile_px=256), 5)
    info = inspect(path)
    boxes = [Region(x, y, 256, 256) for x in range(0, 1024, 256) for y in range(0, 1024, 256)] * 3

    def is_readable(box: Region) -> bool:
        with borrow_reader(info, "openslide") as reader:
            try:
                return bool(reader.read(0, box).valid.all())
            except TileReadError:
                return False

    with ThreadPoolExecutor(6) as pool:
        readable = list(pool.map(is_readable, boxes))
    assert [box for box, ok in zip(boxes, readable, strict=True) if not ok] == [Region(256, 256, 256, 256)] * 3


def test_a_region_outside_its_level_is_refused(tmp_path: Path) -> None:
    info = inspect(write_tiled(tmp_path / "s.tif", [tissue_like(300, 300)]))
    with borrow_reader(info, "openslide") as reader:
        for level, box in (
            (0, Region(0, 0, 301, 300)),
            (0, Region(-1, 0, 2, 2)),
            (0, Region(0, 0, 0, 5)),
            (1, Region(0, 0, 1, 1)),
        ):
            with pytest.raises(TileReadError, match="slide 's'"):
                reader.read(level, box)


def test_a_slide_that_changed_since_it_was_inspected_is_not_read(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(300, 300)])
    info = inspect(path)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(SlideOpenError, match="changed since"), borrow_reader(info, "openslide"):
        pass
    path.unlink()
    with pytest.raises(SlideOpenError, match="No such file"), borrow_reader(info, "openslide"):
        pass
