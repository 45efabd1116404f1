"""An estimate from random spots is near the truth, the same whoever draws, and never taken for a count."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from measuring import FLAT
from synthetic import FileForm, Shape, disc, nothing, ring, specks, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run

SIZE = Size(2048, 1536)
FORM = FileForm(mpp=Mpp(0.5, 0.5), downsamples=(1, 4), tile_px=64)
FLAT_RULE = tuple(text for assignment in FLAT for text in ("--set", assignment))
SMALL_SPOTS = ("--set", "estimate.spot_um=16")


def blobs(size: Size) -> Shape:
    """Many discs of several sizes, some of them smaller than a spot; none over another."""
    parts = [disc(size, 300, 300, 250), disc(size, 900, 400, 180), disc(size, 1500, 500, 300)]
    parts += [disc(size, 200 + 90 * k, 1000, 30) for k in range(18)]
    parts += [disc(size, 150 + 60 * k, 1250, 8) for k in range(25)]
    return Shape(np.any([p.mask for p in parts], axis=0), sum(p.area_px2 for p in parts), 1.0)


SHAPES = {
    "blobs": blobs(SIZE),
    "ring": ring(SIZE, 1024, 768, 700, 500),
    "specks": Shape(specks(SIZE, 7).mask & disc(SIZE, 1000, 768, 700).mask, 1.0, 1.0),
}


def estimated(slide: Path, out: Path, *options: str) -> dict[str, Any]:
    """The one slide of a run, estimated on the command line."""
    ended = wsi_area("run", slide, "--out", out, *FLAT_RULE, *SMALL_SPOTS, "--no-report", "--json", *options)
    found: dict[str, Any] = ended.document["slides"][0]
    assert ended.code == (0 if found["status"] == "estimated" else 2), ended.err
    return found


def painted(folder: Path, name: str = "blobs", form: FileForm = FORM) -> Path:
    """A slide with one of the shapes painted as tissue."""
    return write_slide(folder / f"{name}.tif", SIZE, {"tissue": SHAPES[name]}, form).path


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_where_every_spot_is_drawn_the_estimate_is_the_count_to_the_pixel(name: str, tmp_path: Path) -> None:
    slide = painted(tmp_path, name)
    whole = wsi_area("run", slide, "--out", tmp_path / "whole", *FLAT_RULE, "--no-report", "--json").document
    every = estimated(slide, tmp_path / "every", "--estimate", "0.00001%")
    assert [c["n_px"] for c in every["classes"]] == [c["n_px"] for c in whole["slides"][0]["classes"]]
    assert every["counts"]["n_px_unsampled"] == 0
    assert all(area["low_px"] == area["high_px"] == area["n_px"] for area in every["estimate"]["areas"])


@pytest.mark.parametrize("name", sorted(SHAPES))
@pytest.mark.parametrize("has_pyramid", [True, False])
def test_the_interval_holds_what_was_painted_and_is_as_narrow_as_was_asked(
    name: str, has_pyramid: bool, tmp_path: Path
) -> None:
    slide = painted(tmp_path, name, FORM if has_pyramid else FileForm(mpp=Mpp(0.5, 0.5), tile_px=64))
    wanted = 8.0 if has_pyramid else 15.0
    found = estimated(slide, tmp_path / "out", "--estimate", f"{wanted}%", "--estimate-seed", "5")
    tissue = next(a for a in found["estimate"]["areas"] if (a["kind"], a["name"]) == ("total", "tissue"))
    assert tissue["low_px"] <= SHAPES[name].mask.sum() <= tissue["high_px"]
    assert (tissue["high_px"] - tissue["low_px"]) / 2 <= wanted / 100 * tissue["n_px"]
    assert (found["estimate"]["coarse"] is not None) == has_pyramid
    assert found["status"] == "estimated"


def test_every_pixel_is_in_one_line_of_the_account_and_each_area_is_its_pixels(tmp_path: Path) -> None:
    found = estimated(painted(tmp_path), tmp_path / "out", "--estimate", "8%")
    counts = found["counts"]
    beside = [counts[f"n_px_{line}"] for line in ("unscanned", "outside_roi", "unreadable", "unsampled")]
    assert sum(counts["n_px_by_class"]) + sum(beside) == SIZE.area_px == counts["n_px_total"]
    assert counts["n_px_unsampled"] > SIZE.area_px / 4
    assert sum(c["n_px"] for c in found["classes"]) == SIZE.area_px
    assert [c["n_px_sampled"] for c in found["classes"]] == counts["n_px_by_class"]
    for area in found["classes"]:
        assert area["area_mm2"] == pytest.approx(area["n_px"] * 0.25e-6, rel=1e-12)


def test_tile_size_executor_and_order_change_nothing_and_another_seed_draws_others(tmp_path: Path) -> None:
    slide = painted(tmp_path)
    ways = {
        "plain": (),
        "tiles": ("--set", "tiling.tile_px=96"),
        "large": ("--set", "tiling.tile_px=1024"),
        "serial": ("--set", 'run.executor="serial"'),
        "openslide": ("--set", 'reader.lane="openslide"'),
    }
    found = {name: estimated(slide, tmp_path / name, "--estimate", "8%", *way) for name, way in ways.items()}
    told = {name: (one["counts"], one["classes"], one["estimate"]["areas"]) for name, one in found.items()}
    assert all(one == told["plain"] for one in told.values())
    other = estimated(slide, tmp_path / "other", "--estimate", "8%", "--estimate-seed", "2")
    assert other["counts"] != found["plain"]["counts"]


def test_a_run_that_was_cut_short_goes_on_to_the_same_number_and_a_second_measures_nothing(tmp_path: Path) -> None:
    slide, out = painted(tmp_path), tmp_path / "out"
    first = estimated(slide, out, "--estimate", "8%")
    layout = RunLayout(out).slide("blobs")
    # as a kill leaves it: of some spots nothing is committed, and no document says anything
    chunks = [
        sorted(f for f in (of.ledger / "counts" / "c").rglob("*") if f.is_file()) for of in (layout, layout.coarse)
    ]
    assert all(chunks)
    for chunk in (*chunks[0][::2], chunks[1][0]):
        chunk.unlink()
    layout.result_json.unlink()
    (layout.root / "finished.json").unlink(missing_ok=True)
    again = estimated(slide, out, "--estimate", "8%")
    assert (again["counts"], again["estimate"]) == (first["counts"], first["estimate"])
    before = layout.result_json.read_bytes()
    third = wsi_area("run", slide, "--out", out, *FLAT_RULE, *SMALL_SPOTS, "--no-report", "--estimate", "8%")
    assert third.code == 0
    assert json.loads(layout.result_json.read_bytes())["counts"] == json.loads(before)["counts"]


def test_the_tasks_of_a_job_array_come_to_the_same_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    for name in SHAPES:
        painted(folder, name)
    asked = (folder, *FLAT_RULE, *SMALL_SPOTS, "--estimate", "8%", "--no-report")
    whole = wsi_area("run", *asked, "--out", tmp_path / "whole", "--json").document["slides"]
    for shard in (1, 2, 3, 4):  # more tasks than slides: none is divided
        assert wsi_area("run", *asked, "--out", tmp_path / "array", "--shard", f"{shard}/4").code == 0
    assert wsi_area("merge", tmp_path / "array").code == 0
    run = open_run(tmp_path / "array")
    for told in whole:
        slide = run[told["slide_id"]].counted
        assert slide.status == told["status"] == "estimated"
        assert [c.n_px for c in slide.classes] == [c["n_px"] for c in told["classes"]]


def test_nobody_is_handed_a_class_map_of_an_estimate(tmp_path: Path) -> None:
    estimated(painted(tmp_path), tmp_path / "out", "--estimate", "8%")
    with pytest.raises(ResultError, match="no class map; measure it whole"):
        open_run(tmp_path / "out")["blobs"].class_map()
    for kind in ("geojson", "ome-zarr"):
        ended = wsi_area("export", tmp_path / "out", "--format", kind)
        assert ended.code != 0
        assert "no class map; measure it whole, without --estimate" in ended.err
    assert not RunLayout(tmp_path / "out").slide("blobs").class_map.exists()


def test_verify_draws_and_adds_up_again_and_finds_what_was_changed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    estimated(painted(tmp_path), out, "--estimate", "8%")
    assert verify_run(out).disagreements == ()
    path = RunLayout(out).slide("blobs").result_json
    honest = path.read_text(encoding="utf-8")
    told = json.loads(honest)
    changes: list[Any] = [
        lambda d: d["estimate"].update(seed=2),
        lambda d: d["estimate"]["areas"][0].update(low_px=d["estimate"]["areas"][0]["low_px"] + 5),
        lambda d: d["estimate"]["strata"][0].update(drawn=d["estimate"]["strata"][0]["drawn"] + 1),
        lambda d: d["counts"].update(
            n_px_unsampled=d["counts"]["n_px_unsampled"] - 7,
            n_px_by_class=[d["counts"]["n_px_by_class"][0] + 7, *d["counts"]["n_px_by_class"][1:]],
        ),
    ]
    for change in changes:
        document = json.loads(honest)
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")
        found = {fault.what for fault in verify_run(out).disagreements if fault.slide_id}
        assert found & {"estimate", "counts", "accounting law", "classes"}, change
    assert told["estimate"]["seed"] == 1


def test_the_ledger_says_which_spots_were_drawn(tmp_path: Path) -> None:
    found = estimated(painted(tmp_path), tmp_path / "out", "--estimate", "8%")
    rows = ledger_rows(RunLayout(tmp_path / "out").slide("blobs"))
    status = rows[..., LedgerLayout(len(found["classes"])).status_column]
    strata = found["estimate"]["strata"]
    assert (status == TileStatus.READ).sum() == sum(s["drawn"] for s in strata)
    assert status.size == sum(s["spots"] for s in strata)
    assert (status == TileStatus.SKIPPED).sum() == strata[-1]["spots"] - strata[-1]["drawn"]
    assert set(np.unique(status)) <= {TileStatus.READ, TileStatus.SKIPPED, TileStatus.UNSAMPLED}


def test_two_slides_of_one_seed_have_other_spots_so_that_errors_of_alike_sections_do_not_add_up(tmp_path: Path) -> None:
    def spots(slide: Path) -> object:
        estimated(slide, tmp_path / slide.stem, "--estimate", "8%")
        rows = ledger_rows(RunLayout(tmp_path / slide.stem).slide(slide.stem))
        return (rows[..., LedgerLayout(2).status_column] == TileStatus.READ).tolist()

    first = painted(tmp_path)
    second = tmp_path / "next.tif"
    second.write_bytes(first.read_bytes())
    assert spots(first) != spots(second)
    assert verify_run(tmp_path / "next").disagreements == ()


def test_a_budget_that_is_spent_too_early_ends_as_incomplete_and_says_what_was_reached(tmp_path: Path) -> None:
    found = estimated(painted(tmp_path), tmp_path / "out", "--estimate", "0.001%", "--estimate-budget", "70%")
    assert found["status"] == "incomplete"
    assert "± 0.001 % was asked" in found["reason"]
    assert "raise --estimate-budget" in found["reason"]
    assert found["estimate"]["decoded_px"] <= 0.7 * SIZE.area_px
    assert found["classes"][1]["area_mm2"] > 0


def test_a_budget_alone_is_spent_and_that_is_all_that_was_asked(tmp_path: Path) -> None:
    found = estimated(painted(tmp_path), tmp_path / "out", "--estimate-budget", "70%")
    assert found["status"] == "estimated"
    assert 0.5 <= found["estimate"]["decoded_px"] / SIZE.area_px <= 0.7


def test_a_budget_below_the_least_sample_is_refused_with_what_it_takes(tmp_path: Path) -> None:
    ended = wsi_area(
        "run", painted(tmp_path), "--out", tmp_path / "out", *FLAT_RULE, *SMALL_SPOTS, "--no-report", "--json",
        "--estimate-budget", "0.5%",
    )  # fmt: skip
    assert ended.code == 2
    assert "--estimate-budget allows 0.5 %; allow more, or measure it whole" in ended.document["slides"][0]["reason"]


def test_a_slide_without_a_pixel_size_waits_for_one(tmp_path: Path) -> None:
    slide = painted(tmp_path, form=FileForm(mpp=None, tile_px=64))
    ended = wsi_area("run", slide, "--out", tmp_path / "out", *FLAT_RULE, "--no-report", "--json", "--estimate", "5%")
    assert ended.code == 3
    assert "an estimate draws spots of so many µm" in ended.document["slides"][0]["reason"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--set", "bands.edges_um=[-100,100]"], "bands round a border"),
        (["--set", "hotspots.areas_mm2=[0.1]"], "hot spots"),
        (["--set", "objects.foci=true"], "tumour foci"),
        (["--set", "objects.max_hole_um2=50"], "a filter by size (--set objects.max_hole_um2=0)"),
        (["--set", "tissue.name=tissue"], "a tissue layer (--set tissue.name=none)"),
        (["--set", "sections.find=true"], "pieces of tissue"),
        (["--set", "tma.core_mm=1", "--set", "tma.rows=2", "--set", "tma.columns=2"], "cores of an array"),
        (["--set", "segmenter.name=regions"], "classes of the segmenter regions"),
    ],
)
def test_what_needs_a_whole_class_map_is_refused_before_anything_is_written(
    asked: list[str], told: str, tmp_path: Path
) -> None:
    rule = () if "segmenter.name=regions" in asked else FLAT_RULE
    ended = wsi_area("run", painted(tmp_path), "--out", tmp_path / "out", *rule, "--estimate", "2%", *asked)
    assert ended.code == 1
    assert told in ended.err
    assert not (tmp_path / "out").exists()


def test_corrections_of_an_estimate_are_refused_before_anything_is_measured(tmp_path: Path) -> None:
    drawn = tmp_path / "corrections.geojson"
    drawn.write_text('{"type": "FeatureCollection", "features": []}')
    for asked in ("--estimate", "--estimate-budget"):
        out = tmp_path / asked
        ended = wsi_area("run", painted(tmp_path), "--out", out, *FLAT_RULE, asked, "20%", "--corrections", drawn)
        assert ended.code == 1
        assert "--corrections need the class map of a whole slide" in ended.err
        assert not out.exists()


@pytest.mark.parametrize("text", ["0.5", "half%", "", "nan%", "5% of it"])
def test_a_width_is_given_in_percent_and_says_so(text: str, tmp_path: Path) -> None:
    ended = wsi_area("run", tmp_path / "none.tif", "--out", tmp_path / "out", "--estimate", text)
    assert ended.code == 1
    assert "is no percentage; give one with its sign, such as 0.5%" in ended.err


@pytest.mark.parametrize(
    ("option", "text", "most"),
    [
        ("--estimate", "0%", "50%"),
        ("--estimate", "-1%", "50%"),
        ("--estimate", "50.1%", "50%"),
        ("--estimate", "inf%", "50%"),
        ("--estimate-budget", "0%", "100%"),
        ("--estimate-budget", "200%", "100%"),
    ],
)
def test_a_percentage_out_of_range_is_told_the_range_by_the_option_that_was_given(
    option: str, text: str, most: str, tmp_path: Path
) -> None:
    ended = wsi_area("run", tmp_path / "none.tif", "--out", tmp_path / "out", option, text)
    assert ended.code == 1
    assert f"'{option}': '{text}' is not above 0% and up to {most}" in ended.err


def test_everything_that_shows_a_run_says_that_it_is_an_estimate(tmp_path: Path) -> None:
    slide, out = painted(tmp_path), tmp_path / "out"
    asked = (*FLAT_RULE, *SMALL_SPOTS, "--estimate", "8%")
    ended = wsi_area("run", slide, "--out", out, *asked)
    assert "0 of 1 slides are complete, 1 estimated as asked" in ended.out
    assert "estimated: tissue " in ended.out
    assert "of the pixels that measuring it whole decodes" in ended.out
    assert "estimated: tissue " in (out / "report.html").read_text(encoding="utf-8")
    assert "estimated: tissue " in wsi_area("explain", out).out
    row = open_run(out).summary.iloc[0]
    assert (row.status, row.estimate_about) == ("estimated", "tissue")
    assert row.estimate_ci95_low_mm2 < row.tissue_area_mm2 < row.estimate_ci95_high_mm2
    beside = row.n_px_unscanned + row.n_px_outside_roi + row.n_px_unreadable + row.n_px_unsampled
    assert row.n_px_class_background + row.n_px_class_tissue + beside == SIZE.area_px
    assert wsi_area("diff", out, out).code == 0
    for other in (out, tmp_path / "whole"):
        if other != out:
            assert wsi_area("run", slide, "--out", other, *FLAT_RULE, "--no-report").code == 0
    assert "status" in wsi_area("diff", out, tmp_path / "whole").out


def test_a_plan_says_how_a_slide_would_be_estimated_and_refuses_what_a_run_would(tmp_path: Path) -> None:
    slide, asked = painted(tmp_path), (*FLAT_RULE, *SMALL_SPOTS, "--estimate", "8%")
    (told,) = wsi_area("plan", slide, *asked, "--json").document["slides"]
    assert told["is_estimate"]
    assert told["coarse_work_mpp_um"] == pytest.approx(2.0)
    assert told["tiles"] == 64 * 48
    assert "most that is read" in wsi_area("plan", slide, *asked).out
    assert wsi_area("plan", slide, *asked, "--set", "bands.edges_um=[-100,100]").code == 1


def test_a_spot_that_cannot_be_read_makes_the_slide_incomplete_and_is_in_the_account(tmp_path: Path) -> None:
    garbage = [Region(1024, 768, 64, 64)]  # a stored tile on the glass within the ring
    slide = write_slide(tmp_path / "torn.tif", SIZE, {"tissue": SHAPES["ring"]}, FORM, garbage=garbage).path
    found = estimated(slide, tmp_path / "out", "--estimate", "0.00001%")  # every spot, the torn ones among them
    assert found["status"] == "incomplete"
    assert found["counts"]["n_px_unreadable"] == 64 * 64
    assert "could not be read" in found["reason"]
    counts = found["counts"]
    beside = [counts[f"n_px_{line}"] for line in ("unscanned", "outside_roi", "unreadable", "unsampled")]
    assert sum(counts["n_px_by_class"]) + sum(beside) == SIZE.area_px


def test_what_lies_outside_a_region_of_interest_is_no_part_of_an_estimate(tmp_path: Path) -> None:
    slide = painted(tmp_path, "ring")
    outline = [[100, 100], [1200, 100], [1200, 1400], [100, 1400], [100, 100]]
    roi = tmp_path / "roi.geojson"
    shape = {"type": "Polygon", "coordinates": [outline]}
    roi.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": shape}))
    found = estimated(slide, tmp_path / "out", "--estimate", "8%", "--roi", str(roi))
    inside = SHAPES["ring"].mask[100:1400, 100:1200].sum()
    tissue = next(a for a in found["estimate"]["areas"] if (a["kind"], a["name"]) == ("total", "tissue"))
    assert tissue["low_px"] <= inside <= tissue["high_px"]
    assert verify_run(tmp_path / "out").disagreements == ()


def test_a_coarse_look_may_lack_a_class_that_coarse_pixels_cannot_show(tmp_path: Path) -> None:
    slide = write_slide(tmp_path / "ring.tif", SIZE, {"tissue": SHAPES["ring"]}, FORM, noise_sd=6.0).path
    excluded = ("--set", "exclusions.out_of_focus=true", "--set", "exclusions.pen=true")
    found = estimated(slide, tmp_path / "out", "--estimate", "8%", *excluded)
    whole = wsi_area("run", slide, "--out", tmp_path / "whole", *FLAT_RULE, *excluded, "--no-report", "--json").document
    assert found["estimate"]["coarse"]["class_count"] < len(found["classes"])
    told = {a["name"]: a for a in found["estimate"]["areas"] if a["kind"] == "class"}
    for of in whole["slides"][0]["classes"]:
        assert told[of["name"]]["low_px"] <= of["n_px"] <= told[of["name"]]["high_px"], of["name"]
    assert verify_run(tmp_path / "out").disagreements == ()


def test_on_glass_alone_nothing_is_found_and_the_interval_says_how_much_could_be_there(
    tmp_path: Path,
) -> None:
    slide = write_slide(tmp_path / "glass.tif", SIZE, {"tissue": nothing(SIZE)}, FORM).path
    found = estimated(slide, tmp_path / "out", "--estimate", "5%", "--estimate-budget", "40%")
    (tissue,) = (a for a in found["estimate"]["areas"] if (a["kind"], a["name"]) == ("total", "tissue"))
    assert (found["status"], tissue["n_px"], tissue["low_px"]) == ("incomplete", 0, 0)
    assert 0 < tissue["high_px"] < 0.01 * SIZE.area_px
    assert "no tissue was found in any spot that was drawn" in found["reason"]


def test_what_an_estimate_cannot_say_is_not_said_of_it(tmp_path: Path) -> None:
    discs = [disc(SIZE, 80 + 130 * c, 80 + 130 * r, 20 + c) for r in range(11) for c in range(14)]
    shape = Shape(np.any([d.mask for d in discs], axis=0), sum(d.area_px2 for d in discs), 1.0)
    form = FileForm(mpp=Mpp(0.5, 0.5), downsamples=(1, 16), tile_px=64)
    slide, out = write_slide(tmp_path / "discs.tif", SIZE, {"tissue": shape}, form).path, tmp_path / "out"
    asked = ("--set", "estimate.spot_um=32", "--estimate", "20%")
    found = wsi_area("run", slide, "--out", out, *FLAT_RULE, *asked, "--json").document["slides"][0]
    assert found["counts"]["n_px_unsampled"] > 0
    assert "OVERVIEW_DIFFERS" not in [finding["code"] for finding in found["findings"]]  # its wide pixels at rims alone
    (budget,) = (b for b in found["budgets"]["listed"] if (b["kind"], b["area"]) == ("total", "tissue"))
    told = {row["name"]: row["source"] for row in budget["rows"]}
    assert told["skipped_glass"] == "spots are drawn from bare glass, too: what it may hold is in the sampling"
    assert told["work_pixel"] == "counted in the pixels of level 0"
    assert "an estimate has no outline" in told["counting"]
    text = (out / "report.html").read_text(encoding="utf-8")
    assert "px were not sampled. The areas of the classes are estimates of the whole picture" in text
    assert "every level-0 pixel is in exactly one line" not in text


@pytest.mark.parametrize("name", ["blobs", "specks"])
def test_an_estimate_that_drew_every_spot_says_that_it_saved_nothing_and_its_account_adds_up(
    name: str, tmp_path: Path
) -> None:
    slide, out = painted(tmp_path, name, FileForm(mpp=Mpp(0.5, 0.5), tile_px=64)), tmp_path / "out"
    rule = ("--config", "plain_image", "--set", "tiling.work_mpp=1", *SMALL_SPOTS)
    ended = wsi_area("run", slide, "--out", out, *rule, "--estimate", "0.0001%")
    assert "estimated: foreground " in ended.out  # as the table beside it calls it
    assert "as many pixels decoded as to measure it whole, or more: an estimate gains nothing here" in ended.out
    assert "some cells" not in ended.out
    assert "not assessed in pixels of 1 µm: spots are counted once" in wsi_area("explain", out).out
    assert "every level-0 pixel is in exactly one line" in (out / "report.html").read_text(encoding="utf-8")


def test_where_measuring_whole_decodes_nothing_no_share_of_it_is_made_up(tmp_path: Path) -> None:
    glass = write_slide(tmp_path / "glass.tif", SIZE, {"tissue": nothing(SIZE)}, FORM).path
    for name, asked in (("few", "--estimate-budget=40%"), ("every", "--estimate=1%")):
        ended = wsi_area("run", glass, "--out", tmp_path / name, "--config", "ihc_dab", *SMALL_SPOTS, asked)
        assert "an estimate gains nothing here" in ended.out
        assert "000 %" not in ended.out
        assert "of nothing" not in ended.out
        if name == "every":  # no spot was left that could hold any
            assert "positive: 0 mm², no uncertainty is known; not in it: " in ended.out
        row = open_run(tmp_path / name).summary.iloc[0]
        assert row.isna().loc[["estimate_counted_pct", "estimate_decoded_pct"]].all()
