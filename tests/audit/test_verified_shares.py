"""Shares of tissue and of its envelope are made again by verify: a changed one is named, with a layer and without."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from synthetic import FileForm, disc, write_slide
from synthetic_shapes import centres

from wsi_area.audit.verify import verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.layout import RunLayout
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(1000, 800)
LAYER = ("tissue.name=tissue", "tissue.background=bright", "tissue.threshold=60")
DRAWN = ("segmenter.name=regions", *LAYER)
STAINED = ("segmenter.name=stain", "segmenter.vectors=h-dab")
STAINED_ON_LAYER = (*STAINED, *LAYER)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc of tissue with fat cells in it: holes of glass that the envelope takes in."""
    whole, (x, y) = disc(SIZE, 500, 400, 300), centres(SIZE)
    fat = (x % 80 - 40) ** 2 + (y % 80 - 40) ** 2 <= 20**2
    path = tmp_path_factory.mktemp("shares") / "fat.tif"
    dab = disc(SIZE, 600, 400, 60)
    shapes = {"tissue": replace(whole, mask=whole.mask & ~fat & ~dab.mask), "dab": dab}
    write_slide(path, SIZE, shapes, FileForm(mpp=Mpp(1.0, 1.0), downsamples=(1, 4)))
    return path


def measured(slide: Path, folder: Path, assignments: tuple[str, ...]) -> RunLayout:
    ring = [(200, 150), (700, 150), (700, 500), (200, 500), (200, 150)]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    feature["properties"] = {"objectType": "annotation", "classification": {"name": "tumor"}}
    drawn = folder / "fat.geojson"
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    inputs = collect_slides([str(slide)], annotations=drawn if assignments is DRAWN else None)
    outcome = run_slides(inputs, load(None, [*assignments, "run.executor=serial"]), folder / "out")
    assert outcome.exit_code == 0, [ended.reason for ended in outcome.all_slides]
    return RunLayout(folder / "out")


def named_after(layout: RunLayout, change: Callable[[dict[str, Any]], None]) -> set[str]:
    """Return the names that verify gives once a document was changed, seal and tables aside."""
    place = layout.slide("fat").result_json
    document = json.loads(place.read_text())
    change(document)
    place.write_text(json.dumps(document))
    return {found.what for found in verify_run(layout.root).disagreements}


def halved(part: str, field: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        assert document[part][field] > 0
        document[part][field] *= 0.5

    return change


def one_more(part: str, field: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        found = document[part][field]
        if isinstance(found, list):
            found[1] += 1
        else:
            assert found > 0
            document[part][field] += 1

    return change


@pytest.mark.parametrize("assignments", [DRAWN, STAINED, STAINED_ON_LAYER], ids=["drawn", "stained", "both"])
def test_an_untouched_run_is_sound(slide: Path, tmp_path: Path, assignments: tuple[str, ...]) -> None:
    layout = measured(slide, tmp_path, assignments)
    assert verify_run(layout.root).disagreements == ()
    assert json.loads(layout.slide("fat").result_json.read_text())["tissue_envelope"]["enclosed_px"] > 0


@pytest.mark.parametrize(
    ("assignments", "change", "what"),
    [
        (DRAWN, halved("tumor", "fraction_of_tissue"), "tumor"),
        (DRAWN, halved("tumor", "fraction_of_envelope"), "tumor in the envelope"),
        (DRAWN, one_more("tissue_layer", "n_px_enclosed"), "tissue envelope"),
        (DRAWN, one_more("tissue_envelope", "enclosed_px"), "tissue envelope"),
        (STAINED, halved("positive", "fraction_of_tissue"), "positive"),
        (STAINED, one_more("tissue_envelope", "enclosed_px"), "tissue envelope"),
        (STAINED, halved("tissue_envelope", "area_mm2"), "area"),
        (STAINED_ON_LAYER, halved("positive", "fraction_of_tissue"), "positive"),
    ],
)
def test_a_changed_share_is_named(
    slide: Path, tmp_path: Path, assignments: tuple[str, ...], change: Callable[[dict[str, Any]], None], what: str
) -> None:
    assert what in named_after(measured(slide, tmp_path, assignments), change)


def test_an_envelope_that_was_moved_as_a_whole_is_found_on_the_class_maps(slide: Path, tmp_path: Path) -> None:
    def moved(document: dict[str, Any]) -> None:  # every number of the document agrees with every other
        document["tissue_layer"]["n_px_enclosed"][1] += 5
        around = document["tissue_envelope"]
        mm2 = around["area_mm2"] / around["n_px"]
        around["enclosed_px"] += 5
        around["n_px"] += 5
        around["area_mm2"] = around["n_px"] * mm2
        share = document["tumor"]["in_tissue_px"] + document["tissue_layer"]["n_px_enclosed"][1]
        document["tumor"]["fraction_of_envelope"] = share / around["n_px"]

    named = named_after(measured(slide, tmp_path, DRAWN), moved)
    assert "tissue envelope" in named
    assert "tumor in the envelope" not in named
