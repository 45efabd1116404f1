"""OME-Zarr labels: an exact copy, a majority counted by hand, and what other tools' models and readers say of it."""

import shutil
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import zarr
from drawn_run import MPP, edit_json, measure_drawn
from drawn_run_fixtures import (  # noqa: F401
    drawing_fixture,
    drawn_slide_fixture,
    folder_fixture,
    measured_run_fixture,
    run_fixture,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from synthetic import write_slide_with_garbage_tile

from wsi_area.annotations import read_drawn
from wsi_area.compute.picture.pyramid import halved, level_shapes
from wsi_area.errors import CountMismatchError
from wsi_area.exports import labels_zarr
from wsi_area.exports.labels_zarr import write_labels
from wsi_area.exports.measured_slide import measured_slide
from wsi_area.results.layout import LABELS_NAME
from wsi_area.results.opened_run import open_run
from wsi_area.slides import inspect


def most_frequent(class_map):
    """The majority of each 2 × 2 pixels, counted one by one; of equals the first in reading order."""
    height, width = level_shapes(class_map.shape, 1)[1]
    found = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            pixels = class_map[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].ravel().tolist()
            found[y, x] = Counter(pixels).most_common(1)[0][0]  # equals come in the order they were met
    return found


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=7, min_side=2), elements=st.integers(0, 4))
)
def test_a_coarser_pixel_is_the_majority_below_it(class_map):
    assert np.array_equal(halved(class_map), most_frequent(class_map))


def labels(slide):
    return zarr.open_group(slide.layout.root / LABELS_NAME, mode="r")


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_the_finest_level_is_the_class_map_and_each_other_the_majority_of_the_one_below(run, version):
    slide = measured_slide(run, "S1")
    levels = write_labels(slide, version)
    group = labels(slide)
    arrays = [np.asarray(group[str(n)]) for n in range(levels)]
    assert [a.shape for a in arrays] == [(403, 601), (202, 301), (101, 151)]
    assert np.array_equal(arrays[0], run["S1"].class_map())
    for finer, coarser in pairwise(arrays):
        assert np.array_equal(coarser, most_frequent(finer))
    assert group.metadata.zarr_format == (3 if version == "0.5" else 2)


def test_blocks_of_any_size_make_the_same_levels(run, monkeypatch):
    slide = measured_slide(run, "S1")
    levels = write_labels(slide)
    whole = [np.asarray(labels(slide)[str(n)]) for n in range(levels)]
    monkeypatch.setattr(labels_zarr, "_CHUNK_PX", 16)
    monkeypatch.setattr(labels_zarr, "_SHARD_PX", 48)
    write_labels(slide)
    assert labels(slide)["0"].shards == (48, 48)
    assert all(np.array_equal(labels(slide)[str(n)], was) for n, was in enumerate(whole))


def test_counted_again_its_finest_level_gives_the_pixels_and_mm2_on_record(run):
    slide = measured_slide(run, "S1")
    write_labels(slide)
    codes, pixels = np.unique(np.asarray(labels(slide)["0"]), return_counts=True)
    found = dict(zip(codes.tolist(), pixels.tolist(), strict=True))
    entries = labels(slide).attrs["ome"]["image-label"]["properties"]
    for c in run["S1"].counted.classes:
        assert found.get(c.id, 0) == c.n_px
        assert entries[c.id] == {
            "label-value": c.id, "class": c.name, "n_px": c.n_px, "area_mm2": c.area_mm2,
        }  # fmt: skip


def test_every_level_lies_where_its_pixels_do(drawn_slide, drawing, tmp_path):
    measure_drawn(drawn_slide, drawing, tmp_path / "coarse", "tiling.work_mpp=1.5")
    slide = measured_slide(open_run(tmp_path / "coarse"), "S1")
    write_labels(slide)
    ome = labels(slide).attrs["ome"]
    [image] = ome["multiscales"]
    assert [(a["name"], a["unit"]) for a in image["axes"]] == [("y", "micrometer"), ("x", "micrometer")]
    for n, dataset in enumerate(image["datasets"]):
        scale, shift = dataset["coordinateTransformations"]
        span = 3 * 2**n  # level-0 px under one pixel
        assert scale["scale"] == pytest.approx([span * MPP.y, span * MPP.x])
        # the middle of its first pixel, seen from the middle of the slide's first pixel
        middle = np.mean(np.arange(span))
        assert shift["translation"] == pytest.approx([middle * MPP.y, middle * MPP.x])


def test_without_a_pixel_size_it_lies_on_the_slide_in_level_0_pixels(folder):
    for key in ("mpp_x_um", "mpp_y_um"):
        edit_json(folder / "slides/S1/result.json", "calibration", key, value=None)
    slide = measured_slide(open_run(folder), "S1")
    write_labels(slide)
    ome = labels(slide).attrs["ome"]
    assert all("unit" not in axis for axis in ome["multiscales"][0]["axes"])
    assert ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] == [1.0, 1.0]
    assert all("area_mm2" not in entry for entry in ome["image-label"]["properties"])


def test_colours_are_those_of_the_classes_and_nothing_hides_the_slide_where_there_is_none(run):
    slide = measured_slide(run, "S1")
    write_labels(slide)
    label = labels(slide).attrs["ome"]["image-label"]
    colors = {entry["label-value"]: entry["rgba"] for entry in label["colors"]}
    assert colors == {
        0: [255, 255, 255, 0], 1: [0, 255, 128, 255], 2: [214, 39, 40, 255], 3: [0, 0, 255, 255],
        4: [128, 128, 128, 255], 253: [0, 0, 0, 255], 254: [0, 0, 0, 0], 255: [0, 0, 0, 0],
    }  # fmt: skip


def test_our_importer_takes_it_for_the_same_classes_and_a_second_run_counts_the_same(run, drawn_slide, tmp_path):
    slide = measured_slide(run, "S1")
    write_labels(slide)
    exported = shutil.copytree(slide.layout.root / LABELS_NAME, tmp_path / "S1.zarr")
    drawn = read_drawn(exported, slide=inspect(drawn_slide))
    assert set(drawn.mask.names.values()) == {"stroma", "tumor", "pen", "necrosis"}
    again = measure_drawn(drawn_slide, exported, tmp_path / "again")
    assert again.slides[0].counts == run["S1"].counted.counts


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_the_models_of_ome_zarr_accept_it(run, version):
    models = pytest.importorskip("ome_zarr_models", reason="no ome-zarr-models: pip install ome-zarr-models")
    slide = measured_slide(run, "S1")
    write_labels(slide, version)
    found = models.open_ome_zarr(labels(slide))
    assert type(found).__name__ == "ImageLabel"
    assert found.ome_zarr_version == version


def test_what_a_run_writes_itself_is_valid_ome_zarr(run):
    models = pytest.importorskip("ome_zarr_models", reason="no ome-zarr-models: pip install ome-zarr-models")
    found = models.open_ome_zarr(zarr.open_group(measured_slide(run, "S1").layout.class_map, mode="r"))
    assert type(found).__name__ == "ImageLabel"


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_ome_zarr_py_opens_it_as_labels_with_their_colours(run, version):
    reader = pytest.importorskip("ome_zarr.reader", reason="no ome-zarr: pip install ome-zarr")
    from ome_zarr.io import parse_url

    slide = measured_slide(run, "S1")
    write_labels(slide, version)
    [node] = list(reader.Reader(parse_url(slide.layout.root / LABELS_NAME))())
    assert {type(spec).__name__ for spec in node.specs} == {"Label", "Multiscales"}
    assert np.array_equal(np.asarray(node.data[0]), run["S1"].class_map())
    assert node.metadata["color"][2] == pytest.approx([214 / 255, 39 / 255, 40 / 255, 1.0])
    assert node.metadata["properties"][2]["class"] == "tumor"


def test_unreadable_tiles_stay_unreadable(tmp_path):
    from measuring import measure

    slide = write_slide_with_garbage_tile(tmp_path / "torn.svs")
    measure(slide.path, tmp_path / "out", "tiling.tile_px=128", "tiling.skip_glass=false")
    torn = measured_slide(open_run(tmp_path / "out"), "torn")
    write_labels(torn)
    lost = torn.counts.unreadable_px
    assert lost > 0
    assert int((np.asarray(labels(torn)["0"]) == 253).sum()) == lost
    entries = {e["label-value"]: e for e in labels(torn).attrs["ome"]["image-label"]["properties"]}
    assert (entries[253]["reserved"], entries[253]["n_px"]) == ("unreadable", lost)
    assert labels(torn).attrs["wsi_area"]["status"] == "incomplete"


def test_what_does_not_add_up_is_refused_and_what_was_there_stays(folder):
    slide = measured_slide(open_run(folder), "S1")
    write_labels(slide)
    before = {p: p.read_bytes() for p in (slide.layout.root / LABELS_NAME).rglob("*") if p.is_file()}
    next(path for path in sorted((slide.layout.class_map / "0" / "c").rglob("*")) if path.is_file()).unlink()
    with pytest.raises(CountMismatchError, match="nothing was exported"):
        write_labels(slide)
    assert {p: p.read_bytes() for p in (slide.layout.root / LABELS_NAME).rglob("*") if p.is_file()} == before
    assert not list(slide.layout.root.glob(".*partial"))
