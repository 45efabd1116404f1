"""The seal of a run: the same for the same measurement whoever made it and wherever, another for another."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from measuring import measure
from synthetic import FileForm, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.seal.sealed_run import add_to_seal, class_map_digest
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.settings.run_settings import load

SIZE = Size(801, 603)
SETTINGS = ("segmenter.name=tissue", "segmenter.background=bright", "segmenter.threshold=60", "tiling.tile_px=100")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    for name, radius in (("a", 250), ("b", 120)):
        form = FileForm(mpp=Mpp(0.25, 0.25), tile_px=128)
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 400, 300, radius)}, form)
    return folder


def sealed(slides: Path, out: Path, *settings: str, **options: Any) -> str:
    measure([slides / "a.tif", slides / "b.tif"], out, "tiling.tile_px=100", *settings, **options)
    return seal_of(out)


def seal_of(out: Path) -> str:
    seal = json.loads((out / "seal.json").read_text())["seal"]
    assert seal == json.loads((out / "run.json").read_text())["seal"]
    return str(seal)


@pytest.fixture(scope="module")
def seal(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return sealed(folder, tmp_path_factory.mktemp("first") / "out", "run.executor=serial")


@pytest.mark.parametrize(
    "settings",
    [
        ("run.executor=threads", "run.workers=3"),
        ("run.executor=processes", "run.workers=2"),
        ("reader.lane=openslide",),
        ("run.executor=threads", "run.slides_in_flight=1"),
    ],
)
def test_whoever_measures_the_same_slides_gets_the_same_seal(
    folder: Path, seal: str, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    assert sealed(folder, tmp_path / "out", *settings) == seal


def test_tasks_of_an_array_that_share_a_slide_get_the_same_seal(folder: Path, seal: str, tmp_path: Path) -> None:
    inputs = collect_slides([str(folder / "a.tif"), str(folder / "b.tif")])
    for task in (1, 2, 3):
        run_task(inputs, load(None, SETTINGS), tmp_path / "out", ArrayTask(task, 3))
    merge_run(tmp_path / "out")
    assert seal_of(tmp_path / "out") == seal


def test_copies_of_the_slides_elsewhere_and_later_get_the_same_seal(folder: Path, seal: str, tmp_path: Path) -> None:
    for name in "ab":
        shutil.copyfile(folder / f"{name}.tif", tmp_path / f"{name}.tif")
        os.utime(tmp_path / f"{name}.tif", (1e9, 1e9))
    assert sealed(tmp_path, tmp_path / "out") == seal


@pytest.mark.parametrize(
    "settings",
    [("segmenter.threshold=61",), ("tiling.work_mpp=0.5",), ("tiling.tile_px=128",), ("quality.most_taken=0.05",)],
)
def test_other_settings_and_what_is_said_of_the_numbers_make_another_seal(
    folder: Path, seal: str, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    assert sealed(folder, tmp_path / "out", *settings) != seal


def test_a_slide_that_joins_makes_another_seal_the_same_command_again_does_not(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(folder / "a.tif", out, "tiling.tile_px=100")
    alone = seal_of(out)
    report = out / "report.html"
    report.write_text("a report")
    added = add_to_seal(RunLayout(out), "report", [report])
    assert added is not None
    measure(folder / "a.tif", out, "tiling.tile_px=100")
    assert seal_of(out) == alone
    assert verify_run(out).later == added.later
    measure(folder / "b.tif", out, "tiling.tile_px=100")
    verified = verify_run(out)
    assert verified.seal != alone
    assert [(link.name, link.previous) for link in verified.later] == [("report", verified.seal)]
    assert verified.disagreements == ()


def test_what_was_exchanged_between_two_commands_does_not_pass_for_what_was_written(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    sealed(folder, out)
    image = zarr.open_array(out / "slides/a/mask.ome.zarr", path="0", mode="r+")
    tile = np.asarray(image[0:100, 300:400])
    image[0:100, 300:400] = tile[:, ::-1].copy()
    thumbnail = (out / "slides/a/thumb.jpg").read_bytes()
    shutil.copyfile(out / "slides/b/thumb.jpg", out / "slides/a/thumb.jpg")
    before = seal_of(out)
    assert sealed(folder, out) == before  # nothing is measured again
    assert [(fault.slide_id, fault.what) for fault in verify_run(out).disagreements] == [("a", "class map")]
    assert (out / "slides/a/thumb.jpg").read_bytes() == thumbnail  # it was made anew


def test_two_class_maps_with_the_same_counts_are_told_apart(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sealed(folder, out)
    image = zarr.open_array(out / "slides/a/mask.ome.zarr", path="0", mode="r+")
    tile = np.asarray(image[0:100, 300:400])
    image[0:100, 300:400] = tile[:, ::-1].copy()
    assert (tile != tile[:, ::-1]).any()
    faults = [fault for fault in verify_run(out).disagreements if fault.what == "class map"]
    assert [fault.slide_id for fault in faults] == ["a"]  # the counts are the same: only the seal knows


def test_the_digest_of_a_class_map_does_not_follow_how_its_bytes_are_packed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    sealed(folder, out)
    before = class_map_digest(SlideLayout(out / "slides/a"))
    store = out / "slides/a/mask.ome.zarr"
    whole = np.asarray(zarr.open_array(store, path="0", mode="r")[:])
    group = zarr.open_group(store, mode="r+")
    del group["0"]
    group.create_array("0", data=whole, chunks=(100, 100), compressors=None)
    assert class_map_digest(SlideLayout(out / "slides/a")) == before


def test_a_slide_that_cannot_be_sealed_costs_the_others_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    measure(folder / "a.tif", out, "tiling.tile_px=100")
    shutil.rmtree(out / "slides/a/ledger.zarr")
    measure(folder / "b.tif", out, "tiling.tile_px=100")
    found = verify_run(out).disagreements
    assert {fault.slide_id for fault in found} == {"a"}
