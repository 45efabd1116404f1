"""A model that was trained on some slides says so of one that looks otherwise, and is quiet on others of their kind."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import wsi_area
from PIL import Image
from synthetic_textures import write_pairs, write_tiff_slide
from test_train import MPP, SMALL, TUMOR

from wsi_area.audit.truth import Naming
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.training.material import pair_sources
from wsi_area.training.train import train

GLAS_MPP = Mpp(0.62005, 0.62005)
TRAINED, HELD_OUT = 6, 8  # patients


def codes_of(model: Path, slides: list[Path], out: Path, *more: str) -> dict[str, list[str]]:
    """The codes of the warnings of each slide."""
    settings = load(None, ["segmenter.name=pixel_classifier", f'segmenter.model="{model}"', *more])
    outcome = run_slides(collect_slides([str(slide) for slide in slides]), settings, out)
    return {d["slide_id"]: [f["code"] for f in d["findings"] if f["severity"] == "warning"] for d in outcome.documents}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    sources = pair_sources(write_pairs(folder / "pairs"), folder / "pairs", MPP, {})
    train(sources, TUMOR, SMALL, folder / "model", rest_in_tissue=False)
    return folder


def test_made_slides_of_the_kind_are_quiet_and_brown_blue_and_inverted_ones_are_told(
    made: Path, tmp_path: Path
) -> None:
    fresh = write_pairs(tmp_path / "fresh", 3, seed=70)
    slides = []
    for number in range(3):
        rgb = np.asarray(Image.open(fresh / f"im{number}.png"))
        for name, pixels in (("same", rgb), ("brown", rgb[..., ::-1]), ("inverted", 255 - rgb)):
            slides.append(write_tiff_slide(tmp_path / f"{name}{number}.tif", np.ascontiguousarray(pixels)))
    found = codes_of(made / "model", slides, tmp_path / "out")
    unlike = {name for name, codes in found.items() if "MODEL_UNLIKE_TRAINING" in codes}
    assert len(found) == 9
    assert unlike == {f"{name}{number}" for name in ("brown", "inverted") for number in range(3)}
    assert not any("ACCURACY_UNKNOWN" in codes for codes in found.values())


def test_a_model_of_one_image_has_no_accuracy_and_says_so(tmp_path: Path) -> None:
    sources = pair_sources(write_pairs(tmp_path / "one", 1), tmp_path / "one", MPP, {})
    train(sources, TUMOR, SMALL, tmp_path / "model", rest_in_tissue=False)
    slide = write_tiff_slide(tmp_path / "s.tif", np.asarray(Image.open(tmp_path / "one" / "im0.png")))
    assert codes_of(tmp_path / "model", [slide], tmp_path / "out")["s"] == ["ACCURACY_UNKNOWN"]
    others = [shutil.copy(slide, tmp_path / f"t{number}.tif") for number in range(12)]
    model = json.dumps(str(tmp_path / "model"))
    ended = wsi_area(
        "run", *others, "--set", "segmenter.name=pixel_classifier", "--set", f"segmenter.model={model}",
        "--out", tmp_path / "many",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    told = ended.out + ended.err
    assert told.count("ACCURACY_UNKNOWN") == told.count("how well this model tells its classes apart") == 1
    assert "t0, t1, t2, t3, t4, t5, t6, t7 and 4 others" in " ".join(told.split())


def test_colon_of_other_patients_is_quiet_and_another_stain_is_told(testdata: Path, tmp_path: Path) -> None:
    folder = testdata / "glas_train"
    with (folder / "grade.csv").open(newline="") as file:
        patients = {row["name"]: row["patient_id"] for row in csv.DictReader(file)}
    first = {patient: name for name, patient in sorted(patients.items(), reverse=True)}  # an image of each patient
    chosen = sorted(first)
    own = tmp_path / "images"
    own.mkdir()
    for patient in chosen[:TRAINED]:
        for ending in ("", "_anno"):
            (own / f"{first[patient]}{ending}.png").symlink_to(folder / f"{first[patient]}{ending}.png")
    groups = {first[patient]: patient for patient in chosen[:TRAINED]}
    settings = SMALL.model_copy(update={"work_mpp": 2.48, "scales_um": (5.0, 10.0), "pitch_um": 2.5})
    naming = Naming(any_nonzero="gland", rest="background")
    train(pair_sources(own, own, GLAS_MPP, groups), naming, settings, tmp_path / "model", rest_in_tissue=False)
    slides, expected = [testdata / "slides" / "OS-2-ndpi.tif"], {"OS-2-ndpi"}
    for patient in chosen[TRAINED : TRAINED + HELD_OUT]:
        rgb = np.asarray(Image.open(folder / f"{first[patient]}.png").convert("RGB"))
        slides.append(write_tiff_slide(tmp_path / f"{patient}.tif", rgb, GLAS_MPP.x))
        slides.append(write_tiff_slide(tmp_path / f"{patient}i.tif", 255 - rgb, GLAS_MPP.x))
        expected.add(f"{patient}i")
    found = codes_of(tmp_path / "model", slides, tmp_path / "out")
    assert len(found) == 2 * HELD_OUT + 1
    assert {name for name, codes in found.items() if "MODEL_UNLIKE_TRAINING" in codes} == expected
