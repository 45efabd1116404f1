"""A run of a trained model has the model's own area ratio in its budgets, and evaluate prints areas freed of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from PIL import Image
from synthetic_textures import write_pairs, write_tiff_slide
from test_train import MPP, SMALL, TUMOR

from wsi_area.inputs.collect import collect_slides
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.training.material import pair_sources
from wsi_area.training.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One slide with its mask, measured by a model that had not learnt from it."""
    folder = tmp_path_factory.mktemp("card")
    train(
        pair_sources(write_pairs(folder / "pairs"), folder / "pairs", MPP, {}),
        TUMOR,
        SMALL,
        folder / "model",
        rest_in_tissue=False,
    )
    fresh = write_pairs(folder / "fresh", 1, seed=70)
    slide = write_tiff_slide(folder / "x.tif", np.asarray(Image.open(fresh / "im0.png")))
    (folder / "truth").mkdir()
    (fresh / "im0_mask.png").rename(folder / "truth" / "x.png")
    settings = load(None, ["segmenter.name=pixel_classifier", f'segmenter.model="{folder / "model"}"'])
    run_slides(collect_slides([str(slide)]), settings, folder / "out")
    return folder / "out"


def tumor_of(ended: Any) -> dict[str, Any]:
    (found,) = [c for c in ended.document["accuracy"]["per_image"][0]["classes"] if c["name"] == "tumor"]
    return dict(found)


def test_evaluate_shows_the_ratio_of_the_card_and_the_area_freed_of_it_for_one_slide_too(run: Path) -> None:
    given = ("evaluate", run, "--truth", run.parent / "truth", "--class", "1=tumor")
    told = tumor_of(wsi_area(*given, "--json"))
    assert told["adjusted_mm2"] == pytest.approx(told["predicted_mm2"] / told["held_out_area_ratio"])
    low, high = told["adjusted_ci95_mm2"]
    assert low < told["truth_mm2"] < high
    ends = [told["predicted_mm2"] / ratio for ratio in reversed(told["held_out_area_ratio_ci95"])]
    assert [low, high] == pytest.approx(ends)
    assert told["held_out_groups"] == 6
    printed = wsi_area(*given).out
    assert "adjusted mm²" in printed
    assert f"{told['adjusted_mm2']:.4f}" in printed


def test_the_card_is_the_term_of_the_segmentation_until_points_are_answered(run: Path, tmp_path: Path) -> None:
    budgets = open_run(run)["x"].counted.budgets
    assert budgets is not None
    assert budgets.tumor is not None
    row = budgets.tumor.row("segmentation")
    assert row is not None
    assert "card" in row.source
    assert row.u_mm2
    assert budgets.tumor.area_mm2 == pytest.approx(budgets.tumor.counted_mm2 / (row.value or 0))
    drawn = wsi_area("reference", "draw", run, "--points", "200", "--json")
    assert drawn.code == 0, drawn.err
    points = run / "reference" / "points" / "points.csv"
    lines = points.read_text("utf-8").splitlines()
    answers = tmp_path / "r.csv"
    answers.write_text("\n".join([lines[0], *(line + "tumor" for line in lines[1:])]), "utf-8")
    assert wsi_area("reference", "score", run, answers).code == 0
    budgets = open_run(run)["x"].counted.budgets
    assert budgets is not None
    assert budgets.tumor is not None
    row = budgets.tumor.row("segmentation")
    assert row is not None
    assert "reference points" in row.source
    told = tumor_of(wsi_area("evaluate", run, "--truth", run.parent / "truth", "--class", "1=tumor", "--json"))
    assert "reference points" in told["adjusted_from"]
    assert told["adjusted_mm2"] == pytest.approx(open_run(run)["x"].counted.analyzed.area_mm2)
