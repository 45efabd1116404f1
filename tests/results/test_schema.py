"""The JSON Schema accepts what runs write, whatever became of the slide, and nothing with a key too few or too many."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from measuring import measure
from synthetic import FileForm, disc, write_slide, write_slide_with_garbage_tile, write_text_slide

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.model.geometry import Size
from wsi_area.results.schema import result_schema, schema_text
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

DOCS = Path(__file__).resolve().parents[2] / "docs"
SIZE = Size(300, 200)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> dict[str, dict[str, Any]]:
    """Documents of every ending, with and without stains, foci, a region of interest, outlines."""
    folder = tmp_path_factory.mktemp("slides")
    stained = {"dab": disc(SIZE, 150, 100, 60)}
    slides = [
        write_slide(folder / "complete.tiff", SIZE, stained).path,
        write_slide(folder / "needs_calibration.tiff", SIZE, stained, FileForm(mpp=None)).path,
        write_slide_with_garbage_tile(folder / "incomplete.svs").path,
        write_text_slide(folder / "failed.svs"),
    ]
    square = [[10, 10], [200, 10], [200, 150], [10, 150], [10, 10]]
    outline = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [square]},
               "properties": {"classification": "Tumor"}}  # fmt: skip
    (folder / "outline.geojson").write_text(json.dumps(outline))
    measure(slides, folder / "out", "tiling.tile_px=128", "tiling.skip_glass=false")
    measure(slides[0], folder / "roi", roi=folder / "outline.geojson")
    drawn = collect_slides([str(slides[0])], annotations=folder / "outline.geojson")
    run_slides(drawn, load(configs / "regions.toml", []), folder / "drawn")
    run_slides(collect_slides([str(slides[0])]), load(configs / "ihc_dab.toml", []), folder / "stain")
    found = sorted(folder.glob("*/slides/*/result.json"))
    return {f"{p.parts[-4]}/{p.parts[-2]}": json.loads(p.read_text(encoding="utf-8")) for p in found}


def faults(document: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(result_schema()).iter_errors(document)]


def test_it_is_a_json_schema() -> None:
    Draft202012Validator.check_schema(result_schema())


def test_documents_of_every_ending_are_valid(documents: dict[str, dict[str, Any]]) -> None:
    assert {d["status"] for d in documents.values()} == {"complete", "incomplete", "needs_calibration", "failed"}
    assert documents["drawn/complete"]["outlines"]
    assert documents["drawn/complete"]["foci"]["listed"]
    assert documents["roi/complete"]["roi"]["outline_area_px"] == 190 * 140
    assert documents["stain/complete"]["signal"]
    best = {name: _closest_faults(d) for name, d in documents.items()}
    assert not {name: found for name, found in best.items() if found}


def _closest_faults(document: dict[str, Any]) -> list[str]:
    """Return the objections of the variant that this document ought to be, for a message that helps."""
    kind = "CountedSlide" if "classes" in document else "UncountedSlide"
    variant = {"$ref": f"#/$defs/{kind}", "$defs": result_schema()["$defs"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(variant).iter_errors(document)]


def test_a_missing_or_a_foreign_key_anywhere_is_found(documents: dict[str, dict[str, Any]]) -> None:
    document = documents["drawn/complete"]
    places = [(), ("calibration",), ("work",), ("counts",), ("classes", 0), ("tumor",), ("tissue",), ("foci",),
              ("foci", "listed", 0), ("levels", 0), ("made_from",), ("timing",), ("segmenter",), ("annotations",),
              ("outlines", 0), ("calibration", "candidates", 0)]  # fmt: skip
    for place in places:
        for key in _at(document, place):
            changed = copy.deepcopy(document)
            del _at(changed, place)[key]
            assert faults(changed), f"{place} without {key}"
        changed = copy.deepcopy(document)
        _at(changed, place)["surprise"] = 1
        assert faults(changed), f"{place} with one key more"


def _at(document: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        document = document[key]
    return document


def test_numbers_that_cannot_be_are_found(documents: dict[str, dict[str, Any]]) -> None:
    for place, value in (
        (("counts", "n_px_total"), -1),
        (("classes", 0, "n_px"), 1.5),
        (("calibration", "mpp_x_um"), 0),
        (("tumor", "area_mm2"), "NA"),
        (("tumor", "fraction_of_tissue"), 1.2),
        (("status",), "done"),
        (("schema_version",), SCHEMA_VERSION + 1),
    ):
        changed = copy.deepcopy(documents["drawn/complete"])
        _at(changed, place[:-1])[place[-1]] = value
        assert faults(changed), place


def test_the_published_schema_is_the_one_in_the_code() -> None:
    published = (DOCS / "result.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: python -m wsi_area.results.schema > docs/result.schema.json"


def test_it_names_no_place_that_anything_could_be_fetched_from() -> None:
    assert result_schema()["$id"].startswith("https://wsi-area.invalid/")
