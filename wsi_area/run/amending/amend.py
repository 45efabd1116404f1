"""run: a slide of a finished run amended: which result the corrections are for, and the next version in its folder."""

import hashlib
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from wsi_area.annotations.corrections.corrections_file import is_replacing, parse_corrections, signed_content
from wsi_area.annotations.corrections.drawn_features import of_slide
from wsi_area.errors import AnnotationError, ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.corrections.amendment import CorrectionOnRecord
from wsi_area.model.corrections.correction import Corrections
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.amended import AmendedSlide, amended_slides, read_amended
from wsi_area.results.class_map.soundness import flush_stores
from wsi_area.results.content_hash import content_hash
from wsi_area.results.corrections.laid_corrections import corrections_of
from wsi_area.results.documents import read_result, write_result
from wsi_area.results.layout import CORRECTIONS_NAME, SlideLayout, write_bytes
from wsi_area.results.seal.amended_seal import seal_amended
from wsi_area.results.seal.sealed_run import class_map_digest
from wsi_area.results.thumbnail import THUMBNAIL_NAME
from wsi_area.run.amending.amended_version import VersionWanted, make_version
from wsi_area.run.amending.on_record import settings_on_record
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.class_picture import order_class_thumbnail
from wsi_area.storage.place import remove_tree

_LOG = logging.getLogger(__name__)
MEASURED = 0
"""In place of a version's number: what was measured."""


@frozen_value
class AmendOptions:
    """How corrections are laid."""

    on: int | None = None  # what a file without a base corrects: MEASURED, or a version's number; None: not said
    reviewer: str = ""  # where the file does not say
    drawn_are_filtered: bool = False  # whether the filters by size act on what was drawn, too


@frozen_value
class AmendOutcome:
    """The amended version that corrections make, and whether it had been there before."""

    version: AmendedSlide | None  # None: no pixel would be another one than in the newest result, so none is made
    was_there: bool
    listed: tuple[CorrectionOnRecord, ...]  # what each correction did


def amend_slide(
    layout: SlideLayout, run: RunRecord, content: bytes, path: str, options: AmendOptions, executor: Executor
) -> AmendOutcome | None:
    """Return the amended version of a slide that a file of corrections makes; None if stopped before the end.

    The same corrections of the same result make the same version: it is not made twice. Corrections after which every
    pixel is what it is in the newest result make none.

    Parameters
    ----------
    layout, run
        The slide's folder, and what ran; for whoever holds the folder of the run.
    content, path
        The text of the file, and where it lies, for messages.
    options, executor
        How they are laid, and who does the work.

    Raises
    ------
    AnnotationError
        If the file cannot be read, is for another slide or another result, or cannot be laid over this one.
    ResultError
        If the slide has no class map, or something cannot be read or written.
    """
    measured = _measured(layout)
    given_sha256 = hashlib.sha256(content).hexdigest()
    content = signed_content(content, path, options.reviewer, datetime.now(UTC).isoformat(timespec="seconds"))
    given = parse_corrections(content, path, measured.size_l0_px)
    _require_this_slide(given, measured)
    versions = amended_slides(layout)
    on = _corrected(given, measured, versions, options)
    base = content_hash(measured) if on is None else on.content_hash
    for version in versions:
        told = version.amendment
        same = (told.base, told.given_sha256, told.drawn_are_filtered)
        if same == (base, given_sha256, options.drawn_are_filtered) and not version.is_base_gone:
            if not version.layout.seal_json.exists():  # killed between the two
                seal_amended(version.layout, version.result, told)
            return AmendOutcome(version, True, told.listed)
    number = versions[-1].number + 1 if versions else 1
    wanted = replace(_wanted(layout, run, measured, given, on, number, options), given_sha256=given_sha256)
    version_layout = wanted.layout
    remove_tree(version_layout.root)  # of one that was killed
    version_layout.root.mkdir(parents=True, exist_ok=True)
    try:
        result = _written(wanted, content, executor)
    except BaseException:  # Ctrl-C too
        remove_tree(version_layout.root)
        raise
    if result is None:
        remove_tree(version_layout.root)
        return None
    _LOG.info("%s: amended version %d", measured.slide_id, number)
    made = read_amended(layout, number)
    if on is (versions[-1] if versions else None) and _same_pixels(made, measured, layout, on):
        remove_tree(version_layout.root)
        return AmendOutcome(None, False, made.amendment.listed)
    return AmendOutcome(made, False, made.amendment.listed)


def _same_pixels(made: AmendedSlide, measured: CountedSlide, layout: SlideLayout, on: AmendedSlide | None) -> bool:
    """Return True if a version has the class map, and the tissue, of the result that it corrects.

    One of which something could not be painted is another result: that has to be on record.
    """
    before = measured if on is None else on.result
    is_clipped = any(one.n_px_not_painted or one.beyond_mm2 for one in made.amendment.listed)
    if is_clipped or made.result.counts.n_px_by_class != before.counts.n_px_by_class:
        return False
    now = made.amendment.class_map, made.amendment.tissue_map
    if on is not None:
        return now == (on.amendment.class_map, on.amendment.tissue_map)
    tissue = None if measured.tissue_layer is None else class_map_digest(layout.tissue)
    return now == (class_map_digest(layout), tissue)


def _measured(layout: SlideLayout) -> CountedSlide:
    found = read_result(layout)
    if not isinstance(found, CountedSlide):
        raise ResultError(
            f"{layout.slide_id} is {found.status} and has no class map ({found.reason}); measure it first"
        )
    if found.is_estimate:
        raise ResultError(
            f"{layout.slide_id} is an estimate from a sample, so most of its class map is not there; measure all of "
            "it, then amend it"
        )
    return found


def _require_this_slide(given: Corrections, measured: CountedSlide) -> None:
    if given.slide_id not in {"", measured.slide_id}:
        raise AnnotationError(
            f"{given.path} corrects the slide {given.slide_id!r}, not {measured.slide_id!r}; give the right one"
        )
    tomorrow = datetime.now(UTC) + timedelta(days=1)  # clocks may differ, by less
    for number, one in enumerate(given.listed, 1):
        if one.utc and datetime.fromisoformat(one.utc) > tomorrow:
            raise AnnotationError(
                f"{given.path}: feature {number} says that it was drawn at {one.utc}, which is yet to come; set the "
                "time right, or leave it out, then that of the command is taken"
            )
    if any(not one.reviewer for one in given.listed):
        raise AnnotationError(
            f'{given.path} does not say who drew it; write "reviewer" into it, or give wsi-area amend --reviewer NAME'
        )


def _corrected(
    given: Corrections, measured: CountedSlide, versions: tuple[AmendedSlide, ...], options: AmendOptions
) -> AmendedSlide | None:
    """Return the version that corrections are for; None for what was measured."""
    known = {content_hash(measured): None} | {v.content_hash: v for v in versions}
    if given.base:
        if given.base not in known:
            told = ", ".join(f"{'version ' + str(v.number) if v else 'measured'} {base}" for base, v in known.items())
            raise AnnotationError(
                f"{given.path} corrects {given.base}, which is no result of {measured.slide_id} (there are: {told}); "
                "look whether it is right for one of them, and write that base into the file"
            )
        found = known[given.base]
        if options.on is not None and options.on != (MEASURED if found is None else found.number):
            raise AnnotationError(f"{given.path} says itself what it corrects ({given.base}); leave --on out")
    elif options.on is None and (versions or not is_replacing(given.listed)):
        raise AnnotationError(
            f'{given.path} does not say which result it corrects; write "base": "{content_hash(measured)}" into it for '
            "what was measured, or give --on measured, or --on N for the amended version N"
        )
    elif not options.on:
        found = None
    else:
        found = next((v for v in versions if v.number == options.on), None)
        if found is None:
            numbers = ", ".join(str(v.number) for v in versions) or "none"
            raise AnnotationError(f"{measured.slide_id} has no amended version {options.on}; there are: {numbers}")
    if found is not None and found.is_base_gone:
        raise AnnotationError(
            f"{given.path} corrects the amended version {found.number}, whose base is gone, since the slide was "
            "measured again; correct what was measured now"
        )
    return found


def _wanted(
    layout: SlideLayout,
    run: RunRecord,
    measured: CountedSlide,
    given: Corrections,
    on: AmendedSlide | None,
    number: int,
    options: AmendOptions,
) -> VersionWanted:
    own = [(one, number) for one in given.listed]
    laid = [*([] if on is None else corrections_of(layout, on)), *own]
    return VersionWanted(
        measured=measured,
        below=layout,
        layout=layout.amended(number),
        listed=tuple(one for one, _ in laid),
        versions=tuple(version for _, version in laid),
        corrects=None if on is None else on.number,
        base=content_hash(measured) if on is None else on.content_hash,
        file_sha256=given.sha256,
        given_sha256=given.sha256,
        drawn_are_filtered=options.drawn_are_filtered,
        settings=settings_on_record(run, measured.slide_id),
        run_seal=run.seal,
        findings=of_slide(given.findings, measured.slide_id),
    )


def _written(wanted: VersionWanted, content: bytes, executor: Executor) -> CountedSlide | None:
    """Return the result of a version, its folder written whole; None if stopped before the end."""
    layout = wanted.layout
    write_bytes(layout.root / CORRECTIONS_NAME, content)
    thumbnail = wanted.below.root / THUMBNAIL_NAME
    if thumbnail.is_file():
        write_bytes(layout.root / THUMBNAIL_NAME, thumbnail.read_bytes())
    result = make_version(wanted, executor)
    if result is None or result.amendment is None:
        return None
    order_class_thumbnail(layout, result, executor)
    flush_stores(layout)
    write_result(layout, result)
    seal_amended(layout, result, result.amendment)
    return result
