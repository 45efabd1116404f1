"""Documents that version 0.1.0 wrote, with other paths and shorter histograms: slides of every ending, and runs."""

import json
from pathlib import Path
from typing import Any

from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.documents import ended_slide

_RECORDED = json.loads(Path(__file__).with_name("documents_0_1_0.json").read_text(encoding="utf-8"))
RESULTS_0_1_0: dict[str, dict[str, Any]] = _RECORDED["results"]
RUNS_0_1_0: dict[str, dict[str, Any]] = _RECORDED["runs"]


def counted_slide(name: str = "stain/complete") -> CountedSlide:
    """One of these slides as a value."""
    found = ended_slide(RESULTS_0_1_0[name], Path(name))
    assert isinstance(found, CountedSlide)
    return found


def slide_of(document: dict[str, Any]) -> EndedSlide:
    """A slide as a value, from a document that a test has changed."""
    return ended_slide(document, Path("test"))
