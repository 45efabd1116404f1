"""run: the result of an amended version: what was measured, and every number that the corrections touch made anew."""

from collections.abc import Iterable, Iterator, Sequence

from wsi_area.compute.budget.terms import BudgetTerms
from wsi_area.compute.count.area import area_mm2, measure
from wsi_area.compute.count.ratios import ratios_of
from wsi_area.compute.judge.steps import step_findings, steps_of
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.burden import SlideBurden
from wsi_area.model.classes import ClassScheme
from wsi_area.model.corrections.amendment import Amendment, CorrectionOnRecord
from wsi_area.model.finding import QaFinding
from wsi_area.model.ledger import LedgerLayout
from wsi_area.model.plan import SlidePlan
from wsi_area.model.record.budget.slide_budgets import BudgetsOnRecord
from wsi_area.model.record.slide_areas import Analyzed, Unreadable
from wsi_area.model.record.slide_steps import StepsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.budget.budget_record import budgets_on_record
from wsi_area.results.budget.ledger_facts import NO_FACTS, ledger_facts
from wsi_area.results.burden_on_record import positive_on_record, tissue_on_record, tumor_on_record
from wsi_area.results.certificate import certificate_of
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import SlideLayout
from wsi_area.results.record import class_on_record, counts_on_record, foci_on_record
from wsi_area.results.uncertainty.given_terms import given_terms
from wsi_area.run.amending.on_record import RegionsAgain, calibration_on_record
from wsi_area.run.passes.merged_objects import MergedObjects, envelope_on_record
from wsi_area.settings.run_settings import RunSettings
from wsi_area.version import __version__

AS_MEASURED = (
    "slide_id", "path", "vendor", "fingerprint", "content_digest", "file_bytes", "width_px", "height_px",
    "objective_power", "bounds_l0_px", "levels", "pictures", "calibration", "work", "measurement_version",
    "config_hash", "made_from", "reader", "reader_reason", "segmenter", "light", "annotations", "roi", "outlines",
    "tissue_by_threshold", "skipped_tissue_px_upper_bound", "tile_errors", "timing",
)  # fmt: skip
"""Fields that no correction touches; all others are made anew, or say that nothing is known."""
_MEETS = 0.05
"""Share of the smaller of drawn and measured area that both have at least, where a drawing is of this slide."""
_JUDGED_ANEW = frozenset({"STEP_TAKES_MUCH", "EXCLUSION_NOT_ASSESSED"})


@frozen_value
class Amended:
    """What a version is made of once its class maps are written."""

    measured: CountedSlide
    layout: SlideLayout  # of the version
    plan: SlidePlan
    scheme: ClassScheme
    objects: MergedObjects
    key: str
    findings: tuple[QaFinding, ...]  # of the corrections
    amendment: Amendment | None  # None of a tissue layer, whose slide has it
    has_facts: bool  # whether the measured ledger says more than counts


def amended_document(made: Amended, settings: RunSettings) -> CountedSlide:
    """Return the result of an amended version.

    Raises
    ------
    CountMismatchError
        If the pixels do not add up to those of the slide.
    """
    slide, objects, moved = made.measured, made.objects, made.measured.tissue_by_threshold
    burden = _burden(made)
    layer = None if objects.laid is None else objects.laid.on_record
    tissue = tissue_on_record(burden, slide.tissue.source, slide.tissue.reason, layer)
    around = envelope_on_record(objects, burden, settings.envelope)
    steps = steps_of(burden, objects.size_changes, slide.segmenter.facts, _not_assessed(slide))
    classes = tuple(class_on_record(area) for area in burden.classes)
    kept = {name: getattr(slide, name) for name in AS_MEASURED}
    found = CountedSlide(
        **kept,
        status=slide.status,
        reason=slide.reason,
        wsi_area_version=__version__,
        counts=counts_on_record(made.plan, burden),
        classes=classes,
        ratios=ratios_of(classes),
        tumor=tumor_on_record(burden, tissue, layer, around),
        positive=positive_on_record(burden, tissue, layer),
        tissue=tissue,
        tissue_layer=layer,
        tissue_envelope=around,
        analyzed=Analyzed(n_px=burden.analyzed_px, area_mm2=burden.analyzed_area_mm2),
        unreadable=Unreadable(n_px=burden.counts.unreadable_px, area_mm2=burden.unread_area_mm2),
        signal=None,
        findings=tuple(_findings(made, burden, step_findings(burden.slide_id, steps, settings.quality.step_share))),
        key=made.key,
        foci=foci_on_record(objects.foci if burden.was_read else None, burden.calibration.mpp),
        regions=objects.regions,
        size_filters=objects.size_changes,
        steps=StepsOnRecord(listed=steps),
        tissue_mm2_by_threshold=None if moved is None else moved.mm2_by_shift(burden.tissue_area_mm2),
        amendment=made.amendment,
    )
    told = slide.certificate
    found, terms = _with_terms(found, settings)
    update: dict[str, object] = {
        "certificate": None if told is None else certificate_of(found, told.completeness),
        "budgets": _budgets(made, found, terms),
    }
    return found.model_copy(update=update)


def _with_terms(found: CountedSlide, settings: RunSettings) -> tuple[CountedSlide, BudgetTerms]:
    """Return the terms that others know, and the slide with a word where a file of it cannot be read any more."""
    try:
        return found, given_terms(found, settings.uncertainty.named)
    except ResultError as error:
        told = f"its budgets lack the errors that repeats were to give: {error}"
        lacking = QaFinding(found.slide_id, "BUDGET_WITHOUT_REPEATS", "warning", None, None, "", told)
        return found.model_copy(update={"findings": (*found.findings, lacking)}), given_terms(found)


def _budgets(made: Amended, found: CountedSlide, terms: BudgetTerms) -> BudgetsOnRecord | None:
    """Return the budgets of the areas; None where the measured slide, of an earlier version, has none."""
    if made.measured.budgets is None:
        return None
    columns, laid = LedgerLayout(len(made.scheme.classes)), made.objects.laid
    facts = ledger_facts(ledger_rows(made.layout), columns, found.classes) if made.has_facts else NO_FACTS
    return budgets_on_record(found, facts, None if laid is None else laid.layer, terms)


def _burden(made: Amended) -> SlideBurden:
    scheme = made.scheme
    columns = LedgerLayout(len(scheme.classes))
    rows = ledger_rows(made.layout)
    rows = rows.reshape(-1, rows.shape[-1])
    calibration, counts = calibration_on_record(made.measured), columns.total(rows)
    return measure(made.plan.slide, scheme, counts, calibration, None, skipped_px=columns.skipped_px(rows))


def _not_assessed(slide: CountedSlide) -> dict[str, str]:
    """Return the exclusions that were asked for and could not be judged, with the reason, as measured."""
    listed = () if slide.steps is None else slide.steps.listed
    return {step.name: step.note for step in listed if not step.is_assessed}


def _findings(made: Amended, burden: SlideBurden, of_steps: Iterable[QaFinding]) -> Iterator[QaFinding]:
    slide = made.measured
    yield from (finding for finding in slide.findings if finding.code not in _JUDGED_ANEW)
    yield from of_steps
    yield from made.findings
    if slide.signal is not None:
        told = (
            f"the {slide.signal.name} of its classes, regions and bands is left out: it was integrated class by class, "
            "and cannot follow pixels that a correction moved"
        )
        yield QaFinding(burden.slide_id, "SIGNAL_NOT_AMENDED", "info", None, None, "", told)


def amendment_findings(slide: CountedSlide, amendment: Amendment, regions: RegionsAgain) -> tuple[QaFinding, ...]:
    """Return the findings on an amended version: how much was changed, and what of the drawings was not laid."""
    return tuple(_told(slide, amendment, regions))


def elsewhere_finding(slide_id: str, before_px: int, after_px: int, changed_px: int) -> QaFinding | None:
    """Return the finding on a drawing that lies beside what it replaces; None where they meet.

    Parameters
    ----------
    slide_id
        For the finding.
    before_px, after_px : int
        Level-0 pixels of the classes that the drawing names, as measured and as drawn.
    changed_px : int
        Level-0 pixels that have another class by it. Where the two do not meet it is the sum of both.
    """
    least = min(before_px, after_px)
    shared = before_px + after_px - changed_px  # twice what they share of one class
    if least <= 0 or shared > 2 * _MEETS * least:
        return None
    message = (
        f"the outlines hold {shared / 2 / least:.1%} of what they could share with the classes that they replace: they "
        "lie beside what was measured"
    )
    remedy = "check that they were drawn on this slide, in level-0 pixels, not in µm, of another level or mirrored"
    return QaFinding(slide_id, "CORRECTION_ELSEWHERE", "warning", shared / 2 / least, _MEETS, "", message, remedy)


def _told(slide: CountedSlide, amendment: Amendment, regions: RegionsAgain) -> Iterator[QaFinding]:
    name, listed, mpp = slide.slide_id, amendment.listed, slide.mpp

    def area(n_px: int) -> tuple[float, str]:
        return (float(n_px), "px") if mpp is None else (area_mm2(n_px, mpp), "mm²")

    changed, unit = area(sum(one.n_px_changed + one.n_px_tissue_changed for one in listed))
    reviewers = ", ".join(dict.fromkeys(one.reviewer for one in listed if one.reviewer)) or "nobody named"
    corrections = "1 correction" if len(listed) == 1 else f"{len(listed)} corrections"
    message = f"amended version {amendment.number}: {corrections} by {reviewers}, {changed:.6g} {unit} changed"
    yield QaFinding(name, "AMENDED", "info", changed, None, unit, message)
    clipped, unit = area(_clipped_px(listed))
    if clipped:
        message = (
            f"{clipped:.6g} {unit} of the drawings lie on pixels that were never scanned, that could not be read, or "
            "that are outside the region of interest; nothing is painted there"
        )
        remedy = "look whether the drawing was meant to reach there"
        yield QaFinding(name, "CORRECTION_CLIPPED", "warning", clipped, 0.0, unit, message, remedy)
    beyond = sum(one.beyond_mm2 or 0.0 for one in listed)
    if beyond:
        message = f"{beyond:.6g} mm² of the drawings lie beyond the edges of the slide, and are not measured"
        remedy = "check that they were drawn on this slide"
        yield QaFinding(name, "CORRECTION_BEYOND_SLIDE", "warning", beyond, 0.0, "mm²", message, remedy)
    if regions.lost:
        message = (
            f"{regions.lost} named regions have no row in this version: they are codes of "
            f"{', '.join(regions.lost_files)}, which is gone or was changed since"
        )
        remedy = "put the mask back where it was, remove this version and amend again"
        yield QaFinding(name, "REGIONS_NOT_AMENDED", "warning", regions.lost, 0, "regions", message, remedy)


def _clipped_px(listed: Sequence[CorrectionOnRecord]) -> int:
    return sum(one.n_px_not_painted for one in listed)
