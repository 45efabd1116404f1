"""run: the cut, the pixel size and the regions of a measured slide, as its run left them on record.

The slide's file is not needed to amend it: it may have been archived since.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from wsi_area.annotations.masks.standing import mask_as_it_was
from wsi_area.compute.calibration.uncertainty import relative_u_area
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Calibration, Mpp, MppCandidate
from wsi_area.model.classes import ClassScheme
from wsi_area.model.drawn import Drawn, NamedRegion, NamedRegions
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.plan import SlidePlan
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide import SlideInfo
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import SlideLayout
from wsi_area.results.region_record import MASK
from wsi_area.results.tables.region_tables import OUTLINE, REGIONS_TABLE, read_regions, rows_in
from wsi_area.settings.own_settings import OWN_SECTIONS
from wsi_area.settings.run_settings import RunSettings
from wsi_area.settings.settings_tree import overlaid, put

_COUNTED_STATES = ("complete", "incomplete", "empty")


def scheme_on_record(slide: CountedSlide) -> ClassScheme:
    """Return the classes of a slide."""
    return ClassScheme(tuple(c.tissue_class for c in slide.classes))


def plan_on_record(slide: CountedSlide, rows: NDArray[np.int64]) -> SlidePlan:
    """Return the plan by which a slide was cut.

    Parameters
    ----------
    slide
        Its result.
    rows : int64 (tile rows, tile columns, columns)
        Its ledger, which says what tiles were skipped.
    """
    work = slide.work
    info = SlideInfo(
        slide.slide_id, slide.path, slide.vendor, slide.size_l0_px, slide.levels, slide.fingerprint, slide.file_bytes,
        0, content_digest=slide.content_digest,
    )  # fmt: skip
    status = rows[..., LedgerLayout(len(slide.classes)).status_column].reshape(-1)
    skipped = frozenset(np.flatnonzero(status == TileStatus.SKIPPED).tolist())
    x_um, y_um = work.work_mpp_x_um, work.work_mpp_y_um
    return SlidePlan(
        info, work.level, work.reduce_factor, work.asked_work_mpp_um,
        None if x_um is None or y_um is None else Mpp(x_um, y_um), work.work_size_px, work.tile_px, work.halo_px,
        work.batch_tiles, skipped, frozenset(), frozenset(), 0, work.plan_hash,
    )  # fmt: skip


def calibration_on_record(slide: CountedSlide) -> Calibration:
    """Return the pixel size that the areas of a slide were made with, and how sure it is.

    Raises
    ------
    ResultError
        If the claim that was chosen does not make the uncertainty that is on record.
    """
    told = slide.calibration
    if told.mpp is None or told.source is None or told.quality is None:
        return Calibration(None, (), (), told.reason)
    claims = [c for c in told.candidates if (c.mpp_x_um, c.mpp_y_um, c.source) == (told.mpp.x, told.mpp.y, told.source)]
    u_um = claims[0].u_um if claims else None
    rung = claims[0].rung if claims else "override"
    chosen = MppCandidate(told.mpp, told.source, rung, told.quality, told.note or "", u_um=u_um)
    if told.relative_u_area is not None and relative_u_area(chosen) != told.relative_u_area:
        raise ResultError(
            f"{slide.slide_id}: its pixel size is on record with the relative uncertainty {told.relative_u_area}, the "
            f"claim {told.source} makes {relative_u_area(chosen)}; measure the slide again with --force, then amend it"
        )
    return Calibration(chosen, (chosen,), (), told.reason)


def settings_on_record(run: RunRecord, slide_id: str) -> RunSettings:
    """Return the settings that a slide was measured with: those of its run, and over them its own.

    Raises
    ------
    ResultError
        If a setting on record is none of this version.
    """
    own: dict[str, Any] = {}
    for key, value in run.slide_settings.get(slide_id, {}).get("settings", {}).items():
        put(own, key, value, f"the setting {key}")
    try:
        settings = RunSettings.model_validate(run.settings)
        tree = {name: section for name, section in settings.canonical().items() if name in OWN_SECTIONS}
        found = RunSettings.model_validate(overlaid(tree, own)) if own else settings
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ResultError(
            f"{slide_id}: the setting {key} on record is none of this version ({first['msg']}); measure the slide "
            "again with this version, then amend it"
        ) from error
    return settings.model_copy(update={section: getattr(found, section) for section in OWN_SECTIONS})


@frozen_value
class RegionsAgain:
    """The drawn regions of a slide, and those that cannot be counted again: the codes of masks that are gone."""

    named: NamedRegions
    lost: int
    lost_files: tuple[str, ...]


def regions_on_record(layout: SlideLayout, slide: CountedSlide) -> RegionsAgain:
    """Return the regions that were drawn on a slide, with their outlines or masks; those found on it are found anew.

    A mask is read where it lies, if it is still what the run read.

    Raises
    ------
    ResultError
        If the table of its regions cannot be read.
    """
    told, place = slide.regions, layout.root / REGIONS_TABLE
    if told is None or not place.is_file():
        return RegionsAgain(NamedRegions(), 0, ())
    masks = {
        number: mask_as_it_was(f.path, f.sha256, f.scale_l0_px_per_unit, slide.size_l0_px)
        for number, f in enumerate(told.files)
        if f.kind == MASK
    }
    found = {number: mask for number, mask in masks.items() if mask is not None}
    place_of = {number: at for at, number in enumerate(found)}
    table = read_regions(place)
    drawn, lost = [], 0
    for row, text in zip(rows_in(table), table[OUTLINE].to_pylist(), strict=True):
        if row.source == "found":
            continue
        code = None
        if row.mask_file is not None and row.mask_code is not None:
            if row.mask_file not in found:
                lost += 1
                continue
            code = (place_of[row.mask_file], row.mask_code)
        status = "" if row.status in _COUNTED_STATES else row.status
        source: Any = row.source
        outline = None if text is None else bytes.fromhex(text)
        drawn.append(
            NamedRegion(row.region_id, row.name, row.region_class, row.parent_id, source, status, outline, code)
        )
    gone = [number for number in masks if number not in found]
    files = tuple(
        Drawn(f.path, f.kind, f.sha256, f.scale_l0_px_per_unit) for n, f in enumerate(told.files) if n not in gone
    )
    named = NamedRegions(tuple(drawn), tuple(found.values()), files, told.left_aside, told.not_assessed)
    return RegionsAgain(named, lost, tuple(told.files[number].path for number in gone))
