"""Named regions written for QuPath and read in again: the same ids, names, classes and outlines, from every format."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from synthetic import FileForm, disc, write_slide

from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(300, 200)
RING = [[20, 20], [120, 30], [110, 150.25], [20, 20]]


def geojson(**told: Any) -> str:
    return json.dumps({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [RING]}, **told})


PARENT = "8a1f0f6e-0000-4000-8000-00000000000f"
VERTICES = "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in RING[:3])
IMAGESCOPE = f'<Regions><Region Id="7" Text="b"><Vertices>{VERTICES}</Vertices></Region></Regions>'
FILES = {
    "qupath.geojson": geojson(
        id="8a1f0f6e-0000-4000-8000-000000000001",
        properties={"name": "A-1", "classification": {"name": "Tumor"}, "parentId": PARENT},
    ),
    "named.geojson": geojson(id="my id", properties={"name": "A-1"}),
    "bare.geojson": geojson(),
    "imagescope.xml": f'<Annotations><Annotation Id="1" Name="tumor">{IMAGESCOPE}</Annotation></Annotations>',
}  # fmt: skip


def measured(slide: Path, drawn: Path, out: Path) -> list[dict[str, Any]]:
    settings = load(None, ["segmenter.name=tissue", "segmenter.threshold=60", "segmenter.background=bright"])
    run_slides(collect_slides([str(slide)], regions_from=drawn), settings, out)
    names = ["region_id", "region_name", "region_class", "parent_id", "n_px", "outline_area_mm2", "tissue_area_mm2"]
    return open_run(out)["s"].regions[names].fillna("").to_dict("records")


@pytest.mark.parametrize("name", sorted(FILES))
def test_regions_that_went_to_qupath_and_back_are_the_same_regions(tmp_path: Path, name: str) -> None:
    form = FileForm(mpp=Mpp(0.5, 0.5))
    slide = Path(write_slide(tmp_path / "s.tiff", SIZE, {"dab": disc(SIZE, 90, 80, 40)}, form).path)
    (tmp_path / name).write_text(FILES[name])
    first = measured(slide, tmp_path / name, tmp_path / "first")
    (written,) = (one.path for one in export_run(tmp_path / "first", ExportOptions("regions")))
    assert written is not None
    assert measured(slide, Path(str(written)), tmp_path / "second") == first
    feature = json.loads(gzip.decompress(written.read_bytes()))["features"][0]
    assert feature["geometry"]["coordinates"] == [RING]
    assert feature["properties"]["measurements"]["n_px"] == first[0]["n_px"]


def test_a_slide_without_regions_has_nothing_to_export(tmp_path: Path) -> None:
    slide = write_slide(tmp_path / "s.tiff", SIZE, {"dab": disc(SIZE, 90, 80, 40)}, FileForm(mpp=Mpp(0.5, 0.5))).path
    run_slides(collect_slides([str(slide)]), load(None, []), tmp_path / "out")
    (told,) = export_run(tmp_path / "out", ExportOptions("regions"))
    assert told.path is None
    assert "no region" in told.not_exported
