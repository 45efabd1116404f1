"""results: the classes of a slide on the grid of its small picture, kept beside it where the slide ends.

It is for the report. To make it takes a pass over the class map, to read it some milliseconds. It says itself what it
was made from: one that is damaged, or of another result than the one that lies there, counts as not there.
"""

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile, PngInfo

from wsi_area.compute.class_picture import PictureGrid, majority_picture
from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.pixels import ClassMap
from wsi_area.results.class_tiles import class_tiles
from wsi_area.results.layout import SlideLayout, write_bytes
from wsi_area.results.store import ledger_rows
from wsi_area.results.thumbnail import CLASSES_NAME, UNSCANNED_RGB, ThumbnailFrame

_NOTE = "wsi-area"  # keyword of the text chunk
_RESERVED = {
    UNREADABLE_CODE: "n_px_unreadable", OUTSIDE_ROI_CODE: "n_px_outside_roi", UNSCANNED_CODE: "n_px_unscanned",
}  # fmt: skip
_BROKEN = (
    OSError, ValueError, LookupError, TypeError, SyntaxError, EOFError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow and a damaged text raise."""
PICTURE_VERSION = 1
"""Raised when the same class map is made into another picture, so that those that are kept are made anew."""


def class_picture(
    layout: SlideLayout, record: Mapping[str, Any], frame: ThumbnailFrame, rows: NDArray[np.int64] | None
) -> ClassMap:
    """Return the classes of a slide pixel by pixel of its small picture, uint8 (h, w): as kept, else made now.

    Parameters
    ----------
    layout : SlideLayout
    record : mapping
        The slide's document.
    frame : ThumbnailFrame
    rows : int64 (grid_rows, grid_cols, columns), or None
        The ledger, which tells whether what is kept is of this very result; None: it cannot be read.

    Raises
    ------
    ResultError
        The class map cannot be read.
    """
    kept = None if rows is None else _kept(layout, _note(record, frame, rows))
    return _made(layout, record, frame) if kept is None else kept


def keep_class_picture(layout: SlideLayout, record: Mapping[str, Any], frame: ThumbnailFrame) -> None:
    """Make the picture of a slide's classes and write it beside its small picture; not if it lies there already.

    Raises
    ------
    ResultError
        A store cannot be read, or the folder not written.
    """
    note = _note(record, frame, ledger_rows(layout))
    if _kept(layout, note) is None:
        picture = _made(layout, record, frame)
        write_bytes(layout.root / CLASSES_NAME, _png(picture, record, note))


def class_codes(record: Mapping[str, Any]) -> list[int]:
    """Return every code that the class map of a slide may hold, in ascending order."""
    reserved = [code for code, key in _RESERVED.items() if record["counts"][key]]
    return sorted([*(c["id"] for c in record["classes"]), *reserved])


def _made(layout: SlideLayout, record: Mapping[str, Any], frame: ThumbnailFrame) -> ClassMap:
    work = record["work"]
    level = record["levels"][work["level"]]
    per_work_x, per_work_y = (work["reduce_factor"] * level[f"downsample_{axis}"] for axis in "xy")
    grid = PictureGrid(frame.width_px, frame.height_px, frame.box_x_l0_px / per_work_x, frame.box_y_l0_px / per_work_y)
    return majority_picture(class_tiles(layout), grid, class_codes(record))


def _note(record: Mapping[str, Any], frame: ThumbnailFrame, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return what a picture is made from: the slide's key, its filters, and every tile's counts.

    The key alone would not do: a tile that could not be read may be read later, under the same key.
    """
    facts = json.dumps(
        [PICTURE_VERSION, record["key"], record["size_filters"], class_codes(record)], sort_keys=True
    ).encode()
    made_from = hashlib.sha256(facts + np.ascontiguousarray(rows, np.int64).tobytes()).hexdigest()
    return {"made_from": made_from, **asdict(frame)}


def _png(picture: ClassMap, record: Mapping[str, Any], note: Mapping[str, Any]) -> bytes:
    """Return a picture of codes in the colours of its classes, with its note and what its pixels must be."""
    colours = np.zeros((256, 3), np.uint8)
    colours[UNSCANNED_CODE] = UNSCANNED_RGB
    for entry in record["classes"]:
        colours[entry["id"]] = entry["color_rgb"]
    image = Image.frombytes("P", picture.shape[::-1], picture.tobytes())
    image.putpalette(colours.tobytes())
    text = PngInfo()
    text.add_text(_NOTE, json.dumps({**note, "pixels": _digest(picture)}))
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=text)
    return file.getvalue()


def _kept(layout: SlideLayout, note: Mapping[str, Any]) -> ClassMap | None:
    """Return the picture that is kept, if it bears this very note and is whole."""
    try:
        content = (layout.root / CLASSES_NAME).read_bytes()
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            said = json.loads(image.text[_NOTE]) if isinstance(image, PngImageFile) else {}
            wanted = {**note, "pixels": said["pixels"]}
            if said != wanted or image.mode != "P" or image.size != (note["width_px"], note["height_px"]):
                return None
            picture = np.asarray(image)
    except _BROKEN:
        return None
    return picture if _digest(picture) == said["pixels"] else None


def _digest(picture: ClassMap) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()
