"""`wsi-area plan`: what a run would do, and that it then does just that."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, disc, write_slide, write_text_slide

from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run

SIZE = Size(3000, 2600)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "s.tif"
    write_slide(path, SIZE, {"tissue": disc(SIZE, 700, 700, 400)}, FileForm(downsamples=(1, 4)))
    return path


def everything_below(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_a_plan_writes_nothing(slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = everything_below(slide.parent)
    assert wsi_area("plan", slide).code == 0
    assert wsi_area("plan", slide, "--json").code == 0
    assert everything_below(slide.parent) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [(), ("tiling.work_mpp=0.5",), ("tiling.work_mpp=1",), ("tiling.tile_px=100",)])
def test_what_is_planned_is_what_is_done(slide: Path, tmp_path: Path, settings: tuple[str, ...]) -> None:
    flat = ("segmenter.background=bright", "segmenter.threshold=60", "tiling.skip_margin_um=10", *settings)
    ended = wsi_area("plan", slide, "--json", *(part for text in flat for part in ("--set", text)))
    assert ended.code == 0
    (planned,) = ended.document["slides"]
    (record,) = measure(slide, tmp_path / "out", "tiling.skip_margin_um=10", *settings).documents
    work = record["work"]
    for name in ("level", "reduce_factor", "tile_px", "tiles", "tiles_skipped", "work_mpp_x_um", "work_mpp_y_um"):
        assert planned[name] == work[name]
    assert planned["n_px_total"] == record["counts"]["n_px_total"] == SIZE.area_px
    assert planned["batches"] == record["timing"]["batches"]
    assert planned["reader"] == record["reader"]
    # batches with something to read are read whole but for their skipped tiles
    assert planned["level_px_to_decode"] == record["timing"]["decoded_px"]
    assert 0 < planned["level_px_to_decode"] <= SIZE.area_px
    assert planned["projected_bytes_per_task"] > work["tile_px"] ** 2
    assert min(planned["estimated_core_s"], planned["estimated_disk_bytes"]) > 0


def test_the_total_adds_the_slides_up(slide: Path, testdata: Path) -> None:
    document = wsi_area("plan", slide, testdata / "slides/CMU-1-Small-Region.svs", "--json").document
    assert len(document["slides"]) == 2
    assert document["failed"] == []
    for name in ("tiles", "level_px_to_decode", "estimated_core_s", "estimated_disk_bytes"):
        assert document["total"][name] == sum(s[name] for s in document["slides"])
    largest = max(s["projected_bytes_per_task"] for s in document["slides"])
    assert document["total"]["projected_bytes_per_task"] == largest


def test_a_plan_that_does_not_fit_into_memory_is_refused_with_its_figures(slide: Path) -> None:
    ended = wsi_area("plan", slide, "--set", "run.memory_limit_mb=1")
    assert ended.code == 2
    for part in ("MiB", "tiling.tile_px", "run.memory_limit_mb"):
        assert part in ended.out


def test_slides_that_cannot_be_planned_stand_beside_those_that_can(slide: Path, tmp_path: Path) -> None:
    note = write_text_slide(tmp_path / "note.svs")
    unknown = write_slide(tmp_path / "unknown.tif", Size(300, 200), {}, FileForm(mpp=None)).path
    ended = wsi_area("plan", slide, note, unknown, "--json")
    assert ended.code == 2
    assert [s["slide_id"] for s in ended.document["slides"]] == ["s", "unknown"]
    assert [f["slide_id"] for f in ended.document["failed"]] == ["note"]
    assert "note.svs" in ended.document["failed"][0]["message"]
    assert ended.document["slides"][1]["findings"][0] == "MPP_MISSING"
    assert ended.document["slides"][1]["work_mpp_x_um"] is None
    assert wsi_area("plan", slide, unknown).code == 3


def test_people_get_a_table_with_a_line_for_each_slide_and_a_sum(slide: Path) -> None:
    ended = wsi_area("plan", slide)
    lines = ended.out.splitlines()
    assert lines[0].startswith("slide ")
    assert lines[1].startswith("s ")
    assert "3000 × 2600" in lines[1]
    assert lines[-1].startswith("in all: ")
    assert ended.err == ""


def test_a_plan_ends_as_the_run_would(slide: Path, tmp_path: Path) -> None:
    bare = write_slide(tmp_path / "bare.tif", SIZE, {"tissue": disc(SIZE, 700, 700, 400)}, FileForm(mpp=None)).path
    text = write_text_slide(tmp_path / "text.svs")
    near = ("--set", "exclusions.pen=true")  # looks so many µm round a pixel: without a pixel size nothing is counted
    for slides, options in (([slide], ()), ([slide, bare], ()), ([bare], near), ([bare, text], ())):
        planned = wsi_area("plan", *slides, *options, "--json")
        ran = wsi_area("run", *slides, *options, "--out", tmp_path / f"out-{len(slides)}-{len(options)}", "--force")
        assert planned.code == ran.code == planned.document["exit_code"]


def test_what_is_known_before_a_tile_is_counted_is_in_the_plan(testdata: Path, configs: Path) -> None:
    slides = testdata / "slides"
    paths = [slides / "test3-DAPI-2-387.ndpi", slides / "wsi2dcm_raw", slides / "wsi2dcm_jpeg2000"]
    planned = wsi_area("plan", *paths, "--config", configs / "he_tissue.toml", "--json").document
    codes = {s["slide_id"]: s["findings"] for s in planned["slides"]}
    assert codes == {
        "test3-DAPI-2-387": ["BACKGROUND_UNEXPECTED"],
        "wsi2dcm_raw": ["WORK_MPP_COARSER"],
        "wsi2dcm_jpeg2000": ["WORK_MPP_COARSER"],
    }
    shown = wsi_area("plan", *paths, "--config", configs / "he_tissue.toml").out
    assert shown.count("nothing finer was scanned") == 1
    assert "wsi2dcm_raw, wsi2dcm_jpeg2000: 2 µm/px was asked for" in shown


@pytest.mark.parametrize("settings", [(), ("tissue.work_mpp=0.5",), ("tissue.work_mpp=4",)])
def test_the_tissue_layer_is_planned_as_it_is_measured(slide: Path, tmp_path: Path, settings: tuple[str, ...]) -> None:
    flat = ("background=bright", "threshold=60")
    own = ("tiling.work_mpp=0.25", "tissue.name=tissue", *(f"tissue.{key}" for key in flat), *settings)
    asked = (*(f"segmenter.{key}" for key in flat), *own)
    planned = wsi_area("plan", slide, "--json", *(part for text in asked for part in ("--set", text))).document
    (of_slide,), layer = planned["slides"], planned["slides"][0]["tissue_layer"]
    measure(slide, tmp_path / "out", *asked)
    opened = open_run(tmp_path / "out")["s"].tissue
    assert opened is not None
    work = opened.counted.work
    assert (layer["tiles"], layer["tiles_skipped"], layer["level"]) == (work.tiles, work.tiles_skipped, work.level)
    assert planned["total"]["tiles"] == of_slide["tiles"] + work.tiles
    assert planned["total"]["level_px_to_decode"] == of_slide["level_px_to_decode"] + layer["level_px_to_decode"]


def test_without_a_tissue_layer_none_is_planned(slide: Path) -> None:
    assert wsi_area("plan", slide, "--json").document["slides"][0]["tissue_layer"] is None


def test_what_is_noticed_on_the_tissue_layer_is_in_the_plan_as_in_the_run(slide: Path, tmp_path: Path) -> None:
    own = ("tissue.name=tissue", "tissue.work_mpp=0.05", "tissue.background=bright", "tissue.threshold=60")
    flat = ("segmenter.background=bright", "segmenter.threshold=60", "tiling.work_mpp=1")
    told = [part for text in (*flat, *own) for part in ("--set", text)]
    assert "WORK_MPP_COARSER" in wsi_area("plan", slide, "--json", *told).document["slides"][0]["findings"]
    assert "tissue layer: 0.05 µm/px was asked for" in wsi_area("plan", slide, *told).out.replace("\n", " ")
    measure(slide, tmp_path / "out", *flat[2:], *own)
    found = [f for f in open_run(tmp_path / "out")["s"].counted.findings if f.message.startswith("tissue layer: ")]
    assert "WORK_MPP_COARSER" in {finding.code for finding in found}


def test_a_plan_refuses_what_the_run_refuses_before_it_opens_a_slide(slide: Path) -> None:
    for asked, why in (
        (("tissue.name=regions",), "none was given for s"),
        (("segmenter.name=regions",), "takes its classes from a drawing, and none was given"),
    ):
        ended = wsi_area("plan", slide, *(part for text in asked for part in ("--set", text)))
        assert ended.code == 1
        assert why in ended.err.replace("\n", " ")
