"""PNG, JPEG and TIFF without tiles: one level, exact pixels, and what they say of their size."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from tiff_files import tissue_like

from wsi_area.errors import LaneError, SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import TilePixels
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, choose_lane, inspect

PICTURE = tissue_like(120, 90)
GREY = PICTURE[..., 0]


def pixels_of(info: SlideInfo) -> TilePixels:
    with borrow_reader(info, choose_lane(info, [0], "auto").lane) as reader:
        return reader.read(0, Region(0, 0, info.size_l0_px.width_px, info.size_l0_px.height_px))


def claims_of(info: SlideInfo) -> list[tuple[str, float, float, str, str]]:
    return [(c.source, round(c.mpp.x, 9), round(c.mpp.y, 9), c.rung, c.quality) for c in info.mpp_candidates]


def test_a_png_is_a_slide_of_one_level_with_its_own_density(tmp_path: Path) -> None:
    path = tmp_path / "s.png"
    Image.fromarray(PICTURE).save(path, dpi=(25_400, 12_700))
    info = inspect(path)
    assert (info.vendor, len(info.levels), info.size_l0_px.width_px) == ("plain-image", 1, 90)
    assert claims_of(info) == [("png.pHYs", 1.0, 2.0, "image", "C")]
    assert np.array_equal(pixels_of(info).rgb, PICTURE)
    assert pixels_of(info).valid.all()


def test_transparent_pixels_of_a_png_are_not_valid(tmp_path: Path) -> None:
    alpha = np.full(GREY.shape, 255, np.uint8)
    alpha[:10] = 0
    alpha[10:20] = 127
    alpha[20:30] = 128
    Image.fromarray(np.dstack([PICTURE, alpha])).save(tmp_path / "s.png")
    pixels = pixels_of(inspect(tmp_path / "s.png"))
    assert not pixels.valid[:20].any()
    assert pixels.valid[20:].all()
    assert np.array_equal(pixels.rgb[20:], PICTURE[20:])


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_grey_and_palette_pngs_become_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(PICTURE).convert(mode)
    image.save(tmp_path / "s.png")
    assert np.array_equal(pixels_of(inspect(tmp_path / "s.png")).rgb, np.asarray(image.convert("RGB")))


def test_a_jpeg_says_its_density_twice(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = 100.0, 200.0, 3
    Image.fromarray(PICTURE).save(tmp_path / "s.jpg", dpi=(254, 254), exif=exif)
    info = inspect(tmp_path / "s.jpg")
    assert claims_of(info) == [
        ("jfif.density", 100.0, 100.0, "image", "C"),
        ("exif.XResolution", 100.0, 50.0, "image", "C"),
    ]
    with Image.open(tmp_path / "s.jpg") as image:
        assert np.array_equal(pixels_of(info).rgb, np.asarray(image))


@pytest.mark.parametrize(
    ("how", "stored", "wanted"),
    [
        ({"photometric": "rgb"}, PICTURE, PICTURE),
        ({"photometric": "rgb", "compression": "zlib", "rowsperstrip": 7}, PICTURE, PICTURE),
        ({"photometric": "rgb", "planarconfig": "separate"}, np.moveaxis(PICTURE, -1, 0).copy(), PICTURE),
        ({"photometric": "minisblack"}, GREY, np.repeat(GREY[..., None], 3, -1)),
        ({"photometric": "miniswhite"}, GREY, 255 - np.repeat(GREY[..., None], 3, -1)),
    ],
)
def test_a_tiff_in_strips_is_read_whole(
    tmp_path: Path, how: dict[str, object], stored: np.ndarray, wanted: np.ndarray
) -> None:
    tifffile.imwrite(tmp_path / "s.tif", stored, metadata=None, **how)
    info = inspect(tmp_path / "s.tif")
    assert info.vendor == "plain-image"
    assert np.array_equal(pixels_of(info).rgb, wanted)


@pytest.mark.parametrize(
    ("how", "claims"),
    [
        ({"resolution": (100, 50), "resolutionunit": "CENTIMETER"}, [("tiff.XResolution", 100.0, 200.0, "tiff", "B")]),
        ({"resolution": (100, 100), "resolutionunit": "NONE"}, []),
        ({"description": "ImageJ=1.5\nunit=mm\n", "resolution": (4, 4), "resolutionunit": "NONE"},
         [("imagej.unit", 250.0, 250.0, "tiff", "B")]),
    ],
)  # fmt: skip
def test_the_tags_of_a_tiff_in_strips_are_claims(tmp_path: Path, how: dict[str, object], claims: list[object]) -> None:
    tifffile.imwrite(tmp_path / "s.tif", PICTURE, photometric="rgb", metadata=None, **how)
    assert claims_of(inspect(tmp_path / "s.tif")) == claims


def test_the_direct_lane_is_refused_and_openslide_not_missed(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "s.png")
    info = inspect(tmp_path / "s.png")
    assert choose_lane(info, [0], "openslide").lane == "plain"
    with pytest.raises(LaneError, match="plain image"):
        choose_lane(info, [0], "direct")
    with pytest.raises(LaneError, match="no lane 'fast'"):
        choose_lane(info, [0], "fast")  # type: ignore[arg-type]
    with pytest.raises(LaneError, match="no lane 'fast'"), borrow_reader(info, "fast"):
        pass


def test_deep_pixels_that_are_not_one_channel_of_16_bit_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "deep_rgb.tif", PICTURE.astype(np.uint16), photometric="rgb")
    tifffile.imwrite(tmp_path / "deep_float.tif", GREY.astype(np.float32), photometric="minisblack")
    tifffile.imwrite(tmp_path / "deep_inverse.tif", GREY.astype(np.uint16), photometric="miniswhite")
    for name in ("deep_rgb.tif", "deep_float.tif", "deep_inverse.tif"):
        with pytest.raises(SlideOpenError, match=r"deep_.*8-bit"):
            inspect(tmp_path / name)


def test_a_broken_png_header_is_refused_and_a_broken_body_is_a_bad_tile(tmp_path: Path) -> None:
    path = tmp_path / "s.png"
    Image.fromarray(PICTURE).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    info = inspect(path)
    with pytest.raises(TileReadError, match="slide 's'"):
        pixels_of(info)
    path.write_bytes(content[:12])
    with pytest.raises(SlideOpenError, match="header is damaged"):
        inspect(path)
