"""cli: `wsi-area reference draw` and `wsi-area reference score`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from wsi_area.audit.reference.answers import read_answers, reading_of
from wsi_area.audit.reference.draw import DrawRules, drawn_design
from wsi_area.audit.reference.files import (
    name_of_draw,
    read_design,
    require_new,
    totals_of,
    unless_shown,
    write_draw,
    write_score,
)
from wsi_area.audit.reference.form import form_html
from wsi_area.audit.reference.patches import patches, without_pictures
from wsi_area.audit.reference.score import scored
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.console import report_console
from wsi_area.cli.output.printer import print_lines
from wsi_area.cli.output.wrapping import say, say_beside, say_document
from wsi_area.errors import SettingsError
from wsi_area.model.uncertainty.reference_design import By
from wsi_area.model.uncertainty.reference_score import AdjustedArea, ReferenceScore
from wsi_area.results.documents import document_of
from wsi_area.results.layout import write_bytes
from wsi_area.results.opened_run import open_run
from wsi_area.results.uncertainty.tables_again import write_tables_again
from wsi_area.review.tables import renew_review
from wsi_area.storage.place import Place

EXIT_FAILED = 2


@click.group("reference", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Draw reference points over a run, and make areas with an interval of a reader's answers."""


@command.command("draw")
@click.argument("run", type=RunPlace())
@click.option("--points", type=click.IntRange(1), default=300, show_default=True, help="Of each slide, or the run.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The same seed, the same points.")
@click.option("--by", type=click.Choice(["slide", "run"]), default="run", show_default=True, help="Whose points.")
@click.option("--slides", type=click.IntRange(1), help="So many slides of the run, drawn at random; default: all.")
@click.option("--name", default="points", show_default=True, help="Of the folder, RUN/reference/NAME.")
@click.option(
    "--boundary-um", type=click.FloatRange(0), default=10.0, show_default=True,
    help="What lies so near another class is a stratum of its own; 0: none.",
)  # fmt: skip
@click.option("--min-distance-um", type=click.FloatRange(0), default=0.0, help="Least distance of two points.")
@click.option("--points-in", multiple=True, metavar="CLASS=N", help="So many points in that mapped class.")
@click.option("--field-um", type=click.FloatRange(1, 5000), default=256.0, show_default=True, help="Width of a patch.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def draw(
    run: Place, points: int, seed: int, by: By, slides: int | None, name: str, boundary_um: float,
    min_distance_um: float, points_in: tuple[str, ...], field_um: float, as_json: bool,
) -> None:  # fmt: skip
    """Draw points over a finished RUN, for somebody to answer who does not see the map.

    \b
    wsi-area reference draw out/ --points 300 --seed 7
    wsi-area reference draw out/ --by slide --points 200 --name second
    wsi-area reference draw out/ --slides 10 --points 600

    They are stratified by mapped class, with 50 in each where the number allows it. Give form.html or points.csv to
    the reader; design.json has what the map says, and is not for the reader.

    Exit codes: 0 drawn; 1 wrong options, or no finished run; 2 some slides or pictures could not be had.
    """  # noqa: D301 (click reads the backspace)
    opened = open_run(run)
    require_new(opened.layout, name)
    rules = DrawRules(name, points, seed, by, boundary_um, min_distance_um, _numbers(points_in), slides)
    design = drawn_design(opened, rules)
    found = patches(opened, design.points, field_um)
    files = write_draw(opened.layout, design)
    form = files[0].parent / "form.html"
    write_bytes(form, form_html(design, found, field_um).encode())
    unseen = without_pictures(found)
    if as_json:
        document = {
            "name": name, "points": len(design.points), "left_out": design.left_out,
            "not_drawn": [slide.slide_id for slide in design.not_drawn], "without_picture": len(unseen),
            "files": [str(file) for file in (*files, form)],
        }  # fmt: skip
        say_document(document)
    else:
        say(f"{len(design.points)} points drawn\n" + "\n".join(str(file) for file in (*files, form)))
    if design.not_drawn and not as_json:
        say(f"on {len(design.slides)} slides, drawn from {len(design.slides) + len(design.not_drawn)}")
    if len(design.points) > points and by == "run":
        say_beside(f"{points} points were asked for; {len(design.points)} are what the strata need at least")
    for slide_id, why in design.left_out.items():
        say_beside(f"{slide_id} has no points: {why}")
    if unseen:
        say_beside(f"{len(unseen)} points have no picture: {found[unseen[0]].why_not}")
    sys.exit(EXIT_FAILED if unseen or design.left_out else 0)


def _numbers(points_in: tuple[str, ...]) -> dict[str, int]:
    numbers = {}
    for text in points_in:
        name, _, number = text.partition("=")
        if not number.isdecimal() or not int(number):
            raise SettingsError(f"--points-in {text!r}: write CLASS=N, with a whole number from 1 on")
        numbers[name] = int(number)
    return numbers


@command.command("score")
@click.argument("run", type=RunPlace())
@click.argument("answers", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", help="Of the draw; default: the one that the first answer is of.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def score(run: Place, answers: tuple[Path, ...], name: str | None, as_json: bool) -> None:
    """Make areas of the ANSWERS to a draw, a file for each reader; its name is the reader's.

    \b
    wsi-area reference score out/ miller.csv
    wsi-area reference score out/ miller.csv okafor.csv --json

    Writes areas.csv and score.json beside the points, and the adjusted areas into the summary. The interval holds what
    points leave open and the pixel size; it is of the readers' mean, and the spread between readers stands beside it.

    Exit codes: 0 scored; 1 answers that cannot be used, or no such draw.
    """  # noqa: D301 (click reads the backspace)
    opened = open_run(run)
    tables = [read_answers(path) for path in answers]
    first = tables[0][0]["point_id"] if tables[0] else ""
    design = read_design(opened, name or name_of_draw(opened.layout, first))
    readings = [reading_of(path, rows, design) for path, rows in zip(answers, tables, strict=True)]
    when = datetime.now(UTC).isoformat(timespec="microseconds")
    found = unless_shown(opened.layout, scored(design, readings, totals_of(opened), when))
    written = write_score(opened.layout, found, [(path.stem, path.read_bytes()) for path in answers])
    write_tables_again(opened.layout, opened.run_record, f"reference {found.draw}: tables")
    renew_review(opened)
    if as_json:
        say_document(document_of(found), allow_nan=False)
        return
    _print(found)
    say(f"{written}\nAdjusted areas are in the summary of the run too.")


def _print(found: ReferenceScore) -> None:
    console = report_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("slide", "class"):
        table.add_column(heading, overflow="fold")
    for heading in (
        "counted\nmm²",
        "adjusted\nmm²",
        "95 % interval",
        "right of\nmapped",
        "mapped of\nthere",
        "points\nto halve",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    before = ""
    for area in found.areas:
        table.add_row(Text("" if area.slide_id == before else area.slide_id), Text(area.class_), *_cells(area))
        before = area.slide_id
    console.print(table)
    print_lines(console, f"\n{'; '.join(_about(found))}.")
    for note in found.notes:
        print_lines(console, note)


def _about(found: ReferenceScore) -> list[str]:
    answered = ", ".join(f"{r.reader} {r.answered}" for r in found.readers)
    told = [
        f"Points answered: {answered}",
        "the interval holds points and pixel size",
        "published ± of Olofsson 2014, of points alone: " + ", ".join(
            f"{a.class_} {a.published_mm2:.6g}" for a in found.areas[-len({x.class_ for x in found.areas}) :]
        ),
    ]  # fmt: skip
    if found.kappa is not None:
        told.append(f"kappa of the readers {found.kappa:.3f}")
        spread = [f"{a.class_} {a.observer_u_mm2:.4g}" for a in found.areas if a.slide_id == found.areas[-1].slide_id]
        told.append(f"spread between readers (not in the interval, mm²): {', '.join(spread)}")
    return told


def _cells(area: AdjustedArea) -> list[str]:
    shares = ["–" if share is None else f"{share:.1%}" for share in (area.users_accuracy, area.producers_accuracy)]
    more = "–" if area.more_points_to_halve is None else f"+{area.more_points_to_halve}"
    interval = f"{area.ci95_low_mm2:.5g} to {area.ci95_high_mm2:.5g}"
    return [f"{area.counted_mm2:.5g}", f"{area.adjusted_mm2:.5g}", interval, *shares, more]
