"""slides: which directory of a tiled TIFF holds each level that OpenSlide shows, by the rule of its vendor."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import tifffile

from wsi_area.model.geometry import Size
from wsi_area.model.slide import SlideInfo

if TYPE_CHECKING:  # XML is loaded where a Ventana slide says how it was put together
    from xml.etree.ElementTree import Element

Found = tuple[tifffile.TiffPage | None, str]
"""The directory of a level and "", or None and why no directory holds it as OpenSlide shows it."""

_OVERLAP = "its tiles overlap, and OpenSlide lays them over each other"
_XML_PACKET = 700
_BY_ORDER = ("philips", "ventana")
"""Vendors whose directories state another size than OpenSlide shows: with the pixels that fill up the last tiles."""


def level_pages(info: SlideInfo, pages: Sequence[tifffile.TiffPage]) -> tuple[Found, ...]:
    """Return for each level of a slide the directory that holds its tiles; ``pages`` are the tiled ones, in order."""
    sizes = [level.size_px for level in info.levels]
    if info.vendor in _BY_ORDER:
        return _by_order(info.vendor, sizes, pages)
    places = info.level_directories or (None,) * len(sizes)
    found = [_of_size(size, pages, at) for size, at in zip(sizes, places, strict=True)]
    if info.vendor == "trestle" and len(pages) == len(sizes):
        return tuple(one if one[0] is not None else (None, _OVERLAP) for one in found)
    return tuple(found)


def _of_size(size: Size, pages: Sequence[tifffile.TiffPage], at: int | None) -> Found:
    """Return the one tiled page of a level: the one that begins where it should, or else the one of its size."""
    of_size = [p for p in pages if (p.imagewidth, p.imagelength) == (size.width_px, size.height_px)]
    of_size = [page for page in of_size if at is None or page.offset == at]
    if len(of_size) != 1:
        return None, f"{len(of_size)} tiled pages are {size.width_px} × {size.height_px} px, one was expected"
    return of_size[0], ""


def _by_order(vendor: str, sizes: Sequence[Size], pages: Sequence[tifffile.TiffPage]) -> tuple[Found, ...]:
    """Return the directories that follow each other as the levels do, each of as many tiles as its level needs."""
    levels = pages if vendor == "philips" else [page for page in pages if "level=" in page.description]
    if len(levels) != len(sizes):
        return ((None, f"it has {len(sizes)} levels and {len(levels)} directories for them"),) * len(sizes)
    obstacle = _stitching(sizes[0], levels[0]) if vendor == "ventana" else ""
    if obstacle:
        return ((None, obstacle),) * len(sizes)
    return tuple(_of_as_many_tiles(size, page) for size, page in zip(sizes, levels, strict=True))


def _of_as_many_tiles(size: Size, page: tifffile.TiffPage) -> Found:
    held = _tiles(page.imagewidth, page.tilewidth), _tiles(page.imagelength, page.tilelength)
    needed = _tiles(size.width_px, page.tilewidth), _tiles(size.height_px, page.tilelength)
    if held == needed and page.imagewidth >= size.width_px and page.imagelength >= size.height_px:
        return page, ""
    return None, f"its directory has {held[0]} × {held[1]} tiles where OpenSlide shows {needed[0]} × {needed[1]}"


def _tiles(length_px: int, tile_px: int) -> int:
    return -(-length_px // tile_px) if tile_px > 0 else 0


def _stitching(size: Size, page: tifffile.TiffPage) -> str:
    """Return the reason why OpenSlide does not show a Ventana slide's finest tiles side by side; "" if it does."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        packet = page.tags[_XML_PACKET].value
        root = fromstring(packet if isinstance(packet, str | bytes) else bytes(packet))
    except (KeyError, TypeError, ValueError, ParseError, DefusedXmlException) as error:
        return f"what it says of its scanned areas cannot be followed ({error or type(error).__name__})"
    areas = root.findall("SlideStitchInfo/ImageInfo")
    scanned = [area for area in areas if _number(area, "AOIScanned") != 0]
    if len(scanned) != 1 or len(areas) != 1:
        return f"{len(scanned)} areas of it were scanned, and OpenSlide puts them together"
    across, down = _tiles(page.imagewidth, page.tilewidth), _tiles(page.imagelength, page.tilelength)
    starts = [(_number(n, "OriginX"), _number(n, "OriginY")) for n in root.findall("AoiOrigin/*")]
    if (_number(scanned[0], "NumCols"), _number(scanned[0], "NumRows")) != (across, down) or starts != [(0, 0)]:
        return "the area that was scanned is not all of its tiles"
    whole = Size(across * page.tilewidth, down * page.tilelength)
    if size != whole or any(_overlaps(joint) for joint in scanned[0].iter("TileJointInfo")):
        return _OVERLAP
    return ""


def _overlaps(joint: "Element") -> bool:
    """Return False if two neighbouring tiles share no pixel of the axis along which they lie side by side."""
    return _number(joint, "OverlapX" if joint.get("Direction") == "RIGHT" else "OverlapY") != 0


def _number(element: "Element", name: str) -> int | None:
    text = element.get(name, "").strip()
    return int(text) if text.lstrip("-").isdigit() else None
