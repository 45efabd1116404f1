"""audit: two runs held side by side: which settings differ, and which slides' areas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from wsi_area.model.json_tree import flat
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.results.record import is_counted
from wsi_area.results.run_folder import require_readable
from wsi_area.settings.difference import SettingDifference, differences
from wsi_area.storage.place import Place


@dataclass(frozen=True, slots=True)
class SlideDifference:
    """One thing about one slide that is not the same in both, beyond the tolerance."""

    slide_id: str
    what: str  # "status", "mpp_x_um", "area_mm2 of tumor" …
    first: Any
    second: Any

    @property
    def relative(self) -> float | None:
        """Return |second − first| over the larger of the two, None where they are no numbers.

        >>> SlideDifference("S1", "area", 2.0, 1.0).relative
        0.5
        """
        return relative_difference(self.first, self.second)


@dataclass(frozen=True, slots=True)
class RunDifference:
    """How two runs differ; empty where they say the same."""

    settings: tuple[SettingDifference, ...]
    slides: tuple[SlideDifference, ...]
    compared: int  # slides that both runs have

    @property
    def is_same(self) -> bool:
        """Return whether every slide says the same in both; other settings alone do not make results differ."""
        return not self.slides


def relative_difference(first: Any, second: Any) -> float | None:
    """Return |second − first| over the larger magnitude; 0 for two zeros, None where either is no number.

    >>> relative_difference(0.0, 0.0), relative_difference(None, 1.0)
    (0.0, None)
    """
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (first, second)):
        return None
    largest = max(abs(first), abs(second))
    return abs(second - first) / largest if largest else 0.0


def compare_runs(first: Place, second: Place, tolerance: float = 0.0) -> RunDifference:
    """Return how two runs differ, slide by slide.

    Parameters
    ----------
    first, second : Place
        The folders that ``--out`` named.
    tolerance : float
        Relative difference of an area, a count or a pixel size up to which two slides are the same; 0 asks for the
        very same number. What is in one run only, and another status, always differ.

    Raises
    ------
    ResultError
        If either folder holds no run.
    """
    a, b = _Run(first), _Run(second)
    slides: list[SlideDifference] = []
    for slide_id in sorted({*a.statuses, *b.statuses}):
        slides += _slide(slide_id, a, b, tolerance)
    shared = sum(slide_id in b.statuses for slide_id in a.statuses)
    return RunDifference(tuple(_settings(a.about, b.about)), tuple(slides), shared)


class _Run:
    def __init__(self, root: Place) -> None:
        self.layout = RunLayout(root)
        self.about = require_readable(self.layout)
        ended: Mapping[str, Any] = self.about.get("slides", {})
        self.statuses = {
            str(name): ended.get(name, {}).get("status", "not reached") for name in self.about["slides_planned"]
        }

    def record(self, slide_id: str) -> Mapping[str, Any]:
        return read_json(self.layout.slide(slide_id).result_json)


def _settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[SettingDifference]:
    yield from differences(first.get("settings", {}), second.get("settings", {}))
    yield from _settings_of_slides(first, second)
    for name in ("segmenter_package", "wsi_area_version"):
        if first.get(name) != second.get(name):
            yield SettingDifference(name, first.get(name), second.get(name))


def _settings_of_slides(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[SettingDifference]:
    """Yield what a slide of both runs was measured with otherwise, where a manifest gave it settings of its own."""
    own = [about.get("slide_settings", {}) for about in (first, second)]
    of_run = [dict(flat(about.get("settings", {}))) for about in (first, second)]
    for slide_id in sorted({*own[0], *own[1]} & {*first.get("slides", {})} & {*second.get("slides", {})}):
        of_slide = [of_its_run.get(slide_id, {}).get("settings", {}) for of_its_run in own]
        keys = {*of_slide[0], *of_slide[1]}
        then, now = ({k: {**run, **mine}.get(k) for k in keys} for run, mine in zip(of_run, of_slide, strict=True))
        for apart in differences(then, now):
            yield replace(apart, key=f"{slide_id}: {apart.key}")


def _slide(slide_id: str, a: _Run, b: _Run, tolerance: float) -> Iterator[SlideDifference]:
    statuses = a.statuses.get(slide_id), b.statuses.get(slide_id)
    if statuses[0] != statuses[1]:
        yield SlideDifference(slide_id, "status", *statuses)
    if not all(status in {"complete", "incomplete", "needs_calibration"} for status in statuses):
        return
    documents = a.record(slide_id), b.record(slide_id)
    if not all(is_counted(document) for document in documents):
        return
    first, second = (_figures(document) for document in documents)
    for what in sorted({*first, *second}):
        one, other = first.get(what), second.get(what)
        apart = relative_difference(one, other)
        if one != other and (apart is None or apart > tolerance):
            yield SlideDifference(slide_id, what, one, other)


def _figures(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what two runs of one slide should agree on."""
    figures: dict[str, Any] = {
        "slide file": record["fingerprint"],
        "mpp_x_um": record["calibration"]["mpp_x_um"],
        "mpp_y_um": record["calibration"]["mpp_y_um"],
        "tumor area_mm2": record["tumor"]["area_mm2"],
        "tissue area_mm2": record["tissue"]["area_mm2"],
    }
    for name in ("annotations", "roi"):
        figures[name] = (record.get(name) or {}).get("sha256")
    for name in ("n_px_total", "n_px_unscanned", "n_px_outside_roi", "n_px_unreadable"):
        figures[name] = record["counts"][name]
    for c in record["classes"]:
        figures[f"class {c['name']} n_px"] = c["n_px"]
        figures[f"class {c['name']} area_mm2"] = c["area_mm2"]
    return figures
