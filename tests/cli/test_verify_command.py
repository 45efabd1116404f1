"""`wsi-area verify`: what it says in the end fits what it found, and doing so mends it."""

import json
import shutil
from pathlib import Path

import pytest
import zarr
from command_line import Ended, wsi_area
from painting_by_hand import box, operation, write_corrections
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

SIZE = Size(400, 300)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two slides and their run."""
    folder = tmp_path_factory.mktemp("verify")
    for name, radius in (("one", 80), ("two", 60)):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 200, 150, radius)})
    assert again(folder).code == 0
    return folder


@pytest.fixture
def folder(finished: Path) -> Path:
    shutil.rmtree(finished / "out")
    assert again(finished).code == 0
    return finished


def again(folder: Path, *arguments: str) -> Ended:
    slides = (folder / "one.tif", folder / "two.tif")
    return wsi_area(
        "run", *slides, "--out", folder / "out", "--set", "segmenter.threshold=60", "--no-report", *arguments
    )


def remedies(folder: Path) -> list[str]:
    ended = wsi_area("verify", folder / "out")
    assert ended.code == 4
    return [line for line in ended.out.splitlines() if line.startswith("→")]


def test_a_run_that_was_killed_is_to_be_finished(folder: Path) -> None:
    path = folder / "out/run.json"
    document = json.loads(path.read_text())
    killed = {name: document[name] for name in document if name not in {"slides", "ended", "exit_code", "statuses"}}
    path.write_text(json.dumps({**killed, "state": "running"}))
    (folder / "out/summary.csv").unlink()
    (remedy,) = remedies(folder)
    assert "did not come to its end" in remedy
    assert "run the same command again" in remedy
    assert "--force" not in remedy
    again(folder)
    assert wsi_area("verify", folder / "out").code == 0


def test_a_changed_table_is_written_anew_and_nothing_measured(folder: Path) -> None:
    table = folder / "out/summary.csv"
    table.write_text(table.read_text().replace("one,", "one,x", 1).replace("n_px_total", "n_px", 1))
    (remedy,) = remedies(folder)
    assert "tables" in remedy
    assert "--force" not in remedy
    assert again(folder).err.count("already measured") == 2
    told, sealed = wsi_area("verify", folder / "out").out.splitlines()
    assert told == "2 slides, 2 tiles counted again: everything agrees"
    assert sealed == f"seal {json.loads((folder / 'out/run.json').read_text())['seal']}"


def test_a_document_that_cannot_be_read_is_made_anew(folder: Path) -> None:
    document = folder / "out/slides/one/result.json"
    before = document.read_bytes()
    document.write_text("{")
    (remedy,) = remedies(folder)
    assert "run the same command again, which makes it anew" in remedy
    again(folder)
    assert json.loads(document.read_bytes())["classes"] == json.loads(before)["classes"]
    assert wsi_area("verify", folder / "out").code == 0


def test_a_changed_class_map_is_to_be_measured_again(folder: Path) -> None:
    image = zarr.open_array(folder / "out/slides/one/mask.ome.zarr", path="0", mode="r+")
    image[0, 0] = 1
    (remedy,) = remedies(folder)
    assert "damaged" in remedy
    assert "--force" in remedy
    again(folder, "--force")
    assert wsi_area("verify", folder / "out").code == 0


@pytest.mark.parametrize("harm", ["pixels", "result", "junk", "folder"])
def test_what_was_changed_of_an_amended_version_is_mended_without_measuring_again(
    folder: Path, tmp_path: Path, harm: str
) -> None:
    base = wsi_area("amend", folder / "out", "one", "--json").document["measured"]
    drawn = [operation("add", box(10.3, 10.3, 60.7, 50.2), **{"class": "tissue"})]
    corrections = write_corrections(tmp_path / "c.geojson", base, drawn)
    assert wsi_area("amend", folder / "out", "one", corrections).code == 0
    version = folder / "out/slides/one/amended/1"
    if harm == "pixels":
        next((version / "mask.ome.zarr/0/c").glob("*/*")).unlink()
    elif harm == "result":
        document = (version / "result.json").read_text()
        (version / "result.json").write_text(document.replace('"reviewer": "A. Reader"', '"reviewer": "B. Reader"'))
    elif harm == "junk":
        (version / "notes.txt").write_text("mine")
    else:
        (version.parent / "draft").mkdir()
    (remedy,) = remedies(folder)
    assert "What was measured is no part of this" in remedy
    assert "--force" not in remedy
    for place in (version / "notes.txt", version.parent / "draft"):
        if place.exists():
            shutil.rmtree(place) if place.is_dir() else place.unlink()
    if harm in {"pixels", "result"}:
        shutil.copy(version / "corrections.geojson", tmp_path / "kept.geojson")
        shutil.rmtree(version)
        assert wsi_area("amend", folder / "out", "one", tmp_path / "kept.geojson").code == 0
    assert wsi_area("verify", folder / "out").code == 0


def test_what_was_added_again_and_again_has_one_line_with_its_newest_seal(folder: Path) -> None:
    for title in ("first", "second", "third"):  # another page each: the same one adds nothing
        assert wsi_area("report", folder / "out", "--title", title).code == 0
    assert wsi_area("export", folder / "out", "--format", "geojson").code == 0
    links = json.loads((folder / "out/seal.json").read_text())["later"]
    assert [link["name"] for link in links].count("report") == 3
    told = [line for line in wsi_area("verify", folder / "out").out.splitlines() if line.startswith("added later")]
    assert len(told) == 2
    report, export = told
    assert report.startswith("added later: report, 1 file, seal ")
    assert report.endswith(f"{links[2]['seal']} (2 seals before it in seal.json)")
    assert export.endswith(links[3]["seal"])
    assert len(wsi_area("verify", folder / "out", "--json").document["later"]) == 4
