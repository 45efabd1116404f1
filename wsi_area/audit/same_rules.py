"""audit: whether two slides were measured by the same rules, and what else a reader of their change should know."""

from typing import Any

from wsi_area.model.json_tree import flat
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.light_text import doubt_text, is_unlit
from wsi_area.settings.difference import differences
from wsi_area.settings.effect import Effect

NO_VERDICT = "; no interval holds the error of a wrong glass, so there is no verdict"


def rules_apart(before_run: RunRecord, before: CountedSlide, after_run: RunRecord, after: CountedSlide) -> list[str]:
    """Return in what the rules of two slides differ, as text; empty where both were measured by the same."""
    apart = []
    if before.config_hash != after.config_hash:
        numbers = Effect.NUMBERS, Effect.AFTER
        found = differences(_settings_of(before_run, before), _settings_of(after_run, after), *numbers)
        apart += [f"{d.key}: {d.first} → {d.second}" for d in found] or [
            f"settings {before.config_hash[:12]} → {after.config_hash[:12]}"
        ]
    if before.measurement_version != after.measurement_version:
        apart.append(f"measurement version {before.measurement_version} → {after.measurement_version}")
    packages = [slide.made_from.segmenter_package for slide in (before, after)]
    if packages[0] != packages[1]:
        apart.append(f"segmenter package {packages[0]} → {packages[1]}")
    models = [slide.segmenter.facts.get("model_sha256") for slide in (before, after)]
    if models[0] != models[1]:
        apart.append(f"model {str(models[0])[:12]} → {str(models[1])[:12]}")
    return apart


def _settings_of(run: RunRecord, slide: CountedSlide) -> dict[str, Any]:
    """Return the settings by which a slide of a run was measured, by dotted name: a manifest's own over the run's."""
    own = run.slide_settings.get(slide.slide_id, {}).get("settings", {})
    return {**dict(flat(run.settings)), **own}


def remarks_of(before: CountedSlide, after: CountedSlide) -> list[str]:
    """Return the things that differed though the rules did not: a fitted threshold, a source, a region."""
    remarks = []
    if before.segmenter.threshold != after.segmenter.threshold:
        thresholds = f"{before.segmenter.threshold} → {after.segmenter.threshold}"
        remarks.append(f"the threshold was fitted to each picture: {thresholds}")
    if before.calibration.source != after.calibration.source:
        remarks.append(f"pixel sizes from {before.calibration.source} and {after.calibration.source}")
    drawn = ["the whole image" if slide.roi is None else "a region of interest" for slide in (before, after)]
    if drawn[0] != drawn[1]:
        remarks.append(f"measured was {drawn[0]}, then {drawn[1]}")
    for when, slide in (("before", before), ("after", after)):
        if doubt := doubt_text(slide):
            verdict = NO_VERDICT if is_unlit(slide) else ""
            remarks.append(f"{when}: {doubt}{verdict}")
    tissue = [denominator_of(slide) for slide in (before, after)]
    if tissue[0] != tissue[1]:
        remarks.append(f"shares were of {tissue[0]}, then of {tissue[1]}: the denominator changed")
    scaled = [_grey_levels(slide) for slide in (before, after)]
    if scaled[0] != scaled[1]:
        remarks.append(f"a grey level stands for {scaled[0]:g} and {scaled[1]:g} steps of the camera")
    return remarks


def denominator_of(slide: CountedSlide) -> str:
    """Return in words what the shares of a slide are shares of; of an older result, which does not say, as it was."""
    tissue = slide.tissue
    if tissue.n_px is None:
        return "nothing (no tissue was measured)"
    is_drawn = tissue.source == "drawing" or (tissue.source is None and slide.annotations is not None)
    return "a tissue layer" if tissue.source == "layer" else "what was drawn" if is_drawn else "the tissue classes"


def _grey_levels(slide: CountedSlide) -> float:
    """Return the steps of a deep picture that one grey level stands for; 1 for 8 bits."""
    found = (f.measured for f in slide.findings if f.code == "SAMPLES_SCALED" and f.measured is not None)
    return float(next(found, 1.0))
