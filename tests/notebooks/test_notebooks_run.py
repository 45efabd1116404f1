"""The notebooks that anybody can run: whole, without outputs, and executed from a clean kernel on the demo slide."""

import json
import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

NOTEBOOKS = ("01_review_a_run", "02_calibration", "03_train_a_classifier", "04_compare_two_runs")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all of them write, so that the slide is painted once."""
    return tmp_path_factory.mktemp("notebooks")


def stored(request: pytest.FixtureRequest, name: str) -> Path:
    return request.config.rootpath / "notebooks" / f"{name}.ipynb"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_outputs_and_names_nothing_of_one_machine(
    request: pytest.FixtureRequest, name: str
) -> None:
    text = stored(request, name).read_text(encoding="utf-8")
    document = json.loads(text)
    nbformat.validate(document)
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    assert not re.search(r"[\"'(](/work|/tmp|/home|/root|[A-Z]:\\)", text)


def outputs(notebook: Any, kind: str) -> list[Any]:
    """Everything of one mime type that the cells left behind, in order."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [output.data[kind] for cell in cells for output in cell.outputs if kind in output.get("data", {})]


def executed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, name: str, out: Path) -> Any:
    monkeypatch.setenv("WSI_AREA_NOTEBOOK_OUT", str(out))
    notebook = nbformat.read(stored(request, name), as_version=4)
    client = nbclient.NotebookClient(
        notebook, kernel_name="python3", timeout=300, resources={"metadata": {"path": out}}
    )
    return client.execute()


def test_a_run_is_reviewed_with_pictures_tables_and_the_arithmetic(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    ran = executed(request, monkeypatch, "01_review_a_run", out)
    assert len(outputs(ran, "image/png")) == 4  # the slide, two of its classes, what the viewer leaves behind, a tile
    assert len(outputs(ran, "application/vnd.jupyter.widget-view+json")) == 1
    pages = outputs(ran, "text/html")
    assert "✓ complete" in pages[0]
    assert any("data:image/jpeg;base64" in page for page in pages)
    assert any(re.search(r"\d px -> 1\.78339 mm²", text) for text in outputs(ran, "text/plain"))


def test_a_pixel_size_is_followed_from_its_claims_to_the_areas(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    ran = executed(request, monkeypatch, "02_calibration", out)
    assert any("stage micrometer" in page and "chosen" in page for page in outputs(ran, "text/html"))
    printed = "".join(o.text for cell in ran.cells for o in cell.get("outputs", ()) if o.output_type == "stream")
    assert "0.25 µm: 1 000 000 px are 0.06250 mm²" in printed
    assert "MPP_IMPLAUSIBLE_EXTENT" in printed


def test_a_classifier_is_trained_looked_at_and_held_against_regions_it_never_saw(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    ran = executed(request, monkeypatch, "03_train_a_classifier", out)
    assert len(outputs(ran, "image/png")) == 1
    assert any("Worst cases" in page for page in outputs(ran, "text/html"))  # the model's report
    card = json.loads((out / "train" / "model" / "card.json").read_text(encoding="utf-8"))["about"]
    assert {row["fold"] for row in card["training_data"]} == {0, 1, 2, 3}
    for row in card["training_data"]:  # of the right half, which is held out, nothing was used
        assert row["used_l0_px"]["x_px"] + row["used_l0_px"]["width_px"] <= 640


def test_two_runs_are_compared_down_to_the_pixel(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    ran = executed(request, monkeypatch, "04_compare_two_runs", out)
    assert any("segmenter.weak_od" in page and "0.35" in page for page in outputs(ran, "text/html"))
    assert len(outputs(ran, "image/png")) == 1
