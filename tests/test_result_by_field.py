"""A result is read by its fields: outside its reader and writer no key of it is a text."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from recorded import RESULTS_0_1_0, RUNS_0_1_0

import wsi_area

PACKAGE = Path(wsi_area.__file__).parent
OTHERS: dict[str, set[str]] = {
    "audit/verification/slide_check.py": {"made_from"},  # an attribute of the ledger
    "results/class_map/store.py": {"made_from"},
    "results/class_map/class_thumbnail.py": {"width_px", "height_px"},  # the note in a picture
    "results/layout.py": {"schema_version", "wsi_area_version"},  # the reader: of which version a document is
    "results/record.py": {"area_px", "filled_px"},  # the writer, from rows of an array
    "run/array/agreement.py": {"config_hash", "measurement_version", "segmenter_package"},  # the plan of a job array
    "run/continuation.py": {"segmenter_package"},  # parts of two origins held against each other by name
    "notebook/viewer/widget.py": {"classes"},  # what the viewer's page is told
    "review/chain.py": {"schema_version"},  # the reader: of which version an event is
    "cli/commands/check.py": {"calibration"},  # a section of settings
    "inputs/drawings.py": {"classes"},  # what a segmenter says of itself
    "results/shown_regions.py": {"classes"},  # likewise
}
"""Where something else has a key of the same name."""

FREE = {"facts", "settings", "settings_origin", "slide_settings", "own", "versions", "slurm", "os.environ"}
"""Parts of documents that are mappings on purpose: what a segmenter says, settings, what the system says."""


def keys_of(document: Any) -> Iterator[str]:
    """Every key of a document, but of those parts that are mappings on purpose."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            if key not in FREE and key not in {"slides", "timing", "tasks", "statuses", "merged"}:
                yield from keys_of(value)
    elif isinstance(document, list):
        for item in document:
            yield from keys_of(item)


KEYS = {key for document in (*RESULTS_0_1_0.values(), *RUNS_0_1_0.values()) for key in keys_of(document)}
TELLING = {key for key in KEYS if key.endswith(("_mm2", "_um", "_px", "_version")) or key.startswith("n_px")} | {
    "tumor", "tissue", "calibration", "counts", "classes", "findings", "foci", "fingerprint", "slides_planned",
    "slide_settings", "config_hash", "made_from", "reader_reason", "tile_errors", "segmenter_package", "same_content",
}  # fmt: skip
"""Keys that nothing but a result or a run has."""


def text_keys_read(source: str) -> Iterator[tuple[int, str]]:
    """Each place where something is read by a text: ``x["key"]``, ``x.get("key")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant):
            read = node.slice.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            read = node.args[0].value
        else:
            continue
        if isinstance(read, str):
            yield node.lineno, read


@pytest.mark.parametrize(
    "room",
    ["audit", "run", "results", "reports", "review", "exports", "notebook", "cli", "demo", "inputs", "measuring"],
)
def test_no_module_reads_a_result_or_a_run_by_a_text(room: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {key!r}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, key in text_keys_read(path.read_text(encoding="utf-8"))
        if key in TELLING - OTHERS.get(path.relative_to(PACKAGE).as_posix(), set())
    ]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    source = 'a = record["tissue"]["n_px"]\nb = about.get("slides_planned", ())\nc = facts["threshold"]\n'
    assert [key for _, key in text_keys_read(source) if key in TELLING] == ["n_px", "slides_planned", "tissue"]
    assert {"area_mm2", "n_px_by_class", "mpp_x_um", "slides_planned"} <= TELLING
