"""slides: a picture of a TIFF that OpenSlide does not show as it is meant, read from its own stored tiles."""

from pathlib import Path

import tifffile

from wsi_area.errors import SlideOpenError
from wsi_area.model.geometry import Size
from wsi_area.model.picture import PictureChoice, StoredPart
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.slides.header.fingerprint import digests
from wsi_area.slides.header.tiff_slide import (
    TiffSlide,
    further_claims,
    ome_power,
    split_claims,
    tag_claims,
    with_claims,
)
from wsi_area.slides.stored.part_tiles import StoredPicture, damage_of
from wsi_area.slides.stored.plain_depth import SampleDepth, brightest_depth, declared_depth

STORED_VENDOR = "tiff"
_TIFF_ERRORS = (tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, TypeError, ArithmeticError)
_SCANNED_PX = 1 << 27  # as many pixels are decoded, of the coarsest level that suffices, to see how bright they are


def inspect_stored(file: Path, slide_id: str, meant: TiffSlide, choice: PictureChoice) -> SlideInfo:
    """Return a slide whose samples are read from the tiles of the directories that the picture is made of.

    Raises
    ------
    SlideOpenError
        It is not stored in tiles, or in a way that is not read.
    """
    parts = level_parts(meant)
    try:
        with StoredPicture(file, parts) as picture:
            for level in range(len(parts)):
                if (damage := damage_of(picture, level)) is not None:
                    raise SlideOpenError(f"{file}: {damage}; export the picture by itself, as a tiled TIFF of 8 bits")
            sizes = [picture.size_px(level) for level in range(len(parts))]
            tiles = [picture.tile_px(level) for level in range(len(parts))]
            depth = _depth(picture, meant, sizes)
    except SlideOpenError:
        raise
    except _TIFF_ERRORS as error:
        raise SlideOpenError(f"{file}: its TIFF structure cannot be followed ({error}); export it again") from error
    read, unread = split_claims([*further_claims(file, meant), *tag_claims(meant)])
    status = file.stat()
    fingerprint, content_digest = digests(file, None)
    return SlideInfo(
        slide_id=slide_id,
        path=str(file),
        vendor=STORED_VENDOR,
        size_l0_px=sizes[0],
        levels=tuple(_level(index, size, sizes[0], tiles[index]) for index, size in enumerate(sizes)),
        fingerprint=fingerprint,
        file_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        objective_power=ome_power(meant),
        mpp_candidates=read,
        content_digest=content_digest,
        unread_claims=unread,
        pictures=with_claims(meant.one.listed, read),
        choice=choice,
        picture_note=meant.one.note,
        colours_assumed=meant.one.is_assumed,
        level_parts=parts,
        orientation=meant.orientation,
        properties={} if depth is None else depth.properties,
    )


def level_parts(meant: TiffSlide) -> tuple[tuple[StoredPart, ...], ...]:
    """Return for each level where its samples lie: of several parts those levels that all of them have."""
    taken = meant.one.taken
    common = set.intersection(*(({size for size, _ in one.levels}) for one in taken))
    sizes = [size for size, _ in taken[0].levels if size in common]
    by_size = [dict(one.levels) for one in taken]
    return (meant.one.parts, *(tuple(levels[size] for levels in by_size) for size in dict.fromkeys(sizes)))


def _level(index: int, size: Size, full: Size, tile: Size) -> Level:
    return Level(index, size, full.width_px / size.width_px, full.height_px / size.height_px, tile)


def _depth(picture: StoredPicture, meant: TiffSlide, sizes: list[Size]) -> SampleDepth | None:
    """Return the number of bits of the samples of a 16-bit picture: as stated, else by the brightest that was seen."""
    if picture.dtype != "uint16":
        return None
    stated = declared_depth({}, meant.directories[0].description)
    if stated is not None:
        return stated
    level = next((n for n, size in enumerate(sizes) if size.area_px <= _SCANNED_PX), len(sizes) - 1)
    brightest = brightest_depth(*picture.brightest(level))
    if level == 0:
        return brightest
    return SampleDepth(min(16, brightest.bits + 1), f"{brightest.source} on level {level}, and a bit to spare")
