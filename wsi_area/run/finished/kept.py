"""run: the result of an earlier run that stands as it is, and the note by which that is seen.

Without the note, or where anything is not what it was, a slide is prepared as if for the first time: its findings
follow today's limits, torn files are mended, a changed slide is refused.
"""

import json
from pathlib import Path

from wsi_area.errors import ResultError
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.class_map.slide_files import FINISHED_NAME, slide_files_digest
from wsi_area.results.documents import read_result
from wsi_area.results.layout import SlideLayout, json_bytes
from wsi_area.run.finished.basis import Basis
from wsi_area.storage.place import commit

_STANDING = frozenset({"complete", "needs_calibration"})
"""How a slide ended of which nothing is left to be tried again."""


def standing_result(layout: SlideLayout, basis: Basis | None) -> CountedSlide | None:
    """Return the result of an earlier run, if it rests on the same and every file of it is whole; else None.

    Parameters
    ----------
    layout : SlideLayout
    basis : Basis or None
        What a result would rest on today; None where that is not known.
    """
    if basis is None or not isinstance(layout.root, Path):
        return None
    try:
        note = json.loads((layout.root / FINISHED_NAME).read_bytes())
        if note["rests_on"] != basis.parts or note["files"] != slide_files_digest(layout, proven=True):
            return None
        result = read_result(layout)
    except (OSError, ValueError, LookupError, TypeError, ResultError):
        return None
    return result if isinstance(result, CountedSlide) and _is_done(result) else None


def note_finished(layout: SlideLayout, result: EndedSlide, basis: Basis | None) -> None:
    """Write down what a result rests on, once it is written; nothing where something is left to be tried again.

    Whoever cannot write it has only more to do next time.
    """
    if basis is None or not isinstance(result, CountedSlide) or not _is_done(result):
        return
    files = slide_files_digest(layout, proven=False)
    if files is None:
        return
    try:
        commit(layout.root / FINISHED_NAME, (json_bytes({"rests_on": basis.parts, "files": files}),), flushed=False)
    except OSError:
        return


def _is_done(result: CountedSlide) -> bool:
    return result.status in _STANDING and result.unreadable.n_px == 0
