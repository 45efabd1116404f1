"""results: which picture of a file was measured and what was left out, as a sentence for people; pure."""

from collections.abc import Mapping
from typing import Any

from wsi_area.compute.quantity_text import number_text

_NAMED_MOST = 8


def picture_text(record: Mapping[str, Any]) -> str:
    """Return what was measured of a file and what else it holds; "" where the result does not list its pictures.

    >>> scan = {"index": 1, "role": "slide", "name": "", "size_px": {"width_px": 9, "height_px": 8}, "taken": True}
    >>> picture_text({"pictures": {"listed": [scan], "count": 1}})
    'picture 1 (slide, 9 × 8 px); the file holds no other'
    """
    pictures = record.get("pictures")
    if not pictures:
        return ""
    full = [picture for picture in pictures["listed"] if picture["role"] != "reduced level"]
    taken = [_told(picture) for picture in full if picture["taken"]]
    others = [f"{_told(picture)}: {picture['why']}" for picture in full if not picture["taken"]]
    more = [f"{len(others) - _NAMED_MOST} more"] if len(others) > _NAMED_MOST else []
    left_out = "; ".join([*others[:_NAMED_MOST], *more])
    return f"{' and '.join(taken)}; " + (f"left out: {left_out}" if left_out else "the file holds no other")


def _told(picture: Mapping[str, Any]) -> str:
    size = picture["size_px"]
    words = [f"picture {picture['index']}", *([f"“{picture['name']}”"] if picture["name"] else [])]
    for key in ("channel", "plane"):
        if picture.get(key) is not None:
            words.append(f"{key} {picture[key]} {picture.get(f'{key}_name', '')}".strip())
    return (
        f"{' '.join(words)} ({picture['role']}, {number_text(size['width_px'])} × {number_text(size['height_px'])} px)"
    )
