"""Training on pictures whose truth is known: what is learnt, how it is measured, and what may not reach it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic_textures import textured, write_outlines, write_pairs, write_tiff_slide

from wsi_area.audit.truth import Naming, parse_naming
from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.calibration import Mpp
from wsi_area.segmenters.pixels.model import load_model
from wsi_area.training.held_out import evaluate_folder
from wsi_area.training.material import pair_sources, slide_sources
from wsi_area.training.outcome import TrainOutcome
from wsi_area.training.settings import TrainSettings
from wsi_area.training.train import train

MPP = Mpp(1.0, 1.0)
SMALL = TrainSettings(
    scales_um=(2.0, 4.0),
    pitch_um=1.0,
    smoothing_um=2.0,
    trees=6,
    leaves=8,
    leaf_px=10,
    learning_rate=0.5,
    samples=3000,
    folds=3,
)
TUMOR = parse_naming((), ("1=tumor",), rest="background")


def _train_pairs(folder: Path, out: Path, naming: Naming = TUMOR, groups: Any = None, **changed: Any) -> TrainOutcome:
    sources = pair_sources(folder, folder, MPP, groups or {})
    return train(sources, naming, SMALL.model_copy(update=changed), out, rest_in_tissue=False)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module")
def trained(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainOutcome:
    return _train_pairs(pairs, tmp_path_factory.mktemp("model") / "m")


# --- what is learnt


def test_two_textures_are_told_apart_on_images_held_out(trained: TrainOutcome) -> None:
    accuracy = trained.accuracy
    assert accuracy is not None
    tumor = accuracy.agreements[1]
    assert tumor.dice is not None
    assert tumor.dice > 0.95
    assert tumor.area_ratio == pytest.approx(1, abs=0.05)


def test_every_level_0_pixel_is_in_the_matrix(trained: TrainOutcome) -> None:
    accuracy = trained.accuracy
    assert accuracy is not None
    assert accuracy.matrix.sum() == 6 * 96 * 128
    assert set(accuracy.left_out_l0_px.values()) == {0}


def test_the_card_says_what_it_learnt_from_and_how_good_it_is(trained: TrainOutcome, pairs: Path) -> None:
    card = json.loads((trained.out / "card.json").read_text())["about"]
    assert [row["id"] for row in card["training_data"]] == [f"im{n}" for n in range(6)]
    assert all(len(row["sha256"]) == 2 for row in card["training_data"])
    assert card["settings"]["seed"] == 0
    assert "scikit-learn" in card["versions"]
    assert card["accuracy"]["classes"][1]["dice_ci95"][0] > 0.9
    assert "3-fold cross-validation of 6 images by 6 groups" in card["accuracy_protocol"]
    assert str(pairs) not in (trained.out / "card.json").read_text()  # no path of the machine


def test_the_model_on_disk_classifies_new_images(trained: TrainOutcome, tmp_path: Path) -> None:
    fresh = write_pairs(tmp_path, 3, seed=50)
    accuracy = evaluate_folder(trained.out, pair_sources(fresh, fresh, MPP, {}), Naming(codes={1: "tumor"}))
    assert (accuracy.agreements[1].dice or 0) > 0.95
    assert len(accuracy.images) == 3


def test_a_model_is_not_tried_on_what_it_learnt_from(trained: TrainOutcome, pairs: Path) -> None:
    with pytest.raises(SettingsError, match="learnt from im0"):
        evaluate_folder(trained.out, pair_sources(pairs, pairs, MPP, {}), Naming(codes={1: "tumor"}))


def test_the_report_is_one_file_that_asks_for_nothing_from_outside(trained: TrainOutcome) -> None:
    page = (trained.out / "report.html").read_text()
    assert "http" not in page.replace("<!doctype html>", "")
    assert page.count("data:image/png;base64,") == 9  # calibration, areas, 3 best, 3 worst, importances
    for heading in ("Accuracy", "Confusion", "Best cases", "Worst cases", "What it goes by", "What it learnt from"):
        assert heading in page


def test_importances_say_which_kind_of_feature_matters(trained: TrainOutcome) -> None:
    kinds = trained.importances["kind"]
    drops = [k.accuracy_drop for k in kinds]
    assert drops == sorted(drops, reverse=True)
    assert drops[0] > 0.02
    assert {s.name for s in trained.importances["scale"]} == {"2um", "4um"}


# --- it repeats


def test_the_same_images_and_seed_give_the_same_model_and_another_seed_another(
    trained: TrainOutcome, pairs: Path, tmp_path: Path
) -> None:
    again = _train_pairs(pairs, tmp_path / "again")
    assert again.model_hash == trained.model_hash
    assert (again.out / "trees.npz").read_bytes() == (trained.out / "trees.npz").read_bytes()
    assert (again.out / "report.html").read_bytes() == (trained.out / "report.html").read_bytes()
    other = _train_pairs(pairs, tmp_path / "other", seed=1)
    assert (other.out / "trees.npz").read_bytes() != (trained.out / "trees.npz").read_bytes()


def test_a_random_forest_will_do_too(pairs: Path, tmp_path: Path) -> None:
    outcome = _train_pairs(pairs, tmp_path / "m", classifier="random_forest", folds=2)
    assert outcome.accuracy is not None
    assert (outcome.accuracy.agreements[1].dice or 0) > 0.95
    assert load_model(outcome.out).trees.link == "mean"


# --- cross-validation


def test_images_of_one_patient_are_held_out_together(pairs: Path, tmp_path: Path) -> None:
    groups = {f"im{n}": f"patient{n // 2}" for n in range(6)}
    outcome = _train_pairs(pairs, tmp_path / "m", groups=groups)
    folds = {row["id"]: row["fold"] for row in outcome.model.card["training_data"]}
    assert all(folds[f"im{n}"] == folds[f"im{n + 1}"] for n in (0, 2, 4))
    assert len(set(folds.values())) == 3
    assert outcome.accuracy is not None
    assert outcome.accuracy.intervals.clusters == 3


def test_one_group_alone_gives_no_accuracy_and_the_reason(pairs: Path, tmp_path: Path) -> None:
    outcome = _train_pairs(pairs, tmp_path / "m", groups={f"im{n}": "one patient" for n in range(6)})
    card = json.loads((outcome.out / "card.json").read_text())["about"]
    assert outcome.accuracy is None
    assert card["accuracy"] is None
    assert "one group (one patient)" in card["accuracy_reason"]
    assert "Accuracy is not known" in (outcome.out / "report.html").read_text()


def test_a_class_that_looks_like_the_others_is_reported_as_not_found(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "p")
    for n in range(6):  # the mask now lies where nothing is to be seen
        mask = folder / f"im{n}_mask.png"
        mask.write_bytes((folder / f"im{(n + 1) % 6}_mask.png").read_bytes())
    outcome = _train_pairs(folder, tmp_path / "m")
    assert outcome.accuracy is not None
    assert (outcome.accuracy.agreements[1].dice or 0) < 0.7


def test_masks_that_number_objects_become_one_class(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path / "p", instances=True)
    outcome = _train_pairs(folder, tmp_path / "m", parse_naming(any_nonzero="gland", rest="background"), folds=2)
    assert [c.name for c in outcome.model.classes] == ["background", "gland"]
    assert outcome.accuracy is not None
    assert (outcome.accuracy.agreements[1].dice or 0) > 0.95


# --- what is refused


def test_a_folder_that_is_not_empty_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(SettingsError, match="not an empty folder"):
        train([], TUMOR, SMALL, tmp_path, rest_in_tissue=False)


def test_missing_libraries_are_named_with_the_remedy(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(SettingsError, match=r"pip install 'wsi-area\[train\]'"):
        _train_pairs(pairs, tmp_path / "m")


# --- slides, outlines, and what lies outside `within`


def _slide(folder: Path, right_half: np.ndarray) -> Path:
    """A slide of 600 × 300 px: left, a box of tumour in stroma; right, whatever is given."""
    rgb = np.full((300, 600, 3), 244, np.uint8)
    tumor = np.zeros((300, 300), bool)
    tumor[100:200, 60:180] = True
    rgb[40:260, 20:300] = textured(tumor, 3)[40:260, 20:300]
    rgb[:, 300:] = right_half
    return write_tiff_slide(folder / "s.tif", rgb)


def _train_left(folder: Path, right_half: np.ndarray, **changed: Any) -> TrainOutcome:
    folder.mkdir()
    slide = _slide(folder, right_half)
    drawn = write_outlines(folder / "s.geojson", {"Tumor": [(60, 100, 180, 200), (400, 100, 500, 200)]})
    left = write_outlines(folder / "left.geojson", {"left": [(0, 0, 301, 300)]})
    slides = [replace(s, roi=DrawnSource(str(left))) for s in collect_slides([str(slide)], annotations=drawn)]
    settings = SMALL.model_copy(update={"scales_um": (2.0, 12.0), **changed})
    return train(slide_sources(slides, {}), Naming(rest="other"), settings, folder / "m", rest_in_tissue=True)


@pytest.fixture(scope="module")
def left_trained(tmp_path_factory: pytest.TempPathFactory) -> TrainOutcome:
    return _train_left(tmp_path_factory.mktemp("left") / "a", np.full((300, 300, 3), 244, np.uint8))


def test_nothing_outside_within_has_any_part_in_training(left_trained: TrainOutcome, tmp_path: Path) -> None:
    # the cut at 301 leaves one column of the right half inside; it is the same in both slides
    noise = np.random.default_rng(1).integers(0, 256, (300, 300, 3), np.uint8)
    noise[:, 0] = 244
    other = _train_left(tmp_path / "b", noise)
    assert (other.out / "trees.npz").read_bytes() == (left_trained.out / "trees.npz").read_bytes()


def test_a_pixel_just_inside_within_does_have_a_part(left_trained: TrainOutcome, tmp_path: Path) -> None:
    changed = np.full((300, 300, 3), 244, np.uint8)
    changed[:, 0] = (90, 30, 120)
    other = _train_left(tmp_path / "b", changed)
    assert (other.out / "trees.npz").read_bytes() != (left_trained.out / "trees.npz").read_bytes()


def test_the_box_of_what_was_used_is_on_record_and_ends_at_within(left_trained: TrainOutcome) -> None:
    row = left_trained.model.card["training_data"][0]
    assert row["used_l0_px"] == {"x_px": 0, "y_px": 0, "width_px": 301, "height_px": 300}
    assert row["within"] == "left.geojson"
    assert set(row["sha256"]) == {"s.tif", "s.geojson", "left.geojson"}
    # of two outlines one lies outside
    assert row["labelled_work_px"]["tumor"] == 120 * 100


def test_glass_is_background_and_what_was_not_drawn_in_tissue_is_the_rest(left_trained: TrainOutcome) -> None:
    assert [c.name for c in left_trained.model.classes] == ["background", "tumor", "other"]
    assert [c.is_tumor for c in left_trained.model.classes] == [False, True, False]
    labelled = left_trained.model.card["training_data"][0]["labelled_work_px"]
    tissue_px = (300 - 20) * 220 - 120 * 100
    assert labelled["other"] == pytest.approx(tissue_px, rel=0.03)  # texture and threshold nibble at the rim
    assert sum(labelled.values()) == 301 * 300


def test_two_slides_are_cross_validated_slide_by_slide(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        _slide(folder, np.full((300, 300, 3), 244, np.uint8)).rename(tmp_path / f"{name}.tif")
        write_outlines(tmp_path / f"{name}.geojson", {"tumor": [(60, 100, 180, 200)]})
    slides = collect_slides([str(tmp_path / "a.tif"), str(tmp_path / "b.tif")], annotations=tmp_path)
    outcome = train(slide_sources(slides, {}), Naming(rest="other"), SMALL, tmp_path / "m", rest_in_tissue=True)
    assert outcome.accuracy is not None
    assert outcome.accuracy.groups == 2
    assert (outcome.accuracy.agreements[1].dice or 0) > 0.95
    assert outcome.accuracy.intervals.reason == "only 2 independent units; an interval needs 3"
