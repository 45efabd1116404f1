"""results: the small picture of a slide as the run saw it, with the frame that it stands in."""

import io
import json

import numpy as np
import simplejpeg

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.pixels import MaskArray, RgbArray
from wsi_area.results.layout import SlideLayout, write_bytes

THUMBNAIL_NAME, CLASSES_NAME = "thumb.jpg", "classes.png"
"""The slide's small picture, and on the same grid its classes (`results.class_map.class_thumbnail`)."""

UNSCANNED_RGB = (226, 226, 226)
_JPEG_QUALITY = 85


@frozen_value
class ThumbnailFrame:
    """How large the picture of a slide is, and where it stands: each pixel a box of level-0 px, from their origin on.

    The boxes at the right and lower rim may reach beyond the slide.
    """

    width_px: int
    height_px: int
    box_x_l0_px: float  # width of the box under one picture pixel
    box_y_l0_px: float

    @property
    def reach_l0_px(self) -> tuple[float, float]:
        """Return the reach of the boxes to the right and down."""
        return self.width_px * self.box_x_l0_px, self.height_px * self.box_y_l0_px


@frozen_value(eq=False)
class Thumbnail:
    """The picture of a slide in its frame."""

    frame: ThumbnailFrame
    rgb: RgbArray  # uint8 (h, w, 3)


def thumbnail_jpeg(rgb: RgbArray, valid: MaskArray, box_l0_px: tuple[float, float]) -> bytes:
    """Return the JPEG of an overview, which says itself how many level-0 pixels lie under one of its own.

    Parameters
    ----------
    rgb : uint8 (h, w, 3) RGB
    valid : bool (h, w)
        What is False is painted a light grey.
    box_l0_px : (x, y)
        Width and height of the level-0 box under one pixel; not slide width / picture width, which is less where
        the last box is cut.
    """
    painted = rgb if valid.all() else np.where(valid[..., None], rgb, np.array(UNSCANNED_RGB, np.uint8))
    # not Pillow, whose code for JPEG takes longer to load than this to be written
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(painted), _JPEG_QUALITY, "RGB", "420", fastdct=False)
    frame = json.dumps({"box_x_l0_px": box_l0_px[0], "box_y_l0_px": box_l0_px[1]})
    return _commented(jpeg, frame.encode())


def _commented(jpeg: bytes, comment: bytes) -> bytes:
    """Return a JFIF file with a comment (less than 64 KiB) behind its header."""
    behind = 4 + int.from_bytes(jpeg[4:6])  # its start, the mark of the header, and the header's own length
    return jpeg[:behind] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2) + comment + jpeg[behind:]


def write_thumbnail(layout: SlideLayout, jpeg: bytes) -> None:
    """Write the picture that `thumbnail_jpeg` made beside the slide's result."""
    write_bytes(layout.root / THUMBNAIL_NAME, jpeg)


def read_thumbnail(layout: SlideLayout) -> Thumbnail | None:
    """Return the picture of a slide, or None where the run left none.

    Raises
    ------
    ResultError
        If it is no JPEG, or does not say where it lies on the slide.
    """
    found = _read(layout, with_pixels=True)
    return None if found is None else Thumbnail(*found)


def read_frame(layout: SlideLayout) -> ThumbnailFrame | None:
    """Return the words that the picture of a slide carries, or None where the run left none; no pixel is decoded.

    Raises
    ------
    ResultError
        As of `read_thumbnail`, as far as the head of the file tells.
    """
    found = _read(layout, with_pixels=False)
    return None if found is None else found[0]


def _read(layout: SlideLayout, *, with_pixels: bool) -> tuple[ThumbnailFrame, RgbArray] | None:
    path = layout.root / THUMBNAIL_NAME
    if not path.exists():
        return None
    from PIL import Image  # a run without a report reads no picture

    try:
        with Image.open(io.BytesIO(path.read_bytes()), formats=["JPEG"]) as image:
            said = json.loads(image.info.get("comment", b""))
            rgb = np.asarray(image.convert("RGB")) if with_pixels else np.empty((0, 0, 3), np.uint8)
            frame = ThumbnailFrame(*image.size, float(said["box_x_l0_px"]), float(said["box_y_l0_px"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(
            f"{path} cannot be used ({error}); delete it, then run the same command again: it is made anew"
        ) from error
    x, y = frame.box_x_l0_px, frame.box_y_l0_px
    if not (x >= 1 and y >= 1 and np.isfinite([x, y]).all()):
        raise ResultError(f"{path} says that its pixels are {x} × {y} level-0 px; delete it and run again")
    return frame, rgb
