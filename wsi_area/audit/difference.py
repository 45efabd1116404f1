"""audit: two runs held side by side: which settings differ, and which slides' areas."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from wsi_area.audit.same_rules import denominator_of
from wsi_area.frozen_value import frozen_value
from wsi_area.model.json_tree import flat
from wsi_area.model.run_record import RunRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.amended import latest_amended
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.results.run_folder import require_readable
from wsi_area.settings.difference import SettingDifference, differences
from wsi_area.storage.place import Place


@frozen_value
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


@frozen_value
class RunDifference:
    """How two runs differ; empty where they say the same."""

    settings: tuple[SettingDifference, ...]
    slides: tuple[SlideDifference, ...]
    compared: int  # slides that both runs have

    @property
    def is_same(self) -> bool:
        """Return True if every slide says the same in both; other settings alone do not make results differ."""
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


def compare_runs(
    first: Place, second: Place, tolerance: float = 0.0, *, amended: tuple[bool, bool] = (False, False)
) -> RunDifference:
    """Return the differences of two runs, slide by slide.

    Parameters
    ----------
    first, second : Place
        The folders that ``--out`` named.
    tolerance : float
        Relative difference of an area, a count or a pixel size up to which two slides are the same; 0 asks for the
        very same number. What is in one run only, and another status, always differ.
    amended : (bool, bool)
        Whether the first, and the second, is taken as it was amended: of each slide the newest amended version.

    Raises
    ------
    ResultError
        If either folder holds no run.
    """
    a, b = _Run(first, amended[0]), _Run(second, amended[1])
    slides: list[SlideDifference] = []
    for slide_id in sorted({*a.statuses, *b.statuses}):
        slides += _slide(slide_id, a, b, tolerance)
    shared = sum(slide_id in b.statuses for slide_id in a.statuses)
    return RunDifference(tuple(_settings(a.record, b.record)), tuple(slides), shared)


class _Run:
    def __init__(self, root: Place, as_amended: bool) -> None:
        self.as_amended = as_amended
        self.layout = RunLayout(root)
        self.record = require_readable(self.layout)
        ended = self.record.ended_slides
        self.statuses = {n: ended[n].status if n in ended else "not reached" for n in self.record.slides_planned}

    def counted(self, slide_id: str) -> CountedSlide | None:
        """Return the result of a slide, None where it has no counts."""
        if self.statuses[slide_id] not in {"complete", "estimated", "incomplete", "needs_calibration"}:
            return None
        layout = self.layout.slide(slide_id)
        version = latest_amended(layout) if self.as_amended else None
        slide = read_result(layout) if version is None else version.result
        return slide if isinstance(slide, CountedSlide) else None


def _settings(first: RunRecord, second: RunRecord) -> Iterator[SettingDifference]:
    yield from differences(first.settings, second.settings)
    yield from _settings_of_slides(first, second)
    if first.segmenter_package != second.segmenter_package:
        yield SettingDifference("segmenter_package", first.segmenter_package, second.segmenter_package)
    if first.wsi_area_version != second.wsi_area_version:
        yield SettingDifference("wsi_area_version", first.wsi_area_version, second.wsi_area_version)


def _settings_of_slides(first: RunRecord, second: RunRecord) -> Iterator[SettingDifference]:
    """Yield what a slide of both runs was measured with otherwise, where a manifest gave it settings of its own."""
    own = first.slide_settings, second.slide_settings
    of_run = [dict(flat(run.settings)) for run in (first, second)]
    for slide_id in sorted({*own[0], *own[1]} & {*first.ended_slides} & {*second.ended_slides}):
        of_slide = [of_its_run.get(slide_id, {}).get("settings", {}) for of_its_run in own]
        keys = {*of_slide[0], *of_slide[1]}
        then, now = ({k: {**run, **mine}.get(k) for k in keys} for run, mine in zip(of_run, of_slide, strict=True))
        for apart in differences(then, now):
            yield replace(apart, key=f"{slide_id}: {apart.key}")


def _slide(slide_id: str, a: _Run, b: _Run, tolerance: float) -> Iterator[SlideDifference]:
    statuses = a.statuses.get(slide_id), b.statuses.get(slide_id)
    if statuses[0] != statuses[1]:
        yield SlideDifference(slide_id, "status", *statuses)
    if None in statuses:
        return
    slides = a.counted(slide_id), b.counted(slide_id)
    if slides[0] is None or slides[1] is None:
        return
    first, second = _figures(slides[0]), _figures(slides[1])
    for what in sorted({*first, *second}):
        one, other = first.get(what), second.get(what)
        apart = relative_difference(one, other)
        if one != other and (apart is None or apart > tolerance):
            yield SlideDifference(slide_id, what, one, other)


def _figures(slide: CountedSlide) -> dict[str, Any]:
    """Return the numbers on which two runs of one slide should agree."""
    counts = slide.counts
    figures: dict[str, Any] = {
        "slide file": slide.fingerprint,
        "mpp_x_um": slide.calibration.mpp_x_um,
        "mpp_y_um": slide.calibration.mpp_y_um,
        "tumor area_mm2": slide.tumor.area_mm2,
        "positive area_mm2": None if slide.positive is None else slide.positive.area_mm2,
        "tissue area_mm2": slide.tissue.area_mm2,
        "tissue, the denominator of shares": denominator_of(slide),
        "tumor in tissue area_mm2": slide.tumor.in_tissue_area_mm2,
        "annotations": None if slide.annotations is None else slide.annotations.sha256,
        "roi": None if slide.roi is None else slide.roi.sha256,
        "n_px_total": counts.n_px_total,
        "n_px_unscanned": counts.n_px_unscanned,
        "n_px_outside_roi": counts.n_px_outside_roi,
        "n_px_unsampled": counts.n_px_unsampled,
        "n_px_unreadable": counts.n_px_unreadable,
    }
    for c in slide.classes:
        figures |= {f"class {c.name} n_px": c.n_px, f"class {c.name} area_mm2": c.area_mm2}
    return figures
