"""cli: `wsi-area train`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from wsi_area.audit.truth import Naming, parse_naming
from wsi_area.cli.options.config_option import CONFIG_FILE
from wsi_area.cli.output.agreement_table import print_accuracy
from wsi_area.cli.output.wrapping import say, say_document
from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.drawn_source import drawn_source
from wsi_area.inputs.typed_mpp import parse_dpi, parse_mpp
from wsi_area.settings.run_settings import load_reading
from wsi_area.training.material import Source, pair_sources, read_groups, slide_sources
from wsi_area.training.outcome import TrainOutcome
from wsi_area.training.settings import load_train_settings
from wsi_area.training.train import REPORT_NAME, train

_DEFAULT_CODES = ("1=tumor",)


@click.command("train")
@click.option("--slides", multiple=True, metavar="PATH", help="Slides: files, folders, quoted globs, @list.txt.")
@click.option("--annotations", type=click.Path(path_type=Path), help="What was drawn on them: a file, or a folder.")
@click.option("--annotation-scale", metavar="N", help="Level-0 px per unit of those files, e.g. 1/128.")
@click.option("--within", type=click.Path(path_type=Path), help="Outlines or mask outside which nothing is used.")
@click.option("--within-scale", metavar="N", help="Level-0 px per unit of that file; default: its own.")
@click.option("--images", type=click.Path(path_type=Path), help="A folder of plain images, instead of slides.")
@click.option("--masks", type=click.Path(path_type=Path), help="A folder of their masks; default: --images.")
@click.option("--mpp", metavar="X[,Y]", help="µm per level-0 pixel; plain images need it.")
@click.option("--dpi", metavar="X[,Y]", help="Dots per inch instead.")
@click.option("--mpp-reason", default="", help="Where that number comes from.")
@click.option("--map", "renamed", multiple=True, metavar="NAME=CLASS", help="Class of a drawn name; * for any other.")
@click.option("--class", "codes", multiple=True, metavar="CODE=CLASS", help="Class of a mask's code; default: 1=tumor.")
@click.option("--any-nonzero", metavar="CLASS", help="Every code above 0 is this class: masks that number objects.")
@click.option("--rest-is", metavar="CLASS", help="What was not drawn; on slides only where there is tissue.")
@click.option("--groups", type=click.Path(path_type=Path), help="CSV image,group: a group is held out together.")
@click.option("--config", type=CONFIG_FILE, help="Settings: [train], [reader], [calibration] of a TOML file or preset.")
@click.option("--work-mpp", type=click.FloatRange(0, min_open=True), help="µm per pixel to work at.")
@click.option("--seed", type=click.IntRange(0), help="Of every draw.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder: the model.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON document.")
def command(out: Path, as_json: bool, **options: Any) -> None:
    """Train a pixel classifier from annotated slides, or from images with masks, and measure how good it is.

    \b
    wsi-area train --slides slides/ --annotations drawn/ --rest-is other --config c.toml --out model/
    wsi-area train --images pictures/ --masks masks/ --mpp 0.5 --class 1=tumor --class 2=stroma --out model/

    Accuracy is measured by cross-validation: whole slides, images or --groups are held out, never pixels. The folder
    gets the model (card.json, trees.npz) and report.html.

    Exit codes: 0 trained; 1 wrong options; 2 a slide or its truth cannot be read.
    """  # noqa: D301 (click reads the backspace)
    assigned = {"work_mpp": options["work_mpp"], "seed": options["seed"]}
    settings = load_train_settings(options["config"], [(k, v) for k, v in assigned.items() if v is not None])
    naming = _naming(options)
    reading = load_reading(options["config"])
    sources = [
        replace(source, policy=reading.calibration.policy, choice=reading.reader.choice) for source in _sources(options)
    ]
    outcome = train(
        sources,
        naming,
        settings,
        out,
        rest_in_tissue=options["images"] is None,
        told=lambda line: say(line, err=True),
    )
    if as_json:
        say_document(_document(outcome), allow_nan=False)
    else:
        _print(outcome)


def _naming(options: dict[str, Any]) -> Naming:
    codes: Sequence[str] = options["codes"]
    if options["any_nonzero"] is not None and codes:
        raise SettingsError("--any-nonzero and --class contradict each other; give one")
    if not codes and options["any_nonzero"] is None and options["images"] is not None:
        codes = _DEFAULT_CODES
    rest = options["rest_is"]
    if rest is None and options["images"] is not None:
        rest = "background"  # code 0 of a mask
    return parse_naming(options["renamed"], tuple(codes), any_nonzero=options["any_nonzero"], rest=rest)


def _sources(options: dict[str, Any]) -> list[Source]:
    groups = read_groups(options["groups"])
    if (options["images"] is None) == (not options["slides"]):
        raise SettingsError("give --slides with --annotations, or --images with --masks")
    if options["images"] is None:
        if options["annotations"] is None:
            raise SettingsError("--slides needs --annotations: what was drawn on them")
        slides = collect_slides(
            options["slides"],
            mpp=options["mpp"],
            dpi=options["dpi"],
            mpp_reason=options["mpp_reason"],
            annotations=options["annotations"],
            annotation_scale=options["annotation_scale"],
        )
        within = drawn_source("--within", options["within"], options["within_scale"], len(slides))
        return slide_sources([replace(slide, roi=within) for slide in slides], groups)
    mpp = parse_mpp(options["mpp"]) if options["dpi"] is None else parse_dpi(options["dpi"])
    if mpp is None:
        raise SettingsError("--images needs --mpp: features are in µm, and plain images seldom state a size")
    for option in ("within", "within_scale", "annotations", "annotation_scale"):
        if options[option] is not None:
            raise SettingsError(f"--{option.replace('_', '-')} goes with --slides, not with --images")
    return pair_sources(options["images"], options["masks"] or options["images"], mpp, groups)


def _document(outcome: TrainOutcome) -> dict[str, Any]:
    about = outcome.model.card
    return {
        "out": str(outcome.out),
        "model_hash": outcome.model_hash,
        "report": str(outcome.out / REPORT_NAME),
        "classes": [c.name for c in outcome.model.classes],
        "training_px": about["training_px"],
        "accuracy": about["accuracy"],
        "accuracy_reason": about["accuracy_reason"],
        "accuracy_protocol": about["accuracy_protocol"],
    }


def _print(outcome: TrainOutcome) -> None:
    if outcome.accuracy is None:
        say(f"Accuracy is not known: {outcome.reason}.")
    else:
        say(f"{outcome.model.card['accuracy_protocol']}.\n")
        print_accuracy(outcome.accuracy, with_images=False)
    say(f"\nModel: {outcome.out} ({outcome.model_hash[:12]}); report: {outcome.out / REPORT_NAME}")
