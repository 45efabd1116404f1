"""A classifier that learnt from one section of a lymph node finds the metastasis in the other, which it never saw."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from command_line import wsi_area
from synthetic_textures import write_outlines, write_tiff_slide

from wsi_area.model.geometry import Region
from wsi_area.slides import borrow_reader, inspect

SLIDE, DRAWN = "slides/camelyon16_tumor_072", "annotations/camelyon16_tumor_072.json"
LEFT, RIGHT = (0.0, 0.0, 576.0, 700.0), (576.0, 0.0, 1152.0, 700.0)
TRUTH = ("--map", "positive=tumor")
MPP_UM = 28.969


def learn(slide: Path, drawn: Path, left: Path, config: Path, out: Path) -> dict[str, Any]:
    """Train from the command line on what lies within the left section; return the card's account."""
    ended = wsi_area(
        "train", "--slides", slide, "--annotations", drawn, "--annotation-scale", "1/128", *TRUTH, "--rest-is", "other",
        "--within", left, "--config", config, "--out", out,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return dict(json.loads((out / "card.json").read_text())["about"])


@pytest.fixture(scope="module")
def trained(testdata: Path, configs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("left_section")
    left = write_outlines(folder / "left.geojson", {"left": [LEFT]})
    config = configs / "coarse_overview.toml"
    return learn(testdata / SLIDE, testdata / DRAWN, left, config, folder / "model"), folder


@pytest.fixture(scope="module")
def in_the_right(trained: tuple[dict[str, Any], Path], testdata: Path, configs: Path) -> dict[str, Any]:
    """The agreement in the right section of a run over the whole slide, by class."""
    _, folder = trained
    config = folder / "run.toml"
    text = (configs / "coarse_overview.toml").read_text()
    config.write_text(text.replace('model = "model"', f"model = {json.dumps(str(folder / 'model'))}"))
    assert wsi_area("run", testdata / SLIDE, "--config", config, "--out", folder / "run").code == 0
    right = write_outlines(folder / "right.geojson", {"right": [RIGHT]})
    ended = wsi_area(
        "evaluate", folder / "run", "--truth", testdata / DRAWN, "--truth-scale", "1/128", *TRUTH, "--within", right,
        "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    return {c["name"]: c for c in document["accuracy"]["classes"]}


def test_the_metastasis_in_the_section_never_seen_is_found(in_the_right: dict[str, Any]) -> None:
    tumor = in_the_right["tumor"]
    assert tumor["dice"] > 0.85
    assert tumor["area_ratio"] == pytest.approx(1, abs=0.2)


def test_what_it_was_held_against_is_the_drawing_of_the_right_section(
    in_the_right: dict[str, Any], testdata: Path
) -> None:
    drawn = json.loads((testdata / DRAWN).read_text())["positive"]
    outlines = [shapely.make_valid(shapely.Polygon(np.asarray(r["vertices"]) / 128)) for r in drawn]
    right_px = sum(o.area for o in outlines if o.centroid.x > RIGHT[0])
    assert in_the_right["tumor"]["truth_px"] == pytest.approx(right_px, rel=0.01)


def test_no_pixel_right_of_the_middle_is_in_what_the_card_says_it_learnt_from(
    trained: tuple[dict[str, Any], Path], testdata: Path
) -> None:
    (row,) = trained[0]["training_data"]
    box = row["used_l0_px"]
    assert box["x_px"] + box["width_px"] <= LEFT[2]
    drawn = json.loads((testdata / DRAWN).read_text())["positive"]
    outlines = [shapely.make_valid(shapely.Polygon(np.asarray(r["vertices"]) / 128)) for r in drawn]
    left_px = sum(o.area for o in outlines if o.centroid.x < LEFT[2])
    assert row["labelled_work_px"]["tumor"] == pytest.approx(left_px, rel=0.01)


def test_noise_in_place_of_the_right_section_leaves_the_model_what_it_was_byte_for_byte(
    testdata: Path, configs: Path, tmp_path: Path
) -> None:
    info = inspect(str(testdata / SLIDE), slide_id="tumor_072")
    with borrow_reader(info, "openslide") as reader:
        rgb = reader.read(0, Region(0, 0, 1152, 700)).rgb.copy()
    config = tmp_path / "quick.toml"
    text = (configs / "coarse_overview.toml").read_text()
    config.write_text(f"{text}\ntrees = 10\nsamples = 20000\n")
    left = write_outlines(tmp_path / "left.geojson", {"left": [LEFT]})
    cards = []
    for name in ("whole", "noise"):
        folder = tmp_path / name
        folder.mkdir()
        slide = write_tiff_slide(folder / "tumor_072.tif", rgb, MPP_UM)
        cards.append(learn(slide, testdata / DRAWN, left, config, folder / "model"))
        rgb[:, int(RIGHT[0]) :] = np.random.default_rng(0).integers(0, 256, (700, 576, 3), np.uint8)
    whole, noise = ((tmp_path / name / "model" / "trees.npz").read_bytes() for name in ("whole", "noise"))
    assert whole == noise
    hashes = [card["training_data"][0].pop("sha256").pop("tumor_072.tif") for card in cards]
    assert hashes[0] != hashes[1]  # the slides do differ
    assert cards[0] == cards[1]
