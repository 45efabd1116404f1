"""audit: the files of a run held against its seal, byte by byte, and the seal against itself."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from wsi_area.audit.verification.disagreement import Disagreement
from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.model.record.run_seal import RunSeal
from wsi_area.model.run_record import RunRecord
from wsi_area.results.documents import read_seal
from wsi_area.results.layout import RunLayout
from wsi_area.results.seal.contents import run_digest
from wsi_area.storage.place import Place

REPORTS = ("report.html", "report.pdf", "report_amended.html", "report_amended.pdf")
NO_SEAL = (
    "this run has no seal, since an earlier version wrote it: the report, the thumbnails, and texts that only a "
    "document has cannot be held against a digest"
)


def read_run_seal(layout: RunLayout, run: RunRecord) -> tuple[RunSeal | None, list[Disagreement]]:
    """Return the seal of a run, None where it has none or one that cannot be read, and what is wrong with it.

    Raises
    ------
    NewerDocumentError
        If a later version wrote it.
    """
    if run.seal is None and not layout.seal_json.exists():
        return None, []
    try:
        seal = read_seal(layout)
    except NewerDocumentError:
        raise
    except ResultError as error:
        return None, [Disagreement("", "seal.json", str(error))]
    return seal, [Disagreement("", "seal.json", why) for why in _seal_faults(seal, run)]


def _seal_faults(seal: RunSeal, run: RunRecord) -> Iterator[str]:
    if seal.seal != run.seal:
        yield f"its seal is {seal.seal[:12]}…, run.json says {(run.seal or 'none')[:12]}"
    if seal.expected_seal != seal.seal:
        yield f"its digests make the seal {seal.expected_seal[:12]}…, not {seal.seal[:12]}…: one of them was changed"
    if run_digest(run) != seal.run:
        yield "run.json does not name the slides and the settings that were sealed"
    if other := sorted(seal.slides.keys() ^ set(run.slides_planned)):
        yield f"it and run.json do not have the same slides: {', '.join(other[:5])}"
    before = seal.seal
    for number, added in enumerate(seal.later, 1):
        if added.previous != before or added.expected_seal != added.seal:
            yield f"addition {number} ({added.name}) is not the one that was chained to the seal before it"
        before = added.seal


def file_faults(
    layout: RunLayout, seal: RunSeal, named: Collection[tuple[str, str]], newer: Mapping[str, str]
) -> Iterator[Disagreement]:
    """Yield the files that are not those that were written.

    Parameters
    ----------
    layout, seal
        Where they lie, and their digests.
    named : collection of (slide id, file)
        Those of which something is said already.
    newer : mapping
        Digests of files that were written again since, under a seal of their own, by place.
    """
    for place, digest in {**seal.held_files, **newer}.items():
        slide_id, name = _of_slide(place)
        if (slide_id, name) in named or (not slide_id and any(name == told for _, told in named)):
            continue
        is_later = place not in seal.files
        try:
            found = _digest(layout.root / place)
        except FileNotFoundError:
            if not is_later:  # what is gone shows nobody a wrong number; of the run's own files each is needed
                yield Disagreement(slide_id, name, "it was sealed and is not there any more")
            continue
        except OSError as error:
            yield Disagreement(slide_id, name, f"it cannot be read ({error.strerror or error})")
            continue
        if found != digest:
            told = f"{place} is not the file that was written (SHA-256 {found[:12]}…, sealed {digest[:12]}…)"
            yield Disagreement(slide_id, name, told)


def unheld_files(layout: RunLayout, run: RunRecord, seal: RunSeal | None) -> list[str]:
    """Return the files that cannot be held against a digest, a line each."""
    if seal is None:
        return [NO_SEAL]
    others = sorted(set(_slide_folders(layout)) - set(run.slides_planned))
    of_others = [f"of no slide of this run, so not held: {', '.join(f'slides/{name}' for name in others[:5])}"]
    loose = [name for name in REPORTS if name not in seal.held_files and (layout.root / name).is_file()]
    told = [f"not under the seal, so not held: {', '.join(loose)}"] if loose else []
    return told + (of_others if others else [])


def _slide_folders(layout: RunLayout) -> list[str]:
    """Return the names of the folders of slides; none in a bucket, where nobody puts one by hand."""
    if not isinstance(layout.root, Path):
        return []
    folder = Path(str(layout.slides))
    return [entry.name for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []


def _of_slide(place: str) -> tuple[str, str]:
    """Return the slide that a file is of, "" for the run's own, and the file's name there.

    >>> _of_slide("slides/a/thumb.jpg"), _of_slide("summary.csv")
    (('a', 'thumb.jpg'), ('', 'summary.csv'))
    """
    first, _, rest = place.partition("/")
    slide_id, _, name = rest.partition("/")
    return (slide_id, name) if first == "slides" and name else ("", place)


def _digest(place: Place) -> str:
    if not isinstance(place, Path):
        return hashlib.sha256(place.read_bytes()).hexdigest()
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
