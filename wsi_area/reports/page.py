"""reports: the views of a run poured into one HTML file that asks for nothing and runs nothing but its own script."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wsi_area.compute.picture.washes import WASH
from wsi_area.plain_text import plain_cell
from wsi_area.reports.cohort import Cohort
from wsi_area.reports.heading import Heading
from wsi_area.reports.picture.tile_map import RAMP_RGB
from wsi_area.reports.plots.histogram import HEIGHT as HISTOGRAM_HEIGHT
from wsi_area.reports.plots.histogram import WIDTH as PLOT_WIDTH
from wsi_area.reports.plots.strip_plot import OUTLIER_RULE
from wsi_area.reports.provenance import Provenance
from wsi_area.reports.slide_view import SlideView
from wsi_area.reports.subjects import SubjectRow

_TEMPLATES = Path(__file__).with_name("templates")


def page_html(
    heading: Heading,
    cohort: Cohort,
    subjects: tuple[SubjectRow, ...],
    slides: tuple[SlideView, ...],
    origin: Provenance,
    *,
    for_print: bool,
) -> str:
    """Return the report as one HTML document.

    Whatever comes from a file, a path or a slide's metadata is escaped; should something slip through all the same,
    the content security policy runs no script and applies no style but those whose hashes it names.

    Parameters
    ----------
    heading, cohort, subjects, slides, origin
        What to show.
    for_print : bool
        For paper: no controls, and each picture with and without its classes.
    """
    style, script = _source("report.css"), _source("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            heading=heading,
            cohort=cohort,
            subjects=subjects,
            slides=slides,
            origin=origin,
            for_print=for_print,
            seal=origin.seal,
            style=style,
            script=script,
            policy=_policy(style, script),
            outlier_rule=OUTLIER_RULE,
            plot_width=PLOT_WIDTH,
            histogram_height=HISTOGRAM_HEIGHT,
            shown_percent=round(100 * WASH / 255),  # the classes on screen, until the slider is moved
            ramp=["#" + bytes(rgb).hex() for rgb in RAMP_RGB],
        )
    )


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    """Return what a browser computes of the text between the tags (CSP level 3, section 2.3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _source(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=plain_cell,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
