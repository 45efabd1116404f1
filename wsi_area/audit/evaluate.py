"""audit: the class maps of a finished run held against the truth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wsi_area.annotations import region_of_interest
from wsi_area.audit.accuracy import Accuracy, ImageAgreement
from wsi_area.audit.map_blocks import OUTSIDE_WITHIN, WITHOUT_TRUTH, held_against
from wsi_area.audit.truth import Naming, truth_of
from wsi_area.compute.judge.held_out_area import held_out_areas
from wsi_area.errors import AnnotationError, ResultError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.drawn_source import DrawnSource, read_for_slide
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme, TissueClass
from wsi_area.model.drawn import Drawn, RegionOfInterest
from wsi_area.model.slide import SlideInfo
from wsi_area.model.slide_result import CountedSlide
from wsi_area.model.uncertainty.reference_score import AdjustedArea
from wsi_area.plain_text import named_file
from wsi_area.results.corrections.amended_run import open_amended
from wsi_area.results.opened_run import open_run
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.storage.in_order import for_each
from wsi_area.storage.place import Place

REST = "rest"
"""What is none of the compared classes, in truth and on the map."""

_FLAGS = {"tumor": "is_tumor", "positive": "is_positive", "tissue": "is_tissue"}
_Read = tuple[OpenedSlide, Drawn, RegionOfInterest | None]
"""A slide, what was drawn on it, and where to compare."""


@frozen_value
class RunEvaluation:
    """A run held against the truth, and the slides that could not be."""

    accuracy: Accuracy | None
    failures: Mapping[str, str]  # slide id → why it was not compared


def evaluate_run(
    run: Place,
    truth: DrawnSource,
    naming: Naming,
    *,
    within: DrawnSource | None = None,
    labelled_only: bool = False,
    groups: Mapping[str, str] | None = None,
    seed: int = 0,
    amended: bool = False,
    workers: int = 1,
) -> RunEvaluation:
    """Return the agreement of the class maps of a run with what was drawn.

    The classes of the truth are compared; whatever else there is on either side is the class ``rest``. A class
    ``tumor`` or ``tissue`` of the truth that the run does not know by name stands for all classes of the run that are
    tumour or tissue. The centre of a work pixel decides, and the pixel counts as the level-0 pixels it stands for.

    Parameters
    ----------
    run
        The folder of a run.
    truth
        Its outlines or masks: a file for one slide, or a folder in which each slide's is found by name.
    naming
        What names and codes in the truth mean; ``rest`` is not used.
    within
        Where to compare at all.
    labelled_only
        Whether what was not drawn is unknown and left out, instead of being ``rest``.
    groups
        Slide id → group, such as the patient; None: each slide is one. Groups are what the intervals go by.
    seed
        Of the intervals.
    amended
        Whether the newest amended version of each slide is taken, where it has one.
    workers
        Threads that share the slides, or the blocks of a few.

    Raises
    ------
    ResultError
        If there is no run.
    SettingsError
        If one file is given for several slides, or a class of the truth is none of the run.
    """
    opened = open_amended(run) if amended else open_run(run)
    ids = opened.run_record.slides_planned
    _refuse_what_does_not_fit(ids, (truth, within), groups)
    known = Naming(naming.renamed, naming.codes, naming.any_nonzero, None if labelled_only else REST)

    def read(slide_id: str) -> _Read | str:
        try:
            slide = _counted(slide_id, opened.get(slide_id))
            drawn = _drawn(slide, truth, "the truth")
            roi = None if within is None else region_of_interest(_drawn(slide, within, "where to compare"))
        except (ResultError, AnnotationError) as error:
            return str(error)
        return slide, drawn, roi

    found = dict(zip(ids, for_each(ids, read, workers), strict=True))
    failures = {slide_id: why for slide_id, why in found.items() if isinstance(why, str)}
    slides = [read for read in found.values() if not isinstance(read, str)]
    if not slides:
        return RunEvaluation(None, failures)
    scheme = _scheme_of(slides, known)
    threads = -(-workers // len(slides))  # of each slide: a few slides are shared block by block
    agreements = for_each(slides, lambda one: _agreement(*one, known, scheme, threads), workers)
    images = tuple(
        replace(image, group=image.slide_id if groups is None else groups[image.slide_id]) for image in agreements
    )
    return RunEvaluation(Accuracy(scheme, images, seed), failures)


def _refuse_what_does_not_fit(
    ids: Sequence[str], sources: Iterable[DrawnSource | None], groups: Mapping[str, str] | None
) -> None:
    if lacking := [slide_id for slide_id in ids if groups is not None and slide_id not in groups]:
        raise SettingsError(
            f"--groups has no line for {len(lacking)} of {len(ids)} slides, the first {lacking[0]!r}; add them, or "
            "leave --groups out"
        )
    for source in sources:
        if source is not None and Path(source.path).is_file() and len(ids) > 1:
            raise SettingsError(f"{source.path} is one file, but the run has {len(ids)} slides; give a folder")


def _scheme_of(slides: Sequence[_Read], known: Naming) -> ClassScheme:
    """Return the classes that are compared: those of the truth, or where nothing was drawn, what the run looks for."""
    names = sorted(set().union(*(known.classes_in(drawn) for _, drawn, _ in slides)) - {REST})
    classes = _classes(slides[0][0])
    if not names and any(c.is_tumor for c in classes):
        names = ["tumor"]  # nothing was drawn anywhere: whatever was found as tumour is held against that
    elif not names and any(c.is_positive for c in classes):
        names = ["positive"]
    return _compared(names, classes)


def _counted(slide_id: str, opened: OpenedSlide | None) -> OpenedSlide:
    if opened is None or not opened.is_counted:
        raise ResultError(f"{slide_id} failed in this run, so there is nothing to compare; mend it and run it again")
    return opened


def _drawn(slide: OpenedSlide, source: DrawnSource, what: str) -> Drawn:
    return read_for_slide(_inspected(slide.counted), source, what, slide.mpp)


def _inspected(slide: CountedSlide) -> SlideInfo:
    """Return the slide with its properties where the file is still there: one format of outlines asks for them."""
    size, levels = slide.size_l0_px, slide.levels
    info = SlideInfo(
        slide.slide_id, slide.path, slide.vendor, size, levels, slide.fingerprint, slide.file_bytes, mtime_ns=0
    )
    path = Path(named_file(slide.path))
    if not path.exists():
        return info
    # imported here: a run can be held against the truth without its slides
    from wsi_area.slides import inspect

    found = inspect(path, slide_id=slide.slide_id, choice=slide.choice)
    if found.size_l0_px != size:
        raise ResultError(f"{path} is not the slide that was measured: it is of another size; run it again")
    return replace(found, fingerprint=slide.fingerprint)


def _classes(slide: OpenedSlide) -> tuple[TissueClass, ...]:
    return tuple(c.tissue_class for c in slide.counted.classes)


def _compared(names: Sequence[str], classes: Sequence[TissueClass]) -> ClassScheme:
    """Return the scheme of what is compared: ``rest``, then the classes of the truth."""
    by_name = {c.name: c for c in classes}
    entries = [TissueClass(BACKGROUND_ID, REST, (255, 255, 255))]
    for name in names:
        same = by_name.get(name)
        members = [same] if same is not None else _flagged(name, classes)
        if not members:
            raise SettingsError(
                f"the truth has the class {name!r}, which is none of the run's ({', '.join(by_name)}); say which it is "
                f"with --map {name}=CLASS, or --map {name}={REST} to compare it with nothing"
            )
        entries.append(TissueClass(len(entries), name, members[0].color_rgb, is_tissue=members[0].is_tissue))
    return ClassScheme(tuple(entries))


def _flagged(name: str, classes: Sequence[TissueClass]) -> list[TissueClass]:
    return [c for c in classes if name in _FLAGS and getattr(c, _FLAGS[name])]


def _agreement(
    slide: OpenedSlide, drawn: Drawn, roi: RegionOfInterest | None, naming: Naming, scheme: ClassScheme, threads: int
) -> ImageAgreement:
    compared_as = [
        [c.class_id for c in _classes(slide) if c.name == entry.name]
        or [c.class_id for c in _flagged(entry.name, _classes(slide))]
        for entry in scheme.classes[1:]
    ]
    truth = truth_of(drawn, naming, {c.name: c.class_id for c in scheme.classes})
    matrix, left_out = held_against(slide, truth, roi, compared_as, threads)
    pixel_mm2 = None if slide.mpp is None else slide.mpp.pixel_area_mm2
    is_whole = not left_out[OUTSIDE_WITHIN] and not left_out[WITHOUT_TRUTH]
    return ImageAgreement(
        slide.slide_id, slide.slide_id, matrix, left_out, pixel_mm2, {},
        held_out=held_out_areas(slide.counted.segmenter.facts),
        points=_points(slide, scheme) if is_whole else {},
    )  # fmt: skip


def _points(slide: OpenedSlide, scheme: ClassScheme) -> dict[str, AdjustedArea]:
    """Return the answers of reference points for each compared class; they are of the whole slide."""
    adjusted = slide.counted.adjusted
    if adjusted is None:
        return {}
    by_name = {area.class_: area for area in (*adjusted.totals, *adjusted.areas)}  # a class of a name before a total
    return {c.name: by_name[c.name] for c in scheme.classes[1:] if c.name in by_name}
