"""results: the class thumbnail, a slide's classes on the grid of its small picture, kept beside it as a PNG.

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

from wsi_area.compute.picture.majority_picture import InTiles, PictureGrid, majority_picture
from wsi_area.model.pixels import ClassMap
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map.class_codes import RESERVED, class_colours
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.sparse_class_map import sparse_class_map
from wsi_area.results.class_map.stored_class_map import StoredClassMap
from wsi_area.results.layout import SlideLayout, write_bytes
from wsi_area.results.thumbnail import CLASSES_NAME, ThumbnailFrame

_NOTE = "wsi-area"  # keyword of the text chunk
_BROKEN = (
    OSError, ValueError, LookupError, TypeError, SyntaxError, EOFError, struct.error, zlib.error,
    Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow and a damaged text raise."""
PICTURE_VERSION = 2
"""Raised when the same class map is made into another picture, so that those that are kept are made anew."""


def class_thumbnail(
    layout: SlideLayout, slide: CountedSlide, frame: ThumbnailFrame, rows: NDArray[np.int64] | None
) -> ClassMap:
    """Return the classes of a slide pixel by pixel of its small picture, uint8 (h, w): as kept, else made now.

    Parameters
    ----------
    layout : SlideLayout
    slide : CountedSlide
        Its result.
    frame : ThumbnailFrame
    rows : int64 (grid_rows, grid_cols, columns), or None
        The ledger, which tells whether what is kept is of this very result; None: it cannot be read.

    Raises
    ------
    ResultError
        The class map cannot be read.
    """
    kept = None if rows is None else _kept(layout, _note(slide, frame, rows))
    return _made(layout, slide, frame) if kept is None else kept


def write_class_thumbnail(
    layout: SlideLayout, slide: CountedSlide, frame: ThumbnailFrame, made: ClassMap | None = None
) -> None:
    """Write the class thumbnail of a slide beside its small picture; not if it lies there already.

    It is made now, unless it was ``made`` beside something else that read the class map.

    Raises
    ------
    ResultError
        A store cannot be read, or the folder not written.
    """
    note = _note(slide, frame, ledger_rows(layout))
    if _kept(layout, note) is None:
        picture = _made(layout, slide, frame) if made is None else made
        write_bytes(layout.root / CLASSES_NAME, _png(picture, slide, note))


def kept_class_thumbnail(
    layout: SlideLayout, slide: CountedSlide, frame: ThumbnailFrame, rows: NDArray[np.int64]
) -> ClassMap | None:
    """Return the class thumbnail that is kept, uint8 (h, w); None where none of this very result is whole."""
    return _kept(layout, _note(slide, frame, rows))


def made_class_thumbnail(class_map: InTiles | StoredClassMap, slide: CountedSlide, frame: ThumbnailFrame) -> ClassMap:
    """Return the class thumbnail that a slide's class map makes, uint8 (h, w); the class map is read once."""
    return majority_picture(class_map, picture_grid(slide.work_px_l0, frame), list(class_colours(slide)))


def picture_grid(work_px_l0: tuple[float, float], frame: ThumbnailFrame) -> PictureGrid:
    """Return the grid of a slide's small picture, laid over work pixels of that width and height."""
    per_work_x, per_work_y = work_px_l0
    return PictureGrid(frame.width_px, frame.height_px, frame.box_x_l0_px / per_work_x, frame.box_y_l0_px / per_work_y)


def _made(layout: SlideLayout, slide: CountedSlide, frame: ThumbnailFrame) -> ClassMap:
    return made_class_thumbnail(sparse_class_map(layout), slide, frame)


def _note(slide: CountedSlide, frame: ThumbnailFrame, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Return the origin of a picture: the slide's key, its filters, and every tile's counts.

    The key alone would not do: a tile that could not be read may be read later, under the same key.
    """
    facts = json.dumps(
        [PICTURE_VERSION, slide.key, [asdict(f) for f in slide.size_filters], list(class_colours(slide))],
        sort_keys=True,
    ).encode()
    made_from = hashlib.sha256(facts + np.ascontiguousarray(rows, np.int64).tobytes()).hexdigest()
    return {"made_from": made_from, **asdict(frame)}


def _png(picture: ClassMap, slide: CountedSlide, note: Mapping[str, Any]) -> bytes:
    """Return a picture of codes in the colours of its classes, with its note and what its pixels must be."""
    palette = np.zeros((256, 3), np.uint8)
    reserved = {code: what.color_rgb for code, what in RESERVED.items()}
    for code, colour in (reserved | class_colours(slide)).items():
        palette[code] = colour
    image = Image.frombytes("P", picture.shape[::-1], picture.tobytes())
    image.putpalette(palette.tobytes())
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
