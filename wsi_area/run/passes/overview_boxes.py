"""run: the tissue of a slide in boxes of its overview, asked for where the overview does not agree with the count."""

from collections.abc import Mapping
from math import sqrt
from typing import Any

from wsi_area.compute.judge.overview_findings import counted_share, least_cover, relative_difference
from wsi_area.model.ledger import LedgerLayout
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import SlideLayout
from wsi_area.run.prepare import PreparedSlide
from wsi_area.run.work.map_task import CoverWanted
from wsi_area.settings.run_settings import RunSettings

_LEAST_BOX_WORK_PX = 1.5
"""Work pixels across a pixel of the overview: with fewer the two are compared as they are."""
_FINER_WORK_PX = 0.9
"""Work pixels across a pixel of the overview: with fewer it is finer than the count, and the two cannot be compared."""


def tissue_on_overview(prepared: PreparedSlide, settings: RunSettings) -> float | None:
    """Return the share of the overview that is tissue; None where it cannot be held against the count.

    More than the threshold may make the count, or the overview may be finer than the pixels that were counted. Of an
    estimate nobody can say what boxes of the overview hold, which tells a soft rim from another picture.
    """
    facts: Mapping[str, Any] = prepared.fitted.facts
    share: float | None = facts.get("tissue_on_overview")
    filtered = any((settings.objects.min_focus_um2, settings.objects.min_tissue_um2, settings.objects.max_hole_um2))
    is_finer = min(_box_work_px(prepared)) < _FINER_WORK_PX
    is_partial = prepared.roi is not None or settings.estimate.is_asked
    if filtered or is_finer or is_partial or "exclusions" in facts:
        return None
    return share


def cover_wanted(prepared: PreparedSlide, layout: SlideLayout, settings: RunSettings) -> CoverWanted | None:
    """Return the boxes of the overview that are asked; None where it agrees with the count, or cannot be compared."""
    on_overview, facts = tissue_on_overview(prepared, settings), prepared.fitted.facts
    if on_overview is None or not {"histogram", "threshold"} <= facts.keys():
        return None
    class_count = len(prepared.fitted.scheme.classes)
    rows = ledger_rows(layout)
    counted = counted_share(LedgerLayout(class_count).total(rows.reshape(-1, rows.shape[-1])))
    if counted is None or relative_difference(on_overview, counted) <= settings.quality.overview_difference:
        return None
    bin_levels: Any = facts.get("histogram_bin", 1)
    cover = least_cover(facts["histogram"], facts["threshold"], bin_levels)  # type: ignore[arg-type]
    box_x, box_y = _box_work_px(prepared)
    if cover is None or min(box_x, box_y) < _LEAST_BOX_WORK_PX:
        return None
    return CoverWanted(class_count, box_x, box_y, cover)


def _box_work_px(prepared: PreparedSlide) -> tuple[float, float]:
    """Return the width and height of an overview's pixel in work pixels."""
    plan, side_l0_px = prepared.plan, sqrt(prepared.overview_box_px)
    size, work = plan.slide.size_l0_px, plan.work_size_px
    return side_l0_px * work.width_px / size.width_px, side_l0_px * work.height_px / size.height_px
