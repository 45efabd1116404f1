"""`wsi-area train` and a model in `wsi-area evaluate`: the contract that scripts rely on."""

import json
from pathlib import Path

import pytest
from command_line import Ended, wsi_area
from synthetic_textures import write_pairs

CONFIG = """
[tiling]
work_mpp = 1.0

[train]
scales_um = [2.0, 4.0]
pitch_um = 1.0
smoothing_um = 2.0
trees = 6
leaves = 8
leaf_px = 10
learning_rate = 0.5
samples = 3000
folds = 2
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    write_pairs(folder / "pairs", 4)
    (folder / "c.toml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def ended(folder: Path) -> Ended:
    return train(folder, "--out", folder / "model", "--json")


def train(folder: Path, *arguments: str | Path) -> Ended:
    return wsi_area("train", "--images", folder / "pairs", "--mpp", "1", "--config", folder / "c.toml", *arguments)


def test_it_prints_one_json_document_and_says_on_stderr_what_it_does(ended: Ended, folder: Path) -> None:
    assert ended.code == 0
    document = ended.document
    assert document["classes"] == ["background", "tumor"]
    assert document["accuracy"]["classes"][1]["dice"] > 0.9
    assert document["accuracy"]["classes"][1]["area_ratio"] == pytest.approx(1, abs=0.1)
    assert (folder / "model" / "card.json").is_file()
    assert (folder / "model" / "report.html").is_file()
    assert "cross-validation in 2 folds" in ended.err


def test_the_table_has_the_ratios_of_each_class(folder: Path) -> None:
    shown = train(folder, "--out", folder / "again")
    assert shown.code == 0
    for word in ("true ↓ found →", "Dice", "IoU", "area found / true", "kappa", "report.html"):
        assert word in shown.out


def test_a_model_is_held_against_new_images(ended: Ended, folder: Path, tmp_path: Path) -> None:
    fresh = write_pairs(tmp_path / "fresh", 3, seed=40)
    found = wsi_area("evaluate", folder / "model", "--images", fresh, "--mpp", "1", "--json")
    assert found.code == 0
    accuracy = found.document["accuracy"]
    assert accuracy["classes"][1]["dice"] > 0.9
    assert accuracy["classes"][1]["dice_ci95"] is not None
    assert sum(map(sum, accuracy["confusion"]["rows_true_columns_predicted"])) == 3 * 96 * 128


def test_a_model_is_not_held_against_its_own_images(ended: Ended, folder: Path) -> None:
    found = wsi_area("evaluate", folder / "model", "--images", folder / "pairs", "--mpp", "1")
    assert found.code == 1
    assert "the model learnt from im0" in found.err


def test_codes_are_named_and_zero_can_be_a_class_of_its_own(folder: Path, tmp_path: Path) -> None:
    done = train(folder, "--class", "1=gland", "--rest-is", "stroma", "--out", tmp_path / "m", "--json")
    assert done.document["classes"] == ["background", "gland", "stroma"]
    assert done.document["accuracy"]["classes"][0]["truth_px"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --slides with --annotations, or --images with --masks"),
        (("--slides", "x.svs"), "needs --annotations"),
        (
            (
                "--images",
                ".",
            ),
            "--images needs --mpp",
        ),
        (("--images", ".", "--mpp", "1", "--within", "x"), "--within goes with --slides"),
        (("--images", ".", "--mpp", "1", "--any-nonzero", "a", "--class", "1=b"), "contradict"),
        (("--images", ".", "--mpp", "1", "--class", "x"), "CODE=CLASS"),
    ],
)
def test_wrong_options_are_refused_with_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    ended = wsi_area("train", *arguments, "--out", tmp_path / "m")
    assert ended.code == 1
    assert said in ended.err
    assert not (tmp_path / "m").exists()


def test_an_unknown_key_is_refused_with_the_known_ones(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[train]\ntree = 3\n")
    ended = wsi_area("train", "--images", folder / "pairs", "--mpp", "1", "--config", tmp_path / "c.toml", "--out", "m")
    assert (ended.code, "unknown key train.tree" in ended.err) == (1, True)


def test_slides_train_a_model_by_the_same_command(tmp_path: Path) -> None:
    import numpy as np
    from synthetic_textures import textured, write_outlines, write_tiff_slide

    for name in ("a", "b"):
        rgb = np.full((280, 320, 3), 244, np.uint8)
        tumor = np.zeros((280, 320), bool)
        tumor[80:180, 60:180] = True
        rgb[40:240, 20:300] = textured(tumor, ord(name))[40:240, 20:300]
        write_tiff_slide(tmp_path / f"{name}.tif", rgb)
        # drawn at twice the resolution of the slide
        write_outlines(tmp_path / f"{name}.geojson", {"Tumor": [(120, 160, 360, 360)]})
    (tmp_path / "c.toml").write_text(CONFIG)
    ended = wsi_area(
        "train", "--slides", tmp_path / "a.tif", "--slides", tmp_path / "b.tif", "--annotations", tmp_path,
        "--annotation-scale", "1/2", "--rest-is", "other", "--config", tmp_path / "c.toml", "--out", tmp_path / "m",
        "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    classes = {c["name"]: c for c in ended.document["accuracy"]["classes"]}
    assert classes["tumor"]["truth_px"] == 2 * 120 * 100
    assert classes["tumor"]["dice"] > 0.9
    assert json.loads((tmp_path / "m" / "card.json").read_text())["about"]["naming"]["rest"] == "other"
