"""slides: the pictures that OpenSlide shows of a slide, and which of its levels belong to the one that is meant."""

import re
from collections.abc import Sequence
from pathlib import Path

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture, Role
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.header.mpp_sources import Properties
from wsi_area.slides.header.picture_names import role_of_name
from wsi_area.slides.header.tiff_directories import NDPI_LENS, NDPI_Z_OFFSET, Directory
from wsi_area.slides.header.tiff_slide import TiffSlide

_ASSOCIATED = re.compile(r"openslide\.associated\.(.+)\.width")
_ONLY_OFFSET_0 = "of the focal planes of NDPI only the one at offset 0 is read, another one cannot be chosen here"


def shown_pictures(
    properties: Properties, sizes: Sequence[Size], several: Sequence[FoundPicture] = ()
) -> tuple[FoundPicture, ...]:
    """Return the levels of a slide and the pictures that go with it, as OpenSlide names them; none of them is read.

    ``several`` stand for level 0, where OpenSlide shows it for more than one.
    """
    found = [
        FoundPicture(Picture(0, "", "slide" if level == 0 else "reduced level", size, 3, "uint8"), 0, level == 0)
        for level, size in enumerate(sizes)
    ]
    found[:1] = several or found[:1]
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


def several_pictures(file: Path, vendor: str | None, directories: Sequence[Directory]) -> tuple[FoundPicture, ...]:
    """Return the full pictures of a slide of which OpenSlide shows but one, where there are several; else none."""
    if vendor == "dicom":
        from wsi_area.slides.header.dicom import series_pictures  # loaded for DICOM alone

        return series_pictures(file)
    return _focal_planes(directories) if vendor == "hamamatsu" else ()


def _focal_planes(directories: Sequence[Directory]) -> tuple[FoundPicture, ...]:
    """Return the focal planes of an NDPI file, the nearest to offset 0 first; none where it has but one.

    Only the plane at offset 0 is read by OpenSlide, and by this program.
    """
    scans: dict[int, Directory] = {}
    for directory in directories:
        if (directory.numbers(NDPI_LENS) or (0,))[0] <= 0:
            continue  # the macro and the map
        offset = directory.number(NDPI_Z_OFFSET)
        if offset not in scans or directory.size_px.area_px > scans[offset].size_px.area_px:
            scans[offset] = directory
    if len(scans) < 2:
        return ()
    return tuple(
        FoundPicture(
            Picture(
                0, "", "plane", scans[offset].size_px, 3, "uint8", plane=plane, plane_name=f"ZOffset {offset} nm"
            ),
            0, True, is_default=offset == 0, obstacle="" if offset == 0 else _ONLY_OFFSET_0,
        ).numbered(plane)
        for plane, offset in enumerate(sorted(scans, key=lambda offset: (abs(offset), offset)))
    )  # fmt: skip
