"""What a run makes of a damaged slide, and whether that is a lie: OpenSlide is asked for every pixel again."""

import gc
import re
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pyarrow.json
import pyarrow.parquet  # noqa: F401  # loaded here so that no mutant has to
from PIL import Image

from wsi_area import errors
from wsi_area.errors import TileReadError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.geometry import Region
from wsi_area.run import run_document
from wsi_area.run.pipeline import run_slides
from wsi_area.run.prepare import PreparedSlide, PrepareTask, prepare_slide
from wsi_area.segmenters.colour.colour_rule import ColourRuled
from wsi_area.segmenters.colour.kernels import classify_and_count
from wsi_area.settings.run_settings import load
from wsi_area.slides import borrow_reader, inspect
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.proof import tile_box
from wsi_area.slides.lanes.reading import VALID_ALPHA, grid_boxes

SETTINGS = load(None, ["run.executor=serial", "run.slides_in_flight=1", "tiling.skip_glass=false"])
BLOCK_PX = 512
_NAMED_ERROR = re.compile(r"batch \d+: (\w+):")


def warm_up() -> None:
    """Load what every mutant needs, compiled code too, without starting a thread that a fork would lose."""
    import wsi_area.run.passes.object_pass
    import wsi_area.slides.lanes.plain_lane  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.tif"
        colours = np.full((64, 64, 3), 240, np.uint8)
        colours[16:48, 16:48] = 90, 60, 140
        Image.fromarray(colours).save(path, dpi=(50_000, 50_000))
        prepared = prepare_slide(PrepareTask(SlideInput(str(path), "w"), SETTINGS, 1 << 33))
        assert isinstance(prepared, PreparedSlide), prepared
        assert isinstance(prepared.fitted, ColourRuled)
        ones, classes = np.ones(64, np.int64), len(prepared.fitted.scheme.classes)
        counts, signal = np.zeros(classes + 3, np.int64), np.zeros(classes, np.int64)
        out = np.empty((64, 64), np.uint8)
        classify_and_count(colours, None, prepared.fitted.colour_rule, ones, ones, 1, out, counts, signal)
    run_document.version = cache(version)  # what is installed is looked up once, not by every mutant
    run_document.run_header(SETTINGS, [], [])
    gc.freeze()  # nothing of this is garbage: a search for some would copy its pages into every child


def worst_of(mutant: Path, out: Path, whole: Path | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield how the run ended, then whether what it said is a lie.

    ``whole`` is the same picture undamaged, where the damage is such that no decoder may miss it.
    """
    (record,) = run_slides([SlideInput(str(mutant), "mutant")], SETTINGS, out).documents
    status, reason, lane = record["status"], record["reason"] or "", record.get("reader", "")
    yield "measured", {"status": status, "reason": reason, "reader": lane, "foreign": foreign_error(record)}
    yield "judged", {"lie": lie_of(mutant, record, whole) if "classes" in record else ""}


def foreign_error(record: dict[str, Any]) -> str:
    """Return the name of an error that is none of ours, which nobody meant a user to see, or ""."""
    named = _NAMED_ERROR.search(record["reason"] or "")
    for name in (record.get("error"), named and named.group(1)):
        if name and not hasattr(errors, name):
            return str(name)
    return ""


def lie_of(mutant: Path, record: dict[str, Any], whole: Path | None) -> str:
    """Return the objection of OpenSlide to a result, or the whole picture, or ""."""
    if record["reader"] == "plain":
        if record["status"] == "incomplete" or whole is None:
            return ""
        seen, expected = (_pixels_of(path) for path in (mutant, whole))
        return "" if np.array_equal(seen, expected) else "pixels were lost, and nothing says so"
    if record["reader"] not in ("direct", "openslide"):
        return ""
    level = record["work"]["level"]
    judge = Judge(mutant, level)
    if record["reader"] == "direct":
        return _direct_lie(mutant, level, judge)
    if record["reader"] == "openslide" and record["status"] != "incomplete":
        size = record["levels"][level]["size_px"]
        for box in grid_boxes(Region(0, 0, size["width_px"], size["height_px"]), BLOCK_PX, BLOCK_PX):
            pixels, failure = judge.read(box)
            if pixels is None:
                return f"{box}: {failure}"
    return ""


def _pixels_of(path: Path) -> np.ndarray:
    """Return uint8 (h, w, 3) of a plain image as the lane reads it."""
    info = inspect(path)
    with borrow_reader(info, "plain") as reader:
        return reader.read(0, Region(0, 0, info.size_l0_px.width_px, info.size_l0_px.height_px)).rgb


def _direct_lie(mutant: Path, level: int, judge: "Judge") -> str:
    """Return the first stored tile that the direct lane reads, and OpenSlide does not or reads otherwise."""
    reader = DirectReader(inspect(mutant))
    tiles = reader.tiled_level(level)
    for index in range(tiles.tiles_across * tiles.tiles_down):
        box = tile_box(tiles, index)
        try:
            ours = reader.read(level, box)
        except TileReadError:
            continue
        theirs, failure = judge.read(box)
        if theirs is None:
            return f"stored tile {index}: {failure}"
        valid = theirs[..., 3] >= VALID_ALPHA
        if not np.array_equal(valid, ours.valid) or (theirs[..., :3] != ours.rgb)[valid].any():
            return f"stored tile {index}: other pixels"
    return ""


class Judge:
    """OpenSlide itself, by way of its own binding; opened anew after each failure, which kills a handle."""

    def __init__(self, path: Path, level: int) -> None:
        self._path, self._level = path, level
        self._slide: openslide.OpenSlide | None = None

    def read(self, box: Region) -> tuple[np.ndarray | None, str]:
        """Return a box, uint8 (h, w, 4) RGBA, and ""; or None and what OpenSlide says."""
        try:
            if self._slide is None:
                self._slide = openslide.OpenSlide(self._path)
            factor = self._slide.level_downsamples[self._level]
            at = round(box.x_px * factor), round(box.y_px * factor)
            return np.asarray(self._slide.read_region(at, self._level, (box.width_px, box.height_px))), ""
        except openslide.OpenSlideError as error:
            self._slide = None
            return None, f"OpenSlide says {error}"
