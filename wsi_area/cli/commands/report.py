"""cli: `wsi-area report`."""

import sys

import click

from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.wrapping import say, say_beside, say_document
from wsi_area.reports.report import write_report
from wsi_area.run.run_document import EXIT_VERIFICATION
from wsi_area.storage.place import Place


@click.command("report")
@click.argument("run", type=RunPlace())
@click.option("--pdf", is_flag=True, help="As PDF too; install what it needs with: pip install 'wsi-area[pdf]'.")
@click.option("--out", type=RunPlace(), help="Write it into this folder instead: for a run that is read-only.")
@click.option("--title", metavar="TEXT", help="Title of the study; else the one that the run was given.")
@click.option("--events", type=RunPlace(), help="Folder with the events of its review, if not in the run.")
@click.option("--amended", is_flag=True, help="The newest amended version of each slide, as report_amended.html.")
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: Place,
    pdf: bool,
    out: Place | None,
    title: str | None,
    events: Place | None,
    amended: bool,
    as_json: bool,
) -> None:
    """Write the report of a finished RUN into its folder: one file to read, mail, print and sign.

    \b
    wsi-area report out/
    wsi-area report out/ --pdf
    wsi-area report out/ --title "Tumour burden, cohort 3"
    wsi-area report out/ --amended
    wsi-area report archived/ --out papers/

    Exit codes: 0 written; 1 there is no finished run; 4 written, but a slide's document was not believed: it is
    damaged, or a number in it is not what its count makes. That slide stands in the report as failed, and is named.
    """  # noqa: D301 (click reads the backspace)
    written = write_report(run, pdf=pdf, out=out, title=title, events=events, amended=amended)
    paths = [path for path in (written.html, written.pdf) if path is not None]
    if as_json:
        document = {
            "slides": written.slides,
            "refused": [{"slide": name, "reason": why} for name, why in written.refused],
            "files": [{"path": str(path), "size_bytes": path.stat().st_size} for path in paths],
        }
        say_document(document)
    else:
        say("\n".join(str(path) for path in paths))
    for name, why in written.refused:
        say_beside(f"{name} stands in the report as failed: {why}")
    if written.refused:
        sys.exit(EXIT_VERIFICATION)
