"""A run is held against itself: whatever was changed, torn or lost is named with its slide and tile."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size

SIZE = Size(1201, 903)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    """A disc on glass with an unscanned corner, at an odd size."""
    path = tmp_path_factory.mktemp("verify") / "held.tif"
    form = FileForm(mpp=Mpp(0.25, 0.26), tile_px=128)
    shapes = {"tissue": disc(SIZE, 600, 400, 300)}
    return write_slide(path, SIZE, shapes, form, unscanned=[Region(1024, 768, 177, 135)])


@pytest.fixture(scope="module")
def finished(slide: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "out"
    measure(slide.path, out, "tiling.tile_px=200", "tiling.work_mpp=0.52")
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def test_an_undisturbed_run_agrees_in_every_tile(run: Path) -> None:
    verified = verify_run(run)
    assert verified.disagreements == ()
    assert (verified.slides, verified.tiles) == (1, 12)  # 601 × 452 work px in tiles of 200


def test_one_changed_pixel_of_the_class_map_names_its_tile(run: Path) -> None:
    image = zarr.open_array(run / "slides/held/mask.ome.zarr", path="0", mode="r+")
    image[250, 450] = 1 - image[250, 450]
    (fault,) = verify_run(run).disagreements
    assert (fault.slide_id, fault.what) == ("held", "tile row 1 col 2")
    assert "px_class_0 is" in fault.message


def test_a_changed_ledger_names_the_tile_and_the_totals(run: Path) -> None:
    ledger = zarr.open_array(run / "slides/held/ledger.zarr", path="counts", mode="r+")
    row = np.asarray(ledger[0, 1])
    row[:2] += (-5, 5)
    ledger[0, 1] = row
    faults = verify_run(run).disagreements
    assert [f.what for f in faults] == ["tile row 0 col 1", "counts", "classes"]


def test_a_torn_shard_names_every_tile_in_it(run: Path) -> None:
    shard = next(p for p in (run / "slides/held/mask.ome.zarr/0/c").rglob("*") if p.is_file())
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    faults = verify_run(run).disagreements
    assert faults
    assert all(f.what.startswith("tile row") for f in faults)


def test_a_lost_shard_is_noticed(run: Path) -> None:
    shutil.rmtree(run / "slides/held/mask.ome.zarr/0/c")
    assert any("px_class_1 is" in f.message for f in verify_run(run).disagreements)


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        (("classes", 1, "area_mm2"), 1.0, "area"),
        (("counts", "n_px_by_class", 1), 7, "counts"),
        (("classes", 1, "n_px"), 7, "area"),
        (("made_from", "settings"), "0" * 64, "made from"),
        (("status",), "incomplete", "status"),
        (("counts", "n_px_unscanned"), None, "record"),
        (("fingerprint",), "0" * 64, "slide file"),
        (("tissue", "n_px"), 7, "area"),
    ],
)
def test_a_changed_document_is_noticed(run: Path, key: tuple[str | int, ...], value: object, what: str) -> None:
    path = run / "slides/held/result.json"
    record = json.loads(path.read_text())
    part = record
    for step in key[:-1]:
        part = part[step]
    part[key[-1]] = value
    path.write_text(json.dumps(record))
    assert what in {f.what for f in verify_run(run).disagreements}


def test_a_row_changed_in_the_table_is_noticed(run: Path) -> None:
    path = run / "summary.csv"
    header, row = path.read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    path.write_text(f"{header}\n{row.replace(cells['tissue_area_mm2'], '9.9')}\n")
    faults = verify_run(run).disagreements
    assert {f.what for f in faults} == {"summary.csv"}
    assert any(f.message.startswith("tissue_area_mm2 is '9.9'") for f in faults)


def test_a_slide_that_vanished_from_the_table_is_noticed(run: Path) -> None:
    path = run / "summary.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    (fault,) = verify_run(run).disagreements
    assert "has no row" in fault.message


def test_a_slide_exchanged_under_the_same_name_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "same.tif"
    form = FileForm(mpp=Mpp(0.5, 0.5))
    write_slide(path, Size(300, 300), {"tissue": disc(Size(300, 300), 150, 150, 90)}, form)
    measure(path, tmp_path / "out")
    path.unlink()
    write_slide(path, Size(300, 300), {"tissue": disc(Size(300, 300), 150, 150, 60)}, form)
    (fault,) = verify_run(tmp_path / "out").disagreements
    assert fault.what == "slide file"
    assert verify_run(tmp_path / "out", with_slides=False).disagreements == ()


def test_the_command_ends_with_4_and_names_the_tile(run: Path) -> None:
    assert wsi_area("verify", run).code == 0
    image = zarr.open_array(run / "slides/held/mask.ome.zarr", path="0", mode="r+")
    image[0, 0] = 1
    ended = wsi_area("verify", run)
    assert ended.code == 4
    assert "held, tile row 0 col 0:" in ended.out
    assert wsi_area("verify", run, "--json").document["exit_code"] == 4


def test_a_damaged_class_map_is_named_in_words_with_what_to_do(run: Path, slide: SyntheticSlide) -> None:
    class_map = run / "slides/held/mask.ome.zarr"
    shard = max((path for path in class_map.rglob("c/*/*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(shard.read_bytes())
    content[len(content) // 3] ^= 0xFF
    shard.write_bytes(content)
    told = wsi_area("verify", run)
    assert told.code == 4
    assert f"is damaged: {class_map} cannot be read (its bytes are not those that were written)" in told.out
    assert "b'" not in told.out
    assert "measure the slide again with --force" in told.out
    # and that is indeed what mends it
    measure(slide.path, run, "tiling.tile_px=200", "tiling.work_mpp=0.52", force=True)
    assert wsi_area("verify", run).code == 0
