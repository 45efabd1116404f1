"""results: the corrections that make an amended version, read again from its folder and from those that it corrects."""

from collections.abc import Iterator
from dataclasses import replace

from wsi_area.annotations.corrections.corrections_file import parse_corrections
from wsi_area.errors import ResultError
from wsi_area.model.corrections.correction import Correction
from wsi_area.results.amended import AmendedSlide, read_amended
from wsi_area.results.layout import CORRECTIONS_NAME, SlideLayout


def corrections_of(layout: SlideLayout, version: AmendedSlide) -> list[tuple[Correction, int]]:
    """Return the corrections that make a version, from what was measured on, each with the version it came with.

    Raises
    ------
    AnnotationError, ResultError
        If a file of them cannot be read, or is not the one that the version was made from.
    """
    return [pair for step in reversed(list(_chain(layout, version))) for pair in _own(step)]


def _chain(layout: SlideLayout, version: AmendedSlide) -> Iterator[AmendedSlide]:
    while True:
        yield version
        below = version.amendment.corrects
        if below is None:
            return
        if below >= version.number:
            raise ResultError(f"{version.layout.root} says that it corrects version {below}; it was changed")
        version = read_amended(layout, below)


def _own(version: AmendedSlide) -> list[tuple[Correction, int]]:
    place = version.layout.root / CORRECTIONS_NAME
    told = [one for one in version.amendment.listed if one.version == version.number]
    try:
        content = place.read_bytes()
    except OSError as error:
        raise ResultError(
            f"{place} cannot be read ({error.strerror or error}); the version cannot be made again"
        ) from error
    given = parse_corrections(content, str(place), version.result.size_l0_px, told[0].reviewer if told else "")
    if given.sha256 != version.amendment.file_sha256 or len(given.listed) != len(told):
        raise ResultError(f"{place} is not the file that the version was made from; it was changed")
    return [
        (replace(one, reviewer=row.reviewer, utc=row.utc), version.number)
        for one, row in zip(given.listed, told, strict=True)
    ]
