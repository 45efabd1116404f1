"""A slide amended in a bucket is the slide amended on a disk: the same version, verified, exported and opened there."""

import json
from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import FLAT
from painting_by_hand import box, operation, write_corrections
from synthetic_shapes import disc
from synthetic_slides import write_slide

import wsi_area as face
from wsi_area.model.geometry import Size
from wsi_area.storage.object_path import ObjectPath

pytestmark = pytest.mark.usefixtures("small_batches")
LINE = [part for text in (*FLAT, "tiling.tile_px=128", "objects.max_hole_um2=2000") for part in ("--set", text)]


def test_an_amended_slide_in_a_bucket_is_the_one_on_a_disk(place: ObjectPath, tmp_path: Path) -> None:
    size = Size(700, 600)
    slide = write_slide(tmp_path / "s.tif", size, {"tissue": disc(size, 340, 300, 250)}, noise_sd=90.0).path
    features = [
        operation("erase", box(0.3, 0.3, 300.7, 599.2)),  # whole shards of background
        operation("add", box(550.3, 30.3, 640.7, 90.2), **{"class": "tissue"}),
        operation("exclude", box(350.3, 300.3, 420.7, 380.2)),
    ]
    maps, told = [], []
    for out in (tmp_path / "out", place):
        assert wsi_area("run", slide, "--out", out, *LINE, "--no-report").code == 0
        listed = wsi_area("amend", out, "s", "--json").document
        file = write_corrections(tmp_path / "c.geojson", listed["measured"], features)
        amended = wsi_area("amend", out, "s", file, "--json")
        assert amended.code == 0
        told.append(amended.document)
        assert wsi_area("verify", out).code == 0
        exported = wsi_area("export", out, "--format", "geojson", "--amended", "--json").document["slides"][0]
        assert exported["path"].endswith("slides/s/amended/1/regions.geojson.gz")
        (version,) = face.open_run(str(out))["s"].amended
        maps.append(version.class_map())
    assert (maps[0] == maps[1]).all()
    assert told[0]["content_hash"] == told[1]["content_hash"]
    assert told[0]["classes"] == told[1]["classes"]
    junk = place / "slides" / "s" / "amended" / "1" / "notes.txt"
    junk.write_bytes(b"mine")
    spoilt = wsi_area("verify", place, "--json")
    assert spoilt.code == 4
    assert "notes.txt" in json.dumps(spoilt.document)
