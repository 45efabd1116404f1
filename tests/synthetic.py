"""tests: slides written from shapes with known area; the face of the three ``synthetic_*`` files.

``disc`` and its like paint shapes, ``write_slide`` puts them into a file and returns it with its truth,
``write_text_slide`` and its like make files that must be refused or counted as unreadable.
"""

from synthetic_damage import (
    write_empty_file,
    write_slide_with_garbage_tile,
    write_text_slide,
    write_truncated_slide,
)
from synthetic_shapes import (
    Shape,
    box,
    chequerboard,
    disc,
    ellipse,
    everything,
    half_plane,
    nothing,
    ring,
    specks,
)
from synthetic_slides import (
    GLASS_RGB,
    PAINT_RGB,
    UNREADABLE,
    UNSCANNED,
    FileForm,
    SyntheticSlide,
    Truth,
    reduced,
    write_slide,
)

__all__ = [
    "GLASS_RGB",
    "PAINT_RGB",
    "UNREADABLE",
    "UNSCANNED",
    "FileForm",
    "Shape",
    "SyntheticSlide",
    "Truth",
    "box",
    "chequerboard",
    "disc",
    "ellipse",
    "everything",
    "half_plane",
    "nothing",
    "reduced",
    "ring",
    "specks",
    "write_empty_file",
    "write_slide",
    "write_slide_with_garbage_tile",
    "write_text_slide",
    "write_truncated_slide",
]
