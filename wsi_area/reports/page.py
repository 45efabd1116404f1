"""reports: the views of a run poured into one HTML file that asks for nothing and runs nothing but its own script."""

import base64
import hashlib
from dataclasses import replace
from functools import cache
from pathlib import Path

from jinja2 import Environment

from wsi_area.compute.kept_templates import page_environment
from wsi_area.compute.picture.washes import WASH
from wsi_area.frozen_value import frozen_value
from wsi_area.reports.budget_view import BAR_WIDTH
from wsi_area.reports.cohort import Cohort
from wsi_area.reports.contact_sheet import SHOWN as CARDS_SHOWN
from wsi_area.reports.contact_sheet import Card
from wsi_area.reports.heading import Heading
from wsi_area.reports.picture.tile_map import RAMP_RGB
from wsi_area.reports.plots.histogram import HEIGHT as HISTOGRAM_HEIGHT
from wsi_area.reports.plots.histogram import WIDTH as PLOT_WIDTH
from wsi_area.reports.plots.strip_plot import OUTLIER_RULE
from wsi_area.reports.provenance import Provenance
from wsi_area.reports.review_view import ReviewView
from wsi_area.reports.slide_view import SlideView
from wsi_area.reports.subjects import SubjectRow

_TEMPLATES = Path(__file__).with_name("templates")


@frozen_value
class ReportView:
    """Everything that a report shows."""

    heading: Heading
    cohort: Cohort
    cards: tuple[Card, ...]
    subjects: tuple[SubjectRow, ...]
    slides: tuple[SlideView, ...]  # those that were counted
    origin: Provenance
    review: ReviewView | None = None  # None: nobody decided anything

    @property
    def on_paper(self) -> "ReportView":
        """Return the same with its pictures made for paper."""
        shown = {slide.anchor: slide.on_paper for slide in self.slides}
        cards = (replace(c, picture=shown[c.anchor].newest_picture[0]) if c.anchor in shown else c for c in self.cards)
        return replace(self, cards=tuple(cards), slides=tuple(shown.values()))

    @property
    def shared_facts(self) -> list[tuple[str, str]]:
        """Return the facts that are alike for every slide, where there are several; in the order of the first."""
        first, *others = [slide.facts for slide in self.slides] or [()]
        return [fact for fact in first if others and all(fact in facts for facts in others)]


def page_html(view: ReportView, *, for_print: bool) -> str:
    """Return the report as one HTML document.

    Whatever comes from a file, a path or a slide's metadata is escaped; should something slip through all the same,
    the content security policy runs no script and applies no style but those whose hashes it names.

    Parameters
    ----------
    view : ReportView
        What to show.
    for_print : bool
        For paper: no controls, and what holds for every slide is told once.
    """
    view = view.on_paper if for_print else view
    style, script = _source("report.css"), _source("report.js")
    return (
        _environment()
        .get_template("report.html")
        .render(
            heading=view.heading,
            cohort=view.cohort,
            cards=view.cards,
            cards_shown=CARDS_SHOWN,
            subjects=view.subjects,
            slides=view.slides,
            origin=view.origin,
            review=view.review,
            shared_facts=view.shared_facts if for_print else [],
            for_print=for_print,
            seal=view.origin.seal,
            style=style,
            script=script,
            policy=_policy(style, script),
            outlier_rule=OUTLIER_RULE,
            plot_width=PLOT_WIDTH,
            bar_width=BAR_WIDTH,
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
    """Return the hash that a browser computes of the text between the tags (CSP level 3, section 2.3)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _source(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return page_environment(_TEMPLATES, __name__, keep_trailing_newline=True)
