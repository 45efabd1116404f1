"""compute: what each step took from a slide or added to it, and whether it took much; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wsi_area.compute.count.area import area_mm2
from wsi_area.model.burden import SlideBurden
from wsi_area.model.corrections.correction import BY_HAND
from wsi_area.model.finding import QaFinding
from wsi_area.model.objects import SizeChange
from wsi_area.model.record.slide_steps import StepKind, StepOf, StepOnRecord

STEP_LIMIT = 0.25
"""Share of what is left that one step may take or add without a word; 5 to 15 % is usual."""
PAINTED = ("unscanned_black", "unscanned_fill")
"""Excluded classes that software painted where nothing was scanned: no tissue was there to be taken."""

_SIZE_STEPS: dict[str, tuple[StepKind, str]] = {
    "focus": ("removes", "objects.min_focus_um2"),
    "tissue": ("removes", "objects.min_tissue_um2"),
    "hole": ("fills", "objects.max_hole_um2"),
}
_SET_BY = {BY_HAND: "corrections"}


def steps_of(
    burden: SlideBurden,
    size_changes: Sequence[SizeChange],
    facts: Mapping[str, Any],
    not_assessed: Mapping[str, str],
) -> tuple[StepOnRecord, ...]:
    """Return every step that changed the counts of a slide, in the order in which they were done.

    Parameters
    ----------
    burden
        What is left when all steps are done.
    size_changes
        What each filter by size changed.
    facts
        What the segmenter found while fitting: thresholds held within bounds, histograms.
    not_assessed
        Exclusions that were asked for and could not be judged, with the reason.
    """
    return (
        *_clamps(burden, facts),
        *_exclusions(burden, facts),
        *(_not_assessed(name, reason) for name, reason in not_assessed.items()),
        *(_size_step(burden, change) for change in size_changes),
    )


def step_findings(slide_id: str, steps: Sequence[StepOnRecord], limit: float = STEP_LIMIT) -> tuple[QaFinding, ...]:
    """Return a finding for each step that took or added much of what is left, and one for all that were not assessed.

    What software painted, and what the bounds of a threshold do, is on record alone: the one was never tissue, the
    other is what the bounds are for.
    """
    much = tuple(_much(slide_id, step, limit) for step in steps if step.is_assessed and _is_much(step, limit))
    lacking = [step for step in steps if not step.is_assessed]
    return (*much, _unassessed(slide_id, lacking)) if lacking else much


def _is_much(step: StepOnRecord, limit: float) -> bool:
    if step.kind == "clamps" or step.name in PAINTED or not step.n_px:
        return False
    return step.share_of_left is None or step.share_of_left > limit


def _much(slide_id: str, step: StepOnRecord, limit: float) -> QaFinding:
    area = f"{step.n_px} level-0 px" if step.area_mm2 is None else f"{step.area_mm2:.6g} mm²"
    left = f"no {step.of}" if step.share_of_left is None else f"{step.share_of_left:.1%} of the {step.of} that"
    message = f"{step.title}: {area}, {left} is left ({step.setting})"
    remedy = f"look at the class map: if it is wrong, change {step.setting} or leave it out, and measure again"
    return QaFinding(slide_id, "STEP_TAKES_MUCH", "warning", step.share_of_left, limit, "", message, remedy)


def _unassessed(slide_id: str, steps: Sequence[StepOnRecord]) -> QaFinding:
    named = {step.note: [other.name for other in steps if other.note == step.note] for step in steps}
    told = "; ".join(f"{', '.join(names)}: {note}" for note, names in named.items())
    message = f"asked for and not assessed: {told}; what there is of it counts as what it looks like"
    settings = ", ".join(step.setting for step in steps)
    remedy = f"look at the slide; if it has none of it, this can stand, or leave {settings} out"
    return QaFinding(slide_id, "EXCLUSION_NOT_ASSESSED", "warning", len(steps), 0, "exclusions", message, remedy)


def _size_step(burden: SlideBurden, change: SizeChange) -> StepOnRecord:
    kind, setting = _SIZE_STEPS[change.name]
    note = f"smaller than {change.limit_um2:g} µm²"
    of: StepOf = "tumour" if change.name == "focus" else "tissue"
    return _step(burden, change.name, kind, setting, of, change.area_px, objects=change.objects, note=note)


def _exclusions(burden: SlideBurden, facts: Mapping[str, Any]) -> Iterator[StepOnRecord]:
    asked = (facts.get("exclusions") or {}).get("order", ())
    for area in burden.classes:
        name = area.tissue_class.name
        if area.tissue_class.is_excluded:
            setting = f"exclusions.{name}" if name in asked else _SET_BY.get(name, "segmenter.classes")
            yield _step(burden, name, "excludes", setting, "tissue", area.n_px)


def _not_assessed(name: str, reason: str) -> StepOnRecord:
    return StepOnRecord(
        name=name, kind="excludes", setting=f"exclusions.{name}", of="tissue", n_px=None, area_mm2=None,
        share_of_left=None, objects=None, is_estimate=False, note=reason,
    )  # fmt: skip


def _clamps(burden: SlideBurden, facts: Mapping[str, Any]) -> Iterator[StepOnRecord]:
    """Yield the thresholds that Otsu's rule put elsewhere, with what that comes to by the histogram it was made of."""
    if facts.get("clamped") and {"histogram", "otsu_threshold", "threshold"} <= facts.keys():
        histogram, raw, used = facts["histogram"], facts["otsu_threshold"], facts["threshold"]
        bin_width = facts.get("histogram_bin", 1)  # stored units, of a channel of more than 8 bits
        above_raw, above = (sum(histogram[at // bin_width + 1 :]) for at in (raw, used))
        n_px = round(burden.tissue_px * abs(above - above_raw) / above) if above else 0
        note = f"Otsu's threshold is {raw}, the bounds about the background allow {used}"
        yield _step(burden, "threshold", "clamps", "segmenter.threshold", "tissue", n_px, note=note, is_estimate=True)
    if facts.get("bands_clamped") and {"density_histogram", "otsu_od", "bands_od", "density_bin_od"} <= facts.keys():
        histogram, bin_od, raw_od, used_od = (
            facts[name] for name in ("density_histogram", "density_bin_od", "otsu_od", "bands_od")
        )
        above_raw, above = (sum(histogram[round(od / bin_od) :]) for od in (raw_od, used_od[0]))
        n_px = round(burden.tissue_px * abs(above - above_raw) / sum(histogram)) if sum(histogram) else 0
        note = f"Otsu's first band begins at {raw_od:g} OD, the bounds about the glass allow {used_od[0]:g} OD"
        yield _step(burden, "bands", "clamps", "segmenter.threshold", "positive", n_px, note=note, is_estimate=True)


def _step(
    burden: SlideBurden,
    name: str,
    kind: StepKind,
    setting: str,
    of: StepOf,
    n_px: int,
    *,
    objects: int | None = None,
    note: str = "",
    is_estimate: bool = False,
) -> StepOnRecord:
    mpp = burden.calibration.mpp if burden.was_read else None
    positive_px = sum(area.n_px for area in burden.classes if area.tissue_class.is_positive)
    left = {"tumour": burden.tumor_px or 0, "positive": positive_px, "tissue": burden.tissue_px}[of]
    return StepOnRecord(
        name=name,
        kind=kind,
        setting=setting,
        of=of,
        n_px=n_px,
        area_mm2=None if mpp is None else area_mm2(n_px, mpp),
        share_of_left=n_px / left if left else None,
        objects=objects,
        is_estimate=is_estimate,
        note=note,
    )
