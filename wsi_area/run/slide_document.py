"""run: the document of a slide, made from its ledger and what is known of it; no tile is touched here."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.count.area import measure
from wsi_area.compute.count.ratios import ratios_of
from wsi_area.compute.cut.skipping import skipped_foreground_upper_bound_px
from wsi_area.compute.judge.model_findings import model_seen
from wsi_area.compute.judge.quality import Observed, QualityLimits, check
from wsi_area.compute.judge.steps import step_findings, steps_of
from wsi_area.errors import IncompleteResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.drawings import drawn_on_record, left_out_findings, outlines_on_record, roi_on_record
from wsi_area.inputs.named_regions import regions_findings
from wsi_area.model.burden import SlideBurden, Status
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.finding import QaFinding
from wsi_area.model.ledger import NOT_COMMITTED, LedgerLayout
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.slide_areas import Analyzed, Unreadable
from wsi_area.model.record.slide_origin import Fit, MadeFrom, TileError, Timing
from wsi_area.model.record.slide_pictures import pictures_on_record
from wsi_area.model.record.slide_steps import StepsOnRecord
from wsi_area.model.record.slide_threshold import ThresholdOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.budget.budget_record import budgets_on_record
from wsi_area.results.budget.ledger_facts import NO_FACTS, ledger_facts
from wsi_area.results.burden_on_record import positive_on_record, tissue_on_record, tumor_on_record
from wsi_area.results.certificate import certificate_of
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import SlideLayout
from wsi_area.results.record import (
    calibration_on_record,
    class_on_record,
    counts_on_record,
    foci_on_record,
    light_on_record,
    reason_of,
    signal_on_record,
    work_on_record,
)
from wsi_area.results.threshold_record import threshold_on_record
from wsi_area.results.uncertainty.given_terms import given_terms
from wsi_area.run.continuation import MEASUREMENT_VERSION, Origin
from wsi_area.run.passes.merged_objects import MergedObjects, envelope_on_record, signal_findings
from wsi_area.run.passes.overview_boxes import tissue_on_overview
from wsi_area.run.passes.tissue_layer import findings_of_layer, tissue_source
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.slide_tiles import Work
from wsi_area.segmenters.pixelwise import integrated_signal
from wsi_area.settings.run_settings import RunSettings
from wsi_area.version import __version__

if TYPE_CHECKING:  # loaded where an estimate is asked for
    from wsi_area.results.estimates.estimated_slide import EstimatedSlide

TILES_LISTED = 100
"""Unreadable tiles named one by one in result.json; their number and area are always exact."""


@frozen_value
class Versions:
    """What measured a slide, and with which settings."""

    wsi_area_version: str
    measurement_version: int
    config_hash: str


def versions(settings: RunSettings) -> Versions:
    """Return the versions and the hash of the settings that a slide is measured with."""
    return Versions(__version__, MEASUREMENT_VERSION, settings.measurement_hash)


def slide_document(
    prepared: PreparedSlide,
    layout: SlideLayout,
    tiles: SlideLayout,
    origin: Origin,
    work: Work,
    objects: MergedObjects,
    settings: RunSettings,
    estimated: "EstimatedSlide | None" = None,
) -> CountedSlide:
    """Return the result of a slide whose every tile is accounted for, or of which spots were drawn.

    Raises
    ------
    IncompleteResultError
        If a tile has not been committed.
    CountMismatchError
        If the pixels do not add up.
    """
    plan, fitted, info, mpp = prepared.plan, prepared.fitted, prepared.plan.slide, prepared.calibration.mpp
    columns = LedgerLayout(len(fitted.scheme.classes))
    signal = integrated_signal(fitted)
    rows = _committed_rows(plan, layout, columns)
    burden = measure(
        info,
        fitted.scheme,
        columns.total(rows) if estimated is None else estimated.whole,
        prepared.calibration,
        None if signal is None else signal.micro_scale,
        skipped_px=columns.skipped_px(rows),
    )
    read = ledger_rows(tiles)  # before any filter by size
    bound = _skip_bound_px(prepared, read, columns) if estimated is None else 0  # it is in the interval then
    told = versions(settings)
    moved = threshold_on_record(read, columns, plan, fitted.facts)
    steps = steps_of(burden, objects.size_changes, fitted.facts, prepared.not_assessed)
    layer = None if objects.laid is None else objects.laid.on_record
    tissue = tissue_on_record(burden, *tissue_source(prepared, settings, layer), layer)
    around = envelope_on_record(objects, burden, settings.envelope)
    noticed = (
        *burden.calibration.findings,
        *_findings(
            prepared, burden, _observed(prepared, read, columns, bound, moved, objects.by_box, settings), settings
        ),
        *regions_findings(burden.slide_id, objects.named),
        *signal_findings(objects, prepared, layout, settings),
        *step_findings(burden.slide_id, steps, settings.quality.step_share),
    )
    counted = CountedSlide(
        slide_id=burden.slide_id,
        status=_status(objects, burden),
        reason=_reason(objects, burden, work),
        path=info.path,
        vendor=info.vendor,
        fingerprint=info.fingerprint,
        content_digest=info.content_digest,
        file_bytes=info.file_bytes,
        width_px=info.size_l0_px.width_px,
        height_px=info.size_l0_px.height_px,
        objective_power=info.objective_power,
        bounds_l0_px=info.bounds_l0_px,
        pictures=pictures_on_record(info),
        levels=info.levels,
        calibration=calibration_on_record(burden.calibration, burden.relative_u_area),
        work=work_on_record(plan),
        counts=counts_on_record(plan, burden),
        classes=(classes := tuple(class_on_record(area) for area in burden.classes)),
        ratios=ratios_of(classes),
        tumor=tumor_on_record(burden, tissue, layer, around),
        positive=positive_on_record(burden, tissue, layer),
        tissue=tissue,
        tissue_layer=layer,
        tissue_envelope=around,
        analyzed=Analyzed(n_px=burden.analyzed_px, area_mm2=burden.analyzed_area_mm2),
        unreadable=Unreadable(n_px=burden.counts.unreadable_px, area_mm2=burden.unread_area_mm2),
        signal=None if signal is None else signal_on_record(burden, signal.name, signal.micro_scale),
        findings=(*noticed, *findings_of_layer(() if objects.laid is None else objects.laid.layer.findings, noticed)),
        wsi_area_version=told.wsi_area_version,
        measurement_version=told.measurement_version,
        config_hash=told.config_hash,
        key=origin.key,
        class_map_sha256=objects.class_map_sha256,
        made_from=MadeFrom.model_validate(origin.parts),
        reader=prepared.lane.lane,
        reader_reason=prepared.lane.reason,
        segmenter=Fit(name=settings.segmenter.name, settings=settings.segmenter.own, facts=dict(fitted.facts)),
        light=light_on_record(prepared.light),
        foci=foci_on_record(objects.foci if burden.was_read else None, mpp),
        regions=objects.regions,
        size_filters=objects.size_changes,
        steps=StepsOnRecord(listed=steps),
        annotations=drawn_on_record(prepared.drawn),
        roi=roi_on_record(prepared.roi, mpp),
        outlines=outlines_on_record(fitted.facts, plan, mpp),
        tissue_mm2_by_threshold=None if moved is None else moved.mm2_by_shift(burden.tissue_area_mm2),
        tissue_by_threshold=moved,
        skipped_tissue_px_upper_bound=bound,
        tile_errors=tuple(TileError.model_validate(error) for error in work.tile_errors[:TILES_LISTED]),
        timing=Timing.model_validate(work.timing),
    )
    of_layer = None if objects.laid is None else objects.laid.layer
    terms = given_terms(counted, settings.uncertainty.named)
    facts = ledger_facts(rows, columns, classes)
    if estimated is not None:
        from wsi_area.results.estimates.estimated_slide import as_estimated, with_sampling

        counted, terms, facts = as_estimated(counted, estimated), with_sampling(terms, estimated), NO_FACTS
    made = {
        "certificate": certificate_of(counted, prepared.completeness),
        "budgets": budgets_on_record(counted, facts, of_layer, terms),
    }
    return counted.model_copy(update=made)


def _status(objects: MergedObjects, burden: SlideBurden) -> Status:
    """Return the status of a slide: no better than its tissue layer."""
    laid = objects.laid
    return "incomplete" if laid is not None and laid.layer.status == "incomplete" else burden.status


def _reason(objects: MergedObjects, burden: SlideBurden, work: Work) -> str:
    """Return the sentence that says why a slide is not complete, with the first tile that could not be read."""
    first = f"; the first: {work.tile_errors[0]['message']}" if work.tile_errors else ""
    own, laid = f"{reason_of(burden)}{first}", objects.laid
    of_layer = laid is not None and laid.layer.status == "incomplete" and f"its tissue layer: {laid.layer.reason}"
    return "; ".join(text for text in (own, of_layer) if text)


def _findings(
    prepared: PreparedSlide, burden: SlideBurden, observed: Observed, settings: RunSettings
) -> list[QaFinding]:
    limits = QualityLimits(**settings.quality.model_dump())
    said = {drawing.sha256 for drawing in (prepared.drawn, prepared.roi) if drawing is not None}
    drawings = prepared.drawn, prepared.roi, *(d for d in prepared.regions.drawn if d.sha256 not in said)
    return [
        *check(prepared.plan, burden, observed, limits),
        *(finding for drawing in drawings if drawing is not None for finding in drawing.findings),
        *left_out_findings(burden.slide_id, prepared.fitted.facts),
    ]


def _committed_rows(plan: SlidePlan, layout: SlideLayout, columns: LedgerLayout) -> NDArray[np.int64]:
    """Return the ledger, int64 (tiles, columns), every tile of which must have been committed."""
    rows = ledger_rows(layout)
    uncommitted = int((rows[..., columns.status_column] == NOT_COMMITTED).sum())
    if uncommitted:
        raise IncompleteResultError(
            f"{plan.slide.slide_id}: {uncommitted} of {plan.tile_count} tiles are not committed; run the same command "
            "again"
        )
    return rows.reshape(-1, rows.shape[-1])


def _observed(
    prepared: PreparedSlide,
    rows: NDArray[np.int64],
    columns: LedgerLayout,
    bound_px: int | None,
    moved: ThresholdOnRecord | None,
    by_box: float | None,
    settings: RunSettings,
) -> Observed:
    facts: Mapping[str, Any] = prepared.fitted.facts
    assumed, seen = (facts.get(name) for name in ("background", "background_seen"))
    stain_fit = facts.get("stain_fit") or {}
    return Observed(
        prepared.edge_tissue_fraction,
        bound_px,
        None if assumed is None else str(assumed),
        None if seen is None else str(seen),
        None if moved is None else moved.share_by_shift,
        stain_fit.get("unexplained"),
        stain_fit.get("angles_deg"),
        prepared.light,
        prepared.roi is not None or prepared.drawn is not None,
        tissue_on_overview(prepared, settings),
        by_box,
        prepared.drawn is not None and prepared.drawn.is_empty,
        None if prepared.drawn is not None else _glass_taken(prepared.plan, rows, columns),
        model_seen(facts),
    )


def _glass_taken(plan: SlidePlan, rows: NDArray[np.int64], columns: LedgerLayout) -> float | None:
    """Return the largest share of a class but background in the bare tiles that were read; None where there is none."""
    by_class = sum(rows[divmod(number, plan.grid_cols)][: columns.class_count] for number in plan.glass_read)
    if not plan.glass_read or not np.sum(by_class):
        return None
    return float(np.delete(by_class, BACKGROUND_ID).max() / np.sum(by_class))


def _skip_bound_px(prepared: PreparedSlide, rows: NDArray[np.int64], columns: LedgerLayout) -> int | None:
    """Return the bound on the foreground in skipped tiles, from what the bare tiles that were read hold."""
    plan = prepared.plan
    if prepared.drawn is not None:
        return 0  # where a drawing ends is known: no sample of what lies beyond was read

    def foreground_px(number: int) -> int:
        by_class = rows[divmod(number, plan.grid_cols)][: columns.class_count]
        return int(by_class.sum() - by_class[BACKGROUND_ID])

    return skipped_foreground_upper_bound_px(
        len(plan.skipped),
        [foreground_px(n) for n in sorted(plan.audited)],
        max((foreground_px(n) for n in plan.glass_read), default=0),
        prepared.overview_box_px,
    )
