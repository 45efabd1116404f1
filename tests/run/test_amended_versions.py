"""Amended versions of a measured slide: chained, undone, replayed, refused, verified; nothing measured is touched."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amending import Measured, ids_of, measured_run
from measuring import FLAT, fingerprint
from painting_by_hand import box, filtered, operation, painted, seed, write_corrections
from scipy import ndimage
from synthetic import disc, ring, specks, write_slide_with_garbage_tile

from wsi_area.audit.verify import verify_run
from wsi_area.compute.cut import planning
from wsi_area.errors import AnnotationError, ResultError
from wsi_area.exports.export import ExportOptions, export_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.content_hash import content_hash
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.run.amending.amend import MEASURED
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(601, 443)
ADD = operation("add", box(20.3, 20.3, 90.7, 70.2), **{"class": "tissue"})
ERASE = operation("erase", box(250.3, 60.3, 330.7, 120.2))
EXCLUDE = operation("exclude", box(150.3, 150.3, 230.7, 260.2))


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "BATCH_LEVEL_PX_MIN", 1 << 13)
        yield


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """A ring of tissue, counted by a threshold."""
    return measured_run(tmp_path_factory.mktemp("plain"), SIZE, ring(SIZE, 290, 220, 170, 90), *FLAT)


@pytest.fixture
def run(plain: Measured, tmp_path: Path) -> Measured:
    """A copy of it, to be spoilt."""
    shutil.copytree(plain.out, tmp_path / "out")
    return Measured(tmp_path / "out", plain.settings, plain.tissue)


def pixels(version: Any) -> Any:
    return OpenedSlide(version.layout, version.result).class_map()


def faults(run: Measured) -> list[str]:
    return [f"{fault.what}: {fault.message}" for fault in verify_run(run.out, with_slides=False).disagreements]


def test_what_was_measured_is_not_touched_and_every_version_verifies(run: Measured) -> None:
    before = {k: v for k, v in fingerprint(run.out).items() if "amended" not in k and not k.endswith("slides/s")}
    run.laid([ADD, ERASE])
    run.laid([EXCLUDE], "second")
    after = {k: v for k, v in fingerprint(run.out).items() if "amended" not in k and not k.endswith("slides/s")}
    lock = {name for name in after if "lock" in name}
    assert {k: v[1] for k, v in after.items() if k not in lock} == {k: v[1] for k, v in before.items() if k not in lock}
    assert faults(run) == []


def test_a_version_keeps_only_the_shards_that_it_changed(run: Measured) -> None:
    version = run.laid([ADD])
    slide = run.slide
    side = slide.counted.work.tile_px * slide.counted.work.batch_tiles
    changed = np.argwhere(pixels(version) != slide.class_map())
    expected = {(int(y) // side, int(x) // side) for y, x in changed}
    kept = (version.layout.class_map / "0" / "c").glob("*/*")
    assert {(int(p.parent.name), int(p.name)) for p in kept} == expected
    assert 0 < len(expected) < slide.grid.shape[0] * slide.grid.shape[1]


def test_a_shard_that_becomes_background_is_background_and_not_what_lies_below(run: Measured) -> None:
    version = run.laid([operation("erase", box(0.2, 0.2, 600.7, 442.7))])
    assert not pixels(version).any()
    assert version.result.counts.n_px_by_class[1:] == (0,)
    assert version.result.tissue.area_mm2 == 0
    assert faults(run) == []


def test_the_next_version_is_the_list_of_both_and_undo_is_the_list_without_the_last(run: Measured) -> None:
    first = run.laid([ADD, ERASE])
    second = run.laid([EXCLUDE], "second", first.content_hash)
    at_once, undone = run.laid([ADD, ERASE, EXCLUDE], "all"), run.laid([ADD, ERASE, EXCLUDE][:-1], "undone")
    assert second.amendment.corrects == first.number
    assert [one.version for one in second.amendment.listed] == [1, 1, 2]
    assert at_once.amendment.class_map == second.amendment.class_map
    assert at_once.result.counts == second.result.counts
    assert undone.amendment.class_map == first.amendment.class_map
    assert np.array_equal(pixels(second), pixels(at_once))
    assert faults(run) == []


def test_the_same_corrections_are_one_version_and_the_same_map_wherever_it_was_measured(
    run: Measured, tmp_path: Path
) -> None:
    file = write_corrections(tmp_path / "c.geojson", content_hash(run.slide.counted), [ADD, EXCLUDE])
    first, again = run.outcome(file), run.outcome(file)
    assert (first.was_there, again.was_there, again.version.number) == (False, True, 1)
    (tmp_path / "elsewhere").mkdir()
    elsewhere = measured_run(tmp_path / "elsewhere", SIZE, ring(SIZE, 290, 220, 170, 90), *FLAT)
    other = elsewhere.amend(file)
    assert np.array_equal(pixels(first.version), pixels(other))
    assert other.result.counts == first.version.result.counts


@pytest.mark.parametrize("are_filtered", [False, True])
def test_corrections_come_before_the_filters_and_drawn_pixels_stay_as_drawn_unless_told(
    tmp_path: Path, are_filtered: bool
) -> None:
    # 0.25 µm²: a hole of less than 4000 px is filled, tissue of less than 3000 px goes
    sizes = ("objects.max_hole_um2=1000", "objects.min_tissue_um2=750")
    run = measured_run(tmp_path, SIZE, ring(SIZE, 290, 220, 170, 60) + disc(SIZE, 60, 60, 40), *FLAT, *sizes)
    slide = run.slide
    raw = OpenedSlide(type(slide.layout)(slide.layout.root / "raw"), slide.result).class_map()
    features = [
        operation("add", box(500.3, 380.3, 520.7, 400.2), **{"class": "tissue"}),  # a speck: a filter takes it
        operation("erase", box(150.3, 210.3, 180.7, 240.2)),  # a hole: a filter fills it
        operation("not_tissue", box(20.3, 20.3, 75.7, 99.2)),  # what is left of the disc is a speck, and not drawn
        operation("exclude", box(400.3, 200.3, 430.7, 240.2)),
    ]
    version = run.laid(features, drawn_are_filtered=are_filtered)
    drawn, held = painted(raw, features, slide.grid.edges_l0_px, ids_of(slide), run.tissue)
    truth = filtered(drawn, ((1,), 3000.0), 4000.0, excluded=2)
    kept = int((held & (truth != drawn)).sum())
    if not are_filtered:
        truth = np.where(held, drawn, truth)
    assert np.array_equal(pixels(version), truth)
    assert version.amendment.n_px_kept_from_filters == (0 if are_filtered else kept)
    assert kept > 0
    assert truth[60, 90] == 0  # the rest of the disc
    assert faults(run) == []


def test_what_is_not_to_be_painted_is_clipped_and_told_in_square_millimetres(tmp_path: Path) -> None:
    region = box(100.3, 80.3, 420.7, 380.2)
    run = measured_run(tmp_path, SIZE, ring(SIZE, 290, 220, 170, 90), *FLAT, roi=region)
    version = run.laid([operation("add", box(50.3, 100.3, 140.7, 160.2), **{"class": "tissue"})])
    (one,) = version.amendment.listed
    outside = (100 - 50) * (160 - 100)  # centres from 50.5 to 99.5, and from 100.5 to 159.5
    assert (one.n_px_outside_roi, one.n_px_unscanned, one.n_px_unreadable) == (outside, 0, 0)
    assert one.clipped_mm2 == pytest.approx(outside * 0.25e-6)
    assert version.result.counts.n_px_outside_roi == run.slide.counted.counts.n_px_outside_roi
    codes = {finding.code: finding for finding in version.result.findings}
    assert codes["CORRECTION_CLIPPED"].measured == pytest.approx(outside * 0.25e-6)
    beyond = run.laid([operation("add", box(150.3, 100.3, 140.7 + 600, 160.2), **{"class": "tissue"})], "b")
    assert beyond.amendment.listed[0].beyond_mm2 == pytest.approx((740.7 - 601) * (160.2 - 100.3) * 0.25e-6)
    assert faults(run) == []


def test_a_corrected_drawing_takes_the_place_of_the_classes_that_it_names(run: Measured, tmp_path: Path) -> None:
    list(export_run(run.out, ExportOptions("geojson", split=True)))
    exported = run.slide.layout.root / "regions.geojson.gz"
    assert run.outcome(exported, reviewer="A. Reader").version is None  # nobody changed it
    run.laid([ADD])
    same = run.amend(exported, reviewer="A. Reader")  # names what was measured as its base
    assert np.array_equal(pixels(same), run.slide.class_map())
    drawn: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": box(30.3, 30.3, 200.7, 99.2),
             "properties": {"classification": {"name": "Tissue"}}},
            {"type": "Feature", "geometry": box(180.3, 60.3, 260.7, 140.2),
             "properties": {"classification": {"name": "Ignore*"}}},
        ],
    }  # fmt: skip
    file = tmp_path / "qupath.geojson"
    file.write_text(json.dumps(drawn))
    with pytest.raises(AnnotationError, match="--on measured"):
        run.amend(file, reviewer="A. Reader")
    version = run.amend(file, reviewer="A. Reader", on=MEASURED)
    truth = np.zeros((SIZE.height_px, SIZE.width_px), np.uint8)
    truth[30:99, 30:201] = 1  # rows of centres 30.5 to 98.5, columns 30.5 to 200.5
    truth[60:140, 180:261] = 2
    assert np.array_equal(pixels(version), truth)
    for feature in drawn["features"]:
        feature["properties"] = {"operation": "replace", "class": feature["properties"]["classification"]["name"]}
    file.write_text(json.dumps({**drawn, "reviewer": "A. Reader"}))
    assert run.amend(file, on=MEASURED).amendment.class_map == version.amendment.class_map
    assert "CORRECTION_OVERLAP" in {finding.code for finding in version.result.findings}
    assert faults(run) == []


def test_a_fill_takes_the_whole_component_over_every_seam_and_no_more_than_it_may(run: Measured) -> None:
    codes = run.slide.class_map()
    labels, _ = ndimage.label(codes == 0, np.ones((3, 3)))
    hole = labels == labels[220, 290]
    version = run.laid([operation("fill", seed(290.2, 220.4), **{"class": "tissue"})])
    assert np.array_equal(pixels(version), np.where(hole, 1, codes))
    assert version.amendment.listed[0].n_px_changed == int(hole.sum())
    hole_mm2 = hole.sum() * 0.25e-6
    with pytest.raises(AnnotationError, match=rf"more than {0.9 * hole_mm2:g} mm² \(at least"):
        run.laid([operation("fill", seed(290.2, 220.4), **{"class": "tissue", "most_mm2": 0.9 * hole_mm2})], "small")
    enough = run.laid([operation("fill", seed(290.2, 220.4), **{"class": "tissue", "most_mm2": 1.1 * hole_mm2})], "big")
    assert enough.amendment.class_map == version.amendment.class_map


REFUSED = {
    "class": ([operation("add", box(1.2, 1.2, 9.7, 9.7), **{"class": "tumour"})], "'tumour' is no class of this slide"),
    "no_class": ([operation("add", box(1.2, 1.2, 9.7, 9.7))], "it names none"),
    "kind": ([operation("paint", box(1.2, 1.2, 9.7, 9.7))], "'paint' is no operation"),
    "point": ([operation("add", seed(4, 4), **{"class": "tissue"})], "needs a Polygon"),
    "area": ([operation("fill", box(1.2, 1.2, 9.7, 9.7), **{"class": "tissue"})], "needs a Point"),
    "beside": ([operation("erase", box(900.2, 1.2, 990.7, 9.7))], "wholly beside the slide"),
    "seed": ([operation("fill", seed(900, 4), **{"class": "tissue"})], "is not on the slide"),
    "excluded": ([operation("exclude", box(1.2, 1.2, 9.7, 9.7), **{"class": "pen"})], "'pen' is no excluded class"),
    "time": ([operation("erase", box(1.2, 1.2, 9.7, 9.7), utc="yesterday")], "is no time with its zone"),
    "flat": ([operation("erase", box(1.2, 1.2, 1.2, 9.7))], "cannot be laid over a slide"),
    "mixed": ([ADD, {**ERASE, "properties": {}}], "has no 'operation'"),
    "nothing": ([], "lists no feature"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_laid_is_refused_with_its_place_and_leaves_nothing(plain: Measured, name: str) -> None:
    features, words = REFUSED[name]
    with pytest.raises(AnnotationError, match=words):
        plain.laid(features, name)
    assert not (plain.slide.layout.root / "amended").exists() or not list(
        (plain.slide.layout.root / "amended").iterdir()
    )


def test_corrections_of_another_result_or_another_slide_are_refused(plain: Measured, tmp_path: Path) -> None:
    base = content_hash(plain.slide.counted)
    with pytest.raises(AnnotationError, match="which is no result of s"):
        plain.laid([ADD], "other", "sha256:" + "0" * 64)
    with pytest.raises(AnnotationError, match="corrects the slide 't', not 's'"):
        plain.amend(write_corrections(tmp_path / "t.geojson", base, [ADD], slide="t"))
    with pytest.raises(AnnotationError, match=base):  # what to write into it is in the message
        plain.amend(write_corrections(tmp_path / "u.geojson", "", [ADD]))


def test_a_slide_measured_again_keeps_its_versions_with_their_base_gone(run: Measured, tmp_path: Path) -> None:
    first = run.laid([ADD])
    run.measure_again("segmenter.threshold=110", "tiling.work_mpp=1.1")
    (version,) = run.slide.amended
    assert version.counted.counts == first.result.counts
    with pytest.raises(ResultError, match="is gone, since the slide was measured again"):
        version.class_map()
    with pytest.raises(AnnotationError, match="base is gone"):
        run.laid([EXCLUDE], "late", first.content_hash)
    verified = verify_run(run.out, with_slides=False)
    assert verified.disagreements == ()
    assert any("cannot be replayed" in line for line in verified.not_held)
    second = run.laid([ERASE], "new")
    assert second.number == 2
    assert faults(run) == []


def test_other_bands_over_the_same_pixels_take_nothing_from_a_version(run: Measured) -> None:
    run.laid([ADD])
    path = run.slide.counted.path
    run_slides(collect_slides([path]), load(None, [*run.settings, "envelope.closing_um=30"]), run.out)
    (version,) = run.slide.amended
    assert version.class_map()[30, 30] == 1
    assert faults(run) == []


def test_tissue_is_the_one_plain_class_or_has_to_be_named(tmp_path: Path) -> None:
    drawn = {"tumor": box(120.3, 90.3, 420.7, 330.2)}
    run = measured_run(tmp_path, SIZE, disc(SIZE, 290, 220, 150), "segmenter.name=regions", annotations=drawn)
    assert run.slide.counted.tissue_layer is None
    with pytest.raises(AnnotationError, match="0 classes of this slide are tissue and neither tumour nor positive"):
        run.laid([operation("tissue", box(20.3, 20.3, 90.7, 70.2))])
    version = run.laid([operation("tissue", box(20.3, 20.3, 90.7, 70.2), **{"class": "tumor"})])
    assert version.result.classes[1].n_px == run.slide.counted.classes[1].n_px + 71 * 50


def test_without_a_pixel_size_pixels_are_corrected_and_no_area_is_made(tmp_path: Path) -> None:
    run = measured_run(tmp_path, SIZE, disc(SIZE, 290, 220, 150), *FLAT, mpp=None)
    version = run.laid([ADD, EXCLUDE])
    before = run.slide.counted.classes[1].n_px
    excluded = int((run.slide.class_map()[150:260, 150:231] == 1).sum())
    assert version.result.classes[1].n_px == before + 71 * 50 - excluded
    assert {c.area_mm2 for c in version.result.classes} == {None}
    assert {one.changed_mm2 for one in version.amendment.listed} == {None}
    with pytest.raises(AnnotationError, match="the slide has no pixel size"):
        run.laid([operation("fill", seed(4.2, 4.4), **{"class": "tissue"})], "fill")
    assert faults(run) == []


def test_a_tile_that_could_not_be_read_is_never_painted(tmp_path: Path) -> None:
    slide = write_slide_with_garbage_tile(tmp_path / "s.svs")
    run_slides(collect_slides([str(slide.path)]), load(None, [*FLAT, "tiling.tile_px=64"]), tmp_path / "out")
    run = Measured(tmp_path / "out", FLAT)
    codes = run.slide.class_map()
    assert (codes == 253).any()
    height, width = run.slide.counted.height_px, run.slide.counted.width_px
    version = run.laid([operation("add", box(-5, -5, width + 5, height + 5), **{"class": "tissue"})])
    assert np.array_equal(pixels(version), np.where(codes == 253, 253, 1))
    assert version.result.status == "incomplete"
    assert version.amendment.listed[0].n_px_unreadable == run.slide.counted.counts.n_px_unreadable
    assert faults(run) == []


def test_a_slide_with_settings_of_its_own_is_amended_by_these(tmp_path: Path) -> None:
    plain = measured_run(tmp_path, SIZE, disc(SIZE, 290, 220, 150), *FLAT)
    path = plain.slide.counted.path
    (tmp_path / "m.csv").write_text(f"path,slide_id,objects.min_tissue_um2\n{path},s,500\n")
    inputs = collect_slides([], manifest=tmp_path / "m.csv")
    run_slides(inputs, load(None, plain.settings), tmp_path / "own")
    run = Measured(tmp_path / "own", plain.settings)
    speck = operation("add", box(10.3, 10.3, 30.7, 30.2), **{"class": "tissue"})  # 21 × 20 px of 0.25 µm²: 105 µm²
    n_px = run.slide.counted.tissue.n_px
    assert n_px is not None
    assert run.laid([speck]).result.tissue.n_px == n_px + 420
    filtered_away = run.laid([speck], drawn_are_filtered=True).result
    assert (filtered_away.tissue.n_px, filtered_away.size_filters[0].area_px) == (n_px, 420)
    assert faults(run) == []


def test_who_and_when_are_those_of_the_command_where_a_file_does_not_say(run: Measured, tmp_path: Path) -> None:
    bare = {"type": "FeatureCollection", "features": [ADD, {**ERASE, "properties": {"operation": "erase"}}]}
    (tmp_path / "bare.geojson").write_text(json.dumps(bare))
    began = datetime.now(UTC) - timedelta(seconds=1)
    version = run.amend(tmp_path / "bare.geojson", reviewer="C. Reader", on=MEASURED)
    kept = json.loads((version.layout.root / "corrections.geojson").read_text())
    for one in version.amendment.listed:
        assert one.reviewer == kept["reviewer"] == "C. Reader"
        assert one.utc == kept["utc"]
        assert began <= datetime.fromisoformat(one.utc) <= datetime.now(UTC)
    assert run.outcome(tmp_path / "bare.geojson", reviewer="C. Reader", on=MEASURED).was_there
    assert faults(run) == []
    with pytest.raises(AnnotationError, match="does not say who drew it"):
        run.amend(tmp_path / "bare.geojson", on=MEASURED, drawn_are_filtered=True)


def spoil_pixels(version: Any) -> None:
    shard = next((version.layout.class_map / "0" / "c").glob("*/*"))
    shard.unlink()


def spoil_corrections(version: Any) -> None:
    place = version.layout.root / "corrections.geojson"
    place.write_text(place.read_text().replace("20.3", "21.3"))


def spoil_area(version: Any) -> None:
    place = version.layout.result_json
    document = json.loads(place.read_text())
    document["tissue"]["area_mm2"] *= 1.01
    place.write_text(json.dumps(document))


def spoil_reviewer(version: Any) -> None:
    place = version.layout.result_json
    place.write_text(place.read_text().replace("A. Reader", "B. Reader"))


def spoil_rows(version: Any) -> None:
    next((version.layout.ledger / "counts" / "c").rglob("0/0/0")).unlink()


def spoil_seal(version: Any) -> None:
    (version.layout.root / "seal.json").unlink()


def add_junk(version: Any) -> None:
    (version.layout.root / "notes.txt").write_text("mine")


def add_folder(version: Any) -> None:
    (version.layout.root.parent / "draft").mkdir()


@pytest.mark.parametrize(
    "spoil",
    [spoil_pixels, spoil_corrections, spoil_area, spoil_reviewer, spoil_rows, spoil_seal, add_junk, add_folder],
)
def test_verify_names_whatever_of_a_version_was_changed(run: Measured, spoil: Any) -> None:
    version = run.laid([ADD, ERASE])
    assert faults(run) == []
    spoil(version)
    found = faults(run)
    assert found
    assert all("amended" in line for line in found)


def test_a_version_that_was_never_finished_is_named_and_made_anew(run: Measured) -> None:
    version = run.laid([ADD])
    version.layout.result_json.unlink()
    assert any("never finished" in line for line in faults(run))
    assert run.slide.amended == ()
    again = run.laid([ADD])
    assert (again.number, again.amendment.class_map) == (1, version.amendment.class_map)
    assert faults(run) == []


def test_a_signal_cannot_follow_moved_pixels_and_is_left_out_with_a_word(tmp_path: Path, configs: Path) -> None:
    asked = ("bands.edges_um=[-20, 0, 20]", 'bands.classes=["positive"]')
    shape = disc(SIZE, 290, 220, 150)
    drawn = {"roi": box(10.0, 10.0, 560.0, 430.0)}
    run = measured_run(tmp_path, SIZE, shape, *asked, config=configs / "ihc_dab.toml", paint="dab", **drawn)
    slide = run.slide.counted
    assert slide.signal is not None
    assert slide.bands is not None
    assert slide.regions is not None
    assert (slide.bands.has_signal, slide.regions.signal_name) == (True, "od")
    name = next(c.name for c in slide.classes if c.is_positive)
    version = run.laid([operation("add", box(20.3, 20.3, 90.7, 70.2), **{"class": name})])
    assert version.result.signal is None
    assert (version.result.bands.has_signal, version.result.regions.signal_name) == (False, None)
    assert "SIGNAL_NOT_AMENDED" in {finding.code for finding in version.result.findings}
    before = next(c.n_px for c in slide.classes if c.name == name)
    assert next(c.n_px for c in version.result.classes if c.name == name) > before
    assert faults(run) == []


def test_many_specks_far_apart_are_painted_alike_whatever_the_tiles(tmp_path: Path) -> None:
    shape = specks(SIZE, 7, 3, 5)
    maps = []
    for tile_px in (64, 128):
        (tmp_path / str(tile_px)).mkdir()
        run = measured_run(tmp_path / str(tile_px), SIZE, shape, *FLAT, tile_px=tile_px)
        maps.append(pixels(run.laid([ADD, operation("fill", seed(100.4, 80.2), **{"class": "background"})])))
    assert np.array_equal(*maps)


def test_the_run_opened_again_lists_its_versions(run: Measured) -> None:
    run.laid([ADD])
    run.laid([ERASE], "second")
    versions = open_run(run.out)["s"].amended
    assert [v.counted.amendment.number for v in versions if v.counted.amendment is not None] == [1, 2]
    assert versions[0].slide_id == "s"
    assert versions[0].tissue_area_mm2 == pytest.approx(versions[0].counted.tissue.n_px * 0.25e-6)
    assert RunLayout(run.out).slide("s").amended(2).seal_json.is_file()
