"""One picture of a file is measured, named, or the slide is refused with the list of what it holds."""

import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from tiff_files import halved, tissue_like
from whole_levels import pixels_of

from wsi_area.compute.judge.pictures import picture_findings
from wsi_area.errors import SlideOpenError, TileReadError
from wsi_area.model.geometry import Region
from wsi_area.model.picture import PictureChoice
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, choose_lane, inspect

SCAN = tissue_like(300, 520)
GREYS = [tissue_like(300, 520, seed)[..., 0] for seed in (1, 2, 3, 4)]
TILED: dict[str, Any] = {"tile": (128, 128), "compression": "deflate"}
UM = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(picture[..., None], 3, axis=-1)


def write_ome(path: Path, images: list[tuple[NDArray[Any], dict[str, Any]]], **kwargs: Any) -> Path:
    with tifffile.TiffWriter(path, ome=True) as writer:
        for picture, metadata in images:
            colours = picture.shape[-1] == 3
            writer.write(
                picture, photometric="rgb" if colours else "minisblack", metadata={**UM, **metadata}, **TILED, **kwargs
            )
    return path


def taken(info: SlideInfo) -> list[int]:
    return [picture.index for picture in info.pictures if picture.taken]


# ---- red, green and blue as three grey pictures


@pytest.mark.parametrize("names", [None, ["Red", "Green", "Blue"], ["Channel 0", "Channel 1", "Channel 2"]])
def test_three_grey_planes_are_red_green_and_blue(tmp_path: Path, names: list[str] | None) -> None:
    metadata: dict[str, Any] = {"axes": "CYX"} | ({} if names is None else {"Channel": {"Name": names}})
    info = inspect(write_ome(tmp_path / "s.ome.tif", [(np.moveaxis(SCAN, -1, 0).copy(), metadata)]))
    assert np.array_equal(pixels_of(info), SCAN)
    assert (taken(info), info.colours_assumed) == ([0, 1, 2], names is None or names[0] != "Red")
    assert [f.code for f in picture_findings(info)] == ["PICTURE_CHOSEN"]


def test_named_colours_are_put_in_their_order(tmp_path: Path) -> None:
    planes = np.moveaxis(SCAN[..., ::-1], -1, 0).copy()
    metadata = {"axes": "CYX", "Channel": {"Name": ["blue", "green", "red"]}}
    assert np.array_equal(pixels_of(inspect(write_ome(tmp_path / "s.ome.tif", [(planes, metadata)]))), SCAN)


@pytest.mark.parametrize("photometric", ["rgb", "minisblack"])
@pytest.mark.parametrize("tile", [(128, 128), None])
def test_colours_stored_one_after_another_in_one_directory_are_one_picture(
    tmp_path: Path, photometric: str, tile: tuple[int, int] | None
) -> None:
    planes = np.moveaxis(SCAN, -1, 0).copy()
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, planes, planarconfig="separate", photometric=photometric, tile=tile, metadata=None)
    assert np.array_equal(pixels_of(inspect(path)), SCAN)


def test_named_stains_of_fluorescence_are_never_put_together(tmp_path: Path) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "FITC", "Cy5"]}}
    path = write_ome(tmp_path / "s.ome.tif", [(np.stack(GREYS[:3]), metadata)])
    with pytest.raises(SlideOpenError, match=r"3 pictures \(3 channels\).*reader\.channel.*channel 1 'FITC'"):
        inspect(path)
    assert np.array_equal(pixels_of(inspect(path, choice=PictureChoice(channel="fitc"))), grey(GREYS[1]))


# ---- channels


@pytest.mark.parametrize(("channel", "index"), [(2, 2), ("3", 3), ("488", 1)])
def test_one_channel_by_number_or_name(tmp_path: Path, channel: int | str, index: int) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": ["405", "488", "555", "647"]}}
    path = write_ome(tmp_path / "s.ome.tif", [(np.stack(GREYS), metadata)])
    info = inspect(path, choice=PictureChoice(channel=channel))
    assert (taken(info), choose_lane(info, [0], "auto").lane) == ([index], "stored")
    assert np.array_equal(pixels_of(info), grey(GREYS[index]))


def test_a_deep_channel_keeps_its_bits_and_its_own_pyramid(tmp_path: Path) -> None:
    deep = np.stack([picture.astype(np.uint16) * 16 + 7 for picture in GREYS])  # 12 bits
    path = tmp_path / "s.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(deep, subifds=1, photometric="minisblack", metadata={"axes": "CYX", **UM}, **TILED)
        writer.write(deep[:, ::2, ::2], subfiletype=1, photometric="minisblack", **TILED)
    info = inspect(path, choice=PictureChoice(channel=3))
    assert [level.size_px.width_px for level in info.levels] == [520, 260]
    assert np.array_equal(pixels_of(info), grey(GREYS[3]))
    assert np.array_equal(pixels_of(info, 1), grey(GREYS[3][::2, ::2]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels_within_a_pixel_are_channels_too(tmp_path: Path, dtype: type) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(
        path, np.stack(GREYS, axis=-1).astype(dtype), photometric="minisblack", planarconfig="contig", metadata=None
    )
    with pytest.raises(SlideOpenError, match=r"4 pictures \(4 channels\)"):
        inspect(path)
    assert np.array_equal(pixels_of(inspect(path, choice=PictureChoice(channel=1))), grey(GREYS[1]))


# ---- stacks


def stack(path: Path, kind: str, depth: int) -> Path:
    pictures = np.stack([np.full((60, 80), n + 10, np.uint8) for n in range(depth)])
    if kind == "imagej":
        tifffile.imwrite(path, pictures, imagej=True, metadata={"axes": "ZYX"})
    elif kind == "imagej times":
        tifffile.imwrite(path, pictures, imagej=True, metadata={"axes": "TYX"})
    elif kind == "ome":
        tifffile.imwrite(path, pictures, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
    elif kind == "pages":
        with tifffile.TiffWriter(path) as writer:
            for picture in pictures:
                writer.write(picture, metadata=None, contiguous=False)
    elif kind == "tiled pages":
        with tifffile.TiffWriter(path) as writer:
            for picture in pictures:
                writer.write(grey(picture), photometric="rgb", tile=(16, 16), metadata=None, contiguous=False)
    else:  # ImageJ writes one directory for all of a large stack
        slices = f"slices={depth}\n" if kind == "one directory" else ""
        text = f"ImageJ=1.53t\nimages={depth}\n{slices}"
        tifffile.imwrite(path, pictures[0], description=text, metadata=None)
    return path


KINDS = ["imagej", "imagej times", "ome", "pages", "tiled pages", "one directory", "one directory, images alone"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [2, 5, 40])
def test_a_stack_of_any_depth_is_refused_with_its_number_of_pictures(tmp_path: Path, kind: str, depth: int) -> None:
    with pytest.raises(SlideOpenError, match=rf"it holds {depth} pictures .*reader\.plane"):
        inspect(stack(tmp_path / "s.tif", kind, depth))


@pytest.mark.parametrize("kind", KINDS[:-2])
def test_the_plane_that_is_named_is_read(tmp_path: Path, kind: str) -> None:
    info = inspect(stack(tmp_path / "s.tif", kind, 5), choice=PictureChoice(plane=3))
    assert (taken(info), set(pixels_of(info).ravel().tolist())) == ([3], {13})


def test_a_plane_without_a_directory_is_refused_by_its_reason(tmp_path: Path) -> None:
    with pytest.raises(SlideOpenError, match="without a directory"):
        inspect(stack(tmp_path / "s.tif", "one directory", 4), choice=PictureChoice(plane=2))


def write_focal_planes(path: Path, order: str) -> list[NDArray[np.uint8]]:
    planes = [tissue_like(512, 512, seed) for seed in (11, 12, 13)]
    text = "Aperio Image Library v12.0\n{w}x{w} [0,0 512x512] (256x256) RAW|AppMag = 20|MPP = 0.5|OffsetZ = {z}"
    with tifffile.TiffWriter(path) as writer:
        pages = [(n, size) for n in range(3) for size in (1, 4)] if order == "by plane" else []
        pages = pages or [(n, size) for size in (1, 4) for n in range(3)]
        for place, (n, size) in enumerate(pages):
            description = text.format(w=512, z=float(n))
            writer.write(
                planes[n][::size, ::size], tile=(128, 128), photometric="rgb", metadata=None, description=description
            )
            if place == 0:
                writer.write(planes[0][::8, ::8], photometric="rgb", metadata=None, description="Aperio thumbnail")
    return planes


def test_of_focal_planes_the_first_is_measured_and_that_is_said(tmp_path: Path) -> None:
    planes = write_focal_planes(tmp_path / "s.svs", "by size")
    info = inspect(tmp_path / "s.svs")
    assert [level.downsample_x for level in info.levels] == [1.0, 4.0]
    assert np.array_equal(pixels_of(info), planes[0])
    assert [f.code for f in picture_findings(info)] == ["PICTURE_CHOSEN"]
    assert "3 focal planes" in info.picture_note
    assert choose_lane(info, [0], "auto").lane == "direct"  # proven on the directory of this very plane


@pytest.mark.parametrize("plane", [1, 2, "OffsetZ 2.0"])
def test_another_focal_plane_is_read_with_its_own_levels(tmp_path: Path, plane: int | str) -> None:
    planes = write_focal_planes(tmp_path / "s.svs", "by size")
    info = inspect(tmp_path / "s.svs", choice=PictureChoice(plane=plane))
    wanted = planes[plane if isinstance(plane, int) else 2]
    assert np.array_equal(pixels_of(info), wanted)
    assert np.array_equal(pixels_of(info, 1), wanted[::4, ::4])


# ---- several images


def test_two_sections_are_refused_with_both_and_either_is_read_by_name_or_number(tmp_path: Path) -> None:
    other = tissue_like(300, 520, 9)
    path = write_ome(
        tmp_path / "s.ome.tif",
        [(SCAN, {"axes": "YXS", "Name": "section A"}), (other, {"axes": "YXS", "Name": "section B"})],
    )
    with pytest.raises(SlideOpenError, match=r"2 pictures \(2 images\).*'section A'.*'section B'"):
        inspect(path)
    assert np.array_equal(pixels_of(inspect(path, choice=PictureChoice(picture="Section B"))), other)
    assert np.array_equal(pixels_of(inspect(path, choice=PictureChoice(picture=0))), SCAN)


@pytest.mark.parametrize("name", ["macro", "label image", "Slide_Overview", "thumbnail"])
@pytest.mark.parametrize("first", [True, False])
def test_what_goes_with_a_slide_is_never_the_slide(tmp_path: Path, name: str, first: bool) -> None:
    images = [
        (tissue_like(90, 200), {"axes": "YXS", "Name": name}),
        (SCAN, {"axes": "YXS", "Name": "CD68 macrophages"}),
    ]
    path = write_ome(tmp_path / "s.ome.tif", images if first else images[::-1])
    info = inspect(path)
    assert np.array_equal(pixels_of(info), SCAN)
    with pytest.raises(SlideOpenError, match="never measured as the slide"):
        inspect(path, choice=PictureChoice(picture=name))


@pytest.mark.parametrize("name", ["macro", "label", "preview"])
def test_a_file_with_nothing_but_a_label_or_macro_is_refused(tmp_path: Path, name: str) -> None:
    path = write_ome(tmp_path / "s.ome.tif", [(SCAN, {"axes": "YXS", "Name": name})])
    with pytest.raises(SlideOpenError, match="holds no picture of a slide"):
        inspect(path)


def test_pages_of_different_size_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "s.tif") as writer:
        for picture in (SCAN, SCAN[:100, :200], tissue_like(400, 400)):
            writer.write(picture, photometric="rgb", metadata=None, **TILED)
    with pytest.raises(SlideOpenError, match=r"3 pictures \(3 images\)"):
        inspect(tmp_path / "s.tif")


# ---- what healthy slides must not notice


def test_a_pyramid_is_one_picture_and_says_nothing(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "s.tif") as writer:
        writer.write(SCAN, photometric="rgb", metadata=None, **TILED)
        writer.write(halved(SCAN), photometric="rgb", metadata=None, subfiletype=1, **TILED)
    info = inspect(tmp_path / "s.tif")
    assert ([p.role for p in info.pictures], info.picture_note) == (["slide", "reduced level"], "")
    assert (len(info.levels), picture_findings(info)) == (2, [])


@pytest.mark.parametrize("choice", [PictureChoice(picture=0), PictureChoice(plane=0), PictureChoice()])
def test_the_only_picture_may_be_named(tmp_path: Path, choice: PictureChoice) -> None:
    tifffile.imwrite(tmp_path / "s.tif", SCAN, photometric="rgb", metadata=None, **TILED)
    assert np.array_equal(pixels_of(inspect(tmp_path / "s.tif", choice=choice)), SCAN)


@pytest.mark.parametrize("choice", [PictureChoice(picture=1), PictureChoice(channel=1), PictureChoice(plane="z")])
def test_what_is_not_there_is_refused_by_name(tmp_path: Path, choice: PictureChoice) -> None:
    tifffile.imwrite(tmp_path / "s.tif", SCAN, photometric="rgb", metadata=None, **TILED)
    with pytest.raises(SlideOpenError, match=r"reader\.\w+ = \w was asked for.*It holds: picture 0"):
        inspect(tmp_path / "s.tif", choice=choice)


def test_a_large_float_picture_is_refused_before_a_run(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((300, 300), np.float32), tile=(128, 128), metadata=None)
    with pytest.raises(SlideOpenError, match="float32"):
        inspect(tmp_path / "s.tif")


@pytest.mark.parametrize(
    ("compression", "dtype"),
    [*product((None, "lzw", "deflate"), (np.uint8, np.uint16)), ("jpeg", np.uint8)],  # JPEG holds 8 bits
)
def test_a_channel_is_read_whatever_its_compression(tmp_path: Path, compression: str | None, dtype: type) -> None:
    path = tmp_path / "s.ome.tif"
    channels = np.stack(GREYS).astype(dtype)
    lossless = compression in ("lzw", "deflate")
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(
            channels, photometric="minisblack", tile=(128, 128), compression=compression, predictor=lossless or None,
            metadata={"axes": "CYX", **UM},
        )  # fmt: skip
    with tifffile.TiffFile(path) as tiff:
        wanted = tiff.pages[2].asarray().astype(np.uint8)  # another decoder
    assert np.array_equal(pixels_of(inspect(path, choice=PictureChoice(channel=2))), grey(wanted))


def test_a_damaged_tile_of_a_channel_is_unreadable_and_never_grey(tmp_path: Path) -> None:
    path = write_ome(tmp_path / "s.ome.tif", [(np.stack(GREYS), {"axes": "CYX"})])
    with tifffile.TiffFile(path) as tiff:
        offset, count = tiff.pages[1].dataoffsets[0], tiff.pages[1].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[offset + count // 2] ^= 0xFF
    path.write_bytes(content)
    info = inspect(path, choice=PictureChoice(channel=1))
    with borrow_reader(info, "stored") as reader:
        with pytest.raises(TileReadError, match="stored tile row 0 column 0"):
            reader.read(0, Region(0, 0, 128, 128))
        assert np.array_equal(reader.read(0, Region(128, 0, 128, 128)).rgb, grey(GREYS[1])[:128, 128:256])


def test_an_image_of_ome_xml_is_found_by_its_size_where_its_directory_is_not_said(tmp_path: Path) -> None:
    images = "".join(
        f'<Image Name="{name}"><Pixels SizeX="{w}" SizeY="{h}" SizeC="3" SizeZ="1" SizeT="1" Type="uint8" '
        f'DimensionOrder="XYCZT" PhysicalSizeX="{um}" PhysicalSizeY="{um}"><Channel SamplesPerPixel="3"/></Pixels>'
        "</Image>"
        for name, w, h, um in (("macro", 65, 38, 4.0), ("scan", 520, 300, 0.5))
    )
    path = tmp_path / "s.ome.tif"
    with tifffile.TiffWriter(path) as writer:
        text = f'<?xml version="1.0"?><OME>{images}</OME>'
        writer.write(SCAN, photometric="rgb", metadata=None, description=text, **TILED)
        writer.write(SCAN[::8, ::8], photometric="rgb", metadata=None, subfiletype=1, **TILED)
    info = inspect(path)
    assert np.array_equal(pixels_of(info), SCAN)
    assert {claim.mpp.x: claim.picture in taken(info) for claim in info.mpp_candidates} == {4.0: False, 0.5: True}


def test_a_picture_within_another_that_is_no_reduction_of_it_is_another_picture(tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(SCAN, photometric="rgb", metadata=None, subifds=1, **TILED)
        writer.write(tissue_like(300, 520, 5), photometric="rgb", metadata=None, **TILED)
    with pytest.raises(SlideOpenError, match="it holds 2 pictures"):
        inspect(path)


@pytest.mark.parametrize("flagged", [True, False])
def test_channels_of_a_multiplexed_scan_are_listed_by_their_stains(tmp_path: Path, flagged: bool) -> None:
    text = "<PerkinElmer-QPI-ImageDescription><ImageType>{kind}</ImageType>{name}</PerkinElmer-QPI-ImageDescription>"
    path = tmp_path / "s.qptiff"
    stains = ["DAPI", "Opal 520", "Opal 690"]
    with tifffile.TiffWriter(path) as writer:
        for stain, channel in zip(stains, GREYS, strict=False):
            full = text.format(kind="FullResolution", name=f"<Name>{stain}</Name>")
            writer.write(channel, metadata=None, description=full, **TILED)
        thumbnail = text.format(kind="Thumbnail", name="")
        writer.write(SCAN[::8, ::8].copy(), photometric="rgb", metadata=None, description=thumbnail)
        for channel in GREYS[:3] if flagged else []:
            reduced = text.format(kind="ReducedResolution", name="")
            writer.write(channel[::2, ::2].copy(), metadata=None, description=reduced, subfiletype=1, **TILED)
    with pytest.raises(SlideOpenError, match=r"3 pictures \(3 channels\).*'Opal 520'"):
        inspect(path)
    info = inspect(path, choice=PictureChoice(channel="opal 690"))
    assert np.array_equal(pixels_of(info), grey(GREYS[2]))
    assert len(info.levels) == 1 + flagged
    if flagged:
        assert np.array_equal(pixels_of(info, 1), grey(GREYS[2][::2, ::2]))


@pytest.mark.parametrize("stored", [{}, {"tile": (128, 128)}, {"compression": "deflate", "tile": (128, 128)}])
def test_a_picture_of_a_laser_scanning_microscope_is_read_without_a_thumbnail(
    tmp_path: Path, stored: dict[str, Any]
) -> None:
    path = tmp_path / "s.tif"
    block = struct.pack("<Ii8i3d", 0x0400494C, 64, 520, 300, 1, 1, 1, 1, 128, 128, 1e-6, 1e-6, 1e-6)
    tifffile.imwrite(path, GREYS[0], metadata=None, extratags=[(34412, 1, len(block), block, True)], **stored)
    assert np.array_equal(pixels_of(inspect(path)), grey(GREYS[0]))
