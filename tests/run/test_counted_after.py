"""What is counted after the classes: bands, hot spots, pieces, foci, the tissue layer. Changed, no tile is read again.

Held against a run that was measured with the changed settings from the start.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from measuring import FLAT
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.errors import StaleResultError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.run.events import Event, SlideStarted
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import load

SIZE = Size(900, 700)
CLASSES = (
    *FLAT, "run.executor=serial", "tiling.tile_px=256",
    'segmenter.classes=[{id=0, name="background", color="#ffffff"}, '
    '{id=1, name="tumor", color="#a0281e", is_tissue=true, is_tumor=true}]',
)  # fmt: skip
FIRST = ("bands.edges_um=[0, 20]", "hotspots.areas_mm2=[0.004]", "hotspots.tissue_share=0.1")


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> list[SyntheticSlide]:
    folder, form = tmp_path_factory.mktemp("after"), FileForm(mpp=Mpp(0.5, 0.5), tile_px=64)
    return [
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 400, 300, radius)}, form)
        for name, radius in (("a", 200), ("b", 150))
    ]


def measured(
    slides: list[SyntheticSlide], out: Path, *assignments: str, **options: Any
) -> tuple[RunOutcome, list[tuple[str, int, int]]]:
    """How a run ended, and how many tiles each slide has, and had already when it began."""
    started: list[tuple[str, int, int]] = []

    def told(event: Event) -> None:
        if isinstance(event, SlideStarted):
            started.append((event.slide_id, event.tiles, event.tiles_done))

    inputs = collect_slides([str(slide.path) for slide in slides])
    outcome = run_slides(inputs, load(None, [*CLASSES, *assignments]), out, listener=told, **options)
    assert outcome.exit_code == 0, [slide.reason for slide in outcome.slides]
    return outcome, sorted(started)


def told_of(out: Path) -> dict[str, Any]:
    """What a run says of its slides, but for times, and which files it has."""
    found = {str(path.relative_to(out / "slides")): None for path in (out / "slides").rglob("*") if path.is_file()}
    for slide_id in open_run(out):
        document = json.loads((out / "slides" / slide_id / "result.json").read_text(encoding="utf-8"))
        del document["timing"]
        if document.get("tissue_layer"):
            document["tissue_layer"].pop("timing", None)
        found[slide_id] = document
    return found


LAYER = "tissue={name='tissue', background='bright', threshold=90, work_mpp=2}"
CHANGED = {
    "other bands": ("bands.edges_um=[-10, 0, 5, 40]", *FIRST[1:]),
    "no bands": FIRST[1:],
    "other windows": (*FIRST, "hotspots.step_um=20", 'hotspots.shape="square"'),
    "no hot spots": FIRST[:1],
    "pieces of tissue": (*FIRST, "sections.find=true", "sections.min_mm2=0.001"),
    "another envelope": (*FIRST, "envelope.closing_um=60"),
    "no foci": (*FIRST, "objects.foci=false"),
    "a tissue layer": (*FIRST, LAYER),
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_is_counted_after_the_classes_is_counted_anew_and_no_tile_is_read(
    slides: list[SyntheticSlide], tmp_path: Path, change: str
) -> None:
    measured(slides, tmp_path / "out", *FIRST)
    outcome, started = measured(slides, tmp_path / "out", *CHANGED[change])
    assert [name for name, tiles, done in started if tiles == done] == ["a", "b"]
    fresh, begun = measured(slides, tmp_path / "fresh", *CHANGED[change])
    assert all(done == 0 for _, _, done in begun)
    assert told_of(tmp_path / "out") == told_of(tmp_path / "fresh")
    for name in ("bands", "hotspots", "regions", "objects"):
        held, due = ((folder / f"{name}.parquet") for folder in (tmp_path / "out", tmp_path / "fresh"))
        assert held.exists() == due.exists(), name
    assert not verify_run(tmp_path / "out").disagreements
    assert outcome.exit_code == fresh.exit_code


def test_a_tissue_layer_is_replaced_where_another_is_asked_for_and_goes_where_none_is(
    slides: list[SyntheticSlide], tmp_path: Path
) -> None:
    measured(slides[:1], tmp_path / "out", LAYER)
    measured(slides[:1], tmp_path / "out", LAYER.replace("90", "60"))
    measured(slides[:1], tmp_path / "fresh", LAYER.replace("90", "60"))
    assert told_of(tmp_path / "out") == told_of(tmp_path / "fresh")
    measured(slides[:1], tmp_path / "out")
    measured(slides[:1], tmp_path / "bare")
    assert told_of(tmp_path / "out") == told_of(tmp_path / "bare")
    assert not (tmp_path / "out" / "slides" / "a" / "tissue").exists()


@pytest.mark.parametrize("change", ["other bands", "no hot spots", "pieces of tissue", "a tissue layer"])
def test_slides_that_are_not_asked_for_are_not_left_beside_others_with_other_rules(
    slides: list[SyntheticSlide], tmp_path: Path, change: str
) -> None:
    measured(slides, tmp_path / "out", *FIRST)
    before = (tmp_path / "out" / "run.json").read_bytes()
    with pytest.raises(StaleResultError, match=r"would keep 1 of its slides that are not asked for: b\. Name them too"):
        measured(slides[:1], tmp_path / "out", *CHANGED[change])
    assert (tmp_path / "out" / "run.json").read_bytes() == before


def test_what_the_class_map_holds_is_still_never_continued_with_other_rules(
    slides: list[SyntheticSlide], tmp_path: Path
) -> None:
    measured(slides, tmp_path / "out", *FIRST)
    with pytest.raises(StaleResultError, match=r"tiling\.work_mpp"):
        measured(slides, tmp_path / "out", "bands.edges_um=[0, 30]", "tiling.work_mpp=2")


def test_a_run_of_a_version_that_knew_fewer_settings_is_another_version_and_nothing_is_written(
    slides: list[SyntheticSlide], tmp_path: Path
) -> None:
    measured(slides, tmp_path / "out", *FIRST)
    place = tmp_path / "out" / "run.json"
    document = json.loads(place.read_text(encoding="utf-8"))
    del document["settings"]["hotspots"]["tissue_share"]
    document["config_hash"] = "0" * 64
    place.write_text(json.dumps(document), encoding="utf-8")
    before = place.read_bytes()
    with pytest.raises(StaleResultError, match="another version"):
        measured(slides, tmp_path / "out", *FIRST[:1])
    assert place.read_bytes() == before
