"""`wsi-area evaluate` of a run: areas that are known, held against outlines that overlap them by known amounts."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from measuring import measure
from PIL import Image
from synthetic import FileForm, box, write_slide
from synthetic_textures import write_outlines

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE = Size(640, 512)
FOUND = (100, 100, 300, 300)  # left, top, right, bottom of the tissue painted on the slide
FORM = FileForm(mpp=Mpp(1.0, 1.0))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    for name in ("a", "b", "c"):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": box(SIZE, 100, 100, 200, 200)}, FORM)
    measure([folder / f"{name}.tif" for name in "abc"], folder / "out", "tiling.tile_px=128")
    return folder / "out"


def drawn(folder: Path, boxes: dict[str, list[tuple[float, float, float, float]]], names: str = "abc") -> Path:
    for name in names:
        write_outlines(folder / f"{name}.geojson", boxes)
    return folder


def accuracy_of(run: Path, truth: Path, *arguments: str | Path) -> dict[str, Any]:
    ended = wsi_area("evaluate", run, "--truth", truth, *arguments, "--json")
    assert ended.code == 0, ended.err
    accuracy: dict[str, Any] = ended.document["accuracy"]
    return accuracy


def test_counts_are_those_of_the_boxes_pixel_for_pixel(run: Path, tmp_path: Path) -> None:
    found = accuracy_of(run, drawn(tmp_path, {"Tissue": [(200, 100, 300, 500)]}))
    # true 100 × 400, found 200 × 200, both 100 × 200; three slides of 640 × 512
    both, true, seen, all_px = 3 * 20_000, 3 * 40_000, 3 * 40_000, 3 * 640 * 512
    assert found["confusion"] == {
        "classes": ["rest", "tissue"],
        "rows_true_columns_predicted": [[all_px - true - seen + both, seen - both], [true - both, both]],
    }
    tissue = found["classes"][1]
    assert (tissue["dice"], tissue["iou"], tissue["area_ratio"]) == (0.5, 1 / 3, 1.0)
    assert tissue["dice_ci95"] == [0.5, 0.5]  # all slides are alike
    assert set(found["left_out_l0_px"].values()) == {0}
    assert [c["truth_mm2"] for c in found["per_image"][0]["classes"]] == pytest.approx([0.28768, 0.04])


def test_the_centre_of_a_pixel_decides(run: Path, tmp_path: Path) -> None:
    found = accuracy_of(run, drawn(tmp_path, {"tissue": [(99.6, 100.4, 300.4, 299.6)]}))
    assert found["classes"][1]["dice"] == 1.0


def test_a_coarse_class_map_counts_in_level_0_pixels(run: Path, tmp_path: Path) -> None:
    measure(run.parent / "a.tif", tmp_path / "out", "tiling.work_mpp=4", "tiling.tile_px=128")
    found = accuracy_of(tmp_path / "out", drawn(tmp_path, {"tissue": [FOUND]}))
    assert found["classes"][1] == {**found["classes"][1], "dice": 1.0, "truth_px": 40_000, "predicted_px": 40_000}


def test_what_was_not_drawn_can_be_left_out(run: Path, tmp_path: Path) -> None:
    found = accuracy_of(run, drawn(tmp_path, {"tissue": [(200, 100, 300, 500)]}), "--labelled-only")
    assert found["confusion"]["rows_true_columns_predicted"] == [[0, 0], [3 * 20_000, 3 * 20_000]]
    assert found["left_out_l0_px"]["without_truth"] == 3 * (640 * 512 - 40_000)


def test_within_limits_what_is_compared_and_counts_the_rest(run: Path, tmp_path: Path) -> None:
    truth = drawn(tmp_path, {"tissue": [(200, 100, 300, 500)]})
    inside = tmp_path / "within"
    inside.mkdir()
    found = accuracy_of(run, truth, "--within", drawn(inside, {"here": [(0, 0, 640, 300)]}))
    assert found["classes"][1]["recall"] == 1.0
    assert found["left_out_l0_px"]["outside_within"] == 3 * 640 * 212


def test_the_region_of_interest_of_the_run_is_left_out(run: Path, tmp_path: Path) -> None:
    roi = write_outlines(tmp_path / "roi.geojson", {"roi": [(0, 0, 640, 200)]})
    config = tmp_path / "c.toml"
    config.write_text('[segmenter]\nname = "tissue"\nbackground = "bright"\nthreshold = 60\n')
    slide = run.parent / "a.tif"
    assert wsi_area("run", slide, "--roi", roi, "--config", config, "--out", tmp_path / "out").code == 0
    found = accuracy_of(tmp_path / "out", drawn(tmp_path, {"tissue": [FOUND]}, "a"))
    assert found["classes"][1]["truth_px"] == 200 * 100
    assert found["left_out_l0_px"]["outside_roi"] == 640 * 312


def test_truth_of_another_grid_is_scaled(run: Path, tmp_path: Path) -> None:
    truth = drawn(tmp_path, {"tissue": [tuple(128 * v for v in FOUND)]})  # type: ignore[dict-item]
    assert accuracy_of(run, truth, "--truth-scale", "1/128")["classes"][1]["dice"] == 1.0


def test_a_mask_will_do_with_its_codes_named(run: Path, tmp_path: Path) -> None:
    codes = np.zeros((512, 640), np.uint8)
    codes[100:300, 100:300] = 7
    for name in "abc":
        Image.fromarray(codes).save(tmp_path / f"{name}.png")
    assert accuracy_of(run, tmp_path, "--class", "7=tissue")["classes"][1]["dice"] == 1.0
    assert accuracy_of(run, tmp_path, "--any-nonzero", "tissue")["classes"][1]["dice"] == 1.0


def test_other_names_are_mapped_and_unknown_ones_refused_with_the_known(run: Path, tmp_path: Path) -> None:
    truth = drawn(tmp_path, {"Region 1": [FOUND]})
    refused = wsi_area("evaluate", run, "--truth", truth)
    assert refused.code == 1
    assert "'region_1', which is none of the run's (background, tissue)" in refused.err
    assert accuracy_of(run, truth, "--map", "Region 1=tissue")["classes"][1]["dice"] == 1.0
    assert accuracy_of(run, truth, "--map", "*=tissue")["classes"][1]["dice"] == 1.0


def test_tumor_stands_for_every_class_that_is_tumour(run: Path, tmp_path: Path) -> None:
    classes = [
        {"id": 0, "name": "glass", "color": "#ffffff"},
        {"id": 1, "name": "node_7", "color": "#d6609c", "is_tissue": True, "is_tumor": True},
    ]
    measure(run.parent / "a.tif", tmp_path / "out", f"segmenter.classes={_toml(classes)}")
    assert accuracy_of(tmp_path / "out", drawn(tmp_path, {"tumor": [FOUND]}))["classes"][1]["dice"] == 1.0


def test_a_truth_in_which_nothing_was_drawn_is_held_against_the_tumour_that_was_found(
    run: Path, tmp_path: Path
) -> None:
    classes = [
        {"id": 0, "name": "glass", "color": "#ffffff"},
        {"id": 1, "name": "node_7", "color": "#d6609c", "is_tissue": True, "is_tumor": True},
    ]
    measure(run.parent / "a.tif", tmp_path / "out", f"segmenter.classes={_toml(classes)}")
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    found = accuracy_of(tmp_path / "out", tmp_path / "a.geojson")
    assert found["confusion"] == {
        "classes": ["rest", "tumor"],
        "rows_true_columns_predicted": [[640 * 512 - 40_000, 40_000], [0, 0]],
    }


def _toml(classes: list[dict[str, Any]]) -> str:
    entries = [", ".join(f"{k} = {json.dumps(v)}" for k, v in entry.items()) for entry in classes]
    return "[" + ", ".join(f"{{{entry}}}" for entry in entries) + "]"


def test_a_slide_without_truth_is_named_and_the_others_are_compared(run: Path, tmp_path: Path) -> None:
    ended = wsi_area("evaluate", run, "--truth", drawn(tmp_path, {"tissue": [FOUND]}, "ab"), "--json")
    assert ended.code == 2
    assert ended.document["accuracy"]["images"] == 2
    assert "holds no file with the truth named like the slide; name it c.geojson" in ended.document["failures"]["c"]
    assert ended.document["accuracy"]["classes"][1]["dice_ci95"] is None
    assert "only 2 independent units" in ended.document["accuracy"]["interval_reason"]


def test_slides_shared_by_threads_have_the_same_accuracy_and_failures(run: Path, tmp_path: Path) -> None:
    truth = drawn(tmp_path, {"tissue": [FOUND]}, "ab")
    alone, *shared = (
        wsi_area("evaluate", run, "--truth", truth, "--json", "--workers", workers).document for workers in (1, 3, 8)
    )
    assert shared == [alone, alone]  # with 8, each slide has several threads
    assert alone["accuracy"]["images"] == 2
    assert list(alone["failures"]) == ["c"]


def test_slides_of_one_patient_are_one_witness(run: Path, tmp_path: Path) -> None:
    boxes = {"a": (100, 100, 300, 200), "b": (100, 100, 300, 300), "c": (100, 100, 300, 420)}
    for name, edges in boxes.items():
        drawn(tmp_path, {"Tissue": [edges]}, name)
    table = tmp_path / "patients.csv"
    table.write_text("slide,patient\na,p\nb,q\nc,r\n")
    alone = accuracy_of(run, tmp_path)["classes"][1]
    by_patient = accuracy_of(run, tmp_path, "--groups", table)
    assert by_patient["classes"][1] == alone  # each slide is of another patient
    table.write_text("slide,patient\na,p\nb,p\nc,q\n")
    two = accuracy_of(run, tmp_path, "--groups", table)
    assert (two["groups"], two["classes"][1]["area_ratio_ci95"]) == (2, None)
    assert "only 2 independent units" in two["interval_reason"]
    table.write_text("slide,patient\na,p\n")
    ended = wsi_area("evaluate", run, "--truth", tmp_path, "--groups", table)
    assert (ended.code, "no line for 2 of 3 slides" in ended.err) == (1, True)


def test_one_file_for_three_slides_is_refused(run: Path, tmp_path: Path) -> None:
    one = write_outlines(tmp_path / "x.geojson", {"tissue": [FOUND]})
    ended = wsi_area("evaluate", run, "--truth", one)
    assert (ended.code, "the run has 3 slides; give a folder" in ended.err) == (1, True)


def test_the_table_shows_every_slide_with_its_areas(run: Path, tmp_path: Path) -> None:
    shown = wsi_area("evaluate", run, "--truth", drawn(tmp_path, {"tissue": [(200, 100, 300, 500)]})).out
    assert shown.count("0.0400") == 6  # true and found mm² of three slides
    assert "0.5000 (0.5000 to 0.5000)" in shown


def test_a_folder_that_is_neither_run_nor_model_is_refused(tmp_path: Path) -> None:
    ended = wsi_area("evaluate", tmp_path, "--truth", tmp_path)
    assert (ended.code, "neither a run" in ended.err) == (1, True)


def test_the_run_can_be_held_against_the_truth_without_its_slides(run: Path, tmp_path: Path) -> None:
    slide = tmp_path / "gone.tif"
    slide.write_bytes((run.parent / "a.tif").read_bytes())
    measure(slide, tmp_path / "out")
    slide.unlink()
    truth = write_outlines(tmp_path / "gone.geojson", {"tissue": [FOUND]})
    assert accuracy_of(tmp_path / "out", truth)["classes"][1]["dice"] == 1.0
