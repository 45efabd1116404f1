"""cli: `wsi-area check`."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wsi_area.cli.options.config_option import CONFIG_FILE
from wsi_area.cli.output.wrapping import say_document
from wsi_area.compute.calibration.policy import LARGE_FORMAT_SLIDE_MM, CalibrationPolicy
from wsi_area.inputs.collect import CollectedSlides, SlideInput, collect_slides
from wsi_area.inputs.manifest import COLUMNS
from wsi_area.model.calibration import Profile
from wsi_area.model.picture import ANY_PICTURE, PictureChoice
from wsi_area.run.check import SlideCheck, check_slide, exit_code
from wsi_area.run.run_document import EXIT_FAILED
from wsi_area.settings.own_settings import OWN_SECTIONS

if TYPE_CHECKING:
    from wsi_area.settings.run_settings import RunSettings


@click.command("check")
@click.argument("slides", nargs=-1, type=click.Path())
@click.option("--config", type=CONFIG_FILE, help="Settings of the run to come: a TOML file, or the name of a preset.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting, e.g. tiling.work_mpp=0.5.")
@click.option("--mpp", metavar="X[,Y]", help="µm per level-0 pixel, overriding what the files say; or 10m.")
@click.option("--dpi", metavar="X[,Y]", help="Dots per inch instead: a print density that is meant.")
@click.option(
    "--mpp-reason",
    default="",
    help="Where that number comes from, in words; stamped on every result, which carries a warning without it.",
)
@click.option("--mpp-u", metavar="UM", help="Standard uncertainty of that number, in µm per pixel.")
@click.option(
    "--mpp-record",
    type=click.Path(path_type=Path),
    help="Its calibration record, TOML or JSON: instrument, date, certificate, u_um (and mpp_x, mpp_y).",
)
@click.option(
    "--mpp-confirmed",
    is_flag=True,
    help="It is meant also where it is more than 2 times what a file states; needs a reason.",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    help=f"CSV, a slide a row; columns: {', '.join(COLUMNS)}; only path is needed. Further columns are settings of "
    "single slides, such as segmenter.threshold.",
)
@click.option("--recursive", is_flag=True, help="Look into folders inside folders.")
@click.option(
    "--profile",
    type=click.Choice(["glass", "plain"]),
    help="plain: not a microscope slide; checks that only hold for one are left out. Default: glass, or the settings'.",
)
@click.option("--large-format", is_flag=True, help="Allow slides of 52 × 76 mm instead of 26 × 76 mm.")
@click.option(
    "--certificate",
    "certified",
    is_flag=True,
    help="Decode the overview as a run would, and print the certificate of each slide: picture, pixel size, light, "
    "completeness.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
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
    recursive: bool,
    profile: Profile | None,
    large_format: bool,
    certified: bool,
    as_json: bool,
) -> None:
    """Say what is known of each slide before a pixel is decoded, and what to do where that is not enough.

    SLIDES are files, folders, quoted globs, @list.txt with a path a line, or - for such a list on standard
    input; without them, the slides of the manifest. With the settings of a run, slides that were not scanned as finely
    as it asks for are named, too. A TIFF or DICOM file that ends before its pixels do is found, and a DICOM series
    that lacks a file; other damage only by a run.

    Nothing is decoded, so the light of a slide is not looked at. With --certificate the overview is decoded and the
    segmenter fitted to it, as the run does that the settings describe; without settings, one with the defaults.

    \b
    wsi-area check slides/*.svs
    wsi-area check slides/ --recursive --json
    wsi-area check slides/ --config he_tissue
    wsi-area check scan.tif --mpp 0.25 --mpp-reason "scanner log"
    wsi-area check scan.svs --certificate --config he_tissue

    Exit codes: 0 all have a pixel size; 2 a slide cannot be opened or is cut short; 3 a slide has no believable pixel
    size.
    """  # noqa: D301 (click reads the backspace)
    wanted = collect_slides(
        slides,
        recursive=recursive,
        mpp=mpp,
        dpi=dpi,
        mpp_reason=mpp_reason,
        mpp_u=mpp_u,
        mpp_record=mpp_record,
        mpp_confirmed=mpp_confirmed,
        manifest=manifest,
    )
    settings = None
    if config is not None or assignments:
        # imported here, like the table below: each is needed in one of two cases
        from wsi_area.settings.run_settings import load

        settings = load(config, assignments)
    policy = CalibrationPolicy() if settings is None else settings.calibration.policy
    policy = policy if profile is None else replace(policy, profile=profile)
    policy = replace(policy, max_extent_mm=LARGE_FORMAT_SLIDE_MM) if large_format else policy
    work_mpp_um = None if settings is None else settings.tiling.work_mpp
    checks = [
        check_slide(
            slide,
            *_rules_of(slide, policy, work_mpp_um, settings),
            _settings_to_look_with(slide, policy, settings) if certified else None,
        )
        for slide in wanted
    ]
    code = EXIT_FAILED if any(left.is_lost for left in wanted.left_out) else exit_code(checks)
    if as_json:
        _say_as_document(checks, wanted, code)
    else:
        _print_as_table(checks, wanted, certified)
    sys.exit(code)


def _say_as_document(checks: Sequence[SlideCheck], wanted: CollectedSlides, code: int) -> None:
    from wsi_area.cli.output.check_json import check_document

    left_out = [left.model_dump(mode="json") for left in wanted.left_out]
    say_document({**check_document(checks), "left_out": left_out, "exit_code": code}, allow_nan=False)


def _print_as_table(checks: Sequence[SlideCheck], wanted: CollectedSlides, certified: bool) -> None:
    from wsi_area.cli.output.check_table import print_checks
    from wsi_area.cli.output.console import report_console
    from wsi_area.cli.output.printer import print_lines

    print_checks(checks, certified=certified)
    for left in wanted.left_out:
        print_lines(report_console(), left.line)


def _rules_of(
    slide: SlideInput, policy: CalibrationPolicy, work_mpp_um: float | None, settings: "RunSettings | None"
) -> tuple[CalibrationPolicy, float | None, PictureChoice]:
    """Return the settings of one slide, of which a manifest may say otherwise than of all."""
    if slide.own is None:
        return policy, work_mpp_um, ANY_PICTURE if settings is None else settings.reader.choice
    from wsi_area.inputs.slide_settings import settings_of
    from wsi_area.settings.run_settings import RunSettings

    # without the settings of the run it is not known whose the segmenter's keys are
    sections = ("tiling", "calibration", "reader") if settings is None else OWN_SECTIONS
    own, tree = settings_of(settings or RunSettings(), slide, sections), slide.own.tree
    policy = replace(policy, **{name: getattr(own.calibration, name) for name in tree.get("calibration", {})})
    work_mpp_um = own.tiling.work_mpp if "work_mpp" in tree.get("tiling", {}) else work_mpp_um
    return policy, work_mpp_um, own.reader.choice


def _settings_to_look_with(
    slide: SlideInput, policy: CalibrationPolicy, settings: "RunSettings | None"
) -> "RunSettings":
    """Return the settings that a run would look at a slide with."""
    from wsi_area.inputs.slide_settings import settings_of
    from wsi_area.settings.run_settings import RunSettings

    own = settings_of(settings or RunSettings(), slide)
    told = {} if slide.own is None else slide.own.tree.get("calibration", {})
    options = {name: getattr(policy, name) for name in ("profile", "max_extent_mm") if name not in told}
    return own.model_copy(update={"calibration": own.calibration.model_copy(update=options)})
