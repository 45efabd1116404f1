"""Tiled TIFFs of Philips, Trestle and Ventana read directly, against OpenSlide: the same pixels, or left to it."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openslide
import pytest
from damage import flip_bytes, overwrite, set_tile_number, stored_span
from mirax_files import write_mirax
from tiff_files import halved, tissue_like
from vendor_files import write_leica, write_philips, write_trestle, write_ventana

from wsi_area.errors import LaneError
from wsi_area.model.geometry import Region, Size
from wsi_area.model.slide import DIRECT_VENDORS, SlideInfo
from wsi_area.slides import borrow_reader, choose_lane, inspect, read_around_damage, with_edges_proven
from wsi_area.slides.lanes.other_layouts import other_layout

Write = Callable[..., Path]
DIRECT: dict[str, Write] = {"philips": write_philips, "trestle": write_trestle, "ventana": write_ventana}
PICTURE = tissue_like(720, 960)  # whole tiles of 240 px, three by four


def levels(height: int, width: int) -> list[np.ndarray]:
    picture = tissue_like(height, width)
    return [picture, halved(picture), halved(halved(picture))]


def whole(info: SlideInfo, level: int = 0) -> Region:
    size = info.levels[level].size_px
    return Region(0, 0, size.width_px, size.height_px)


@pytest.mark.parametrize("tile_px", [240, 256, 512])
@pytest.mark.parametrize(
    ("vendor", "height", "width"),
    [(vendor, *size) for vendor in DIRECT for size in ((1024, 1536), (700, 1300), (516, 1100))]
    + [("philips", 100, 120), ("trestle", 100, 120)],  # no OpenSlide opens a Ventana slide of one row of tiles
)
def test_every_pixel_of_every_level_equals_openslides(
    tmp_path: Path, vendor: str, height: int, width: int, tile_px: int
) -> None:
    path = DIRECT[vendor](tmp_path / "s.tif", levels(height, width), tile_px=tile_px)
    info = inspect(path)
    assert info.vendor == vendor == openslide.OpenSlide.detect_format(path)
    with borrow_reader(info, "direct") as direct, borrow_reader(info, "openslide") as reference:
        held = [n for n in range(len(info.levels)) if direct.holds(n)]
        for level in held:
            ours, theirs = direct.read(level, whole(info, level)), reference.read(level, whole(info, level))
            assert np.array_equal(ours.rgb, theirs.rgb)
            assert np.array_equal(ours.valid, theirs.valid)
    decision = with_edges_proven(info, choose_lane(info, [0], "direct"), 0, [whole(info)], "direct")
    assert decision.lane == "direct"
    assert 0 in held


@pytest.mark.parametrize("tile_px", [256, 512])
@pytest.mark.parametrize("vendor", DIRECT)
def test_all_levels_of_whole_tiles_are_read_directly(tmp_path: Path, vendor: str, tile_px: int) -> None:
    info = inspect(DIRECT[vendor](tmp_path / "s.tif", levels(1024, 2048), tile_px=tile_px))
    assert [choose_lane(info, [n], "auto").lane for n in range(3)] == ["direct"] * 3


def test_a_philips_level_is_shown_without_what_fills_up_its_tiles(tmp_path: Path) -> None:
    info = inspect(write_philips(tmp_path / "s.tif", levels(768, 1280)))
    sizes = [(n.size_px.width_px, n.size_px.height_px) for n in info.levels]
    assert sizes == [(1280, 768), (640, 384), (320, 192)]  # the directories say 1280 × 768, 768 × 512, 512 × 256
    assert choose_lane(info, [2], "direct").lane == "direct"


def test_the_page_of_formats_names_every_vendor_that_is_read_directly_and_the_reasons_of_others() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    read = {row.split("|")[2].strip(" `"): row.split("|")[3].strip() for row in page.splitlines() if "| `" in row}
    assert {vendor for vendor, directly in read.items() if directly != "–"} == set(DIRECT_VENDORS)
    for vendor in ("leica", "mirax"):
        said = other_layout(vendor).partition(", whose ")[2]
        assert said in page


# ---- what is left to OpenSlide, and why


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (lambda path: write_trestle(path, levels(700, 1300), overlap_px=8), "its tiles overlap"),
        (lambda path: write_ventana(path, levels(768, 1280), overlap_px=8), "its tiles overlap"),
        (lambda path: write_ventana(path, levels(768, 1280), overlap_px=1), "its tiles overlap"),
        (
            lambda path: write_ventana(path, levels(1024, 1536), areas=[(0, 0, 2, 2), (4, 1, 2, 3)]),
            "2 areas of it were scanned",
        ),
        (lambda path: write_ventana(path, levels(1024, 1536), areas=[(1, 1, 3, 2)]), "not all of its tiles"),
        (
            lambda path: write_philips(path, levels(768, 1280), downsamples=[1, 4, 8]),
            "its directory has 3 × 2 tiles where OpenSlide shows 2 × 1",
        ),
        (lambda path: write_leica(path, levels(768, 1280), left_px=64), "lie where they were scanned on the glass"),
        (lambda path: write_mirax(path.with_suffix(".mrxs"), tissue_like(800, 900)), "photographs overlap at places"),
    ],
)
def test_what_openslide_puts_together_is_left_to_it_with_the_reason(
    tmp_path: Path, write: Callable[[Path], Path], why: str
) -> None:
    info = inspect(write(tmp_path / "s.tif"))
    decision = choose_lane(info, [0, 1], "auto")
    assert decision.lane == "openslide"
    assert why in decision.reason
    with pytest.raises(LaneError, match="cannot be read by the direct lane"):
        choose_lane(info, [0, 1], "direct")


@pytest.mark.parametrize("overlap_px", [(4, -4), (1, 0, -1), (30, -10, -20, 20, 0, -20)])
def test_overlaps_that_make_up_for_each_other_are_seen_though_the_slide_is_as_large_as_its_tiles(
    tmp_path: Path, overlap_px: tuple[int, ...]
) -> None:
    info = inspect(write_ventana(tmp_path / "s.bif", levels(768, 2304), overlap_px=overlap_px))  # 24 and 18 joints
    assert (info.vendor, info.size_l0_px) == ("ventana", Size(2304, 768))  # so the joints alone tell
    decision = choose_lane(info, [0], "auto")
    assert (decision.lane, "its tiles overlap" in decision.reason) == ("openslide", True)
    with borrow_reader(info, "direct") as reader:
        assert not any(reader.holds(n) for n in range(3))


@pytest.mark.parametrize("overlap_px", [0, 16, 40])
def test_the_photographs_of_a_mirax_slide_are_shown_where_they_were_taken(tmp_path: Path, overlap_px: int) -> None:
    picture = tissue_like(1000, 1200)
    info = inspect(write_mirax(tmp_path / "s.mrxs", picture, overlap_px=overlap_px))
    assert info.vendor == "mirax"
    with borrow_reader(info, "openslide") as reader:
        shown = reader.read(0, whole(info))
    error = np.abs(shown.rgb.astype(int) - picture[: shown.rgb.shape[0], : shown.rgb.shape[1]])[shown.valid]
    assert shown.valid.mean() > 0.98
    assert error.mean() < 10  # JPEG alone takes away 9; one pixel beside its place would make it 11


@pytest.mark.parametrize(("left_px", "top_px"), [(0, 0), (64, 300), (511, 7)])
def test_the_scan_of_a_leica_slide_is_shown_where_it_lies_on_the_glass(
    tmp_path: Path, left_px: int, top_px: int
) -> None:
    picture = tissue_like(600, 800)
    info = inspect(write_leica(tmp_path / "s.scn", [picture], left_px=left_px, top_px=top_px))
    assert info.vendor == "leica"
    with borrow_reader(info, "openslide") as reader:
        shown = reader.read(0, Region(left_px, top_px, 800, 600))
    assert shown.valid.all()
    assert np.abs(shown.rgb.astype(int) - picture).mean() < 10


@pytest.mark.parametrize("lost", [b"<AoiOrigin>", b"</EncodeInfo>", b"<ImageInfo"])
def test_a_ventana_slide_whose_areas_cannot_be_followed_is_not_read_directly(tmp_path: Path, lost: bytes) -> None:
    path = write_ventana(tmp_path / "s.bif", levels(768, 1280))
    info = inspect(path)
    overwrite(path, path.read_bytes().index(lost), b" " * len(lost))
    os.utime(path, ns=(0, info.mtime_ns))
    with borrow_reader(info, "direct") as reader:
        assert not any(reader.holds(n) for n in range(3))


# ---- damage

TORN: dict[str, tuple[dict[str, int | None], str]] = {
    "count 0": ({"TileByteCounts": 0}, "missing"),
    "no place": ({"TileOffsets": 0}, "damaged"),
    "beyond the end": ({"TileByteCounts": 1 << 27}, "damaged"),
    "into the next tile's middle": ({"TileOffsets": None}, "damaged"),
}


def state(info: SlideInfo, lane: str) -> tuple[set[Region], np.ndarray]:
    """Return the lost part of level 0, and its valid pixels."""
    with borrow_reader(info, lane) as reader:
        pixels, parts = read_around_damage(reader, 0, whole(info))
    return {part.region_level_px for part in parts}, pixels.valid


def page_of(vendor: str) -> int:
    return int(vendor == "ventana")  # behind the picture of the label


@pytest.mark.parametrize("torn", TORN)
@pytest.mark.parametrize("index", [0, 5, 11])
@pytest.mark.parametrize("vendor", DIRECT)
def test_both_lanes_lose_the_same_stored_tile_alone(tmp_path: Path, vendor: str, index: int, torn: str) -> None:
    path = DIRECT[vendor](tmp_path / "s.tif", [PICTURE], tile_px=240)
    offset, count = stored_span(path, (index + 1) % 12, page_of(vendor))
    for tag, number in TORN[torn][0].items():
        set_tile_number(path, tag, index, offset + count // 2 if number is None else number, page_of(vendor))
    info = inspect(path)
    row, column = divmod(index, 4)
    box = Region(240 * column, 240 * row, 240, 240)
    (lost, valid), (lost_to_openslide, valid_to_openslide) = state(info, "direct"), state(info, "openslide")
    is_missing = TORN[torn][1] == "missing" and vendor == "philips"  # the others leave out no tile
    assert lost == lost_to_openslide == (set() if is_missing else {box})
    assert np.array_equal(valid, valid_to_openslide)
    assert (~valid).sum() == box.area_px


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("vendor", DIRECT)
def test_both_lanes_find_the_same_damage_whatever_bytes_are_changed(tmp_path: Path, vendor: str, seed: int) -> None:
    path = DIRECT[vendor](tmp_path / "s.tif", [PICTURE], tile_px=240)
    offset, count = stored_span(path, 6, page_of(vendor))
    flip_bytes(path, offset + 40, offset + count - 4, 5, seed)
    info = inspect(path)
    direct, reference = state(info, "direct"), state(info, "openslide")
    assert direct[0] == reference[0]
    assert np.array_equal(direct[1], reference[1])
