"""What `wsi-area train` is told, and what it finds on disk."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from synthetic_textures import write_pairs

from wsi_area.audit.truth import Naming, column_name, parse_naming
from wsi_area.errors import AnnotationError, MissingMppError, SettingsError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.calibration import Mpp
from wsi_area.settings.run_settings import load_reading
from wsi_area.training.classes import scheme_of
from wsi_area.training.material import Source, pair_sources, prepared, read_groups
from wsi_area.training.settings import TrainSettings, load_train_settings

MPP = Mpp(1.0, 1.0)


def test_other_sections_of_a_file_are_a_runs_and_are_let_be(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text("[tiling]\nwork_mpp = 2.0\n[train]\nfolds = 3\nscales_um = [4, 8]\n")
    settings = load_train_settings(path, [("seed", 9)])
    assert (settings.folds, settings.scales_um, settings.seed) == (3, (4.0, 8.0), 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[train]\nfold = 3", "unknown key train.fold; known are work_mpp"),
        ("[train]\nfolds = 1", "train.folds = 1: .* it is parts of the cross-validation"),
        ("[segmenter]\nname = 'tissue'", r"no section \[train\]"),
        ("folds = ", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_train_settings(path)


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in TrainSettings.model_fields.values())


def test_masks_are_found_by_name_beside_the_images_or_in_their_own_folder(tmp_path: Path) -> None:
    beside = pair_sources(*[write_pairs(tmp_path / "one", 3)] * 2, MPP, {})
    assert [(Path(s.slide.path).name, s.mask.name) for s in beside if s.mask] == [
        (f"im{n}.png", f"im{n}_mask.png") for n in range(3)
    ]
    images, masks = tmp_path / "images", tmp_path / "masks"
    for folder, ending in ((images, ""), (masks, "_mask")):
        folder.mkdir()
        for n in range(3):
            (folder / f"im{n}.png").write_bytes((tmp_path / "one" / f"im{n}{ending}.png").read_bytes())
    apart = pair_sources(images, masks, MPP, {})
    assert [s.mask and s.mask.parent.name for s in apart] == ["masks"] * 3


def test_an_image_without_a_mask_or_with_two_is_refused_by_name(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path, 2)
    (folder / "im0_anno.png").write_bytes((folder / "im0_mask.png").read_bytes())
    with pytest.raises(SettingsError, match=r"im0\.png has 2 masks"):
        pair_sources(folder, folder, MPP, {})
    (folder / "im0_anno.png").unlink()
    (folder / "im1_mask.png").unlink()
    with pytest.raises(SettingsError, match=r"im1\.png has no mask"):
        pair_sources(folder, folder, MPP, {})


def test_a_mask_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path, 1)
    Image.fromarray(np.zeros((10, 20), np.uint8)).save(folder / "im0_mask.png")
    with pytest.raises(AnnotationError, match="20 × 10"):
        prepared(pair_sources(folder, folder, MPP, {})[0], None)


def test_groups_are_read_by_image_name_with_or_without_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text("image,patient\nim0.png,7\nim1,7\nim2,8\n")
    folder = write_pairs(tmp_path / "p", 3)
    assert [s.group for s in pair_sources(folder, folder, MPP, read_groups(path))] == ["7", "7", "8"]
    path.write_text("image,patient\nim0,7\n")
    with pytest.raises(SettingsError, match="no line for 'im1'"):
        pair_sources(folder, folder, MPP, read_groups(path))
    path.write_text("image,patient\nim0,7\nim0,8\n")
    with pytest.raises(SettingsError, match="twice"):
        read_groups(path)


def test_work_pixels_finer_than_the_image_are_refused(tmp_path: Path) -> None:
    folder = write_pairs(tmp_path, 1)
    with pytest.raises(ValueError, match=r"coarser than the 0\.5 µm"):
        prepared(pair_sources(folder, folder, MPP, {})[0], 0.5)


def test_names_become_classes_as_told() -> None:
    naming = parse_naming(("Tumor1=tumor", "*=other"), ("2=stroma",))
    assert [naming.class_of(n) for n in ("Tumor1", "Tumor2")] == ["tumor", "other"]
    assert naming.codes == {2: "stroma"}
    assert column_name("Tumeur (périphérie)") == "tumeur_peripherie"


def test_the_groups_of_camelyon_are_tumour_unless_told_otherwise() -> None:
    assert {Naming().class_of(name) for name in ("positive", "_0", "_1")} == {"tumor"}
    assert Naming({"positive": "nerve"}).class_of("positive") == "nerve"


@pytest.mark.parametrize("text", ["tumor", "=tumor", "a=", "a=Tumor!"])
def test_a_mapping_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="NAME=CLASS"):
        parse_naming((text,))


def test_a_code_that_no_mask_can_hold_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"0\.\.252"):
        parse_naming((), ("300=tumor",))


def test_an_outline_without_a_name_asks_for_one() -> None:
    with pytest.raises(AnnotationError, match="--map"):
        Naming().class_of("")


def test_a_scheme_has_the_tumour_first_and_keeps_pens_apart() -> None:
    scheme = scheme_of({"stroma", "pen", "tumor_bed", "background"}, None)
    assert [(c.name, c.is_tissue, c.is_tumor, c.is_excluded) for c in scheme.classes] == [
        ("background", False, False, False),
        ("tumor_bed", True, True, False),
        ("pen", False, False, True),
        ("stroma", True, False, False),
    ]


def test_one_class_alone_cannot_be_learnt() -> None:
    with pytest.raises(SettingsError, match="--rest-is"):
        scheme_of({"tumor"}, None)


def test_settings_that_describe_other_classes_are_refused() -> None:
    wanted = load_train_settings(None, [("classes", [{"id": 0, "name": "glass", "color": "#ffffff"}])])
    with pytest.raises(SettingsError, match=r"stroma, tumor was drawn.*glass"):
        scheme_of({"stroma", "tumor"}, wanted.classes)


@pytest.mark.parametrize(("calibration", "believed"), [("", False), ('[calibration]\nprofile = "plain"\n', True)])
def test_training_believes_the_pixel_sizes_that_a_run_of_the_same_settings_does(
    tmp_path: Path, calibration: str, believed: bool
) -> None:
    tifffile.imwrite(
        tmp_path / "s.tif", np.full((64, 64, 3), 200, np.uint8), tile=(64, 64), photometric="rgb", metadata=None,
        resolution=(200, 200), resolutionunit="CENTIMETER",
    )  # fmt: skip
    (tmp_path / "c.toml").write_text(calibration)
    policy = load_reading(tmp_path / "c.toml").calibration.policy
    source = Source(SlideInput(str(tmp_path / "s.tif"), "s"), "s", policy=policy)  # pixels of 50 µm
    with pytest.raises(AnnotationError if believed else MissingMppError):  # the size is looked at before the drawing
        prepared(source, None)
