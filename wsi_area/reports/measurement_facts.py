"""reports: how one slide was measured, and how much that matters, as lines; pure."""

from collections.abc import Mapping
from typing import Any

from wsi_area.compute.quantity_text import with_mm2
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.estimate_text import estimate_text
from wsi_area.results.tables.light_text import light_text
from wsi_area.results.tables.picture_text import picture_text
from wsi_area.results.tables.quantity import NONE, grouped, mm2_text, percent, plain_facts


def measurement_facts(record: CountedSlide) -> tuple[tuple[str, str], ...]:
    """Return the facts of reading, cutting and segmenting a slide, as name and text."""
    work, power = record.work, record.objective_power
    size = NONE if work.work_mpp_um is None else grouped(work.work_mpp_um)
    bound = record.skipped_tissue_px_upper_bound
    skipped = f"{grouped(work.tiles_skipped)} of {grouped(work.tiles)}"
    if work.tiles_skipped:
        skipped += f"; they hold at most {NONE if bound is None else grouped(bound)} px of foreground"
        skipped += " (95 %), if none holds more than the worst bare tile that was read"
    hidden = {"histogram", "density_histogram", "positive_fraction", "tissue_on_overview"}
    segmenter = record.segmenter
    shown = {k: v for k, v in segmenter.facts.items() if k not in hidden and (k, v) not in _AS_A_RULE}
    own = {k: v for k, v in segmenter.settings.items() if k != "classes"}
    drawings = {"annotations": record.annotations, "roi": record.roi}
    drawn = {name: drawing.model_dump() for name, drawing in drawings.items() if drawing is not None}
    return (
        ("file", f"{record.vendor}, {grouped(record.file_bytes)} bytes"),
        ("fingerprint", record.fingerprint),
        *_named("measured of it", picture_text(record.pictures) if record.certificate is None else ""),
        ("objective", NONE if power is None else f"×{grouped(power)} (never enters an area)"),
        ("read through", f"{record.reader}: {record.reader_reason}"),
        *_named("measured against", light_text(record.light) if record.certificate is None else ""),
        ("worked at", f"{size} µm/px, level {work.level} reduced {work.reduce_factor} times"),
        ("tiles skipped as glass", skipped),
        *_named("estimated", estimate_text(record).removeprefix("estimated: ")),
        ("segmenter", segmenter.name),
        ("its settings", _run_on(own)),
        ("fitted to this slide", _run_on(shown)),
        *((name.replace("_", " "), text) for name, text in plain_facts(drawn)),
        ("hash of cut", work.plan_hash),
        ("measured by", f"wsi-area {record.wsi_area_version}"),
    )


def _named(name: str, text: str) -> tuple[tuple[str, str], ...]:
    """Return a fact; none where there is nothing to say, or where the certificate says it."""
    return ((name, text),) if text else ()


_AS_A_RULE = (("fitted_on", "overview"), ("painted_black_fraction", 0.0), ("clamped", False))
"""Facts that say that nothing out of the ordinary was done."""


def _run_on(facts: Mapping[str, Any]) -> str:
    return "; ".join(f"{name} = {text}" for name, text in plain_facts(facts)) or NONE


def sensitivity_lines(record: CountedSlide) -> tuple[str, ...]:
    """Return the lines on how much the answer moves with the threshold, as far as the segmenter says."""
    facts, lines = record.segmenter.facts, []
    if (moved := record.tissue_by_threshold) is not None:
        what = f"Tissue as all steps leave it, by {moved.counted_on}"
        lines.append(_shifted(what, moved.share_by_shift, record.tissue_mm2_by_threshold or {}))
    if isinstance(shares := facts.get("positive_fraction"), Mapping):
        lines.append(_shifted("Share of the overview in the bands", shares, {}))
    return tuple(line for line in lines if line)


def _shifted(what: str, shares: Mapping[str, Any], areas: Mapping[str, float | None]) -> str:
    parts = []
    for shift, share in shares.items():
        if isinstance(share, int | float):
            area = areas.get(shift)
            at = "as used" if shift == "used" else f"at {shift.replace('-', '−')}"
            parts.append(f"{percent(share) if area is None else with_mm2(mm2_text(area))} {at}")
    return f"{what}, with the threshold moved: {', '.join(parts)}." if parts else ""
