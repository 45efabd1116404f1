"""The notebook that trains, exports and measures a network: whole, without outputs, and run where torch is."""

import ast
import json
import re

import pytest

NOTEBOOK = "train_unet_glas.ipynb"


@pytest.fixture(scope="module")
def cells(request):
    path = request.config.rootpath / "notebooks" / NOTEBOOK
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["nbformat"], document["metadata"]["kernelspec"]["language"]) == (4, "python")
    return document["cells"]


@pytest.fixture(scope="module")
def code(cells):
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_it_is_stored_without_outputs(cells):
    for cell in cells:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
    assert not any("attachments" in cell for cell in cells)


def test_its_code_is_python_and_names_nothing_of_one_machine(code):
    ast.parse(code)
    assert not re.search(r"[\"'](/work|/tmp|/home|/root|[A-Z]:\\)", code)


def test_it_says_what_it_needs_and_what_the_data_may_be_used_for(cells):
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert "pip install torch==2.13.0" in text
    assert "for research only" in text
    assert "grouped by patient" in text


def test_the_card_that_it_writes_is_one(code, tmp_path):
    import hashlib

    from wsi_area.segmenters.onnx.card import OnnxCard

    (function,) = (n for n in ast.parse(code).body if getattr(n, "name", None) == "card_for")
    scope = {"hashlib": hashlib, "SLIDE_MPP": 0.62, "REDUCE": 2, "RIM_PX": 176, "CONTEXT_PX": 161, "DIVISIBLE_BY": 16}
    scope |= {"MEAN": [0.8] * 3, "STD": [0.2] * 3}
    exec(compile(ast.Module([function], []), "card_for", "exec"), scope)
    network = tmp_path / "fold_0.onnx"
    network.write_bytes(b"weights")
    card = OnnxCard.model_validate(scope["card_for"](network, 0))
    assert card.model_sha256 == hashlib.sha256(b"weights").hexdigest()
    assert [c.name for c in card.classes] == ["background", "gland"]


def test_patients_are_never_split_between_folds(code):
    import numpy as np

    (function,) = (n for n in ast.parse(code).body if getattr(n, "name", None) == "folds_by_patient")
    scope = {"np": np}
    exec(compile(ast.Module([function], []), NOTEBOOK, "exec"), scope)
    patients = np.random.default_rng(1).integers(0, 15, 85)
    fold = scope["folds_by_patient"](patients, 5)
    assert all(len(set(fold[patients == p])) == 1 for p in set(patients))
    assert np.bincount(fold, minlength=5).min() >= 12


def test_it_runs_through_where_torch_is_installed(code, testdata, tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="torch is no dependency; pip install torch==2.13.0 to run the notebook")
    if not (testdata / "glas_train").is_dir():
        pytest.skip(f"no GlaS images at {testdata / 'glas_train'}")
    monkeypatch.setenv("WSI_AREA_TESTDATA", str(testdata))
    monkeypatch.setenv("WSI_AREA_NOTEBOOK_QUICK", "1")
    monkeypatch.setenv("WSI_AREA_NOTEBOOK_OUT", str(tmp_path))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter announces its own successor
        exec(compile(code, NOTEBOOK, "exec"), {"__name__": "__main__"})
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert 0 <= figures["dice"] <= 1
    assert figures["area_ratio"] >= 0
