"""audit: a finished run held against itself: class maps, ledgers, documents, tables, pictures and report."""

import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from wsi_area.audit.verification.amended_check import check_with_versions
from wsi_area.audit.verification.disagreement import Disagreement
from wsi_area.audit.verification.files_check import file_faults, read_run_seal, unheld_files
from wsi_area.audit.verification.review_check import CheckedReview, check_review
from wsi_area.audit.verification.slide_check import CheckedSlide, SlideTask
from wsi_area.audit.verification.tables_check import table_faults
from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.run_seal import RunSeal, SealedLater
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.layout import RunLayout
from wsi_area.results.run_folder import require_readable
from wsi_area.results.same_content import same_content, with_same_content
from wsi_area.results.seal.contents import table_digest
from wsi_area.results.tables.region_tables import with_regions
from wsi_area.results.tables.run_tables import run_tables
from wsi_area.results.tables.workbook.sheets import WORKBOOK
from wsi_area.storage.place import Place
from wsi_area.version import __version__

__all__ = ["Disagreement", "Verified", "verify_run"]


@frozen_value
class Verified:
    """What was looked at, what did not agree, and the seal that the run bears."""

    slides: int
    tiles: int
    disagreements: tuple[Disagreement, ...]
    seal: str | None  # None: it has none, or one that cannot be read
    later: tuple[SealedLater, ...]  # what was sealed after the run had ended
    not_held: tuple[str, ...]  # what cannot be held against a digest, a line each


def verify_run(
    folder: Place,
    *,
    with_slides: bool = True,
    workers: int = 1,
    seal: str | None = None,
    heads: Sequence[str] = (),
    events: Place | None = None,
) -> Verified:
    """Return every disagreement in a run folder; nothing in it is changed.

    For each measured slide: the class map is counted again, tile by tile, and held against the ledger; the ledger
    against the document and the size of the slide; each area against its count; the certificate against its hash and
    the rest of the document; the key of the ledger against that of the document; the table of objects against the foci
    of the document; the table of regions against document, outlines and class map; the picture of its classes against
    the class map; and, where the slide file can be reached, its fingerprint against the one on record. Of
    all slides together: which files hold the same. Every table and the workbook are made again from the documents and
    compared cell by cell. Chains, heads, table and seal of a review are held against one another. Each amended version
    of a slide is made again from its corrections, held against itself and against its own seal. Every file that
    somebody reads is held against its digest in the seal, and the seal against what it seals.

    Parameters
    ----------
    folder : Place
        The folder that ``--out`` named.
    with_slides : bool
        Whether the slide files themselves are looked at.
    workers : int
        Processes that share the slides; 1 starts none. Of fewer slides, threads of each process share a class map.
    seal : str or None
        The seal on somebody's paper, or how it begins: it has to be the one of this run.
    heads : sequence of str
        Heads of the chains of a review on somebody's paper, or how they begin: each has to be there.
    events : Place or None
        Where a review of the run lies besides, since the run is read-only.

    Raises
    ------
    ResultError
        If the folder holds no run.
    SettingsError
        If ``workers`` is less than 1.
    """
    if workers < 1:
        raise SettingsError(f"--workers {workers}: at least one has to do the work; give 1 or more")
    layout = RunLayout(folder)
    run = require_readable(layout)
    sealed, found = (None, []) if run.state == "running" else read_run_seal(layout, run)
    if run.state != "finished":
        how = "was interrupted" if run.state == "interrupted" else "has not ended: it is at work, or was ended at once"
        told = f"the run {how}; run the same command again to finish it"
        found.insert(0, Disagreement("", "run", told))
    if seal is not None and not (run.seal or "").startswith(seal.strip().rstrip("…").lower() or "-"):
        found.append(Disagreement("", "seal", f"this run bears {run.seal or 'none'}, not {seal}: it is another run"))
    checked = list(_checked(layout, run, sealed, with_slides, workers))
    found += [fault for one in checked for fault in one.faults]
    found += _twin_faults(run, checked)
    known = [with_same_content(one.result, run.twins) for one in checked if one.result is not None]
    review = check_review(layout, run, known, () if events is not None else heads)
    found += review.faults
    beside = CheckedReview() if events is None else check_review(layout, run, known, heads, events)
    found += [fault for fault in beside.faults if fault not in review.faults]  # a folder may go on with the run's
    if run.state != "running":
        found += _made_faults(layout, run, sealed, checked, found, review)
    later = () if sealed is None else sealed.later
    not_held = (
        ()
        if run.state == "running"
        else (*unheld_files(layout, run, sealed), *dict.fromkeys((*review.notes, *beside.notes)))
    )
    not_held += tuple(line for one in checked for line in one.not_held)
    seal_text = None if sealed is None else sealed.seal
    return Verified(len(checked), sum(one.tiles for one in checked), tuple(found), seal_text, later, not_held)


def _checked(
    layout: RunLayout, run: RunRecord, sealed: RunSeal | None, with_slides: bool, workers: int
) -> Iterator[CheckedSlide]:
    """Yield what came of each slide, in the order of the run."""
    of_slide = {} if sealed is None else sealed.slides
    threads = max(1, workers // max(1, len(run.slides_planned)))
    tasks = [
        SlideTask(layout.root, name, run.ended_slides.get(name), of_slide.get(name), with_slides, threads)
        for name in run.slides_planned
    ]
    if workers == 1 or len(tasks) < 2:
        yield from map(check_with_versions, tasks)
        return
    with ProcessPoolExecutor(min(workers, len(tasks)), multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(check_with_versions, tasks)


def _twin_faults(run: RunRecord, checked: Sequence[CheckedSlide]) -> Iterator[Disagreement]:
    told, known = run.twins, same_content(one.result for one in checked if one.result is not None)
    if run.state == "finished" and told != known and all(one.result is not None for one in checked):
        what = f"slides that hold the same are {_groups(told)} in it, {_groups(known)} by their files"
        yield Disagreement("", "run.json", what)


def _groups(twins: Iterable[Sequence[str]]) -> str:
    return "; ".join(" = ".join(names) for names in twins) or "none"


def _made_faults(
    layout: RunLayout,
    run: RunRecord,
    sealed: RunSeal | None,
    checked: Sequence[CheckedSlide],
    found: Sequence[Disagreement],
    review: CheckedReview,
) -> Iterator[Disagreement]:
    """Yield what is wrong with what is made from the documents: the tables, and every file under the seal.

    Of a slide whose document is not what was written, the tables cannot be made again: the document is named.
    """
    spoilt = {fault.slide_id for fault in found if fault.what in {"result.json", "record", "area"}}
    named = {(fault.slide_id, fault.what) for fault in found} | {(slide_id, "result.json") for slide_id in spoilt}
    newer = {} if review.workbook is None else {WORKBOOK: review.workbook}
    files = [] if sealed is None else list(file_faults(layout, sealed, named, newer))
    spoilt |= {fault.slide_id for fault in files if fault.what == "result.json"}
    known = [with_same_content(one.result, run.twins) for one in checked if one.result is not None]
    slides = [slide for slide in known if slide.slide_id not in spoilt]
    unknown = {one.slide_id for one in checked} - {slide.slide_id for slide in slides}
    cells = list(table_faults(layout, run, slides, unknown, review.table))
    yield from cells
    in_cells = {fault.what for fault in cells}
    yield from (fault for fault in files if fault.slide_id or fault.what not in in_cells)
    if sealed is not None and not unknown and not cells and run.wsi_area_version == __version__:
        yield from _sealed_table_faults(layout, sealed, run, slides)


def _sealed_table_faults(
    layout: RunLayout, sealed: RunSeal, run: RunRecord, slides: Sequence[EndedSlide]
) -> Iterator[Disagreement]:
    bare = {slide.slide_id for slide in slides if type(slide) is EndedSlide}
    if bare:
        return  # of a slide that failed run.json does not have all that the table had
    path_of = {slide.slide_id: slide.path for slide in slides}
    for name, table in with_regions(run_tables(slides, run), layout, slides).items():
        if table_digest(table, path_of) != sealed.tables.get(name):
            yield Disagreement("", f"table {name}", "what the documents make of it is not what was sealed")
