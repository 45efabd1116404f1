"""slides: every picture of a TIFF, whoever wrote it: directories, SubIFDs, OME images, ImageJ stacks, focal planes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture, Role, StoredPart
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.header.ome import OmeImage, ome_images
from wsi_area.slides.header.picture_names import role_of_name
from wsi_area.slides.header.tiff_directories import (
    BITS,
    EXTRA_SAMPLES,
    IMAGE_DEPTH,
    PHOTOMETRIC,
    STK_PLANES,
    SUBFILE_TYPE,
    Directory,
)

_QPI_TYPE = re.compile(r"<ImageType>(\w+)</ImageType>")
_QPI_NAME = re.compile(r"<Name>([^<]{1,80})</Name>")
_OFFSET_Z = re.compile(r"\bOffsetZ\s*=\s*(-?[\d.]+)")
_QPI_ROLES: dict[str, Role] = {"Thumbnail": "thumbnail", "Overview": "macro", "Label": "label"}
_GREY = (0, 1)
_MASK = 4
_LEAST_BITS, _MOST_BITS = 8, 16
_NAME_CHARS = 80


def tiff_pictures(directories: Sequence[Directory], vendor: str | None) -> tuple[FoundPicture, ...]:
    """Return every picture of a TIFF in the order of its list, numbered; its reduced levels follow each.

    Parameters
    ----------
    directories
        As ``tiff_directories`` has them.
    vendor
        As whose slide OpenSlide knows it; None where it does not.
    """
    if not directories:
        return ()
    first = directories[0].description
    if vendor == "aperio":
        found = list(_aperio(directories))
    elif first.startswith("ImageJ="):
        found = list(_imagej(directories, first))
    elif images := _described(ome_images(first), directories):
        found = list(_ome(images, directories))
    else:
        found = list(_pages(directories))
    return tuple(one.numbered(index) for index, one in enumerate(found))


def picture_of(
    directory: Directory, role: Role, name: str = "", *, channel: int | None = None, channel_name: str = "",
    plane: int | None = None, plane_name: str = "", time: int | None = None, samples: int | None = None,
) -> Picture:  # fmt: skip
    """Return a picture as its directory describes it, not yet numbered."""
    return Picture(
        0, name[:_NAME_CHARS], role, directory.size_px, samples or directory.samples, directory.dtype, channel,
        channel_name[:_NAME_CHARS], plane, plane_name[:_NAME_CHARS], time,
    )  # fmt: skip


def _described(images: tuple[OmeImage, ...], directories: Sequence[Directory]) -> tuple[OmeImage, ...]:
    """Return the images of OME-XML if they are those of this file; a text left over from another says nothing."""
    places = [plane.directory for image in images for plane in image.planes if not plane.is_elsewhere]
    if not places or max(places) >= len(directories):
        return ()
    return tuple(_at_its_size(image, directories) for image in images)


def _at_its_size(image: OmeImage, directories: Sequence[Directory]) -> OmeImage:
    """Return an image of one plane at the one directory that has its size, where the one that it names has not."""
    if len(image.planes) != 1 or image.planes[0].is_elsewhere:
        return image
    plane = image.planes[0]
    of_size = [number for number, directory in enumerate(directories) if directory.size_px == image.size_px]
    if directories[plane.directory].size_px == image.size_px or len(of_size) != 1:
        return image
    return replace(image, planes=(replace(plane, directory=of_size[0]),))


def _ome(images: tuple[OmeImage, ...], directories: Sequence[Directory]) -> Iterator[FoundPicture]:
    used: set[int] = set()
    for image in images:
        used |= {plane.directory for plane in image.planes if not plane.is_elsewhere}
    others = [d for index, d in enumerate(directories) if index not in used]
    spare = [d for d in others if d.is_reduced]
    for image in images:
        alone = len(images) == 1 and len(image.planes) == 1
        yield from _ome_image(image, directories, spare if alone else [])
    for directory in others:
        if not (directory in spare and len(images) == 1 and len(images[0].planes) == 1):
            yield from _single(directory, len(images) + directories.index(directory))


def _ome_image(image: OmeImage, directories: Sequence[Directory], spare: Sequence[Directory]) -> Iterator[FoundPicture]:
    named = role_of_name(image.name)
    depth = len({plane.plane for plane in image.planes}) > 1, len({plane.time for plane in image.planes}) > 1
    for plane in image.planes:
        channel = image.channels[plane.channel]
        directory = None if plane.is_elsewhere else directories[plane.directory]
        shown = directory or directories[0]
        split = shown.samples > 1 and channel.samples == 1 and len(image.channels) == shown.samples
        role = named or ("reduced level" if shown.is_reduced else _plane_role(len(image.channels) > 1, any(depth)))
        picture = picture_of(
            shown, role, image.name,
            channel=plane.channel if len(image.channels) > 1 else None, channel_name=channel.name,
            plane=plane.plane if depth[0] else None, time=plane.time if depth[1] else None,
            samples=1 if split else None,
        )  # fmt: skip
        picture = replace(picture, size_px=image.size_px) if directory is None else picture
        meant = role in ("slide", "channel", "plane", "unknown")
        sample = plane.channel if split else None
        for one in _with_levels(directory, picture, image.number, meant, sample, spare):
            yield replace(one, glows=any(c.is_fluorescence for c in image.channels))


def _plane_role(has_channels: bool, has_depth: bool) -> Role:
    return "plane" if has_depth else "channel" if has_channels else "slide"


def _with_levels(
    directory: Directory | None, picture: Picture, image: int, meant: bool, sample: int | None = None,
    spare: Sequence[Directory] = (), *, is_default: bool = False,
) -> Iterator[FoundPicture]:  # fmt: skip
    """Yield a picture with its reduced levels, then each of those as a picture of its own, left to the first."""
    if directory is None:
        obstacle = "it lies in another file of its set"
        yield FoundPicture(picture, image, meant, None, (), is_default, obstacle=obstacle)
        return
    inner = [d for d in directory.inner if _is_reduction(d, directory)]
    reduced = sorted([*inner, *spare], key=lambda d: -d.size_px.width_px)
    levels = tuple((d.size_px, StoredPart(d.at, sample)) for d in reduced)
    obstacle = _obstacle(directory)
    yield FoundPicture(
        picture, image, meant, StoredPart(directory.at, sample), levels, is_default, obstacle=obstacle
    )  # fmt: skip
    for level in reduced:
        part = replace(picture, role="reduced level", size_px=level.size_px)
        yield FoundPicture(part, image, False, StoredPart(level.at, sample))
    for other in directory.inner:
        if other not in inner and not other.is_reduced and meant:
            yield FoundPicture(picture_of(other, "unknown"), image, True, StoredPart(other.at))


def _is_reduction(inner: Directory, of: Directory) -> bool:
    """Return True if a SubIFD is the same picture with fewer pixels: of its kind, smaller, of its shape."""
    small, full = inner.size_px, of.size_px
    if (inner.samples, inner.dtype) != (of.samples, of.dtype) or not 0 < small.width_px < full.width_px:
        return False
    ratio = full.width_px / small.width_px
    return abs(small.height_px * ratio - full.height_px) <= 2 * ratio


def _obstacle(directory: Directory) -> str:
    """Return the reason why a directory's pixels cannot be measured: of a kind not read, or several in one entry."""
    if directory.number(IMAGE_DEPTH, 1) > 1:
        return f"it is a volume of {directory.number(IMAGE_DEPTH)} planes in one directory"
    if len(directory.numbers(STK_PLANES)) > 1:
        return f"it is a stack of {len(directory.numbers(STK_PLANES))} planes in one directory (MetaMorph)"
    bits = directory.number(BITS, 1)
    if directory.dtype != f"uint{bits}" or bits > _MOST_BITS:
        return f"its samples are {directory.dtype}, not 8-bit or 16-bit"
    return f"its samples have {bits} bit{'s' * (bits > 1)}, not 8 or 16" if bits < _LEAST_BITS else ""


def _aperio(directories: Sequence[Directory]) -> Iterator[FoundPicture]:
    """Yield what an Aperio file holds: the tiled directories are the scan, in as many focal planes as have its size."""
    base = directories[0]
    scans = [d for d in directories if d.is_tiled]
    by_size: dict[Size, list[Directory]] = defaultdict(list)
    for directory in scans:
        by_size[directory.size_px].append(directory)
    depth = len(by_size[base.size_px])
    for number, plane in enumerate(by_size[base.size_px]):
        offset = _OFFSET_Z.search(plane.description)
        named = f"OffsetZ {offset[1]}" if offset else ""
        picture = picture_of(
            plane, "plane" if depth > 1 else "slide", plane=number if depth > 1 else None, plane_name=named
        )
        levels = [
            of_size[number] for size, of_size in by_size.items() if size != base.size_px and number < len(of_size)
        ]
        yield from _with_levels(plane, picture, 0, True, None, levels, is_default=number == 0)
    for index, directory in enumerate(directories):
        if not directory.is_tiled:
            role: Role = "thumbnail" if index == 1 else _aperio_role(directory)
            yield FoundPicture(picture_of(directory, role), 0, False, StoredPart(directory.at))


def _aperio_role(directory: Directory) -> Role:
    line = directory.description.partition("\n")[2].lstrip()
    named = next((role for role in ("label", "macro") if line.startswith(role)), None)
    return named or role_of_name(directory.description[:200]) or "unknown"  # type: ignore[return-value]


def _imagej(directories: Sequence[Directory], description: str) -> Iterator[FoundPicture]:
    """Yield the pictures of an ImageJ stack: channels change fastest, then slices, then times."""
    told = dict(line.partition("=")[::2] for line in description.splitlines())
    counts = {
        key: max(1, int(told[key])) if told.get(key, "").isdigit() else 1 for key in ("channels", "slices", "frames")
    }
    stated = int(told["images"]) if told.get("images", "").isdigit() else 1
    many = max(stated, len(directories), counts["channels"] * counts["slices"] * counts["frames"])
    if counts["channels"] * counts["slices"] * counts["frames"] < many and counts["channels"] == 1:
        counts["slices"] = max(counts["slices"], many)
    if many == 1:
        yield from _single(directories[0], 0)
        return
    for index in range(min(many, 1 << 14)):
        rest, channel = divmod(index, counts["channels"])
        time, plane = divmod(rest, counts["slices"])
        directory = directories[index] if index < len(directories) else None
        picture = picture_of(
            directory or directories[0], _plane_role(counts["channels"] > 1, counts["slices"] * counts["frames"] > 1),
            channel=channel if counts["channels"] > 1 else None,
            plane=plane if counts["slices"] > 1 else None,
            time=time if counts["frames"] > 1 else None,
        )  # fmt: skip
        found = next(iter(_with_levels(directory, picture, 0, True)))
        yield replace(found, obstacle="it lies behind the first, without a directory") if directory is None else found


def _pages(directories: Sequence[Directory]) -> Iterator[FoundPicture]:
    """Yield the pictures of a TIFF whose description says nothing: full ones, and the reduced ones that go with them.

    Where several full ones have as many reduced ones of each size, those go with them in order.
    """
    full = [d for d in directories if not d.is_reduced and _role(d) is None]
    by_size: dict[Size, list[Directory]] = defaultdict(list)
    for directory in directories:
        if directory.is_reduced and _role(directory) is None:
            by_size[directory.size_px].append(directory)
    matched = {size: found for size, found in by_size.items() if len(found) == len(full)}
    if not full:  # all call themselves reduced: the first stands for the slide
        full, matched = [directories[0]], {}
    sizes = {d.size_px for d in full}
    for number, directory in enumerate(full):
        levels = [found[number] for found in matched.values()]
        if len(full) == 1:
            levels = [found[0] for size, found in by_size.items() if size != directory.size_px]
        yield from _single(directory, number, levels, of=len(full), same_size=len(sizes) == 1)
    for directory in directories:
        role = _role(directory)
        left = directory.is_reduced and role is None and len(full) > 1 and directory.size_px not in matched
        if (role is not None and directory not in full) or left:
            yield FoundPicture(picture_of(directory, role or "reduced level"), -1, False, StoredPart(directory.at))


def _role(directory: Directory) -> Role | None:
    """Return the role that a page says it has besides the slide; None where it says nothing."""
    told = _QPI_TYPE.search(directory.description)
    if told is not None:
        return _QPI_ROLES.get(told[1])
    if directory.number(SUBFILE_TYPE) & _MASK:
        return "unknown"
    return role_of_name(directory.description[:200]) if len(directory.description) < 200 else None


def _single(
    directory: Directory, image: int, levels: Sequence[Directory] = (), *, of: int = 1, same_size: bool = True
) -> Iterator[FoundPicture]:
    """Yield one directory as a picture, or as one picture for each of its samples where those are grey channels."""
    told = _QPI_NAME.search(directory.description)
    name = told[1] if told else ""
    named = _role(directory) or ("reduced level" if directory.is_reduced and of > 1 else None)
    group = 0 if of > 1 and same_size else image
    channels = _grey_channels(directory)
    if named is not None:
        yield FoundPicture(picture_of(directory, named, name), group, False, StoredPart(directory.at))
        return
    if channels > 1:
        for sample in range(channels):
            picture = picture_of(
                directory, "channel", channel=sample, samples=1, plane=image if of > 1 else None
            )  # fmt: skip
            yield from _with_levels(directory, picture, group, True, sample, levels)
        return
    qpi = bool(name) and of > 1 and directory.samples == 1
    role: Role = "slide" if of == 1 else "channel" if qpi else "plane" if same_size else "unknown"
    picture = picture_of(
        directory, role, "" if qpi else name, channel=image if qpi else None, channel_name=name if qpi else "",
        plane=image if role == "plane" else None,
    )  # fmt: skip
    yield from _with_levels(directory, picture, group, True, None, levels)


def _grey_channels(directory: Directory) -> int:
    """Return the number of grey channels of a directory's pixel: its samples, but for one grey or its transparency."""
    if directory.samples == 1 or directory.number(PHOTOMETRIC, 1) not in _GREY:
        return 1
    extras = directory.numbers(EXTRA_SAMPLES)
    is_transparency = len(extras) == directory.samples - 1 == 1 and extras[0] in (1, 2)
    return 1 if is_transparency else directory.samples
