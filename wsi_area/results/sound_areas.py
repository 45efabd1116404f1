"""results: whether a result is sound in itself: its pixels add up, and each area is its count times the pixel size."""

import math
from collections.abc import Iterator

from wsi_area.compute.budget.budget import summed
from wsi_area.compute.count.area import area_mm2
from wsi_area.compute.count.ratios import ratios_of
from wsi_area.errors import CountMismatchError
from wsi_area.model.slide_result import CountedSlide
from wsi_area.storage.place import Place

_ROUND_OFF = 1e-9  # relative; the same product in another order differs in the last bits only


def require_sound(slide: CountedSlide, where: Place) -> None:
    """Refuse numbers that are not what the counts and the pixel size make.

    Raises
    ------
    CountMismatchError
        Naming ``where``, the file that the result was read from.
    """
    require_account(slide, where)
    require_areas(slide, where)
    require_ratios(slide, where)
    require_budgets(slide, where)


def require_ratios(slide: CountedSlide, where: Place) -> None:
    """Refuse a ratio that is not what the classes make; for errors as `require_sound`."""
    made = {ratio.name: ratio for ratio in ratios_of(slide.classes)}
    for ratio in slide.ratios:
        if ratio != made.get(ratio.name):
            due = made[ratio.name].value if ratio.name in made else "no such ratio"
            raise CountMismatchError(
                f"{where}: {ratio.name} is on record with {ratio.value}, but the classes make {due}; the file was "
                "changed or is damaged, run the slide again"
            )


def require_budgets(slide: CountedSlide, where: Place) -> None:
    """Refuse a budget whose rows make another sum, or that is of another area; for errors as `require_sound`."""
    areas = {("class", c.name): c.area_mm2 for c in slide.classes}
    areas[("total", "tumor")], areas[("total", "tissue")] = slide.tumor.area_mm2, slide.tissue.area_mm2
    areas[("total", "positive")] = None if slide.positive is None else slide.positive.area_mm2
    for budget in () if slide.budgets is None else slide.budgets.listed:
        again = summed(budget)
        pairs = (
            (budget.counted_mm2, areas.get((budget.kind, budget.area))), (budget.u_mm2, again.u_mm2),
            (budget.expanded_mm2, again.expanded_mm2), (budget.k, again.k),
        )  # fmt: skip
        for told, due in pairs:
            if told is not due and (told is None or due is None or not math.isclose(told, due, rel_tol=_ROUND_OFF)):
                raise CountMismatchError(
                    f"{where}: the uncertainty budget of {budget.area} says {told}, its rows and its area make {due}; "
                    "the file was changed or is damaged, run the slide again"
                )


def require_account(slide: CountedSlide, where: Place) -> None:
    """Refuse pixels that do not add up to those of the slide; for errors as `require_sound`."""
    counts = slide.counts
    px = counts.all_px
    if px != counts.n_px_total or counts.n_px_total != slide.size_l0_px.area_px:
        raise CountMismatchError(
            f"{where}: {px} px are accounted for, the slide has {counts.n_px_total}; the file was changed or is "
            "damaged, run the slide again"
        )


def require_areas(slide: CountedSlide, where: Place) -> None:
    """Refuse an area that is not its count times the pixel size; for errors as `require_sound`."""
    unread_px = slide.counts.n_px_unreadable
    for name, n_px, found_mm2 in _areas(slide):
        is_known = slide.was_read or n_px == unread_px
        expected_mm2 = None if slide.mpp is None or n_px is None or not is_known else area_mm2(n_px, slide.mpp)
        same = found_mm2 is expected_mm2 is None or (
            found_mm2 is not None
            and expected_mm2 is not None
            and math.isclose(found_mm2, expected_mm2, rel_tol=_ROUND_OFF)
        )
        if not same:
            raise CountMismatchError(
                f"{where}: {name} is on record with {found_mm2} mm², but {n_px} px make {expected_mm2} mm²; the file "
                "was changed or is damaged, run the slide again"
            )


def _areas(slide: CountedSlide) -> Iterator[tuple[str, int | None, float | None]]:
    """Yield each class and total by its name, with its level-0 pixels and its area on record."""
    yield from ((c.name, c.n_px, c.area_mm2) for c in slide.classes)
    yield "the tumour", slide.tumor.n_px, slide.tumor.area_mm2
    inside_px = slide.tumor.in_tissue_px
    if inside_px is not None and slide.tumor.n_px is not None:
        yield "the tumour in tissue", inside_px, slide.tumor.in_tissue_area_mm2
        yield "the tumour outside tissue", slide.tumor.n_px - inside_px, slide.tumor.outside_tissue_area_mm2
    if slide.positive is not None:
        yield "what is positive", slide.positive.n_px, slide.positive.area_mm2
    yield "the tissue", slide.tissue.n_px, slide.tissue.area_mm2
    if slide.tissue_envelope is not None:
        yield "the tissue envelope", slide.tissue_envelope.n_px, slide.tissue_envelope.area_mm2
    yield "all that was analysed", slide.analyzed.n_px, slide.analyzed.area_mm2
    yield "what could not be read", slide.unreadable.n_px, slide.unreadable.area_mm2
