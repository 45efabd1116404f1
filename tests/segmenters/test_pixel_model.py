import hashlib
import io
import json
import pickle
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from pixel_models import CLASSES, SMALL, blobs, small_model, stumps

from wsi_area.errors import SettingsError
from wsi_area.model.classes import UNSCANNED_CODE
from wsi_area.model.pixels import TilePixels
from wsi_area.segmenters.pixels.card import class_from
from wsi_area.segmenters.pixels.classifier import PixelClassifierSegmenter
from wsi_area.segmenters.pixels.model import PixelModel, load_model, model_hash, save_model


@pytest.fixture
def folder(tmp_path):
    save_model(small_model(), tmp_path / "model")
    return tmp_path / "model"


def _pixels(height=60, width=80):
    rgb = blobs(height, width)
    return TilePixels(rgb, np.ones(rgb.shape[:2], bool))


def _with_arrays(folder, content):
    """Put other arrays into a model, with a card that vouches for them."""
    (folder / "trees.npz").write_bytes(content)
    card = json.loads((folder / "card.json").read_text())
    card["arrays"] = {"file": "trees.npz", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "card.json").write_text(json.dumps(card))


def _arrays(folder):
    with np.load(folder / "trees.npz", allow_pickle=False) as archive:
        return dict(archive)


def _npz(entries, compression=zipfile.ZIP_STORED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def _npy(array, **options):
    target = io.BytesIO()
    np.lib.format.write_array(target, array, **options)
    return target.getvalue()


def test_every_file_of_a_model_is_stated_as_read(folder):
    assert set(PixelClassifierSegmenter(model=folder).files_read) == set(folder.iterdir())


def test_a_model_that_was_saved_and_loaded_gives_the_same_classes_and_probabilities(folder):
    model, loaded = small_model(), load_model(folder)
    pixels = _pixels()
    np.testing.assert_array_equal(loaded.probabilities(pixels), model.probabilities(pixels))
    np.testing.assert_array_equal(loaded.class_map(pixels), model.class_map(pixels))
    assert (loaded.classes, loaded.features, loaded.smoothing_um) == (model.classes, model.features, model.smoothing_um)
    assert dict(loaded.card) == dict(model.card)


def test_all_three_classes_of_the_test_model_are_seen():
    assert set(np.unique(small_model().class_map(_pixels(190, 230)))) == {0, 1, 2}


def test_equal_models_are_equal_files_with_one_hash(tmp_path):
    hashes = {save_model(small_model(), tmp_path / name) for name in ("a", "b")}
    assert len(hashes) == 1
    assert hashes == {model_hash(tmp_path / "a")}
    assert (tmp_path / "a/trees.npz").read_bytes() == (tmp_path / "b/trees.npz").read_bytes()


def test_the_card_tells_a_reader_what_the_model_is(folder):
    card = json.loads((folder / "card.json").read_text())
    assert [c["name"] for c in card["classes"]] == ["background", "stroma", "tumor"]
    assert card["work_mpp_um"] == 1.0
    assert card["about"]["licence"] == "made by hand"
    assert len(card["feature_names"]) == len(SMALL.names)
    assert sorted(p.name for p in folder.iterdir()) == ["card.json", "trees.npz"]


def test_probabilities_add_up_to_one_and_the_class_map_is_their_likeliest():
    model, pixels = small_model(), _pixels()
    stated = model.probabilities(pixels)
    assert stated.shape == (60, 80, 3)
    np.testing.assert_allclose(stated.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(stated.argmax(axis=-1), model.class_map(pixels))


def test_pixels_that_are_not_valid_are_unscanned():
    pixels = _pixels()
    pixels.valid[5:9, 7:30] = False
    np.testing.assert_array_equal(small_model().class_map(pixels) == UNSCANNED_CODE, ~pixels.valid)


def test_a_class_that_was_never_trained_has_probability_zero():
    trees = stumps(SMALL, [("od_2um", 0.1, 0)], link="logistic", class_ids=(0, 2))
    stated = PixelModel(SMALL, CLASSES, trees, 0.0, {}).probabilities(_pixels())
    assert (stated[..., 1] == 0).all()
    np.testing.assert_allclose(stated.sum(axis=-1), 1, atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": CLASSES[:2]},
        {"smoothing_um": -1.0},
        {"smoothing_um": float("nan")},
        {"trees": stumps(SMALL.at_work_mpp(1.0).__class__(scales_um=(2.0,)), [("od_2um", 0.1, 0)])},
    ],
)
def test_parts_that_do_not_belong_together_are_refused(change):
    model = small_model()
    parts = {name: getattr(model, name) for name in ("features", "classes", "trees", "smoothing_um", "card")}
    with pytest.raises(SettingsError):
        PixelModel(**{**parts, **change})


def test_nothing_is_overwritten(folder):
    with pytest.raises(SettingsError, match="there already"):
        save_model(small_model(), folder)


def test_a_card_that_is_no_json_is_refused_before_anything_is_written(tmp_path):
    model = small_model()
    broken = PixelModel(model.features, model.classes, model.trees, 0.0, {"made": object()})
    with pytest.raises(SettingsError, match="cannot be written as JSON"):
        save_model(broken, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere.*cannot be read"):
        load_model(tmp_path / "nowhere")


def test_changed_arrays_are_noticed(folder):
    content = bytearray((folder / "trees.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "trees.npz").write_bytes(content)
    with pytest.raises(SettingsError, match="not the file its card describes"):
        load_model(folder)


def test_cut_off_arrays_are_noticed(folder):
    content = (folder / "trees.npz").read_bytes()
    _with_arrays(folder, content[: len(content) // 2])
    with pytest.raises(SettingsError, match="damaged"):
        load_model(folder)


class _Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of a model was run')",)


def test_a_pickle_among_the_arrays_is_refused_and_not_run(folder):
    arrays = _arrays(folder)
    objects = np.empty(1, object)
    objects[0] = _Evil()
    entries = {f"{name}.npy": _npy(a) for name, a in arrays.items()}
    entries["values.npy"] = _npy(objects, allow_pickle=True)
    _with_arrays(folder, _npz(entries))
    with pytest.raises(SettingsError, match="values is object"):
        load_model(folder)


def test_a_file_that_is_a_pickle_is_refused_and_not_run(folder):
    _with_arrays(folder, pickle.dumps(_Evil()))
    with pytest.raises(SettingsError, match="damaged"):
        load_model(folder)
    entries = {f"{name}.npy": _npy(a) for name, a in _arrays_of_small().items()}
    entries["left.npy"] = pickle.dumps(_Evil())
    _with_arrays(folder, _npz(entries))
    with pytest.raises(SettingsError, match="left is no array"):
        load_model(folder)


def _arrays_of_small():
    trees = small_model().trees
    names = ("roots", "outputs", "feature", "threshold", "left", "right", "values", "start")
    return {name: getattr(trees, name) for name in names}


@pytest.mark.parametrize("shape", [(10**12,), (2**40, 1), (10, 2**40), (-5,)])
def test_a_huge_array_is_refused_before_memory_is_taken(folder, shape):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"shape": shape, "fortran_order": False, "descr": "<f4"})
    entries = {f"{name}.npy": _npy(a) for name, a in _arrays_of_small().items()}
    entries["values.npy"] = header.getvalue() + bytes(64)
    _with_arrays(folder, _npz(entries))
    with pytest.raises(SettingsError, match="values is"):
        load_model(folder)


def test_a_packed_archive_which_could_be_a_bomb_is_refused(folder):
    entries = {f"{name}.npy": _npy(a) for name, a in _arrays_of_small().items()}
    _with_arrays(folder, _npz(entries, zipfile.ZIP_DEFLATED))
    with pytest.raises(SettingsError, match="packed"):
        load_model(folder)


def test_other_arrays_than_those_of_a_model_are_refused(folder):
    entries = {f"{name}.npy": _npy(a) for name, a in _arrays_of_small().items()}
    _with_arrays(folder, _npz({**entries, "../outside.npy": _npy(np.zeros(3))}))
    with pytest.raises(SettingsError, match="exactly the arrays"):
        load_model(folder)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("left", np.zeros(3, np.int64)),
        ("threshold", np.zeros(27, np.float64)),
        ("left", np.full(27, 1000, np.int32)),
        ("feature", np.full(27, 10**6, np.int32)),
        ("values", np.full((18, 1), np.nan, np.float32)),
    ],
)
def test_arrays_of_another_kind_or_with_indices_out_of_range_are_refused(folder, name, array):
    entries = {f"{n}.npy": _npy(array if n == name else a) for n, a in _arrays_of_small().items()}
    _with_arrays(folder, _npz(entries))
    with pytest.raises(SettingsError):
        load_model(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"classes": []},
        {"classes": [{"id": 0}]},
        {"classes": "background"},
        {"features": {}},
        {"trees": {}},
        {"trees": {"n_features": -1, "class_ids": [0, 1, 2], "link": "softmax"}},
        {"trees": {"n_features": 33, "class_ids": [0, 1, [2]], "link": "softmax"}},
        {"trees": {"n_features": 33, "class_ids": [0, 1, 2], "link": "exec"}},
        {"arrays": {"sha256": 3, "bytes": 10}},
        {"arrays": {"sha256": "", "bytes": 10**15}},
        {"arrays": {"sha256": "", "bytes": True}},
        {"smoothing_um": "3"},
        {"smoothing_um": 1e9},
        {"about": None},
    ],
)
def test_a_card_that_is_not_as_it_was_written_is_refused(folder, change):
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**card, **change}))
    with pytest.raises(SettingsError):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b'{"schema_version": NaN}'])
def test_a_card_that_is_no_card_is_refused(folder, content):
    (folder / "card.json").write_bytes(content)
    with pytest.raises(SettingsError):
        load_model(folder)


@pytest.mark.parametrize("color", ["red", "#12345", "#zzzzzz", "##1234"])
def test_a_colour_that_is_none_is_refused(folder, color):
    card = json.loads((folder / "card.json").read_text())
    card["classes"][1]["color"] = color
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(SettingsError):
        load_model(folder)


def test_roles_and_weights_of_its_classes_stay_with_a_model(tmp_path):
    told = {1: {"role": "stroma"}, 2: {"role": "necrosis", "weight": 2.5}}
    classes = tuple(replace(c, **told.get(c.class_id, {}), is_tumor=False) for c in CLASSES)
    save_model(replace(small_model(), classes=classes), tmp_path / "model")
    assert load_model(tmp_path / "model").classes == classes
    save_model(small_model(), tmp_path / "plain")
    card = json.loads((tmp_path / "plain/card.json").read_text())
    assert not {"role", "weight"} & {key for entry in card["classes"] for key in entry}  # as earlier versions wrote it


@pytest.mark.parametrize("odd", [{"role": "fat"}, {"weight": "2"}, {"weight": -1.0}, {"kind": "x"}])
def test_a_role_or_a_weight_that_is_none_is_refused(odd):
    entry = {"id": 1, "name": "a", "color": "#ff0000", "is_tissue": True, "is_tumor": False, "is_excluded": False}
    assert class_from({**entry, "role": "stroma", "weight": 2}).role == "stroma"
    with pytest.raises(SettingsError):
        class_from(entry | odd)
