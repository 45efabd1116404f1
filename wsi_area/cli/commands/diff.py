"""cli: `wsi-area diff`."""

import sys
from dataclasses import asdict

import click

from wsi_area.audit.difference import RunDifference, SlideDifference, compare_runs
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say_document
from wsi_area.compute.quantity_text import number_text
from wsi_area.run.run_document import EXIT_OK, EXIT_VERIFICATION
from wsi_area.storage.place import Place

_LEAST_DIGITS, _MOST_DIGITS = 6, 17
"""Significant digits: as everywhere, and those after which two floating-point numbers that differ read differently."""
_HASH_LENGTH, _HASH_SHOWN = 64, 12
"""Of what names a file or a drawing; --json has all of it."""


@click.command("diff")
@click.argument("first", type=RunPlace(exists=True))
@click.argument("second", type=RunPlace(exists=True), required=False)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Relative difference up to which two numbers are the same, e.g. 0.01.",
)
@click.option(
    "--amended", is_flag=True,
    help="Take the newest amended version of each slide; with one run: compare it with what was measured.",
)  # fmt: skip
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(first: Place, second: Place | None, tolerance: float, amended: bool, as_json: bool) -> None:
    """Compare two runs slide by slide, and say which settings differ.

    \b
    wsi-area diff out-monday/ out-tuesday/ --tolerance 0.001
    wsi-area diff out/ --amended                      # what corrections changed

    Exit code 0 if every slide says the same within the tolerance, 4 if any does not.
    """  # noqa: D301 (click reads the backspace)
    if second is None and not amended:
        raise click.UsageError(
            "give two runs; or one with --amended, to hold its corrections against what was measured"
        )
    both = (amended and second is not None, amended)
    difference = compare_runs(first, first if second is None else second, tolerance, amended=both)
    code = EXIT_OK if difference.is_same else EXIT_VERIFICATION
    if as_json:
        say_document({"exit_code": code, **asdict(difference)})
    else:
        _print(difference, tolerance)
    sys.exit(code)


def _print(difference: RunDifference, tolerance: float) -> None:
    console = report_console()
    for setting in difference.settings:
        print_lines(console, f"setting {setting.key}: {setting.first!r} → {setting.second!r}")
    alone = {slide.slide_id for slide in difference.slides if _is_alone(slide)}
    for slide in difference.slides:
        if _is_alone(slide):
            place, status = ("second", slide.second) if slide.first is None else ("first", slide.first)
            told = f"{slide.slide_id}: only in the {place} run ({status})"
        else:
            told = difference_text(slide)
        print_lines(console, told)
    differing = len({slide.slide_id for slide in difference.slides} - alone)
    limit = "exactly" if tolerance == 0 else f"within {tolerance:g}"
    told = f"{differing} differ{'s' * (differing == 1)}" if differing else f"all say the same, {limit}"
    only = f"; {_slides(len(alone))} in one run only" if alone else ""
    print_lines(console, f"{_slides(difference.compared)} in both: {told}{only}")


def _is_alone(slide: SlideDifference) -> bool:
    """Return True if this says that only one of the runs has the slide."""
    return slide.what == "status" and None in (slide.first, slide.second)


def _slides(number: int) -> str:
    return f"{number} slide{'' if number == 1 else 's'}"


def difference_text(slide: SlideDifference) -> str:
    """Return one difference in words: both values, their unit once, and how far apart they are.

    >>> difference_text(SlideDifference("s1", "tumor area_mm2", 17.7966993847656, 12.3456789012345))
    's1, tumour area: 17.7967 → 12.3457 mm² (30.6 % apart)'
    """
    what, unit = _what_and_unit(slide.what)
    if slide.relative is None:
        first, second = (_shown(value, unit) for value in (slide.first, slide.second))
        return f"{slide.slide_id}, {what}: {first} → {second}"
    first, second = _apart(slide.first, slide.second)
    percent = number_text(float(f"{100 * slide.relative:.3g}"))
    return f"{slide.slide_id}, {what}: {first} → {second} {unit} ({percent} % apart)"


def _what_and_unit(what: str) -> tuple[str, str]:
    """Return the name of what differs as a person says it, with the unit that the name carries.

    >>> _what_and_unit("mpp_x_um"), _what_and_unit("class tissue n_px"), _what_and_unit("n_px_outside_roi")
    (('pixel size in x', 'µm'), ('class tissue', 'px'), ('outside roi', 'px'))
    """
    if what in {"mpp_x_um", "mpp_y_um"}:
        return f"pixel size in {what[4]}", "µm"
    if what.startswith("n_px_"):
        return what.removeprefix("n_px_").replace("_", " "), "px"
    if what.endswith(" n_px"):
        return what.removesuffix(" n_px"), "px"
    name = what.removesuffix("_mm2")
    return ("tumour area" if name == "tumor area" else name), "mm²" * what.endswith("_mm2")


def _apart(first: float, second: float) -> tuple[str, str]:
    """Return two numbers to six significant digits, or to as many as tell them apart.

    >>> _apart(0.5, 0.51), _apart(17.79670001, 17.79670002), _apart(15_000, 1_640_100)
    (('0.5', '0.51'), ('17.79670001', '17.79670002'), ('15 000', '1 640 100'))
    """
    texts = number_text(first), number_text(second)
    digits = _LEAST_DIGITS
    while texts[0] == texts[1] and digits < _MOST_DIGITS:
        digits += 1
        texts = f"{first:.{digits}g}", f"{second:.{digits}g}"
    return texts


def _shown(value: object, unit: str) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{number_text(value)} {unit}".rstrip()
    text = str(value)
    return f"{text[:_HASH_SHOWN]}…" if len(text) == _HASH_LENGTH else text
