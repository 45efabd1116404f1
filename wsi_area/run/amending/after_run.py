"""run: corrections given with a run: whose each file is, looked up before anything is measured, and laid after."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from wsi_area.annotations.corrections.corrections_file import corrections_bytes, slide_named
from wsi_area.errors import AnnotationError, WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.run.amending.amend import AmendOptions, AmendOutcome
from wsi_area.run.amending.in_run import amend_in_run
from wsi_area.storage.place import Place

_SUFFIXES = (".geojson", ".json", ".geojson.gz", ".json.gz")


@frozen_value
class GivenCorrections:
    """A file of corrections and the slide that it is for."""

    slide_id: str
    file: Path


@frozen_value
class LaidCorrections:
    """What became of a file of corrections: a version, or why there is none."""

    given: GivenCorrections
    outcome: AmendOutcome | None
    reason: str = ""


def given_corrections(paths: Sequence[Path], slide_ids: Collection[str]) -> list[GivenCorrections]:
    """Return the files of corrections among some paths, each with the slide that it is for.

    Parameters
    ----------
    paths
        Files, and folders of them.
    slide_ids
        The slides that are measured. A file that names none of them is for the only one there is.

    Raises
    ------
    AnnotationError
        If a file cannot be read, or nobody knows which slide it is for.
    """
    return [_given(file, slide_ids) for file in _files(paths)]


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(file for file in path.iterdir() if file.name.casefold().endswith(_SUFFIXES))
        if not found:
            raise AnnotationError(
                f"{path} holds no file of corrections ({', '.join(_SUFFIXES)}); name the right folder"
            )
        yield from found


def _given(file: Path, slide_ids: Collection[str]) -> GivenCorrections:
    name = slide_named(corrections_bytes(file), str(file))
    if not name and len(slide_ids) == 1:
        return GivenCorrections(next(iter(slide_ids)), file)
    if name not in slide_ids:
        known = ", ".join(map(repr, sorted(slide_ids)[:10])) or "none"
        told = (
            f"is for the slide {name!r}, which is not measured here" if name else "does not say which slide it is for"
        )
        raise AnnotationError(f'{file} {told} (slides: {known}); write "slide" into it, or leave it out')
    return GivenCorrections(name, file)


def lay_all(root: Place, given: Sequence[GivenCorrections], workers: int) -> Iterator[LaidCorrections]:
    """Yield what became of each file of corrections; one that cannot be laid costs no other."""
    for one in given:
        try:
            outcome = amend_in_run(root, one.slide_id, one.file, AmendOptions(), workers)
        except WsiAreaError as error:
            yield LaidCorrections(one, None, str(error))
        else:
            yield LaidCorrections(one, outcome, "" if outcome is not None else "it was interrupted")
