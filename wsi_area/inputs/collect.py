"""inputs: from what was typed to the list of slides: files, folders, globs, lists, and who vouches for a size."""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wsi_area.compute.calibration.policy import GIVEN_FOR_SEVERAL
from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.drawn_source import (
    AS_THE_FILES_SAY,
    DrawnSource,
    Scales,
    drawn_source,
    fits_no_slide,
    stated_scale,
)
from wsi_area.inputs.manifest import ManifestRow, read_manifest
from wsi_area.inputs.slide_files import FoundSlide, file_key, found_slides, is_there, real_file
from wsi_area.inputs.slide_ids import unique_ids
from wsi_area.inputs.typed_mpp import UNSURE, Sureness, override_of, parse_dpi, parse_mpp, typed_mpp
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.record.left_out import LeftOut
from wsi_area.model.record.subjects import Case
from wsi_area.settings.own_settings import OwnSettings
from wsi_area.slides.header.companion_files import is_dicom
from wsi_area.storage.access import Access
from wsi_area.storage.place import is_object

_LOG = logging.getLogger(__name__)


@frozen_value
class SlideInput:
    """One slide that was asked for."""

    path: str  # absolute, or s3://bucket/key; of a DICOM slide the file that stands for its series
    slide_id: str  # unique among the slides asked for, and safe as the name of a folder
    override: MppCandidate | None = None
    annotations: DrawnSource | None = None  # classes, for a segmenter that takes them from a drawing
    roi: DrawnSource | None = None  # what is to be measured at all
    regions: DrawnSource | None = None  # what has a row of its own in the table of regions
    own: OwnSettings | None = None  # settings that differ from those of the run
    case: Case | None = None  # who or what is on it


class CollectedSlides(tuple[SlideInput, ...]):
    """The slides that were asked for, and what lay where they were looked for and is none of them."""

    left_out: tuple[LeftOut, ...]

    def __new__(cls, slides: Iterable[SlideInput], left_out: Iterable[LeftOut] = ()) -> "CollectedSlides":
        """Return the slides with what was left out."""
        made = super().__new__(cls, slides)
        made.left_out = tuple(left_out)
        return made


def collect_slides(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    recursive: bool = False,
    mpp: str | float | None = None,
    dpi: str | float | None = None,
    mpp_reason: str = "",
    mpp_u: str | float | None = None,
    mpp_record: str | Path | None = None,
    mpp_confirmed: bool = False,
    manifest: str | Path | None = None,
    annotations: str | Path | None = None,
    roi: str | Path | None = None,
    annotation_scale: str | None = None,
    roi_scale: str | None = None,
    regions_from: str | Path | None = None,
    regions_scale: str | None = None,
    access: Access | None = None,
) -> CollectedSlides:
    """Return the slides that somebody asked for, each with its override, and what was left out.

    Parameters
    ----------
    paths : path, or sequence of them
        A file, a folder, a quoted glob (``**`` goes down), ``@list.txt`` with a path a line (relative ones start at the
        list's folder), or ``-`` for such a list on standard input. None of them: the manifest's own rows.
    recursive : bool
        Look into folders inside folders.
    mpp, mpp_reason
        µm per level-0 pixel, ``0.25`` or ``"0.25,0.26"``, and where that comes from, in words.
    mpp_u, mpp_record, mpp_confirmed
        Its standard uncertainty in µm per pixel, its calibration record, and that it is meant whatever a file says.
    dpi
        Dots per inch instead, ``300`` or ``"300,150"``.
    manifest, annotations, roi, regions_from : path or None
        As the options of ``wsi-area run`` of these names.
    annotation_scale, roi_scale, regions_scale : str or None
        Level-0 px per unit of those files, such as ``"1/128"``.
    access : Access or None
        Who asks for what lies at ``s3://``; without it that is refused.

    Raises
    ------
    SettingsError
        Naming whatever cannot be found, read or believed.
    """
    rows = () if manifest is None else read_manifest(Path(manifest))
    named = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    found = found_slides(named or [str(row.path) for row in rows], recursive=recursive, access=access)
    slides = _with_ids(found.slides)
    typed, sureness = typed_mpp(
        _typed(mpp, dpi), mpp_u, mpp_record, is_confirmed=mpp_confirmed, names=("--mpp-u", "--mpp-record")
    )
    if typed is None and (mpp_reason or mpp_confirmed):
        alone = f"--mpp-reason {mpp_reason!r}" if mpp_reason else "--mpp-confirmed"
        raise SettingsError(f"{alone} was given without --mpp; give both")
    scales = Scales(
        stated_scale("--annotations", annotation_scale, is_given=bool(annotations or any(r.annotations for r in rows))),
        stated_scale("--roi", roi_scale, is_given=bool(roi or any(row.roi for row in rows))),
        stated_scale("--regions-from", regions_scale, is_given=bool(regions_from or any(row.regions for row in rows))),
    )
    merged = with_overrides(
        slides,
        mpp=typed,
        mpp_reason=mpp_reason or _of_dpi(dpi),
        sureness=sureness,
        rows=rows,
        scales=scales,
    )
    given = (
        ("--annotations", annotations, annotation_scale),
        ("--roi", roi, roi_scale),
        ("--regions-from", regions_from, regions_scale),
    )
    for_all = [None if p is None else drawn_source(option, Path(p), scale, len(merged)) for option, p, scale in given]
    asked = [(slide.path, slide.slide_id) for slide in merged]
    strays = [left for option, p, _ in given for left in fits_no_slide(option, None if p is None else Path(p), asked)]
    return CollectedSlides(
        with_drawings(merged, annotations=for_all[0], roi=for_all[1], regions=for_all[2]), (*found.left_out, *strays)
    )


def _typed(mpp: str | float | None, dpi: str | float | None) -> Mpp | None:
    if mpp is not None and dpi is not None:
        raise SettingsError(f"--mpp {mpp} and --dpi {dpi} were both given; give one of them")
    return parse_mpp(None if mpp is None else str(mpp)) if dpi is None else parse_dpi(str(dpi))


def left_out_of(slides: Sequence[SlideInput]) -> tuple[LeftOut, ...]:
    """Return the slides that were left out while slides were collected; nothing where they come from elsewhere."""
    return slides.left_out if isinstance(slides, CollectedSlides) else ()


def as_slides(given: Sequence[SlideInput | str | os.PathLike[str]], access: Access | None) -> CollectedSlides:
    """Return slides that may have been given as paths.

    Raises
    ------
    SettingsError
        A path holds no slide, two slides have one id, or paths stand among slides that were collected.
    """
    several = [given] if isinstance(given, str | os.PathLike | SlideInput) else list(given)
    slides = [slide for slide in several if isinstance(slide, SlideInput)]
    if not slides and several:
        return collect_slides([os.fspath(path) for path in several if not isinstance(path, SlideInput)], access=access)
    if len(slides) < len(several):
        raise SettingsError("paths stand among slides that collect_slides returned; collect all of them")
    _refuse_same_ids(slides)
    return given if isinstance(given, CollectedSlides) else CollectedSlides(slides)


def told_cases(slides: Iterable[SlideInput]) -> dict[str, Case]:
    """Return who or what is on slides, by their ids, as run.json has it."""
    return {slide.slide_id: slide.case for slide in slides if slide.case is not None}


def with_drawings(
    slides: Sequence[SlideInput],
    *,
    annotations: DrawnSource | None,
    roi: DrawnSource | None,
    regions: DrawnSource | None,
) -> list[SlideInput]:
    """Return the slides with the drawings given for all of them; what a manifest's row names goes first."""
    return [
        replace(s, annotations=s.annotations or annotations, roi=s.roi or roi, regions=s.regions or regions)
        for s in slides
    ]


def _with_ids(found: Sequence[FoundSlide]) -> list[SlideInput]:
    ids = unique_ids([slide.name for slide in found], [str(slide.path) for slide in found])
    return [SlideInput(str(slide.path), slide_id) for slide, slide_id in zip(found, ids, strict=True)]


def with_overrides(
    slides: Sequence[SlideInput],
    *,
    mpp: Mpp | None,
    mpp_reason: str = "",
    sureness: Sureness = UNSURE,
    rows: Sequence[ManifestRow] = (),
    scales: Scales | None = None,
) -> list[SlideInput]:
    """Return the slides with the pixel sizes somebody vouches for: a manifest row's first, else ``mpp``.

    Raises
    ------
    SettingsError
        A row names a file that does not exist, or an id that another slide has.
    """
    source = "--mpp" if len(slides) == 1 else GIVEN_FOR_SEVERAL
    general = None if mpp is None else override_of(mpp, source, mpp_reason, sureness)
    by_file: dict[str, list[ManifestRow]] = {}
    for row in rows:  # several of a file, each with a picture of its own
        by_file.setdefault(file_key(row.path), []).append(row)
    merged: list[SlideInput] = []
    used: set[str] = set()
    for slide in slides:
        named = _row_file(slide, by_file)
        if named is None:
            merged.append(replace(slide, override=general))
        else:
            merged += [_with_row(slide, row, general, scales or AS_THE_FILES_SAY) for row in by_file[named]]
            used.add(named)
    unused = [(file, row) for file, of_file in by_file.items() if file not in used for row in of_file]
    if unused:
        told = ", ".join(f"{row.row}{'' if is_there(file) else ' (not there)'}" for file, row in unused)
        _LOG.warning("manifest lines %s name slides that were not asked for", told)
    _refuse_same_ids(merged)
    return merged


def _of_dpi(dpi: str | float | None) -> str:
    """Return the reason that a density is by itself: somebody says that it is meant."""
    return "" if dpi is None else f"{dpi} dots per inch, as given by --dpi"


def _with_row(slide: SlideInput, row: ManifestRow, general: MppCandidate | None, scales: Scales) -> SlideInput:
    source = f"manifest line {row.row}"
    own = general if row.mpp is None else override_of(row.mpp, source, row.mpp_reason, row.sureness)
    stated = row.scales.or_else(scales)
    annotations = None if row.annotations is None else DrawnSource(str(row.annotations), stated.annotations)
    roi = None if row.roi is None else DrawnSource(str(row.roi), stated.roi)
    regions = None if row.regions is None else DrawnSource(str(row.regions), stated.regions)
    slide_id = row.slide_id or slide.slide_id
    named = replace(slide, override=own, slide_id=slide_id, own=row.own, case=row.case)
    return replace(named, annotations=annotations, roi=roi, regions=regions)


def _row_file(slide: SlideInput, by_file: Mapping[str, Sequence[ManifestRow]]) -> str | None:
    """Return the file by which a row names a slide; DICOM also goes by its folder or any file of the series.

    A row that names the very path goes first; else one whose path leads to the same file through links.

    Raises
    ------
    SettingsError
        Several rows lead to the file, and which is meant is not said.
    """
    file = file_key(slide.path)
    if file in by_file:
        return file
    same = [name for name in by_file if real_file(name) == real_file(slide.path)]
    if len(same) > 1:
        rows = " and ".join(f"line {by_file[name][0].row} ({name})" for name in same)
        raise SettingsError(f"{slide.path}: {rows} of the manifest lead to this file; name one of these paths instead")
    if same:
        return same[0]
    if is_object(file) or not is_dicom(Path(file)):
        return None
    from wsi_area.inputs.dicom_series import same_series

    folder = os.path.dirname(file)
    mates = [Path(other) for other in by_file if os.path.dirname(other) == folder and is_dicom(Path(other))]
    mate = next((mate for mate in mates if same_series(mate, Path(file))), None)
    return str(mate) if mate is not None else folder if folder in by_file else None


def _refuse_same_ids(slides: Sequence[SlideInput]) -> None:
    first: dict[str, SlideInput] = {}
    for slide in slides:
        other = first.setdefault(slide.slide_id.casefold(), slide)
        if other is not slide:
            raise SettingsError(
                f"{other.path} and {slide.path} would both be {slide.slide_id!r}; change slide_id in the manifest"
            )
