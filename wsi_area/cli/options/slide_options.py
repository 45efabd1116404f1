"""cli: the options that `plan` and `run` share, and what they add up to."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from wsi_area.cli.options.config_option import CONFIG_FILE
from wsi_area.cli.options.percentage import Percentage
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import CollectedSlides, collect_slides
from wsi_area.inputs.estimate_asked import refuse_with_estimate
from wsi_area.inputs.manifest import COLUMNS
from wsi_area.inputs.slide_settings import refuse_wrong_settings
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.run_settings import RunSettings, load
from wsi_area.settings.settings_origin import DEFAULT

_OF_SLIDES = (
    "slides", "recursive", "mpp", "dpi", "mpp_reason", "mpp_u", "mpp_record", "mpp_confirmed", "manifest",
    "annotations", "roi", "annotation_scale", "roi_scale", "regions_from", "regions_scale",
)  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


@frozen_value
class Asked:
    """What the command line asked for."""

    slides: CollectedSlides
    settings: RunSettings


def slide_options(function: F) -> F:
    """Add the slides and the options that say how to measure them."""
    options: list[Callable[[F], F]] = [
        click.argument("slides", nargs=-1, type=click.Path()),
        click.option("--config", type=CONFIG_FILE, help="Settings: a TOML file, or the name of a preset."),
        click.option(
            "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting, e.g. tiling.work_mpp=0.5."
        ),
        click.option("--mpp", metavar="X[,Y]", help="µm per level-0 pixel, overriding what the files say; or 10m."),
        click.option("--dpi", metavar="X[,Y]", help="Dots per inch instead: a print density that is meant."),
        click.option(
            "--mpp-reason",
            default="",
            help="Where that number comes from, in words; stamped on every result, which carries a warning without it.",
        ),
        click.option("--mpp-u", metavar="UM", help="Standard uncertainty of that number, in µm per pixel."),
        click.option(
            "--mpp-record",
            type=click.Path(path_type=Path),
            help="Its calibration record, TOML or JSON: instrument, date, certificate, u_um (and mpp_x, mpp_y).",
        ),
        click.option(
            "--mpp-confirmed",
            is_flag=True,
            help="It is meant also where it is more than 2 times what a file states; needs a reason.",
        ),
        click.option(
            "--manifest",
            type=click.Path(path_type=Path),
            help=f"CSV, a slide a row; columns: {', '.join(COLUMNS)}; only path is needed. Further columns are "
            "settings of single slides, such as segmenter.threshold.",
        ),
        click.option(
            "--annotations",
            type=click.Path(path_type=Path),
            help="Classes drawn elsewhere: a file for one slide, or a folder with one named like each slide.",
        ),
        click.option("--roi", type=click.Path(path_type=Path), help="What to measure at all; as --annotations."),
        click.option(
            "--annotation-scale",
            metavar="N",
            help="Level-0 px per unit of --annotations, e.g. 1/128; default 1.",
        ),
        click.option("--roi-scale", metavar="N", help="Likewise for --roi."),
        click.option(
            "--regions-from",
            type=click.Path(path_type=Path),
            help="Drawn regions, each with a row of areas in regions.csv, whatever the segmenter; as --annotations.",
        ),
        click.option("--regions-scale", metavar="N", help="Likewise for --regions-from."),
        click.option(
            "--estimate",
            type=Percentage(most=50),
            help="Estimate areas from random spots until half the 95 % interval is so much of the area, such as 0.5%: "
            "of the tumour, else of what is positive, else of the tissue.",
        ),
        click.option(
            "--estimate-budget",
            type=Percentage(),
            help="Decode no more than this share of the pixels, such as 10%; alone: estimate as well as that allows.",
        ),
        click.option("--estimate-seed", type=click.IntRange(0), help="Of the random spots; default 1."),
        click.option("--recursive", is_flag=True, help="Look into folders inside folders."),
        click.option("--workers", type=click.IntRange(1), help="How many threads or processes; default: all cores."),
        click.option("--scheduler", metavar="ADDRESS", help="A running dask scheduler, e.g. tcp://host:8786."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def fail_fast_option(function: F) -> F:
    """Add the option of commands that measure: whether one slide that fails ends it."""
    help_text = "Start nothing new after the first failed or incomplete slide (run.fail_fast)."
    return click.option("--fail-fast", is_flag=True, help=help_text)(function)


def title_option(function: F) -> F:
    """Add the option of commands that measure: the title of the study, for the report."""
    help_text = "Title of the study, on the report (report.title)."
    return click.option("--title", metavar="TEXT", help=help_text)(function)


def asked(
    slides: Sequence[str],
    config: Path | None,
    assignments: Sequence[str],
    mpp: str | None,
    dpi: str | None,
    mpp_reason: str,
    mpp_u: str | None,
    mpp_record: Path | None,
    mpp_confirmed: bool,
    manifest: Path | None,
    annotations: Path | None,
    roi: Path | None,
    annotation_scale: str | None,
    roi_scale: str | None,
    regions_from: Path | None,
    regions_scale: str | None,
    estimate: float | None,
    estimate_budget: float | None,
    estimate_seed: int | None,
    recursive: bool,
    workers: int | None,
    scheduler: str | None,
    fail_fast: bool = False,
    title: str | None = None,
    collected: CollectedSlides | None = None,
) -> Asked:
    """Return the slides and the settings that the options add up to; ``collected`` where the slides are known already.

    Raises
    ------
    SettingsError
        Naming whatever cannot be used.
    """
    said = {
        "run.workers": workers,
        "run.scheduler": scheduler,
        "estimate.half_width_pct": estimate,
        "estimate.budget_pct": estimate_budget,
        "estimate.seed": estimate_seed,
        "run.fail_fast": fail_fast or None,
        "report.title": title,
    }
    further = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in said.items() if value is not None]
    settings = load(config, [*assignments, *further])
    wanted = (
        collected
        if collected is not None
        else collect_slides(
            slides,
            recursive=recursive,
            mpp=mpp,
            dpi=dpi,
            mpp_reason=mpp_reason,
            mpp_u=mpp_u,
            mpp_record=mpp_record,
            mpp_confirmed=mpp_confirmed,
            manifest=manifest,
            annotations=annotations,
            roi=roi,
            annotation_scale=annotation_scale,
            roi_scale=roi_scale,
            regions_from=regions_from,
            regions_scale=regions_scale,
            access=settings.storage.access,
        )
    )
    refuse_wrong_settings(settings, wanted)
    refuse_with_estimate(settings, wanted)
    return Asked(wanted, settings)


def said_of_slides(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the words of the options on slides, not on settings: those that decide which there are and how large.

    >>> said_of_slides({"slides": ("a.svs",), "mpp": "0.25", "roi": None, "config": "x.toml"})
    {'slides': 'a.svs', 'mpp': '0.25'}
    """
    said = {name: options.get(name) for name in _OF_SLIDES}
    text = {name: " ".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in said.items()}
    return {name: text[name] for name, value in said.items() if value}


def lists_of(options: Mapping[str, Any]) -> list[Path]:
    """Return the files among the options that name slides, or say what is true of them."""
    lists = [Path(word[1:]) for word in options["slides"] if word.startswith("@")]
    named = [options.get(name) for name in ("manifest", "mpp_record")]
    return [path.absolute() for path in (*lists, *(path for path in named if path is not None))]


def defaults_text(wanted: Asked, config: Path | None) -> str:
    """Return a line on what is measured where no settings say what to look for; empty where they do."""
    settings = wanted.settings
    chosen = any(key.startswith("segmenter.") and origin != DEFAULT for key, origin in settings.origins.items())
    if config is not None or chosen or all(slide.own is not None for slide in wanted.slides):
        return ""
    own = make_segmenter(settings.segmenter.name, settings.segmenter.own)
    told = [f"{key} {getattr(own, key)}" for key in ("background", "threshold") if hasattr(own, key)]
    mpp = settings.tiling.work_mpp
    scale = "at the finest level" if mpp is None else f"at {mpp:g} µm/px"
    return (
        f"no --config: the defaults are used, segmenter {settings.segmenter.name} ({', '.join(told)}) {scale}; for a "
        "stain give --config he_tissue or ihc_dab, which give other areas"
    )
