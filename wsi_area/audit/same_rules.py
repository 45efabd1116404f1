"""audit: whether two slides were measured by the same rules, and what else a reader of their change should know."""

from collections.abc import Mapping
from typing import Any

from wsi_area.model.json_tree import flat
from wsi_area.results.opened_run import OpenedRun
from wsi_area.settings.difference import differences
from wsi_area.settings.effect import Effect

Record = Mapping[str, Any]


def rules_apart(before_run: OpenedRun, before: Record, after_run: OpenedRun, after: Record) -> list[str]:
    """Return in what the rules of two slides differ, as text; empty where both were measured by the same."""
    apart = []
    if before["config_hash"] != after["config_hash"]:
        found = differences(_settings_of(before_run, before), _settings_of(after_run, after), Effect.NUMBERS)
        apart += [f"{d.key}: {d.first} → {d.second}" for d in found] or [
            f"settings {before['config_hash'][:12]} → {after['config_hash'][:12]}"
        ]
    if before["measurement_version"] != after["measurement_version"]:
        apart.append(f"measurement version {before['measurement_version']} → {after['measurement_version']}")
    packages = [record.get("made_from", {}).get("segmenter_package") for record in (before, after)]
    if packages[0] != packages[1]:
        apart.append(f"segmenter package {packages[0]} → {packages[1]}")
    models = [record["segmenter"]["facts"].get("model_sha256") for record in (before, after)]
    if models[0] != models[1]:
        apart.append(f"model {str(models[0])[:12]} → {str(models[1])[:12]}")
    return apart


def _settings_of(run: OpenedRun, slide: Record) -> dict[str, Any]:
    """Return the settings by which a slide of a run was measured, by dotted name: a manifest's own over the run's."""
    own = run.about.get("slide_settings", {}).get(slide["slide_id"], {}).get("settings", {})
    return {**dict(flat(run.about.get("settings", {}))), **own}


def remarks_of(before: Record, after: Record) -> list[str]:
    """Return what was not the same at both dates though the rules were: a threshold fitted to each picture, a source.

    >>> facts = {"segmenter": {"facts": {"threshold": 90}}, "calibration": {"source": "png.pHYs"}, "roi": None}
    >>> remarks_of(facts, {**facts, "segmenter": {"facts": {"threshold": 101}}})
    ['the threshold was fitted to each picture: 90 → 101']
    """
    remarks = []
    thresholds = [record["segmenter"]["facts"].get("threshold") for record in (before, after)]
    if thresholds[0] != thresholds[1]:
        remarks.append(f"the threshold was fitted to each picture: {thresholds[0]} → {thresholds[1]}")
    sources = [record["calibration"]["source"] for record in (before, after)]
    if sources[0] != sources[1]:
        remarks.append(f"pixel sizes from {sources[0]} and {sources[1]}")
    drawn = ["the whole image" if record["roi"] is None else "a region of interest" for record in (before, after)]
    if drawn[0] != drawn[1]:
        remarks.append(f"measured was {drawn[0]}, then {drawn[1]}")
    scaled = [_grey_levels(record) for record in (before, after)]
    if scaled[0] != scaled[1]:
        remarks.append(f"a grey level stands for {scaled[0]:g} and {scaled[1]:g} steps of the camera")
    return remarks


def _grey_levels(record: Record) -> float:
    """Return how many steps of a deep picture one grey level stands for; 1 for 8 bits."""
    found = (f["measured"] for f in record.get("findings", ()) if f["code"] == "SAMPLES_SCALED")
    return float(next(found, 1.0))
