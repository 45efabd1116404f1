"""slides: the law of one picture: of all that a file holds one is taken, by name, or the slide is refused."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from wsi_area.errors import SlideOpenError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.picture import Named, Picture, PictureChoice, StoredPart
from wsi_area.slides.header.found_picture import FoundPicture
from wsi_area.slides.header.picture_names import colour_of_name, is_no_name

_LISTED = 12
_KEYS = ("picture", "channel", "plane")
_REMEDY = (
    "say it with --set reader.picture=…, reader.channel=… or reader.plane=… (a number from 0 as listed by "
    "wsi-area check, or a name), or a column of that name in --manifest"
)


@frozen_value
class OnePicture:
    """The picture that is measured, among all that were found."""

    listed: tuple[Picture, ...]  # every picture of the file, each with why it was taken or left out
    taken: tuple[FoundPicture, ...]  # one, or red, green and blue
    note: str = ""  # what was decided that somebody should know; "" where there was nothing to decide
    is_assumed: bool = False  # three grey pictures that nothing names were taken as red, green and blue

    @property
    def parts(self) -> tuple[StoredPart, ...]:
        """Return the places of the samples of level 0, where that is known."""
        return tuple(one.part for one in self.taken if one.part is not None)


def one_picture(file: Path, found: Sequence[FoundPicture], choice: PictureChoice) -> OnePicture:
    """Return the one picture of a file that is meant.

    Raises
    ------
    SlideOpenError
        Several could be meant, none is what was asked for, or it cannot be measured; with the list.
    """
    meant = [one for one in found if one.may_be_meant]
    if not meant:
        raise _refused(file, found, "it holds no picture of a slide", "export the scan itself")
    asked = _asked(file, found, meant, choice)
    note, is_assumed = "", False
    colours = _composed(asked) if choice.channel is None else None
    if len(asked) == 1:
        taken = tuple(asked)
        if len(meant) > 1:
            note = f"{_told(taken[0].picture)} was taken of {len(meant)}, as asked"
    elif colours is not None:
        taken, is_assumed = colours
        why = "there are three of 8 bit and nothing names them" if is_assumed else "their names say so"
        note = f"its three grey pictures were put together as red, green and blue, since {why}"
    else:
        defaults = [one for one in asked if one.is_default]
        if len(defaults) != 1 or choice.plane is not None:
            raise _refused(file, found, _what(asked), _remedy(asked))
        taken = (defaults[0],)
        obstacle = next((one.obstacle for one in asked if one.obstacle), "")
        note = (
            f"it holds {len(asked)} focal planes; {_told(taken[0].picture)} was taken, which the scanner shows first; "
            f"{obstacle or 'reader.plane names another'}"
        )
    for one in taken:
        if one.obstacle:
            remedy = "export it by itself, as 8-bit grey or RGB or as 16-bit grey"
            raise _refused(file, found, f"{_told(one.picture)} cannot be measured: {one.obstacle}", remedy)
    return OnePicture(tuple(_reasons(found, taken, bool(colours) and len(taken) > 1)), taken, note, is_assumed)


def _asked(
    file: Path, found: Sequence[FoundPicture], meant: Sequence[FoundPicture], choice: PictureChoice
) -> list[FoundPicture]:
    """Return the pictures that are left of those that may be meant after each word of the choice."""
    left = list(meant)
    for key in _KEYS:
        wanted: Named = getattr(choice, key)
        if wanted is None:
            continue
        kept = [one for one in left if _is_numbered(one.picture, key, wanted)]
        kept = kept or [one for one in left if _is_named(one.picture, key, wanted)]
        if (
            not kept
            and key != "picture"
            and str(wanted) == "0"
            and all(_number(one.picture, key) is None for one in left)
        ):
            kept = left  # of one that has no channels or planes the first is it
        if not kept:
            raise _refused(file, found, _no_such(found, left, key, wanted), _remedy(left))
        left = kept
    return left


def _remedy(left: Sequence[FoundPicture]) -> str:
    """Return the remedy: to say which one is meant, where one that can be measured may be chosen."""
    obstacle = next((one.obstacle for one in left if one.obstacle), "")
    if obstacle and all(one.obstacle or one.is_default for one in left):
        return f"{obstacle}: export the one that is meant by itself"
    return _REMEDY


def _no_such(found: Sequence[FoundPicture], left: Sequence[FoundPicture], key: str, wanted: Named) -> str:
    other = next(
        (
            one.picture
            for one in found
            if key == "picture" and (_is_numbered(one.picture, key, wanted) or _is_named(one.picture, key, wanted))
        ),
        None,
    )
    if other is not None:
        return f"reader.picture = {wanted} is {_told(other)}, a {other.role}, which is never measured as the slide"
    if key != "picture" and all(_number(one.picture, key) is None for one in left):
        colour = ", its colours belong together" if any(one.picture.samples >= 3 for one in left) else ""
        return f"reader.{key} = {wanted} was asked for, but the picture has no {key}s{colour}"
    return f"reader.{key} = {wanted} was asked for, and there is none"


def _number(picture: Picture, key: str) -> int | None:
    if key == "picture":
        return picture.index
    if key == "channel":
        return picture.channel
    return picture.plane if picture.plane is not None else picture.time


def _is_numbered(picture: Picture, key: str, wanted: Named) -> bool:
    """Return True if a picture has the number that is wanted; a number as text is a number too."""
    text = str(wanted).strip()
    return text.isascii() and text.isdigit() and len(text) < 10 and _number(picture, key) == int(text)


def _is_named(picture: Picture, key: str, wanted: Named) -> bool:
    """Return True if a picture has the name that is wanted; capitals do not matter."""
    name = {"picture": picture.name, "channel": picture.channel_name, "plane": picture.plane_name}[key]
    return bool(name) and name.strip().casefold() == str(wanted).strip().casefold()


def _composed(asked: Sequence[FoundPicture]) -> tuple[tuple[FoundPicture, ...], bool] | None:
    """Return three grey pictures of one field as red, green and blue, and whether that is only assumed; else None."""
    if len(asked) != 3 or any(one.glows or one.picture.channel is None for one in asked):
        return None
    if len({(one.image, one.picture.size_px, one.picture.plane, one.picture.time) for one in asked}) != 1:
        return None
    if any(one.picture.samples != 1 or one.picture.dtype != "uint8" or one.part is None for one in asked):
        return None
    colours = [colour_of_name(one.picture.channel_name) for one in asked]
    if sorted(c for c in colours if c is not None) == [0, 1, 2]:
        return tuple(one for _, one in sorted(zip(colours, asked, strict=True), key=lambda pair: pair[0] or 0)), False
    if all(is_no_name(one.picture.channel_name) for one in asked):
        return tuple(asked), True
    return None


def _reasons(found: Sequence[FoundPicture], taken: Sequence[FoundPicture], is_composed: bool) -> list[Picture]:
    """Return the list with what was taken marked, and a reason for each."""
    used = {
        part.directory_at for one in taken for part in (*([one.part] if one.part else []), *(p for _, p in one.levels))
    }
    numbers = [one.picture.index for one in taken]
    listed = []
    for one in found:
        picture = one.picture
        if picture.index in numbers:
            colour = ("red", "green", "blue")[numbers.index(picture.index)] if is_composed else ""
            why = f"{colour} of the picture that is measured" if colour else "the picture that is measured"
            listed.append(replace(picture, taken=True, why=why))
        elif picture.role == "reduced level" and one.part is not None and one.part.directory_at in used:
            listed.append(replace(picture, taken=True, why="a reduced level of the picture that is measured"))
        else:
            listed.append(replace(picture, why=_left_out(picture)))
    return listed


def _left_out(picture: Picture) -> str:
    if picture.role in ("macro", "label", "thumbnail"):
        return f"a {picture.role} is never the slide"
    return "a reduced level of another picture" if picture.role == "reduced level" else "another one is meant"


def _what(asked: Sequence[FoundPicture]) -> str:
    """Return the words on how several pictures differ."""
    kinds = []
    for key, name in (("channel", "channels"), ("plane", "focal planes or slices")):
        numbers = {getattr(one.picture, key) for one in asked}
        if len(numbers) > 1:
            kinds.append(f"{len(numbers)} {name}")
    times = {one.picture.time for one in asked}
    kinds += [f"{len(times)} times"] if len(times) > 1 else []
    images = {one.image for one in asked}
    kinds += [f"{len(images)} images"] if len(images) > 1 else []
    return f"it holds {len(asked)} pictures ({', '.join(kinds) or 'of one kind'}), and nothing says which one is meant"


def _told(picture: Picture) -> str:
    """Return a picture in words: its number, names, size."""
    words = [f"picture {picture.index}"]
    if picture.name:
        words.append(f"'{picture.name}'")
    if picture.channel is not None:
        words.append(f"channel {picture.channel}" + (f" '{picture.channel_name}'" if picture.channel_name else ""))
    if picture.plane is not None:
        words.append(f"plane {picture.plane}" + (f" '{picture.plane_name}'" if picture.plane_name else ""))
    if picture.time is not None:
        words.append(f"time {picture.time}")
    return " ".join(words)


def _refused(file: Path, found: Sequence[FoundPicture], what: str, remedy: str) -> SlideOpenError:
    """Return the refusal, with the list of what the file holds."""
    lines = [
        f"{_told(p)} ({p.role}, {p.size_px.width_px} × {p.size_px.height_px} px)"
        for p in (one.picture for one in found[:_LISTED])
    ]
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return SlideOpenError(f"{file}: {what}; {remedy}. It holds: {'; '.join(lines)}{more}")
