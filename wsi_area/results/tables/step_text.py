"""results: the steps between what was found on a slide and what is counted, as lines for people; pure."""

from wsi_area.compute.quantity_text import with_mm2
from wsi_area.model.record.slide_steps import StepOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import grouped, mm2_text


def step_lines(slide: CountedSlide) -> tuple[str, ...]:
    """Return a line for each step: what it did, pixels and mm², the share of what is left, its setting and limit."""
    return () if slide.steps is None else tuple(_line(step) for step in slide.steps.listed)


def _line(step: StepOnRecord) -> str:
    """Return one step as a line.

    >>> known = dict(setting="objects.max_hole_um2", of="tissue", is_estimate=False, note="smaller than 9 µm²")
    >>> _line(StepOnRecord(name="hole", kind="fills", n_px=400, area_mm2=0.0001, share_of_left=0.1, objects=4, **known))
    'holes filled: 400 px (4 objects) = 0.0001 mm², 10.0 % of the tissue left; objects.max_hole_um2: smaller than 9 µm²'
    """
    why = f"{step.setting}: {step.note}" if step.note else step.setting
    if step.n_px is None:
        return f"{step.name}: not assessed; {why}"
    text = f"{step.title}: {'about ' * step.is_estimate}{grouped(step.n_px)} px"
    if step.objects is not None:
        text += f" ({grouped(step.objects)} object{'s' * (step.objects != 1)})"
    if step.area_mm2 is not None:
        text += f" = {with_mm2(mm2_text(step.area_mm2))}"
    if step.share_of_left is not None:
        text += f", {100 * step.share_of_left:.1f} % of the {step.of} left"
    return f"{text}; {why}"
