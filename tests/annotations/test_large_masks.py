"""A mask of level 0 is read part by part: memory stays flat, whatever the size of the slide."""

import json
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from drawn_samples import slide_of

from wsi_area.annotations import read_drawn

WIDTH, HEIGHT, TILE = 97_792, 217_088, 512  # as CAMELYON16's own
SQUARES = ((30_000, 40_000, 1000, 1), (70_001, 200_003, 777, 2))  # x, y, side, code
MOST_GROWN_MB = 120

CHILD = """
import json, resource, sys
from pathlib import Path
import numpy as np
from wsi_area.annotations import read_drawn
from wsi_area.model.geometry import Size
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.compute.cut.rasterise import mask_codes_at
import zarr, tifffile, imagecodecs
read = lambda path, w, h: read_drawn(Path(path), slide=SlideInfo(
    "S", "S", "x", Size(w, h), (Level(0, Size(w, h), 1.0, 1.0),), "f", 1, 1))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
before = peak()
path, w, h = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
drawn = read(path, w, h)
box = mask_codes_at(drawn.mask, np.arange(69_900, 71_000) + 0.5, np.arange(200_000, 201_000) + 0.5)
print(json.dumps({"grown_mb": peak() - before, "px": drawn.mask.px_by_code[:3], "box": int((box == 2).sum())}))
"""


def child(path: Path) -> dict:
    command = [sys.executable, "-c", CHILD, str(path), str(WIDTH), str(HEIGHT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def tile_at(row: int, col: int) -> np.ndarray:
    codes = np.zeros((TILE, TILE), np.uint8)
    for x, y, side, code in SQUARES:
        left, top = x - col * TILE, y - row * TILE
        codes[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = code
    return codes


def saved_tiff(path: Path) -> Path:
    bare = zlib.compress(bytes(TILE * TILE))

    def tiles():
        for row in range(-(-HEIGHT // TILE)):
            for col in range(-(-WIDTH // TILE)):
                codes = tile_at(row, col)
                yield zlib.compress(codes.tobytes()) if codes.any() else bare

    tifffile.imwrite(
        path, tiles(), shape=(HEIGHT, WIDTH), dtype=np.uint8, tile=(TILE, TILE), photometric="minisblack",
        compression="zlib", bigtiff=True,
    )  # fmt: skip
    return path


def saved_zarr(path: Path) -> Path:
    array = zarr.create_array(path, shape=(1, 1, 1, HEIGHT, WIDTH), chunks=(1, 1, 1, 1024, 1024), dtype="uint16")
    for x, y, side, code in SQUARES:
        array[0, 0, 0, y : y + side, x : x + side] = code
    return path


@pytest.mark.parametrize("save", [saved_tiff, saved_zarr])
def test_a_mask_of_21_gigapixels_is_counted_exactly_in_little_memory(tmp_path, save):
    found = child(save(tmp_path / "a"))
    assert found["px"] == [WIDTH * HEIGHT - 1000**2 - 777**2, 1000**2, 777**2]
    assert found["box"] == 777 * 777
    assert found["grown_mb"] < MOST_GROWN_MB


@pytest.mark.parametrize("shape", [(1100, 9000), (9000, 1100), (1025, 1023)])
@pytest.mark.parametrize(
    "form", [{"tile": (48, 2064)}, {"tile": (4096, 16)}, {"rowsperstrip": 1}, {"rowsperstrip": 4000}]
)
def test_parts_of_odd_shapes_are_put_together_in_their_places(tmp_path, shape, form):
    rows, columns = np.indices(shape, np.uint32)
    codes = ((rows // 97 * 31 + columns // 61 * 17) % 251).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", codes, photometric="minisblack", compression="zlib", **form)
    mask = read_drawn(tmp_path / "a.tif", slide=slide_of(shape[1], shape[0])).mask
    assert np.array_equal(mask.codes(), codes)
    assert list(mask.px_by_code) == np.bincount(codes.ravel(), minlength=256).tolist()
