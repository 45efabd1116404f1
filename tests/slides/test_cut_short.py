"""A file that ends before its pixels do is told before a pixel is decoded; a whole one never is."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from dicom_files import write_dicom
from tiff_files import tissue_like

from wsi_area.slides import inspect
from wsi_area.slides.header.cut_short import completeness, cut_short


def test_the_public_slides_are_whole(testdata: Path) -> None:
    for path in (testdata / "slides").iterdir():
        assert cut_short(inspect(path)) is None, path


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
@pytest.mark.parametrize("name", ["OS-2-ndpi.tif", "wsi2dcm_raw/raw.dcm", "wsi2dcm_jpeg2000/jpeg2000.dcm"])
def test_a_public_slide_that_was_cut_is_found(testdata: Path, tmp_path: Path, name: str, share: float) -> None:
    whole = (testdata / "slides" / name).read_bytes()
    short = tmp_path / Path(name).name
    short.write_bytes(whole[: int(share * len(whole))])
    found = cut_short(inspect(short))
    assert found is not None
    assert found.file == str(short)


@pytest.mark.parametrize("held", [[(1, 0, 4), (2, 4, 6)], [(1, 0, 2), (2, 2, 8)], [(1, 0, 3), (2, 5, 9)]])
def test_a_dicom_series_that_lacks_a_file_of_its_level_is_found(
    tmp_path: Path, held: list[tuple[int, int, int]]
) -> None:
    picture = tissue_like(700, 600)  # nine frames
    for part in held:
        path = write_dicom(tmp_path / f"{part[0]}.dcm", picture, part=part)
    found = cut_short(inspect(path))
    assert found is not None
    lost = 9 - sum(end - first for _, first, end in held)
    assert f"no file has {lost} of the 9 frames of 600 × 700 px" in found.said


@pytest.mark.parametrize("coding", ["jpeg-420", "jpeg2000-rct", "raw"])
def test_a_dicom_level_in_several_files_or_with_sparse_frames_lacks_nothing(tmp_path: Path, coding: str) -> None:
    picture = tissue_like(700, 600)
    write_dicom(tmp_path / "1.dcm", picture, coding, part=(1, 0, 4))
    whole = write_dicom(tmp_path / "2.dcm", picture, coding, part=(2, 4, 9))
    (tmp_path / "sparse").mkdir()
    sparse = write_dicom(tmp_path / "sparse" / "s.dcm", picture, coding, held=[0, 4, 8], series="1.2.826.0.1.6")
    assert [cut_short(inspect(path)) for path in (whole, sparse)] == [None, None]


@pytest.mark.parametrize(
    ("name", "listed"),
    [("OS-2-ndpi.tif", 81), ("test3-DAPI-2-387.ndpi", 608 + 304 + 152 + 76), ("boxes-72dpi.tiff", 29)],
)
def test_the_stored_tiles_of_a_public_slide_are_all_there(testdata: Path, name: str, listed: int) -> None:
    # as tiffinfo lists them; the three smallest levels of the NDPI are made by its reader
    tiles = completeness(inspect(testdata / "slides" / name)).tiles
    assert tiles is not None
    assert (tiles.listed, tiles.missing, tiles.beyond_end) == (listed, 0, 0)


@pytest.mark.parametrize(
    ("tag", "index", "found"), [("TileByteCounts", 3, (1, 0)), ("TileOffsets", 5, (0, 1)), ("TileOffsets", 0, (0, 1))]
)
def test_a_tile_of_no_bytes_is_missing_and_one_of_no_place_is_damage(
    tmp_path: Path, tag: str, index: int, found: tuple[int, int]
) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, np.full((512, 768, 3), 200, np.uint8), photometric="rgb", tile=(256, 256), bigtiff=True)
    whole = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        field = tiff.pages.first.tags[tag]
    width = {4: 4, 16: 8, 13: 4, 3: 2}[int(field.dtype)]
    at = field.valueoffset + index * width
    whole[at : at + width] = bytes(width)
    path.write_bytes(whole)
    tiles = completeness(inspect(path)).tiles
    assert tiles is not None
    assert (tiles.listed, tiles.missing, tiles.without_place, tiles.beyond_end) == (6, *found, 0)


def test_the_tiles_beyond_the_end_are_counted(tmp_path: Path) -> None:
    # more than 5 MB, of which OpenSlide makes no hash when it opens them
    pixels = np.full((1600, 2048, 3), 200, np.uint8)
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(256, 256), resolution=(20000, 20000), resolutionunit=3)
    whole = path.read_bytes()
    assert cut_short(inspect(path)) is None
    tile_bytes = 256 * 256 * 3
    path.write_bytes(whole[: -2 * tile_bytes - 1])
    found = cut_short(inspect(path))
    assert found is not None
    assert found.said == "ends before 3 of the 56 tiles that its directory lists"
