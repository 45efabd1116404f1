"""Grey pictures of 16 bits a sample, as microscope cameras write them: which bits are used, what becomes of them."""

from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from PIL import Image

from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SAMPLE_BITS, SAMPLE_BITS_SOURCE
from wsi_area.slides import borrow_reader, choose_lane, inspect

RAMP = (np.arange(60 * 80).reshape(60, 80) * 4095 // (60 * 80 - 1)).astype(np.uint16)  # 0 to 4095: a 12-bit camera
OME = (
    '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels '
    'ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SignificantBits="14" SizeX="80" SizeY="60" SizeC="1" SizeZ="1" '
    'SizeT="1" PhysicalSizeX="0.65" PhysicalSizeY="0.65"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
    "<TiffData/></Pixels></Image></OME>"
)


def grey_of(path: Path) -> np.ndarray:
    info = inspect(path)
    with borrow_reader(info, choose_lane(info, [0], "auto").lane) as reader:
        rgb = reader.read(0, Region(0, 0, info.size_l0_px.width_px, info.size_l0_px.height_px)).rgb
    assert (rgb == rgb[..., :1]).all()
    return rgb[..., 0]


def depth_of(path: Path) -> tuple[str, str]:
    properties = inspect(path).properties
    return properties[SAMPLE_BITS], properties[SAMPLE_BITS_SOURCE]


def written(folder: Path, kind: str, samples: np.ndarray) -> Path:
    path = folder / f"deep.{kind}"
    if kind == "png":
        Image.fromarray(samples).save(path)
    else:
        tifffile.imwrite(path, samples, photometric="minisblack", metadata=None)
    return path


@pytest.mark.parametrize("kind", ["png", "tif"])
def test_the_bits_that_a_camera_uses_become_256_grey_levels_of_equal_width(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind, RAMP)
    assert depth_of(path) == ("12", "the brightest sample, 4095")
    assert np.array_equal(grey_of(path), np.floor(RAMP / 16))


@pytest.mark.parametrize(("brightest", "bits", "steps"), [(200, 8, 1), (256, 9, 2), (1023, 10, 4), (65_535, 16, 256)])
def test_the_brightest_sample_says_how_many_bits_there_are(
    tmp_path: Path, brightest: int, bits: int, steps: int
) -> None:
    samples = np.array([[0, brightest // 2, brightest]], np.uint16).repeat(3, axis=0)
    path = written(tmp_path, "png", samples)
    assert depth_of(path) == (str(bits), f"the brightest sample, {brightest}")
    assert np.array_equal(grey_of(path), samples // steps)


def test_tiles_keep_the_bits_too_where_openslide_would_drop_them(tmp_path: Path) -> None:
    path = tmp_path / "tiled.tif"
    tifffile.imwrite(path, RAMP, photometric="minisblack", tile=(32, 32), compression="zlib", metadata=None)
    assert openslide.OpenSlide.detect_format(path) == "generic-tiff"
    assert np.array_equal(grey_of(path), RAMP // 16)
    tifffile.imwrite(path, (RAMP // 16).astype(np.uint8), photometric="minisblack", tile=(32, 32), metadata=None)
    assert inspect(path).vendor == "generic-tiff"  # 8 bits are OpenSlide's


def test_a_picture_without_light_is_black(tmp_path: Path) -> None:
    assert not grey_of(written(tmp_path, "tif", np.zeros((5, 7), np.uint16))).any()


def test_what_the_file_states_goes_before_the_brightest_sample(tmp_path: Path) -> None:
    tagged = tmp_path / "tagged.tif"
    tifffile.imwrite(
        tagged, RAMP, photometric="minisblack", metadata=None, extratags=[(281, "H", 1, 16_383, True)]
    )  # MaxSampleValue
    assert depth_of(tagged) == ("14", "TIFF MaxSampleValue 16383")
    assert np.array_equal(grey_of(tagged), RAMP // 64)
    ome = tmp_path / "camera.tif"
    tifffile.imwrite(ome, RAMP, photometric="minisblack", metadata=None, description=OME)
    assert depth_of(ome) == ("14", "OME SignificantBits 14")
    (claim,) = [c for c in inspect(ome).mpp_candidates if c.source == "ome.PhysicalSizeX"]
    assert (claim.mpp.x, claim.mpp.y) == (0.65, 0.65)


def test_a_sample_above_what_the_file_states_makes_it_unreadable_not_white(tmp_path: Path) -> None:
    path = tmp_path / "liar.tif"
    tifffile.imwrite(path, RAMP, photometric="minisblack", metadata=None, extratags=[(281, "H", 1, 1023, True)])
    with pytest.raises(TileReadError, match="4095, which takes more than the 10 bits"):
        grey_of(path)


def test_a_stack_is_refused_as_nobody_said_which_picture_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, np.stack([RAMP] * 3), imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(SlideOpenError, match=r"it holds 3 pictures \(3 channels\)"):
        inspect(path)


def test_a_deep_png_cut_short_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, "png", RAMP)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(SlideOpenError, match=r"deep\.png: its 16-bit pixels cannot be decoded"):
        inspect(path)
