"""What an earlier version wrote is read as it was; what a later one wrote is refused, by every command alike."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from measuring import measure
from recorded import RESULTS_0_1_0, RUNS_0_1_0
from synthetic import disc, write_slide

from wsi_area import open_run
from wsi_area.audit.difference import compare_runs
from wsi_area.audit.evaluate import evaluate_run
from wsi_area.audit.pairing import change_between
from wsi_area.audit.recorded_areas import recorded_slide
from wsi_area.audit.truth import Naming
from wsi_area.audit.verify import verify_run
from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide, UncountedSlide
from wsi_area.reports.report import write_report
from wsi_area.results.documents import document_of, read_result, read_run
from wsi_area.results.layout import RunLayout, SlideLayout, write_json

SIZE = Size(300, 200)
RENAMED = {
    "signal_per_mm2": "mean_signal", "per_mm2": "mean",
    "ci95_low_mm2": "scale_ci95_low_mm2", "ci95_high_mm2": "scale_ci95_high_mm2",
}  # fmt: skip


def said_of(again: Any, written: Any) -> Any:
    """What a document says of all that an earlier one says, part by part; what it says beyond that is left out."""
    if isinstance(written, dict):
        names = {key: RENAMED.get(key, key) for key in written if key != "schema_version"}
        return {key: said_of(again[name], written[key]) for key, name in names.items()}
    if isinstance(written, list) and len(written) == len(again):
        return [said_of(new, old) for new, old in zip(again, written, strict=True)]
    return again


@pytest.mark.parametrize("name", sorted(RESULTS_0_1_0))
def test_a_result_of_the_first_version_is_read_and_would_be_written_with_all_that_it_says(
    tmp_path: Path, name: str
) -> None:
    written = RESULTS_0_1_0[name]
    write_json(tmp_path / "result.json", written)
    found = read_result(SlideLayout(tmp_path))
    assert isinstance(found, CountedSlide if "classes" in written else UncountedSlide)
    again = document_of(found)
    assert said_of(again, written) == {key: value for key, value in written.items() if key != "schema_version"}


@pytest.mark.parametrize("place", [("path",), ("findings", 0, "message"), ("calibration", "candidates", 0, "source")])
def test_what_orders_something_to_a_terminal_is_read_as_plain_text_however_deep_it_stands(
    tmp_path: Path, place: tuple[str | int, ...]
) -> None:
    document = copy.deepcopy(next(result for result in RESULTS_0_1_0.values() if result.get("findings")))
    *way, last = place
    inner = document
    for step in way:
        inner = inner[step]
    inner[last] = "a\x1b[2J"
    (tmp_path / "result.json").write_text(json.dumps(document))
    found = document_of(read_result(SlideLayout(tmp_path)))
    for step in way:
        found = found[step]
    assert found[last] == r"a\x1b[2J"


@pytest.mark.parametrize("name", sorted(RUNS_0_1_0))
def test_a_run_of_the_first_version_is_read_and_would_be_written_with_all_that_it_says(
    tmp_path: Path, name: str
) -> None:
    written = RUNS_0_1_0[name]
    write_json(tmp_path / "run.json", written)
    again = document_of(read_run(RunLayout(tmp_path)))
    assert said_of(again, written) == {key: value for key, value in written.items() if key != "schema_version"}


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("calibration", "mpp_x_um"), -0.25, "calibration.mpp_x_um"),
        (("counts", "n_px_total"), None, "counts.n_px_total"),
        (("classes", 1, "n_px"), 1.5, r"classes.1.n_px"),
        (("tumor", "fraction_of_tissue"), 1.5, "tumor.fraction_of_tissue"),
        (("tissue", "area_mm2"), "0.5", "tissue.area_mm2"),
        (("findings",), [{"slide_id": "a", "code": "x", "surprise": 1}], "findings.0"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_its_place(
    tmp_path: Path, place: tuple[str | int, ...], value: Any, words: str
) -> None:
    document: Any = copy.deepcopy(RESULTS_0_1_0["stain/complete"])
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    write_json(tmp_path / "result.json", document)
    with pytest.raises(ResultError, match=words):
        read_result(SlideLayout(tmp_path))


@pytest.mark.parametrize("name", sorted(RESULTS_0_1_0))
def test_a_field_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    for key in RESULTS_0_1_0[name].keys() - {"schema_version", "classes"}:
        write_json(tmp_path / "result.json", {k: v for k, v in RESULTS_0_1_0[name].items() if k != key})
        with pytest.raises(ResultError, match=key):
            read_result(SlideLayout(tmp_path))


@pytest.fixture(scope="module")
def measured_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two slides, with what drew the truth of one."""
    folder = tmp_path_factory.mktemp("slides")
    slides = [write_slide(folder / f"{name}.tiff", SIZE, {"dab": disc(SIZE, 150, 100, r)}).path
              for name, r in (("a", 60), ("b", 40))]  # fmt: skip
    measure(slides, folder / "out")
    ring = [[10, 10], [200, 10], [200, 150], [10, 10]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]},
               "properties": {"classification": "tissue"}}  # fmt: skip
    for name in "ab":
        (folder / f"{name}.geojson").write_text(json.dumps(feature))
    return folder / "out"


READERS: dict[str, Callable[[Path], object]] = {
    "verify": verify_run,
    "report": write_report,
    "open_run": lambda run: [slide.status for slide in open_run(run).values()],
    "diff": lambda run: compare_runs(run, run),
    "change": lambda run: change_between(run, run),
    "explain": lambda run: recorded_slide(run, "a"),
    "evaluate": lambda run: evaluate_run(run, DrawnSource(str(run.parent)), Naming({}, {}, None, None)),
    "export": lambda run: list(export_run(run, ExportOptions("geojson"))),
}


@pytest.mark.parametrize("command", READERS)
@pytest.mark.parametrize("document", ["run.json", "slides/a/result.json"])
def test_a_document_of_a_later_version_is_refused_by_every_command_in_the_same_words(
    measured_run: Path, command: str, document: str
) -> None:
    path = measured_run / document
    before = path.read_bytes()
    files = {p: p.read_bytes() for p in measured_run.rglob("*") if p.is_file() and "logs" not in p.parts}
    write_json(path, {**json.loads(before), "schema_version": SCHEMA_VERSION + 1, "wsi_area_version": "9.8.7"})
    words = (
        rf"{document} was written by a newer wsi_area \(9.8.7\): it has schema version {SCHEMA_VERSION + 1}, and this "
        rf"one, .* knows {SCHEMA_VERSION} and those before it; install the newer version"
    )
    try:
        with pytest.raises(NewerDocumentError, match=words):
            READERS[command](measured_run)
    finally:
        path.write_bytes(before)
    now = {p: p.read_bytes() for p in measured_run.rglob("*") if p.is_file() and "logs" not in p.parts}
    assert {p.name for p in files if files[p] != now.get(p)} == set()
    assert not now.keys() - files.keys()


def test_a_run_into_a_folder_of_a_later_version_is_refused_and_leaves_its_documents(measured_run: Path) -> None:
    path, slide = measured_run / "run.json", measured_run.parent / "a.tiff"
    before = path.read_bytes()
    write_json(path, {**json.loads(before), "schema_version": SCHEMA_VERSION + 1})
    later = path.read_bytes()
    for force in (False, True):
        with pytest.raises(NewerDocumentError, match="install the newer version"):
            measure(slide, measured_run, force=force)
        assert path.read_bytes() == later
    path.write_bytes(before)


def test_a_result_of_a_later_version_stays_and_its_slide_fails_for_that_reason(measured_run: Path) -> None:
    path = measured_run / "slides/b/result.json"
    before = path.read_bytes()
    write_json(path, {**json.loads(before), "schema_version": SCHEMA_VERSION + 1})
    later = path.read_bytes()
    outcome = measure(measured_run.parent / "b.tiff", measured_run.parent / "other")
    assert outcome.exit_code == 0
    outcome = measure([measured_run.parent / "a.tiff", measured_run.parent / "b.tiff"], measured_run)
    assert [slide.status for slide in outcome.slides] == ["complete", "failed"]
    assert "install the newer version" in outcome.slides[1].reason
    assert path.read_bytes() == later
    path.write_bytes(before)
