"""The direct lane against OpenSlide: the same pixels, or no direct lane."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain, product
from pathlib import Path

import numpy as np
import pytest
import tifffile
from dicom_files import CODINGS, frames_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiff_files import (
    APERIO,
    halved,
    remove_tiles,
    spoil_tile,
    stored_tiles,
    tissue_like,
    write_aperio_jpeg2000,
    write_shared_tables,
    write_tiled,
)

from wsi_area.errors import LaneError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, choose_lane, inspect, read_overview

KINDS = {
    "jpeg-rgb": {"compression": "jpeg", "photometric": "rgb"},
    "jpeg-444": {"compression": "jpeg", "photometric": "ycbcr", "subsampling": (1, 1)},
    "jpeg-422": {"compression": "jpeg", "photometric": "ycbcr", "subsampling": (2, 1)},
    "jpeg-420": {"compression": "jpeg", "photometric": "ycbcr", "subsampling": (2, 2)},
    "deflate": {"compression": "zlib"},
    "deflate-predictor": {"compression": "zlib", "predictor": True},
    "lzw": {"compression": "lzw"},
    "lzw-predictor": {"compression": "lzw", "predictor": True},
    "uncompressed": {"compression": None},
}


def whole(info: SlideInfo, level: int = 0) -> Region:
    size = info.levels[level].size_px
    return Region(0, 0, size.width_px, size.height_px)


def require_equal_lanes(info: SlideInfo, level: int) -> None:
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        ours, theirs = direct.read(level, whole(info, level)), reference.read(level, whole(info, level))
    assert np.array_equal(ours.valid, theirs.valid)
    assert np.array_equal(ours.rgb, theirs.rgb)


NOT_DECODED = ("uncompressed", 240)  # OpenSlide's libtiff refuses it: nothing to compare with; a test of its own below


@pytest.mark.parametrize(("kind", "tile_px"), [both for both in product(KINDS, (240, 256, 512)) if both != NOT_DECODED])
def test_every_pixel_of_a_tiled_tiff_equals_openslides(tmp_path: Path, kind: str, tile_px: int) -> None:
    picture = tissue_like(604, 742)
    path = write_tiled(tmp_path / "s.tif", [picture, halved(picture)], tile_px=tile_px, **KINDS[kind])
    info = inspect(path)
    decision = choose_lane(info, [0, 1], "direct")
    assert (decision.lane, info.vendor) == ("direct", "generic-tiff")
    for level in (0, 1):
        require_equal_lanes(info, level)
    if not kind.startswith("jpeg"):
        with borrow_reader(info, "direct") as reader:
            assert np.array_equal(reader.read(0, whole(info)).rgb, picture)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bigtiff", "byteorder"), [(True, "<"), (True, ">")])
def test_bigtiff_and_either_byte_order_are_read_alike(tmp_path: Path, kind: str, bigtiff: bool, byteorder: str) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(300, 290)], bigtiff=bigtiff, byteorder=byteorder, **KINDS[kind])
    info = inspect(path)
    assert choose_lane(info, [0], "auto").lane == "direct"
    require_equal_lanes(info, 0)


def test_a_classic_big_endian_tiff_which_openslide_cannot_open_is_a_plain_image(tmp_path: Path) -> None:
    picture = tissue_like(300, 290)
    info = inspect(write_tiled(tmp_path / "s.tif", [picture], byteorder=">", compression="zlib"))
    decision = choose_lane(info, [0], "auto")
    assert decision.lane == "plain"
    with borrow_reader(info, decision.lane) as reader:
        assert np.array_equal(reader.read(0, whole(info)).rgb, picture)


def test_what_openslide_cannot_decode_is_not_proven(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(604, 742)], tile_px=240, compression=None)
    decision = choose_lane(inspect(path), [0], "auto")
    assert (decision.lane, "OpenSlide cannot decode it" in decision.reason) == ("openslide", True)


def test_shared_jpeg_tables_are_used(tmp_path: Path) -> None:
    path = write_shared_tables(tmp_path / "s.tif", tissue_like(300, 290))
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].jpegtables  # else this file would prove nothing
    info = inspect(path)
    assert choose_lane(info, [0], "direct").lane == "direct"
    require_equal_lanes(info, 0)


@pytest.mark.parametrize("compression", [33003, 33005])
def test_aperio_jpeg_2000_equals_openslide_in_both_colour_spaces(tmp_path: Path, compression: int) -> None:
    path = write_aperio_jpeg2000(tmp_path / "s.svs", tissue_like(300, 500), compression)
    info = inspect(path)
    assert info.vendor == "aperio"
    assert choose_lane(info, [0], "direct").lane == "direct"
    require_equal_lanes(info, 0)


def test_every_colour_of_ycbcr_jpeg_2000_converts_as_openslide_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    info = inspect(
        write_aperio_jpeg2000(tmp_path / "s.svs", rng.integers(0, 256, (512, 512, 3), dtype=np.uint8), 33003)
    )
    require_equal_lanes(info, 0)


def test_a_missing_tile_of_an_aperio_slide_is_not_valid_in_either_lane(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.svs", [tissue_like(600, 700)], description=APERIO.format(w=700, h=600))
    info = inspect(remove_tiles(path, [4]))
    assert choose_lane(info, [0], "direct").lane == "direct"
    require_equal_lanes(info, 0)
    with borrow_reader(info, "direct") as reader:
        pixels = reader.read(0, whole(info))
    assert not pixels.valid[256:512, 256:512].any()
    assert int((~pixels.valid).sum()) == 256 * 256


def test_an_aperio_level_below_missing_tiles_is_left_to_openslide(tmp_path: Path) -> None:
    picture = tissue_like(1024, 1024)
    path = write_tiled(tmp_path / "s.svs", [picture, halved(picture)], description=APERIO.format(w=1024, h=1024))
    info = inspect(remove_tiles(path, [5]))
    decision = choose_lane(info, [1], "auto")
    assert decision.lane == "openslide"
    assert "missing" in decision.reason


def test_a_generic_tiff_with_missing_tiles_is_read_as_openslide_reads_it_or_not_at_all(tmp_path: Path) -> None:
    path = remove_tiles(write_tiled(tmp_path / "s.tif", [tissue_like(600, 700)]), [4])
    info = inspect(path)
    if choose_lane(info, [0], "auto").lane == "direct":
        require_equal_lanes(info, 0)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_region_is_cut_from_the_same_pixels(tiled_slide: SlideInfo, data: st.DataObject) -> None:
    size = tiled_slide.size_l0_px
    x, y = data.draw(st.integers(0, size.width_px - 1)), data.draw(st.integers(0, size.height_px - 1))
    region = Region(x, y, data.draw(st.integers(1, size.width_px - x)), data.draw(st.integers(1, size.height_px - y)))
    with borrow_reader(tiled_slide, "direct") as reader:
        everything = reader.read(0, whole(tiled_slide)).rgb
        cut = reader.read(0, region).rgb
        seen = np.zeros(everything.shape[:2], np.int64)
        for tile in chain.from_iterable(reader.decoded_tiles(0, region)):
            box = tile.region_level_px
            seen[box.y_px : box.bottom_px, box.x_px : box.right_px] += 1
    wanted = np.zeros_like(seen)
    wanted[region.y_px : region.bottom_px, region.x_px : region.right_px] = 1
    assert np.array_equal(seen, wanted)  # the decoded tiles partition the region
    assert np.array_equal(cut, everything[region.y_px : region.bottom_px, region.x_px : region.right_px])


def test_stored_tiles_are_decoded_into_room_for_a_decoder(tiled_slide: SlideInfo) -> None:
    with borrow_reader(tiled_slide, "direct") as reader:
        for few in reader.decoded_tiles(0, whole(tiled_slide)):
            assert few[0].rgb.__array_interface__["data"][0] % 16 != 0


@pytest.fixture(scope="module")
def tiled_slide(tmp_path_factory: pytest.TempPathFactory) -> SlideInfo:
    path = tmp_path_factory.mktemp("tiled") / "s.tif"
    return inspect(write_tiled(path, [tissue_like(515, 770)], tile_px=240, **KINDS["jpeg-420"]))


def test_many_threads_read_one_slide_at_once_and_get_what_one_thread_gets(tiled_slide: SlideInfo) -> None:
    boxes = [Region(x, y, 130, 110) for x in range(0, 600, 61) for y in range(0, 400, 57)]
    for lane in ("direct", "openslide"):
        with borrow_reader(tiled_slide, lane) as reader, ThreadPoolExecutor(8) as pool:
            alone = [reader.read(0, box).rgb for box in boxes]
            together = list(pool.map(lambda box: reader.read(0, box).rgb, boxes))
        assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("kind", ["jpeg-420", "deflate", "lzw"])
def test_a_tile_that_cannot_be_decoded_is_an_error_that_names_slide_level_and_tile(tmp_path: Path, kind: str) -> None:
    path = spoil_tile(write_tiled(tmp_path / "bad.tif", [tissue_like(600, 700)], **KINDS[kind]), 4)
    info = inspect(path)
    with borrow_reader(info, "direct") as reader:
        with pytest.raises(TileReadError, match=r"'bad', level 0, stored tile row 1 column 1"):
            reader.read(0, whole(info))
        assert reader.read(0, Region(0, 0, 256, 256)).valid.all()  # its neighbours are still readable


def test_a_jpeg_tile_whose_second_half_is_zeros_is_refused_although_openslide_shows_it(tmp_path: Path) -> None:
    # what a copy that broke off leaves behind; OpenSlide decodes the zeros to made-up colours
    path = write_tiled(tmp_path / "s.tif", [tissue_like(600, 700)], **KINDS["jpeg-420"])
    offset, count = stored_tiles(path)[4]
    content = bytearray(path.read_bytes())
    content[offset + count // 2 : offset + count] = bytes(count - count // 2)
    path.write_bytes(bytes(content))
    with (
        borrow_reader(inspect(path), "direct") as reader,
        pytest.raises(TileReadError, match="Premature end of JPEG file"),
    ):
        reader.read(0, Region(256, 256, 256, 256))


@pytest.mark.parametrize("cut", [0.5, 0.98])
def test_a_jpeg_tile_cut_short_is_refused_by_both_lanes(tmp_path: Path, cut: float) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(600, 700)], **KINDS["jpeg-420"])
    offset, count = stored_tiles(path)[4]
    content = bytearray(path.read_bytes())
    start = offset + int(count * cut)
    content[start : offset + count] = b"\x55" * (offset + count - start)
    path.write_bytes(bytes(content))
    info = inspect(path)
    for lane in ("direct", "openslide"):
        with borrow_reader(info, lane) as reader, pytest.raises(TileReadError):
            reader.read(0, Region(256, 256, 256, 256))


def test_a_tile_beyond_the_end_of_the_file_is_an_error_and_never_an_allocation(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [tissue_like(600, 700)], compression=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tag = tiff.pages[0].tags["TileByteCounts"]
        tag.overwrite([*tag.value[:-1], 2**28])
    info = inspect(path)
    with borrow_reader(info, "direct") as reader, pytest.raises(TileReadError, match="the file ends"):
        reader.read(0, whole(info))


@pytest.mark.parametrize("name", ["CMU-1-Small-Region.svs", "OS-2-ndpi.tif", "boxes-72dpi.tiff"])
def test_all_pixels_of_a_real_tiff_equal_openslides(testdata: Path, name: str) -> None:
    info = inspect(testdata / "slides" / name)
    assert choose_lane(info, [0], "direct").lane == "direct"
    require_equal_lanes(info, 0)
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        ours, theirs = read_overview(info, direct), read_overview(info, reference)
    assert np.array_equal(ours.rgb, theirs.rgb)
    assert np.array_equal(ours.valid, theirs.valid)


def test_all_pixels_of_a_real_jpeg_2000_slide_equal_openslides(testdata: Path) -> None:
    info = inspect(testdata / "slides" / "TCGA-CR-7395-01A-01-TS1.svs")
    assert choose_lane(info, [0], "direct").lane == "direct"
    require_equal_lanes(info, 0)


def test_the_direct_lane_insisted_on_where_it_cannot_be_proven_is_refused_by_name(testdata: Path) -> None:
    ndpi = inspect(testdata / "slides" / "test3-DAPI-2-387.ndpi")
    with pytest.raises(LaneError, match=r"test3-DAPI-2-387.*level 5: 0 tiled pages are 124 × 152 px"):
        choose_lane(ndpi, [5], "direct")  # OpenSlide makes it of a finer level
    assert choose_lane(ndpi, [5], "auto").lane == "openslide"


@pytest.mark.parametrize("has_jfif", [False, True])
def test_colours_are_what_the_tiff_says_whatever_a_marker_of_the_jpeg_says(tmp_path: Path, has_jfif: bool) -> None:
    path, picture = tmp_path / "s.tif", tissue_like(600, 700)
    frames = frames_of(picture, CODINGS["jpeg-rgb-jfif" if has_jfif else "jpeg-rgb"], (256, 256))
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            iter(frames), shape=picture.shape, dtype="uint8", tile=(256, 256), photometric="rgb", compression="jpeg",
            metadata=None,
        )  # fmt: skip
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["PhotometricInterpretation"].overwrite(2)
    info = inspect(path)
    assert choose_lane(info, [0], "direct").lane == "direct"
    require_equal_lanes(info, 0)
    with borrow_reader(info, "direct") as reader:
        assert np.abs(reader.read(0, whole(info)).rgb.astype(int) - picture).mean() < 6  # of YCbCr it would be 70
