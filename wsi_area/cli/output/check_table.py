"""cli: what `wsi-area check` found, as a table for people."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from wsi_area.cli.output.certificate_table import print_certificate
from wsi_area.cli.output.console import fits, report_console
from wsi_area.cli.output.findings_text import SEVERITY_STYLES, print_failures, print_findings, told_findings
from wsi_area.cli.output.picture_table import is_worth_a_table, picture_table
from wsi_area.cli.output.printer import print_lines
from wsi_area.compute.calibration.uncertainty import relative_u_area
from wsi_area.compute.quantity_text import number_text, pair_text
from wsi_area.model.calibration import Quality
from wsi_area.model.record.slide_areas import COVERAGE_95
from wsi_area.model.slide import SlideInfo
from wsi_area.run.check import SlideCheck

_QUALITY_MEANS: dict[Quality, str] = {
    "A": "the scanner's own tag",
    "B": "a general tag of the file",
    "C": "a print density, or what something on record speaks against",
    "given": "typed by a person",
}


def print_checks(checks: Sequence[SlideCheck], *, certified: bool = False) -> None:
    """Print one row for each slide, its certificate if asked for, then each finding with its slides and remedy."""
    console = report_console()
    table = _wide(checks, "\n" if console.is_terminal else " ")  # in a pipe, one line a slide
    console.print(table if fits(console, table) else _narrow(checks))
    for check in checks:
        note = "" if check.info is None else check.info.picture_note
        if certified:
            print_certificate(console, check)
        elif is_worth_a_table(check.pictures, note, len(checks)):
            console.print("")
            console.print(picture_table(check.slide.slide_id, check.pictures))
    print_findings(console, told_findings(f for check in checks for f in check.findings))
    lost = [(check.slide.slide_id, check.error) for check in checks if check.info is None]
    print_failures(console, "CANNOT BE OPENED", lost)
    unseen = [(check.slide.slide_id, check.error) for check in checks if check.info is not None and check.error]
    print_failures(console, "CANNOT BE MEASURED", unseen)
    print_lines(console, "\n" + _quality_text(checks) + _not_looked_at(checks, certified) + _summary(checks))


def _not_looked_at(checks: Sequence[SlideCheck], certified: bool) -> str:
    """Return the things that were left out, as a line of its own; nothing where no slide could be opened."""
    if not any(check.info is not None for check in checks):
        return ""
    if certified:
        return (
            "Decoded: the overview of each slide. Not looked at: unscanned and unreadable pixels, which a run counts.\n"
        )
    return (
        "Not looked at: light, unscanned and unreadable pixels; nothing was decoded. --certificate decodes the "
        "overview and shows the light.\n"
    )


def _quality_text(checks: Sequence[SlideCheck]) -> str:
    """Return the meaning of the pixel sizes' letters, as a line of its own; nothing where there are none."""
    chosen = [check.calibration.chosen for check in checks if check.calibration is not None]
    used = sorted({(claim.quality, relative_u_area(claim)) for claim in chosen if claim is not None})
    told = [f"{q} {_QUALITY_MEANS[q]} (± {100 * COVERAGE_95 * u:.2g} %)" for q, u in used]
    return (
        f"Quality of a pixel size, with the 95 % interval that it leaves an area: {'; '.join(told)}\n" if told else ""
    )


def _wide(checks: Sequence[SlideCheck], separator: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("slide", overflow="fold")
    table.add_column("vendor", no_wrap=True)
    table.add_column("size px", justify="right", no_wrap=True)
    table.add_column("µm/px", justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    table.add_column("quality")
    table.add_column("power", justify="right")
    table.add_column("findings", no_wrap=True)  # a code that is cut in two cannot be looked up
    for check in checks:
        slide = Text(check.slide.slide_id)
        if check.info is None:
            table.add_row(slide, "–", "–", "–", "–", "–", "–", _findings(check, separator))
            continue
        chosen = check.calibration.chosen if check.calibration else None
        source, quality = (chosen.source, chosen.quality) if chosen else ("–", "–")
        table.add_row(
            slide, check.info.vendor, _size(check.info), _mpp(check), Text(source), quality,
            _power(check.info) or "–", _findings(check, separator),
        )  # fmt: skip
    return table


def _narrow(checks: Sequence[SlideCheck]) -> Table:
    """Return three columns of two lines each, which 80 characters hold."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("slide", overflow="fold", min_width=12)
    table.add_column("µm/px", no_wrap=True)
    table.add_column("findings", no_wrap=True)  # a code that is cut in two cannot be looked up
    for check in checks:
        slide = Text(check.slide.slide_id)
        mpp = Text("–")
        if check.info is not None:
            facts = (check.info.vendor, f"{_size(check.info)} px", _power(check.info))
            slide.append("\n" + ", ".join(fact for fact in facts if fact), style="dim")
            mpp = _mpp(check)
            if check.calibration is not None and check.calibration.chosen is not None:
                chosen = check.calibration.chosen
                mpp.append(f"\n{chosen.source}\nquality {chosen.quality}", style="dim")
        table.add_row(slide, mpp, _findings(check, "\n"))
    return table


def _size(info: SlideInfo) -> str:
    return f"{number_text(info.size_l0_px.width_px)} × {number_text(info.size_l0_px.height_px)}"


def _power(info: SlideInfo) -> str:
    return "" if info.objective_power is None else f"×{number_text(info.objective_power)}"


def _mpp(check: SlideCheck) -> Text:
    mpp = None if check.calibration is None else check.calibration.mpp
    return Text("pixels only", style="yellow") if mpp is None else Text(pair_text(mpp.x, mpp.y))


def _findings(check: SlideCheck, separator: str) -> Text:
    if check.info is None:
        return Text("cannot be opened", style=SEVERITY_STYLES["refusal"])
    codes = {finding.code: SEVERITY_STYLES[finding.severity] for finding in reversed(check.findings)}
    if not codes:
        return Text("–")
    return Text(separator).join(Text(code, style=style) for code, style in reversed(codes.items()))


def _summary(checks: Sequence[SlideCheck]) -> str:
    statuses = [check.status for check in checks]
    parts = [f"{statuses.count('calibrated')} calibrated"]
    if waiting := statuses.count("needs_calibration"):
        parts.append(f"{waiting} without a believable pixel size (counted in pixels only)")
    if short := statuses.count("incomplete"):
        parts.append(f"{short} cut short")
    if failed := statuses.count("failed"):
        parts.append(f"{failed} cannot be opened")
    return f"{len(checks)} slide{'' if len(checks) == 1 else 's'}: {', '.join(parts)}"
