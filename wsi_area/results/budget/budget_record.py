"""results: the uncertainty budgets of a slide, from what its result says; and again with what others know of it."""

import math
from collections.abc import Iterator
from dataclasses import replace

from wsi_area.compute.budget.budget import CountedArea, budget_of
from wsi_area.compute.budget.budget import with_terms as budget_with_terms
from wsi_area.compute.budget.rows import (
    conflict_row,
    counting_row,
    exact,
    pixel_size_row,
    skipped_glass_row,
    threshold_row,
    unknown,
)
from wsi_area.compute.budget.terms import NOTHING_GIVEN, BudgetTerms
from wsi_area.compute.budget.work_pixel import PixelSteps, work_pixel_row
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.record.budget.slide_budgets import BudgetsOnRecord
from wsi_area.model.record.budget.uncertainty_budget import AreaKind, BudgetRow, UncertaintyBudget
from wsi_area.model.record.slide_areas import ClassOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.budget.ledger_facts import NO_FACTS, LedgerFacts


def budgets_on_record(
    slide: CountedSlide,
    facts: LedgerFacts = NO_FACTS,
    layer: CountedSlide | None = None,
    terms: BudgetTerms = NOTHING_GIVEN,
) -> BudgetsOnRecord | None:
    """Return a budget for each class but background and each total of a slide; None where there are no mm².

    Parameters
    ----------
    slide : CountedSlide
    facts
        What its ledger says beyond the counts.
    layer : CountedSlide or None
        The tissue layer, where the tissue is that: its budget of the tissue is taken.
    terms
        What the run does not know by itself.
    """
    if slide.mpp is None or not slide.was_read:
        return None
    found = []
    for area, members in _areas(slide):
        if area.kind == "total" and area.name == "tissue" and slide.tissue.source == "layer":
            found += [] if layer is None else _of_layer(layer, area, terms)
            continue
        found.append(budget_of(area, _own_rows(slide, area, members, facts), terms))
    return BudgetsOnRecord(listed=tuple(found))


def with_terms(slide: CountedSlide, terms: BudgetTerms) -> CountedSlide:
    """Return a slide whose budgets hold what others know of it; as it is where it has no budget."""
    if slide.budgets is None:
        return slide
    listed = tuple(budget_with_terms(budget, terms) for budget in slide.budgets.listed)
    return slide.model_copy(update={"budgets": BudgetsOnRecord(listed=listed)})


def _areas(slide: CountedSlide) -> Iterator[tuple[CountedArea, tuple[ClassOnRecord, ...]]]:
    """Yield each area that has mm², with the classes that it is made of."""
    classes = slide.classes
    positive = slide.positive
    totals = (
        ("tumor", slide.tumor.area_mm2, tuple(c for c in classes if c.is_tumor)),
        ("positive", None if positive is None else positive.area_mm2, tuple(c for c in classes if c.is_positive)),
        ("tissue", slide.tissue.area_mm2, tuple(c for c in classes if c.is_tissue)),
    )
    for name, area_mm2, members in totals:
        if area_mm2 is not None:
            yield _area(slide, "total", name, area_mm2, members), members
    for c in classes:
        if c.id != BACKGROUND_ID and not c.is_excluded and c.area_mm2 is not None:
            yield _area(slide, "class", c.name, c.area_mm2, (c,)), (c,)


def _area(
    slide: CountedSlide, kind: AreaKind, name: str, area_mm2: float, members: tuple[ClassOnRecord, ...]
) -> CountedArea:
    names = tuple(c.name for c in members)
    told = measurand_text(slide, kind, name, names)
    return CountedArea(kind, name, names, told, area_mm2, slide.annotations is not None, _uncounted(slide))


def _uncounted(slide: CountedSlide) -> str:
    """Return the reason why not every pixel of a slide was counted; "" where each was."""
    if slide.is_estimate:
        return "a sample was counted, and nobody said how far it may be off"
    lost_px = slide.counts.n_px_unreadable
    return f"{lost_px} px could not be read, so the area may be too small" if lost_px else ""


def measurand_text(slide: CountedSlide, kind: AreaKind, name: str, classes: tuple[str, ...]) -> str:
    """Return in words what an area of a slide stands for: class, pixel, holes, region, and what is not in it."""
    what = f"all that is {'tumour' if name == 'tumor' else name}" if kind == "total" else f"class {name}"
    members = f" ({', '.join(classes)})" if kind == "total" and classes else ""
    work_um = slide.work.work_mpp_um or 0.0
    steps = () if slide.steps is None else slide.steps.listed
    filled = next((step.setting for step in steps if step.kind == "fills"), None)
    holes = f"holes as {filled} leaves them" if filled else "net of holes"
    region = "in the whole picture" if slide.roi is None else "in the region of interest"
    return (
        f"{what}{members}: area {region}, {holes}, as pixels of level 0 would show it, counted in pixels of "
        f"{work_um:.4g} µm; of the section as it lies, thickness and shrinkage are not in it"
    )


def _own_rows(
    slide: CountedSlide, area: CountedArea, members: tuple[ClassOnRecord, ...], facts: LedgerFacts
) -> tuple[BudgetRow, ...]:
    """Return the rows that a run knows by itself."""
    calibration, work, name = slide.calibration, slide.work, (area.kind, area.name)
    is_tissue = area.kind == "total" and area.name == "tissue"
    is_tissue |= {c.name for c in members} == {c.name for c in slide.classes if c.is_tissue}
    counting = counting_row(facts.edges.get(name), (work.work_mpp_x_um or 0.0, work.work_mpp_y_um or 0.0))
    seen, u_count_mm2 = facts.other_pixels.get(name), counting.u_mm2 or 0.0
    if slide.estimate is None:
        looked = (
            counting,
            work_pixel_row(area.area_mm2, _steps(slide), seen, u_count_mm2, area.is_drawn),
            skipped_glass_row(
                slide.skipped_tissue_px_upper_bound, work.tiles_skipped, calibration.pixel_area_mm2 or 0.0, True
            ),
        )
    else:
        looked = _rows_of_estimate(area, _steps(slide))
    rows = (
        pixel_size_row(area.area_mm2, calibration),
        conflict_row(area.area_mm2, calibration),
        *looked,
        threshold_row(area.area_mm2, slide.tissue_by_threshold, is_tissue),
    )
    return tuple(row for row in rows if row is not None)


def _rows_of_estimate(area: CountedArea, steps: PixelSteps) -> tuple[BudgetRow, BudgetRow, BudgetRow]:
    """Return the reasons that spots give no counting and no work pixel; bare glass is drawn from like the rest."""
    whole = "measure the slide whole: leave --estimate out"
    pixel = (
        work_pixel_row(area.area_mm2, steps, None, 0.0, area.is_drawn)
        if steps.is_level_0
        else unknown("work_pixel", f"not assessed in pixels of {steps.work_um:.4g} µm: spots are counted once", whole)
    )
    return (
        unknown("counting", "not assessed: an estimate has no outline to measure", whole),
        pixel,
        exact("skipped_glass", "spots are drawn from bare glass, too: what it may hold is in the sampling"),
    )


def _steps(slide: CountedSlide) -> PixelSteps:
    """Return the pixels between the work pixels of a slide and level 0, as the roots of their areas."""
    pixel_um = 1000 * math.sqrt(slide.calibration.pixel_area_mm2 or 0.0)
    level, factor = slide.levels[slide.work.level], slide.work.reduce_factor
    level_um = pixel_um * math.sqrt(level.downsample_x * level.downsample_y)
    return PixelSteps(level_um * factor, factor, level_um, pixel_um)


def _of_layer(layer: CountedSlide, area: CountedArea, terms: BudgetTerms) -> list[UncertaintyBudget]:
    """Return the budget of the tissue as its layer has it, of the same area; none where it has none."""
    told = None if layer.budgets is None else layer.budgets.tissue
    if told is None:
        return []
    as_layer = replace(area, classes=told.classes, measurand=told.measurand)
    given = {"sampling", "segmentation", "observer", "rescan"}
    return [budget_of(as_layer, [row for row in told.rows if row.name not in given], terms)]
