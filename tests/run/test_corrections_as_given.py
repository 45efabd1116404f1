"""Files of corrections as people give them: classes in any case, parts, times, units, and lists that change nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amending import Measured, measured_run, outline
from measuring import FLAT
from painting_by_hand import box, operation, seed, write_corrections
from synthetic import disc

from wsi_area.audit.verify import verify_run
from wsi_area.errors import AnnotationError
from wsi_area.model.geometry import Size
from wsi_area.results.amended import amended_slides
from wsi_area.results.content_hash import content_hash
from wsi_area.results.opened_slide import OpenedSlide

SIZE = Size(601, 443)
ADD = operation("add", box(20.3, 20.3, 90.7, 70.2), **{"class": "tissue"})
ERASE = operation("erase", box(170.3, 160.3, 230.7, 220.2), **{"class": "tissue"})


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """A disc of tissue in the left half, counted by a threshold."""
    return measured_run(tmp_path_factory.mktemp("plain"), SIZE, disc(SIZE, 200, 180, 120), *FLAT, tile_px=256)


@pytest.fixture
def run(plain: Measured, tmp_path: Path) -> Measured:
    shutil.copytree(plain.out, tmp_path / "out")
    return Measured(tmp_path / "out", plain.settings, plain.tissue)


def codes(found: Any) -> Any:
    return OpenedSlide(found.layout, found.result).class_map()


def drawn(run: Measured, name: str, **shapes: Any) -> Path:
    return outline(run.out.parent / f"{name}.geojson", **shapes)


@pytest.mark.parametrize("name", ["Tissue", " TISSUE ", "tISSue\t"])
@pytest.mark.parametrize("kind", ["add", "erase", "tissue", "not_tissue", "fill"])
def test_a_class_is_meant_in_any_case_and_with_spaces_around_it(run: Measured, name: str, kind: str) -> None:
    shape = seed(30.2, 30.4) if kind == "fill" else box(150.3, 20.3, 260.7, 120.2)
    plainly = run.laid([operation(kind, shape, **{"class": "tissue"})], "plain")
    spelt = run.laid([operation(kind, shape, **{"class": name})], "spelt")
    assert np.array_equal(codes(spelt), codes(plainly))
    assert not np.array_equal(codes(spelt), run.slide.class_map())


@pytest.mark.parametrize("name", ["Ignore*", "exclude pen", "EXCLUDED_BY_HAND"])
def test_to_exclude_by_a_class_that_says_so_is_to_exclude_by_hand(run: Measured, name: str) -> None:
    version = run.laid([operation("exclude", box(150.3, 100.3, 250.7, 200.2), **{"class": name})])
    assert [c.name for c in version.result.classes] == ["background", "tissue", "excluded_by_hand"]
    assert version.result.classes[2].n_px == 101 * 100


WITH_A_LINE = [
    {"type": "GeometryCollection", "geometries": [box(150.3, 100.3, 250.7, 200.2), seed(3, 3)]},
    {
        "type": "GeometryCollection",
        "geometries": [{"type": "LineString", "coordinates": [[1, 1], [90, 90]]}, box(9.3, 9.3, 50.7, 50.2)],
    },
    {
        "type": "GeometryCollection",
        "geometries": [box(9.3, 9.3, 50.7, 50.2), {"type": "Polygon", "coordinates": []}],
    },
]


@pytest.mark.parametrize("shape", WITH_A_LINE)
@pytest.mark.parametrize("ordered", [True, False])
def test_a_part_that_encloses_nothing_refuses_the_file_instead_of_going_missing(
    run: Measured, shape: dict[str, Any], ordered: bool
) -> None:
    if ordered:
        file = write_corrections(
            run.out.parent / "c.geojson", content_hash(run.slide.counted), [ADD, operation("erase", shape)]
        )
    else:
        file = drawn(run, "c", tissue=box(150.3, 100.3, 250.7, 200.2), Tissue=shape)
    with pytest.raises(AnnotationError, match="a part of feature 2 encloses no area"):
        run.amend(file, reviewer="A. Reader")
    assert run.slide.amended == ()


COUNTED = {
    "beside": (operation("erase", box(900.2, 1.2, 990.7, 9.7)), "feature 2 lies wholly beside"),
    "seed": (operation("fill", seed(900, 4), **{"class": "tissue"}), r"feature 2 is the point \(900, 4\)"),
    "kind": (operation("paint", box(1.2, 1.2, 9.7, 9.7)), "feature 2: 'paint' is no operation"),
    "silent": ({**ERASE, "properties": {}}, "feature 2 has no 'operation'"),
    "class": (
        operation("add", box(1.2, 1.2, 9.7, 9.7), **{"class": "fat"}),
        r"correction 2 \(add\): 'fat' is no class",
    ),
    "flat": (operation("erase", box(1.2, 1.2, 1.2, 9.7)), r"feature 2 cannot be laid over a slide \(outline 2 "),
    "text": ("erase", "feature 2 is no GeoJSON feature"),
}


@pytest.mark.parametrize("name", COUNTED)
def test_drawings_are_counted_from_1_wherever_they_are_named(run: Measured, name: str) -> None:
    feature, words = COUNTED[name]
    with pytest.raises(AnnotationError, match=words):
        run.laid([ADD, feature])


@pytest.mark.parametrize("utc", ["2999-01-01T00:00:00Z", "2999-01-01T00:00:00+05:00", "9999-12-31T23:59:59+00:00"])
@pytest.mark.parametrize("ordered", [True, False])
def test_a_drawing_of_a_day_to_come_is_refused(run: Measured, utc: str, ordered: bool) -> None:
    file = write_corrections(run.out.parent / "c.geojson", content_hash(run.slide.counted), [ADD], utc=utc)
    if not ordered:
        document = json.loads(drawn(run, "c", tissue=box(150.3, 100.3, 250.7, 200.2)).read_text())
        file.write_text(json.dumps({**document, "reviewer": "A. Reader", "utc": utc}))
    with pytest.raises(AnnotationError, match="which is yet to come"):
        run.amend(file)


def test_a_drawing_of_classes_has_a_time_that_is_one_or_none(run: Measured) -> None:
    document = json.loads(drawn(run, "c", tissue=box(150.3, 100.3, 250.7, 200.2)).read_text())
    (run.out.parent / "c.geojson").write_text(json.dumps({**document, "reviewer": "A. Reader", "utc": "monday"}))
    with pytest.raises(AnnotationError, match="'monday' is no time with its zone"):
        run.amend(run.out.parent / "c.geojson")


def test_a_drawing_of_classes_is_by_those_whom_its_outlines_name(run: Measured) -> None:
    file = drawn(run, "c", tissue=box(150.3, 100.3, 250.7, 200.2), Tissue=box(90.3, 100.3, 140.7, 200.2))
    document = json.loads(file.read_text())
    for feature, name, day in zip(document["features"], ("A. Reader", "B. Reader"), (1, 2), strict=True):
        feature["properties"] |= {"reviewer": name, "utc": f"2026-03-0{day}T10:00:00Z"}
    file.write_text(json.dumps(document))
    (one,) = run.amend(file).amendment.listed
    assert (one.reviewer, one.utc) == ("A. Reader, B. Reader", "2026-03-02T10:00:00Z")


NOTHING = {
    "no_centre": [operation("add", box(30.1, 30.1, 30.2, 30.2), **{"class": "tissue"})],
    "there_already": [operation("add", box(180.3, 160.3, 220.7, 200.2), **{"class": "tissue"})],
    "not_there": [operation("erase", box(400.3, 300.3, 420.7, 320.2), **{"class": "tissue"})],
    "taken_back": [ADD, operation("erase", box(20.3, 20.3, 90.7, 70.2))],
}


@pytest.mark.parametrize("name", NOTHING)
def test_corrections_that_leave_every_pixel_as_it_was_make_no_version(run: Measured, name: str) -> None:
    base = content_hash(run.slide.counted)
    outcome = run.outcome(write_corrections(run.out.parent / "c.geojson", base, NOTHING[name]))
    assert (outcome.version, outcome.was_there) == (None, False)
    assert len(outcome.listed) == len(NOTHING[name])
    assert amended_slides(run.slide.layout) == ()
    assert verify_run(run.out, with_slides=False).disagreements == ()


@pytest.mark.parametrize("name", NOTHING)
def test_over_a_version_too_they_make_none_and_over_what_it_corrects_they_undo_it(run: Measured, name: str) -> None:
    first = run.laid([operation("add", box(300.3, 300.3, 390.7, 370.2), **{"class": "tissue"})], "first")
    again = run.outcome(write_corrections(run.out.parent / "again.geojson", first.content_hash, NOTHING[name]))
    assert again.version is None
    base = content_hash(run.slide.counted)
    undone = run.outcome(write_corrections(run.out.parent / "undone.geojson", base, NOTHING[name])).version
    assert undone is not None
    assert np.array_equal(codes(undone), run.slide.class_map())
    assert run.slide.amended[-1].counted.counts == run.slide.counted.counts
    assert verify_run(run.out, with_slides=False).disagreements == ()


def test_a_drawing_of_which_nothing_may_be_painted_is_on_record_as_such(tmp_path: Path) -> None:
    run = measured_run(
        tmp_path, SIZE, disc(SIZE, 200, 180, 120), *FLAT, tile_px=256, roi=box(100.3, 80.3, 290.7, 270.2)
    )
    version = run.laid([operation("add", box(400.3, 300.3, 460.7, 340.2), **{"class": "tissue"})])
    assert np.array_equal(codes(version), run.slide.class_map())
    assert version.amendment.listed[0].n_px_outside_roi == 61 * 40
    assert "CORRECTION_CLIPPED" in {finding.code for finding in version.result.findings}


def moved(shape: Any, x: Any, y: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[[x(p), y(q)] for p, q in ring] for ring in shape["coordinates"]]}


MEANT = box(100.3, 80.3, 290.7, 270.2)
ELSEWHERE = {
    "in_mm_of_a_tenth": moved(MEANT, lambda x: x * 0.2, lambda y: y * 0.2),
    "mirrored": moved(MEANT, lambda x: SIZE.width_px - x + 40, lambda y: y),
    "of_another_slide": box(400.3, 300.3, 560.7, 420.2),
    "meets_by_a_thirtieth": box(310.3, 80.3, 410.7, 280.2),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_drawing_that_lies_beside_what_it_replaces_is_warned_of(run: Measured, name: str) -> None:
    version = run.amend(drawn(run, name, tissue=ELSEWHERE[name]), reviewer="A. Reader")
    (found,) = [f for f in version.result.findings if f.code == "CORRECTION_ELSEWHERE"]
    shared = (codes(version) == 1) & (run.slide.class_map() == 1)
    least = min(int((codes(version) == 1).sum()), int((run.slide.class_map() == 1).sum()))
    assert found.severity == "warning"
    assert found.measured == pytest.approx(shared.sum() / least)


@pytest.mark.parametrize(
    "shape",
    [
        MEANT,
        box(302.3, 80.3, 402.7, 280.2),
        box(190.3, 170.3, 210.7, 190.2),
        box(300.3, 100.3, 420.7, 270.2),
        box(0.3, 0.3, 600.7, 440.2),
    ],
)
def test_a_drawing_that_meets_what_it_replaces_is_quiet(run: Measured, shape: dict[str, Any]) -> None:
    version = run.amend(drawn(run, "c", tissue=shape), reviewer="A. Reader")
    assert [f.code for f in version.result.findings if f.severity == "warning"] == []
