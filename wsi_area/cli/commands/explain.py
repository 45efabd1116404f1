"""cli: `wsi-area explain`."""

import json
import math
import sys
from collections.abc import Sequence
from typing import Any

import click

from wsi_area.audit.recorded_areas import recorded_slide
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.wrapping import say, say_wrapped
from wsi_area.compute.count.explain import (
    Explanation,
    PixelSize,
    explain_area,
    explanation_text,
    from_dpi,
    from_mpp,
    from_spacing_mm,
)
from wsi_area.compute.quantity_text import number_text
from wsi_area.compute.units import length_um, two_readings
from wsi_area.errors import ImplausibleMppError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.record.budget.uncertainty_budget import UncertaintyBudget
from wsi_area.model.slide_result import CountedSlide
from wsi_area.reports.measurement_facts import sensitivity_lines
from wsi_area.results.budget.budget_text import budget_lines
from wsi_area.results.tables.adjusted_text import adjusted_lines
from wsi_area.results.tables.estimate_text import estimate_text
from wsi_area.results.tables.step_text import step_lines
from wsi_area.storage.place import Place

EXIT_CALIBRATION = 3


def _one_or_two(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[float, float] | None:
    """Return ``A`` or ``A,B`` as two numbers above 0."""
    return None if text is None else _numbers(text, (1, 2), "one or two numbers above 0, such as 0.5 or 0.25,0.5")


def _lengths(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[float, float] | None:
    """Return ``A`` or ``A,B`` as two lengths in µm; each may name another unit."""
    if text is None:
        return None
    if both := two_readings(text):
        raise click.BadParameter(f"{text}: {both}")
    sizes = [um for um in map(length_um, text.split(",")) if um is not None]
    if len(sizes) != text.count(",") + 1 or len(sizes) > 2:
        wanted = "one or two lengths above 0, such as 0.5 or 0.25,0.5 (µm), or with a unit, such as 10m"
        raise click.BadParameter(f"{text!r} is not {wanted}, with decimal points and a comma between two")
    return sizes[0], sizes[-1]


def _two(ctx: click.Context, param: click.Parameter, text: str | None) -> tuple[float, float] | None:
    """Return ``A,B`` as two numbers above 0."""
    return None if text is None else _numbers(text, (2,), "two numbers above 0, such as 0.0005,0.0005")


def _numbers(text: str, counts: tuple[int, ...], wanted: str) -> tuple[float, float]:
    if both := two_readings(text):
        raise click.BadParameter(f"{text}: {both}")
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in counts or not all(0 < number < math.inf for number in numbers):
        raise click.BadParameter(f"{text!r} is not {wanted}, with decimal points and a comma between two")
    return numbers[0], numbers[-1]


@click.command("explain")
@click.argument("run", required=False, type=RunPlace())
@click.argument("slide_id", required=False)
@click.option("--px", type=click.IntRange(0), help="A number of pixels; default: one.")
@click.option("--mpp", callback=_lengths, metavar="X[,Y]", help="Their size in µm, or with a unit: 10m.")
@click.option("--dpi", callback=_one_or_two, metavar="X[,Y]", help="Their size as dots per inch.")
@click.option("--spacing-mm", callback=_two, metavar="R,C", help="DICOM PixelSpacing: rows, columns.")
@click.option("--power", type=click.FloatRange(0, min_open=True), help="Objective, to check the pixel size against.")
@click.option(
    "--profile",
    type=click.Choice(["glass", "plain"]),
    default="glass",
    help="plain: they are not of a microscope slide.",
)
@click.option("--class", "class_name", help="One class of a run's slide; default: all, and the tumour.")
@click.option("--amended", is_flag=True, help="The newest amended version of a run's slide.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: Place | None,
    slide_id: str | None,
    px: int | None,
    mpp: tuple[float, float] | None,
    dpi: tuple[float, float] | None,
    spacing_mm: tuple[float, float] | None,
    power: float | None,
    profile: str,
    class_name: str | None,
    amended: bool,
    as_json: bool,
) -> None:
    """Show the arithmetic of one area, from its inputs or from a slide of a finished RUN.

    \b
    wsi-area explain --px 15000 --mpp 0.5 --power 20
    wsi-area explain --px 5000 --dpi 300
    wsi-area explain --px 7154 --spacing-mm 0.028968,0.028969
    wsi-area explain out/ CMU-1-Small-Region --class tissue
    wsi-area explain out/ CMU-1-Small-Region --amended

    Exit codes: 0 explained; 3 such a pixel cannot be, or the slide has no pixel size.
    """  # noqa: D301 (click reads the backspace)
    sizes = {"--mpp": mpp, "--dpi": dpi, "--spacing-mm": spacing_mm}
    given = [name for name, size in sizes.items() if size is not None]
    if run is None:
        if len(given) != 1:
            raise click.UsageError("give one of --mpp, --dpi or --spacing-mm with --px; or a RUN folder")
        if class_name is not None or amended:
            raise click.UsageError("--class and --amended are of a RUN; leave them out with --px")
        size, is_judged = _pixel_size(mpp, dpi, spacing_mm), mpp is not None and profile == "glass"
        sys.exit(_explain_inputs(1 if px is None else px, size, power, is_judged, as_json))
    if px is not None or given or power is not None:
        raise click.UsageError("a RUN brings its own numbers; leave out --px, --mpp, --dpi, --spacing-mm and --power")
    sys.exit(_explain_run(recorded_slide(run, slide_id, amended=amended), class_name, as_json))


def _pixel_size(
    mpp: tuple[float, float] | None, dpi: tuple[float, float] | None, spacing_mm: tuple[float, float] | None
) -> PixelSize:
    if mpp is not None:
        return from_mpp(Mpp(*mpp))
    return from_dpi(*dpi) if dpi is not None else from_spacing_mm(*(spacing_mm or (0.0, 0.0)))


def _explain_inputs(px: int, size: PixelSize, power: float | None, is_judged: bool, as_json: bool) -> int:
    try:
        explanation = explain_area(px, size, power=power, is_judged=is_judged)
    except ImplausibleMppError as error:
        refused = {"status": "refused", "reason": str(error)}
        say(_json(refused) if as_json else f"refused: {error}", err=not as_json)
        return EXIT_CALIBRATION
    say(_json({"status": "explained", **_facts(explanation)}) if as_json else explanation_text(explanation))
    return 0


def _areas(slide: CountedSlide, class_name: str | None, total: str) -> list[tuple[str, int]]:
    """Return the classes to explain with their level-0 pixels; the total, too, of several that are tumour or positive.

    Raises
    ------
    SettingsError
        There is no such class.
    """
    areas = [(c.name, c.n_px) for c in slide.classes]
    if slide.tumor.n_px is not None and sum(c.is_tumor for c in slide.classes) > 1:
        areas.append((total, slide.tumor.n_px))  # with one tumour class it would be the same line again
    elif slide.tumor.n_px is None and slide.positive is not None and sum(c.is_positive for c in slide.classes) > 1:
        areas.append((slide.positive.title, slide.positive.n_px))
    known = [name for name, _ in areas]
    if class_name is None:
        return areas
    wanted = total if class_name == "tumor" and class_name not in known else class_name
    if wanted not in known:
        raise SettingsError(f"slide {slide.slide_id} has no class {class_name!r}; it has {', '.join(known)}")
    return [area for area in areas if area[0] == wanted]


def _explain_run(slide: CountedSlide, class_name: str | None, as_json: bool) -> int:
    areas, reason = (
        _areas(slide, class_name, "tumor" if as_json else "tumour"),
        slide.calibration.reason or slide.reason,
    )
    if slide.mpp is None:
        if as_json:
            counts = [{"name": name, "n_px": n_px} for name, n_px in areas]
            document = {"status": "needs_calibration", "reason": reason, "classes": counts}
            say(_json({"slide_id": slide.slide_id, **document}))
        else:
            say(f"{slide.slide_id}: no mm², since no pixel size could be believed ({reason})")
            say("\n".join(f"  {name}: {number_text(n_px)} px" for name, n_px in areas))
        return EXIT_CALIBRATION
    size = from_mpp(slide.mpp, slide.calibration.source or "")
    explained = [(name, explain_area(n_px, size, what=f"{name} pixels")) for name, n_px in areas]
    lacking = slide.reason if slide.is_lower_bound else ""
    if as_json:
        classes = [{"name": name, **_facts(explanation)} for name, explanation in explained]
        head = {"slide_id": slide.slide_id, "status": "explained", "lacking": lacking or None}
        head |= {"estimated": estimate_text(slide)} if slide.estimate is not None else {}
        steps = [] if slide.steps is None else [step.model_dump() for step in slide.steps.listed]
        moved = None if slide.tissue_by_threshold is None else slide.tissue_by_threshold.model_dump()
        budgets = [budget.model_dump() for budget in _budgets(slide, [name for name, _ in areas])]
        adjusted = None if slide.adjusted is None else slide.adjusted.model_dump(mode="json")
        told_of = {"steps": steps, "tissue_by_threshold": moved, "adjusted": adjusted, "budgets": budgets}
        say(_json({**head, "classes": classes, **told_of}))
    else:
        lines = f"{slide.slide_id}: {reason}" if reason else slide.slide_id
        if slide.estimate is not None:
            lines += f"\n{estimate_text(slide)}; the pixels below are estimates, too"
        if lacking:
            lines += f"\nINCOMPLETE, the areas below are too small: {lacking}"
        told = [lines, *(explanation_text(explanation) for _, explanation in explained)]
        steps_told = "\n".join(["steps between what was found and what is counted", *step_lines(slide)])
        errors = ["\n".join(budget_lines(slide, budget)) for budget in _budgets(slide, [name for name, _ in areas])]
        steps_of = [steps_told] if step_lines(slide) else []
        adjusted_told = ["\n".join(adjusted_lines(slide))] if slide.adjusted is not None else []
        say_wrapped("\n\n".join([*told, *steps_of, *sensitivity_lines(slide), *adjusted_told, *errors]))
    return 0


def _budgets(slide: CountedSlide, names: Sequence[str]) -> list[UncertaintyBudget]:
    """Return the budgets of areas by their names, and of the tissue where all are told; an area stands once."""
    listed = () if slide.budgets is None else slide.budgets.listed
    wanted = {*names, *(["tissue"] if len(names) > 1 else [])} | {"tumor" for name in names if name == "tumour"}
    found: dict[tuple[float, tuple[str, ...]], UncertaintyBudget] = {}
    for budget in listed:
        if budget.area in wanted:
            found.setdefault((budget.counted_mm2, budget.classes), budget)
    return list(found.values())


def _facts(explanation: Explanation) -> dict[str, Any]:
    return {
        "question": explanation.question,
        "n_px": explanation.n_px,
        "mpp_x_um": explanation.mpp.x,
        "mpp_y_um": explanation.mpp.y,
        "steps": [{"text": step.text, "value": step.value, "unit": step.unit} for step in explanation.steps],
        "area_mm2": explanation.area_mm2,
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
