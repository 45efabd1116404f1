"""cli: `wsi-area check`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from wsi_area.compute.calibration_policy import GLASS_SLIDE_MM, LARGE_FORMAT_SLIDE_MM, CalibrationPolicy
from wsi_area.model.calibration import Profile
from wsi_area.run.check import check_slide, exit_code
from wsi_area.run.inputs import collect_slides


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("--mpp", metavar="X[,Y]", help="µm per level-0 pixel, overriding what the files say.")
@click.option("--mpp-reason", default="", help="Where that number comes from; it is stamped on every result.")
@click.option("--manifest", type=click.Path(path_type=Path), help="CSV: path,mpp_x,mpp_y,mpp_reason,slide_id.")
@click.option("--recursive", is_flag=True, help="Look into folders inside folders.")
@click.option(
    "--profile",
    type=click.Choice(["glass", "plain"]),
    default="glass",
    show_default=True,
    help="plain: not a microscope slide; checks that only hold for one are left out.",
)
@click.option("--large-format", is_flag=True, help="Allow slides of 52 × 76 mm instead of 26 × 76 mm.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    paths: Sequence[str],
    mpp: str | None,
    mpp_reason: str,
    manifest: Path | None,
    recursive: bool,
    profile: Profile,
    large_format: bool,
    as_json: bool,
) -> None:
    """Say what is known of each slide before a pixel is decoded, and what to do where that is not enough.

    PATHS are files, folders, quoted globs, @list.txt with a path a line, or - for such a list on standard
    input; without them, the slides of the manifest.

    \b
    wsi-area check slides/*.svs
    wsi-area check slides/ --recursive --json
    wsi-area check scan.tif --mpp 0.25 --mpp-reason "scanner log"

    Exit codes: 0 all have a pixel size; 2 a slide cannot be opened; 3 a slide has no believable pixel size.
    """  # noqa: D301 (click reads the backspace)
    slides = collect_slides(paths, recursive=recursive, mpp=mpp, mpp_reason=mpp_reason, manifest=manifest)
    extent_mm = LARGE_FORMAT_SLIDE_MM if large_format else GLASS_SLIDE_MM
    policy = CalibrationPolicy(profile=profile, max_extent_mm=extent_mm)
    checks = [check_slide(slide, policy) for slide in slides]
    if as_json:
        # imported here, like the table below: each is needed in one of two cases
        from wsi_area.cli.check_json import check_document

        click.echo(json.dumps(check_document(checks), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        from wsi_area.cli.check_table import print_checks

        print_checks(checks)
    sys.exit(exit_code(checks))
