"""annotations: a mask that a run read, read once more where it lies, if it is still the same."""

from contextlib import suppress
from pathlib import Path

from wsi_area.annotations.masks.files import read_mask
from wsi_area.errors import AnnotationError
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.geometry import Size


def mask_as_it_was(path: str, sha256: str, scale: float, slide: Size) -> DrawnMask | None:
    """Return a mask as a run read it; None where it is gone, another one, or fits in another way.

    Parameters
    ----------
    path, sha256, scale
        Where it lay, the digest of its file, and the level-0 px per mask px that it was read with.
    slide
        Level-0 px.
    """
    for stated in (None, scale):  # as it fits by itself; else somebody stated the scale
        with suppress(AnnotationError, OSError):
            read = read_mask(Path(path), slide, stated)
            if read.sha256 == sha256 and read.mask.scale_x == scale:
                return read.mask
    return None
