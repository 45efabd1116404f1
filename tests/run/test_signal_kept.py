"""The signal map of a run: killed, torn, shared out or falsified, it is whole, or measured again, or told."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import zarr
from crash_children import Fault, Nursery
from stained_parts import BANDS, LINE, inputs, measured, slide_with_regions, told

from wsi_area.audit.verify import verify_run
from wsi_area.results.class_map.signal_map import signal_map
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task

CUT = ("tiling.tile_px=96", *BANDS)
KILLED = -9
STORE = "wsi_area.results.class_map.signal_store"
pytestmark = pytest.mark.usefixtures("small_batches")


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slide_with_regions(tmp_path_factory.mktemp("slide"))


@pytest.fixture(scope="module")
def whole(slide: Path, tmp_path_factory: pytest.TempPathFactory, configs: Path, small_batches: None) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    assert measured(slide, out, configs, *CUT)["s"].counted.timing.batches > 3
    return out


def stores(out: Path) -> dict[str, bytes]:
    """Every byte of the maps, the ledger and the regions."""
    found = sorted(
        p for p in (out / "slides/s").rglob("*") if p.is_file() and (".zarr" in str(p) or "regions" in p.name)
    )
    return {str(p.relative_to(out)): p.read_bytes() for p in found}


def test_zarr_reads_the_map_and_it_adds_up_to_the_ledger_class_by_class(whole: Path) -> None:
    opened, stored = open_run(whole)["s"], zarr.open_array(whole / "slides/s/signal.ome.zarr", path="0", mode="r")
    assert stored.dtype == np.int32
    steps, codes = np.asarray(stored[:]).astype(np.int64), opened.class_map()
    kept = signal_map(RunLayout(whole).slide("s"))
    assert kept is not None
    np.testing.assert_array_equal(kept[:, :], steps)
    np.testing.assert_array_equal(kept[37:301, 90:411], steps[37:301, 90:411])
    assert not steps[codes == 0].any()
    rows, columns = opened.ledger(), opened.ledger_columns
    for c in opened.counted.classes:
        total = rows[..., columns.index(f"signal_class_{c.id}")].sum()
        assert int(steps[codes == c.id].sum()) == total, c.name
    image = json.loads((whole / "slides/s/signal.ome.zarr/zarr.json").read_text())["attributes"]["ome"]
    assert image["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.8, 0.5]


@pytest.fixture(scope="module")
def nursery(slide: Path, tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[tuple[Nursery, Path]]:
    folder = tmp_path_factory.mktemp("nursery")
    with Nursery(folder / "log", command(slide, folder / "out", configs)) as made:
        yield made, folder / "out"


def command(slide: Path, out: Path, configs: Path) -> list[str | Path]:
    further = [word for text in (*LINE, *CUT) for word in ("--set", text)]
    pixel = ["--mpp", "0.5,0.8", "--mpp-reason", "as painted"]
    drawing = ["--regions-from", slide.with_suffix(".geojson")]
    return ["run", slide, "--out", out, "--config", configs / "ihc_dab.toml", *pixel, *drawing, *further, "--no-report"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(f"{STORE}:write_group"),
        Fault(f"{STORE}:write_shard", "before", 2),
        Fault(f"{STORE}:write_shard", "after", 3),
        Fault("wsi_area.run.passes.region_pass:write_slide_regions"),
        Fault("wsi_area.run.measure_slide:flush_stores"),
    ],
    ids=lambda fault: f"{fault.when} {fault.at.rpartition(':')[2]}",
)
def test_killed_with_one_map_of_a_batch_written_a_run_ends_as_if_undisturbed(
    nursery: tuple[Nursery, Path], slide: Path, tmp_path: Path, configs: Path, fault: Fault
) -> None:
    bench, undisturbed = nursery
    out = tmp_path / "out"
    assert bench.run(command(slide, out, configs), fault) == KILLED
    assert bench.run(command(slide, out, configs)) == 0
    assert stores(out) == stores(undisturbed)
    assert verify_run(out).disagreements == ()


def first_shard(out: Path) -> Path:
    return sorted((out / "slides/s/signal.ome.zarr/0/c").glob("*/*"))[0]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda place: place.write_bytes(place.read_bytes()[:-9]),
    "one bit": lambda place: place.write_bytes(bytes([place.read_bytes()[0] ^ 4]) + place.read_bytes()[1:]),
    "gone": lambda place: place.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_torn_part_of_the_map_is_told_and_its_batch_alone_is_measured_again(
    slide: Path, whole: Path, tmp_path: Path, configs: Path, damage: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    DAMAGE[damage](first_shard(out))
    assert verify_run(out).disagreements
    again = measured(slide, out, configs, *CUT)["s"].counted
    assert again.timing.batches == 1
    assert stores(out) == stores(whole)
    assert verify_run(out).disagreements == ()


def test_a_torn_document_of_the_map_has_all_of_the_slide_measured_again(
    slide: Path, whole: Path, tmp_path: Path, configs: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    os.truncate(out / "slides/s/signal.ome.zarr/0/zarr.json", 20)
    assert verify_run(out).disagreements
    measured(slide, out, configs, *CUT)
    assert stores(out) == stores(whole)


def test_tasks_that_share_the_slide_make_the_same_maps_and_tables(
    slide: Path, whole: Path, tmp_path: Path, configs: Path
) -> None:
    out, slides = tmp_path / "out", inputs(slide, slide.with_suffix(".geojson"))
    settings = told(configs, *CUT, "run.piece_mib=0")
    assert [run_task(slides, settings, out, ArrayTask(n, 3)).exit_code for n in (2, 3, 1)] == [0, 0, 0]
    assert merge_run(out).exit_code == 0
    assert stores(out) == stores(whole)
    for name in ("bands.parquet", "regions.parquet", "regions.csv"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    assert verify_run(out).disagreements == ()


def test_a_forced_array_has_the_map_that_an_earlier_one_did_not_keep(
    slide: Path, tmp_path: Path, configs: Path
) -> None:
    out = tmp_path / "out"
    for drawing, further, force in ((None, (), False), (slide.with_suffix(".geojson"), BANDS, True)):
        settings = told(configs, "tiling.tile_px=96", "run.piece_mib=0", *further)
        codes = [
            run_task(inputs(slide, drawing), settings, out, ArrayTask(n, 2), force=force).exit_code for n in (1, 2)
        ]
        assert codes == [0, 0]
        assert merge_run(out).exit_code == 0
    assert open_run(out).regions["mean_od"].notna().all()


def falsify(out: Path, *path: str | int, value: object) -> None:
    place = out / "slides/s/result.json"
    document = json.loads(place.read_text(encoding="utf-8"))
    part = document
    for step in path[:-1]:
        part = part[step]
    assert part[path[-1]] != value
    part[path[-1]] = value
    place.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (("bands", "listed", 9, "mean_signal"), "bands"),
        (("bands", "listed", 9, "integrated_mm2"), "bands"),
        (("regions", "listed", 0, "signal", "integrated_px"), "regions.parquet"),
        (("regions", "listed", 1, "classes", 2, "mean_signal"), "regions.parquet"),
        (("signal", "integrated_px"), "signal map"),
    ],
)
def test_a_changed_number_of_a_signal_is_told(
    whole: Path, tmp_path: Path, path: tuple[str | int, ...], what: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    falsify(out, *path, value=0.123)
    assert what in {found.what for found in verify_run(out).disagreements}


def test_a_changed_pixel_of_the_map_names_its_tile_and_two_that_were_exchanged_are_told(
    whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    image = zarr.open_array(out / "slides/s/signal.ome.zarr", path="0", mode="r+")
    row, column = 211, 305  # of the third row and the fourth column of tiles
    before = int(image[row, column])
    image[row, column] = before + 7
    told_of = [found.message for found in verify_run(out).disagreements if found.what == "signal map"]
    assert any(message.startswith("tile row 2 col 3: ") for message in told_of)
    image[row, column] = before
    assert verify_run(out).disagreements == ()
    codes, steps = open_run(out)["s"].class_map()[192:288, 288:384], image[192:288, 288:384]
    alike = np.argwhere(codes == codes[row - 192, column - 288])
    other = next(at for at in alike.tolist() if steps[*at] != before)
    image[row, column], image[192 + other[0], 288 + other[1]] = int(steps[*other]), before
    assert "signal map" in {found.what for found in verify_run(out).disagreements}  # each class has the sum it had


def test_a_map_that_is_gone_is_told(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    shutil.rmtree(out / "slides/s/signal.ome.zarr")
    assert {"signal map", "bands", "regions.parquet"} <= {found.what for found in verify_run(out).disagreements}
