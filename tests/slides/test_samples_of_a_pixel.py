"""The colours of a picture are its colours: however they are stored, and whatever else a pixel holds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from tiff_files import halved, tissue_like
from whole_levels import pixels_of

from wsi_area.compute.judge.pictures import picture_findings
from wsi_area.model.picture import PictureChoice
from wsi_area.slides import inspect

SCAN, OTHER = tissue_like(300, 520), tissue_like(300, 520, seed=3)
BAND = tissue_like(300, 520, seed=9)[..., 0]
STEPS = np.where(np.arange(520) < 260, 0, 255).astype(np.uint8) * np.ones((300, 1), np.uint8)
TILED: dict[str, Any] = {"tile": (128, 128), "compression": "deflate", "photometric": "rgb", "metadata": None}


def planes(picture: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))


@pytest.mark.parametrize("ome", [True, False])
def test_the_colours_of_a_second_picture_may_be_stored_one_after_another(tmp_path: Path, ome: bool) -> None:
    path = tmp_path / ("s.ome.tif" if ome else "s.tif")
    written: dict[str, Any] = {**TILED, "planarconfig": "separate", "metadata": {"axes": "CYX"} if ome else None}
    with tifffile.TiffWriter(path, ome=ome) as writer:
        for picture in (SCAN, OTHER):
            writer.write(planes(picture), **written)
    for number, picture in enumerate((SCAN, OTHER)):
        assert np.array_equal(pixels_of(inspect(path, choice=PictureChoice(picture=number))), picture)


ONE_BAND = [BAND], [STEPS], [np.zeros_like(BAND)]
IN_TILES = [((128, 128), bands) for bands in (*ONE_BAND, [STEPS, BAND])]


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(("tile", "bands"), [*IN_TILES, *((None, bands) for bands in ONE_BAND)])
def test_a_band_that_nothing_calls_transparency_changes_no_colour(
    tmp_path: Path, bands: list[NDArray[np.uint8]], apart: bool, tile: tuple[int, int] | None
) -> None:
    picture = np.dstack([SCAN, *bands])
    how = {"planarconfig": "separate"} if apart else {}
    path = tmp_path / "s.tif"
    tifffile.imwrite(
        path, planes(picture) if apart else picture, extrasamples=["unspecified"] * len(bands),
        **{**TILED, "tile": tile, **how},
    )  # fmt: skip
    info = inspect(path)
    assert np.array_equal(pixels_of(info), SCAN)
    assert [(f.code, f.severity) for f in picture_findings(info)] == [("PICTURE_CHOSEN", "info")]
    assert "nothing calls" in info.picture_note


def test_reduced_levels_of_a_picture_with_a_band_have_its_colours_too(tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    with tifffile.TiffWriter(path) as writer:
        for number, (picture, band) in enumerate(((SCAN, STEPS), (halved(SCAN), STEPS[::2, ::2]))):
            writer.write(np.dstack([picture, band]), extrasamples=["unspecified"], subfiletype=number, **TILED)
    info = inspect(path)
    assert [level.size_px.width_px for level in info.levels] == [520, 260]
    assert np.array_equal(pixels_of(info, 1), halved(SCAN))


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_transparency_that_is_called_so_is_no_band(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s.tif"
    tifffile.imwrite(path, np.dstack([SCAN, np.full_like(BAND, 255)]), extrasamples=[kind], **TILED)
    info = inspect(path)
    assert (np.array_equal(pixels_of(info), SCAN), info.picture_note, info.vendor) == (True, "", "generic-tiff")
