"""Pixels that only change places leave every count as it was: the digest of the class map in the result tells them."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.model.classes import UNREADABLE_CODE
from wsi_area.model.geometry import Region, Size
from wsi_area.model.json_tree import json_digest

SIZE, TILE_PX = Size(1001, 703), 128  # neither is a multiple of 8: tiles at the rim end within a word
QUICK = f"tiling.tile_px={TILE_PX}", "tiling.skip_glass=false", "run.executor=serial"


def measured(folder: Path, *garbage: Region) -> Path:
    """A slide with half a disc of tissue at its rim."""
    shapes, form = {"tissue": disc(SIZE, SIZE.width_px, 330, 300)}, FileForm("aperio", compression="jpeg")
    write_slide(folder / "s.tif", SIZE, shapes, form, garbage=garbage)
    assert measure(folder / "s.tif", folder / "out", *QUICK).exit_code == (2 if garbage else 0)
    return folder / "out"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of which one stored tile could not be read."""
    return measured(tmp_path, Region(0, 0, 256, 256))


def image_of(run: Path, mode: Any = "r+") -> "zarr.Array[Any]":
    return zarr.open_array(run / "slides/s/mask.ome.zarr", path="0", mode=mode)


def mirrored_tile(run: Path) -> None:
    image = image_of(run)
    rows, columns = slice(TILE_PX, 2 * TILE_PX), slice(5 * TILE_PX, 6 * TILE_PX)
    before = image[rows, columns]
    image[rows, columns] = before[::-1]
    assert (before != before[::-1]).any()


def mirrored_tile_at_the_rim(run: Path) -> None:
    image, rows, columns = image_of(run), slice(0, TILE_PX), slice(7 * TILE_PX, SIZE.width_px)
    before = image[rows, columns]
    image[rows, columns] = before[:, ::-1]
    assert (before != before[:, ::-1]).any()


def two_pixels(run: Path) -> None:
    image = image_of(run)
    tile = image[2 * TILE_PX : 3 * TILE_PX, 5 * TILE_PX : 6 * TILE_PX]
    (y, x), (other_y, other_x) = np.argwhere(tile == 0)[0], np.argwhere(tile == 1)[-1]
    tile[y, x], tile[other_y, other_x] = 1, 0
    image[2 * TILE_PX : 3 * TILE_PX, 5 * TILE_PX : 6 * TILE_PX] = tile


@pytest.mark.parametrize("move", [mirrored_tile, mirrored_tile_at_the_rim, two_pixels])
def test_pixels_that_change_places_are_found(run: Path, move: Callable[[Path], None]) -> None:
    assert verify_run(run, with_slides=False).disagreements == ()
    move(run)
    found = verify_run(run, with_slides=False).disagreements
    assert [d.what for d in found if d.what == "class map"] == ["class map"]
    assert any("not those that were measured" in d.message for d in found)


def test_pixels_that_changed_places_between_two_runs_are_found_after_the_second(tmp_path: Path) -> None:
    run = measured(tmp_path)
    mirrored_tile(run)
    again = measure(tmp_path / "s.tif", run, *QUICK, "hotspots.areas_mm2=[0.01]", "hotspots.classes=['tissue']")
    assert again.slides[0].hotspots is not None  # its document was made anew, and no tile was
    found = verify_run(run, with_slides=False).disagreements
    assert any("not those that were measured" in d.message for d in found)


def test_another_digest_in_the_result_is_found(run: Path) -> None:
    place = run / "slides/s/result.json"
    document = json.loads(place.read_text())
    place.write_text(json.dumps({**document, "class_map_sha256": "0" * 64}))
    found = verify_run(run, with_slides=False).disagreements
    assert any(d.what == "class map" and "on record 000000000000" in d.message for d in found)


def test_the_digest_is_that_of_the_bit_planes_of_each_tile(run: Path) -> None:
    class_map = np.asarray(image_of(run, "r")[:])
    digest = hashlib.sha256(json_digest([*class_map.shape]).encode())
    for y in range(0, SIZE.height_px, TILE_PX):
        for x in range(0, SIZE.width_px, TILE_PX):
            codes = class_map[y : y + TILE_PX, x : x + TILE_PX].ravel()
            if codes.any():
                planes = [np.packbits(codes >> n & 1, bitorder="little") for n in range(int(codes.max()).bit_length())]
                digest.update(f"{y} {x} ".encode() + hashlib.sha256(b"".join(p.tobytes() for p in planes)).digest())
    document = json.loads((run / "slides/s/result.json").read_text())
    assert set(np.unique(class_map)) >= {0, 1, UNREADABLE_CODE}
    assert document["class_map_sha256"] == digest.hexdigest()
    sealed = json.loads((run / "seal.json").read_text())["slides"]["s"]
    assert sealed["class_map"] is None  # the digest of the document holds it
