"""cli: `wsi-area evaluate`."""

import sys
from pathlib import Path
from typing import Any

import click

from wsi_area.audit.accuracy import Accuracy
from wsi_area.audit.truth import parse_naming
from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.agreement_table import print_accuracy
from wsi_area.cli.output.wrapping import say_beside, say_document
from wsi_area.errors import SettingsError
from wsi_area.inputs.drawn_source import drawn_source
from wsi_area.inputs.typed_mpp import parse_mpp
from wsi_area.storage.place import Place
from wsi_area.storage.processes import usable_cores

EXIT_FAILED = 2


@click.command("evaluate")
@click.argument("run_or_model", type=RunPlace(exists=True))
@click.option("--truth", type=click.Path(path_type=Path), help="Outlines or masks: a file, or a folder; of a run.")
@click.option("--truth-scale", metavar="N", help="Level-0 px per unit of those files, e.g. 1/128; default: their own.")
@click.option("--within", type=click.Path(path_type=Path), help="Compare only inside these outlines or this mask.")
@click.option("--within-scale", metavar="N", help="Level-0 px per unit of that file; default: its own.")
@click.option("--labelled-only", is_flag=True, help="Leave out what was not drawn; else it is the class 'rest'.")
@click.option("--amended", is_flag=True, help="Of a run: the newest amended version of each slide, where it has one.")
@click.option("--images", type=click.Path(path_type=Path), help="Plain images to try a model on.")
@click.option("--masks", type=click.Path(path_type=Path), help="Their masks; default: --truth, else --images.")
@click.option("--mpp", metavar="X[,Y]", help="µm per pixel of those images.")
@click.option("--map", "renamed", multiple=True, metavar="NAME=CLASS", help="Class of a drawn name; * for any other.")
@click.option("--class", "codes", multiple=True, metavar="CODE=CLASS", help="Class of a mask's code.")
@click.option("--any-nonzero", metavar="CLASS", help="Every code above 0 is this class: masks that number objects.")
@click.option("--rest-is", metavar="CLASS", help="Of a model: the class of code 0; default: its class 0.")
@click.option("--groups", type=click.Path(path_type=Path), help="CSV image,group: what is independent: patients.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the intervals.")
@click.option("--workers", type=click.IntRange(1), help="Of a run: threads that share its slides; default: all cores.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(run_or_model: Place, as_json: bool, **options: Any) -> None:
    """Hold a RUN, or a trained MODEL, against the truth: confusion matrix, Dice, IoU, area ratio.

    \b
    wsi-area evaluate out/ --truth drawn/ --map positive=tumor --truth-scale 1/128
    wsi-area evaluate model/ --images pictures/ --masks masks/ --mpp 0.5

    Pixels are level-0 pixels; the centre of a work pixel decides. What was not scanned, not readable or outside the
    region of interest is left out and counted.

    Exit codes: 0 compared; 1 wrong options; 2 some slides could not be compared.
    """  # noqa: D301 (click reads the backspace)
    if (run_or_model / "run.json").is_file():
        accuracy, failures = _of_run(run_or_model, options)
    elif isinstance(run_or_model, Path) and (run_or_model / "card.json").is_file():
        accuracy, failures = _of_model(run_or_model, options), {}
    else:
        raise SettingsError(f"{run_or_model} is neither a run (run.json) nor a model (card.json); name one")
    if as_json:
        document = {"accuracy": None if accuracy is None else accuracy.document(), "failures": failures}
        say_document(document, allow_nan=False)
    elif accuracy is not None:
        print_accuracy(accuracy, with_images=True)
    for slide_id, reason in failures.items():
        say_beside(f"{slide_id}: {reason}")
    sys.exit(EXIT_FAILED if failures else 0)


def _of_run(run: Place, options: dict[str, Any]) -> tuple[Accuracy | None, dict[str, str]]:
    from wsi_area.audit.evaluate import evaluate_run  # zarr and geometry, which a model does not need
    from wsi_area.training.material import read_groups

    _refuse(options, ("images", "masks", "mpp", "rest_is"), "a model, not with a run")
    truth = drawn_source("--truth", options["truth"], options["truth_scale"])
    if truth is None:
        raise SettingsError("a run needs --truth: outlines or masks, in one file or in a folder")
    naming = parse_naming(options["renamed"], options["codes"], any_nonzero=options["any_nonzero"])
    found = evaluate_run(
        run,
        truth,
        naming,
        within=drawn_source("--within", options["within"], options["within_scale"]),
        labelled_only=options["labelled_only"],
        groups=None if options["groups"] is None else read_groups(options["groups"]),
        seed=options["seed"],
        amended=options["amended"],
        workers=options["workers"] or usable_cores(),
    )
    return found.accuracy, dict(found.failures)


def _of_model(model: Path, options: dict[str, Any]) -> Accuracy:
    from wsi_area.training.held_out import evaluate_folder
    from wsi_area.training.material import pair_sources, read_groups

    _refuse(options, ("within", "within_scale", "truth_scale", "workers"), "a run, not with a model")
    for flag in ("labelled_only", "amended"):
        if options[flag]:
            raise SettingsError(f"--{flag.replace('_', '-')} goes with a run, not with a model")
    mpp = parse_mpp(options["mpp"])
    if options["images"] is None or mpp is None:
        raise SettingsError("a model needs --images and --mpp; to try it on slides, run it and evaluate the run")
    masks = options["masks"] or options["truth"] or options["images"]
    naming = parse_naming(
        options["renamed"],
        options["codes"] or (() if options["any_nonzero"] else ("1=tumor",)),
        any_nonzero=options["any_nonzero"],
        rest=options["rest_is"],
    )
    return evaluate_folder(
        model, pair_sources(options["images"], masks, mpp, read_groups(options["groups"])), naming, options["seed"]
    )


def _refuse(options: dict[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if options[name] is not None:
            raise SettingsError(f"--{name.replace('_', '-')} goes with {where}")
