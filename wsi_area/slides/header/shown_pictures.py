"""slides: the pictures that OpenSlide shows of a slide, and which of its levels belong to the one that is meant."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture, Role
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.header.mpp_sources import Properties
from wsi_area.slides.header.picture_names import role_of_name
from wsi_area.slides.header.tiff_slide import TiffSlide

_ASSOCIATED = re.compile(r"openslide\.associated\.(.+)\.width")
_TAGS = ("TotalPixelMatrixFocalPlanes", "OpticalPathSequence")


def shown_pictures(properties: Properties, sizes: Sequence[Size]) -> tuple[FoundPicture, ...]:
    """Return the levels of a slide and the pictures that go with it, as OpenSlide names them; none of them is read."""
    found = [
        FoundPicture(Picture(0, "", "slide" if level == 0 else "reduced level", size, 3, "uint8"), 0, level == 0)
        for level, size in enumerate(sizes)
    ]
    for key in sorted(properties):
        named = _ASSOCIATED.fullmatch(key)
        if named is None:
            continue
        side = [properties.get(f"openslide.associated.{named[1]}.{axis}", "") for axis in ("width", "height")]
        size = Size(*(int(text) if text.isdigit() else 0 for text in side))
        role: Role = role_of_name(named[1]) or "unknown"
        found.append(FoundPicture(Picture(0, named[1], role, size, 3, "uint8"), 0, False))
    return tuple(one.numbered(index) for index, one in enumerate(found))


def levels_of_picture(
    file: Path, meant: TiffSlide, vendor: str, sizes: Sequence[Size]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return OpenSlide's numbers of the levels of a picture, and where their directories begin in the file.

    The picture itself is the first, its reduced ones follow.

    An Aperio slide has a level for each tiled directory, in order; of other TIFFs a level is known by its size, where
    there is one of that size.

    Raises
    ------
    SlideOpenError
        OpenSlide shows no level that is this picture.
    """
    taken = meant.one.taken[0]
    wanted = [(taken.picture.size_px, taken.part), *taken.levels]
    tiled = [directory for directory in meant.directories if directory.is_tiled]
    numbers: list[int] = []
    places: list[int] = []
    for size, part in wanted:
        if vendor == "aperio":
            alike = [
                n for n, d in enumerate(tiled) if part is not None and d.at == part.directory_at and n < len(sizes)
            ]
        else:
            alike = [n for n, shown in enumerate(sizes) if shown == size]
        if len(alike) == 1 and sizes[alike[0]] == size:
            numbers.append(alike[0])
            places += [] if part is None else [part.directory_at]
        elif not numbers:
            raise SlideOpenError(
                f"{file}: the picture that is meant has {size.width_px} × {size.height_px} px, and OpenSlide shows no "
                "level that is it alone; export it by itself"
            )
    return tuple(numbers), tuple(places)


def dicom_pictures(file: Path, properties: Properties, sizes: Sequence[Size]) -> tuple[FoundPicture, ...]:
    """Return the pictures of a DICOM slide: one for each of its focal planes and optical paths."""
    import pydicom  # takes 0.2 s, which only DICOM need pay

    whole, *others = shown_pictures(properties, sizes)
    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=[*_TAGS])
    planes = int(header.get("TotalPixelMatrixFocalPlanes") or 1)
    paths = _optical_paths(header)
    several = [whole]
    if planes > 1 or len(paths) > 1:
        several = _dicom_planes(whole, planes, paths or [""])
    return tuple(one.numbered(index) for index, one in enumerate([*several, *others]))


def _optical_paths(header: Any) -> list[str]:
    return [str(path.get("OpticalPathIdentifier", "")) for path in header.get("OpticalPathSequence") or []]


def _dicom_planes(whole: FoundPicture, planes: int, paths: Sequence[str]) -> list[FoundPicture]:
    obstacle = "focal planes and optical paths of DICOM are not read one by one"
    return [
        replace(
            whole,
            picture=replace(
                whole.picture,
                role="plane" if planes > 1 else "channel",
                plane=plane if planes > 1 else None,
                channel=number if len(paths) > 1 else None,
                channel_name=path if len(paths) > 1 else "",
                optical_path=path,
            ),
            obstacle=obstacle,
        )
        for number, path in enumerate(paths)
        for plane in range(planes)
    ]
