"""Documents as they were written once: slides of every ending and runs of the first schema, a slide of the second."""

import json
from pathlib import Path
from typing import Any

from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results.documents import ended_slide

_RECORDED = json.loads(Path(__file__).with_name("documents_0_1_0.json").read_text(encoding="utf-8"))
RESULTS_0_1_0: dict[str, dict[str, Any]] = _RECORDED["results"]
SLIDE_SCHEMA_2: dict[str, Any] = json.loads(
    Path(__file__).with_name("document_schema_2.json").read_text(encoding="utf-8")
)
"""A slide with bands, hot spots, pieces of tissue, envelope, budgets and certificate."""
RUNS_0_1_0: dict[str, dict[str, Any]] = _RECORDED["runs"]


def counted_slide(name: str = "stain/complete") -> CountedSlide:
    """One of these slides as a value, "schema 2" that of the second schema."""
    found = ended_slide(SLIDE_SCHEMA_2 if name == "schema 2" else RESULTS_0_1_0[name], Path(name))
    assert isinstance(found, CountedSlide)
    return found


def slide_of(document: dict[str, Any]) -> EndedSlide:
    """A slide as a value, from a document that a test has changed."""
    return ended_slide(document, Path("test"))
