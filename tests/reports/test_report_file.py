"""The written file: whole in itself, the same each time, safe with hostile names, and true to the documents."""

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from read_html import Tags, written
from small_run import BOX_PX, HOSTILE, SIZE, edited
from synthetic import disc

from wsi_area.reports.picture.embedded import bytes_per_slide
from wsi_area.reports.picture.slide_picture import slide_picture
from wsi_area.reports.report import write_report
from wsi_area.results.class_map import class_thumbnail
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.results.thumbnail import read_frame, thumbnail_jpeg, write_thumbnail


@pytest.fixture(scope="session")
def html(finished_run: Path) -> str:
    return written(finished_run)


def test_the_same_run_makes_the_same_bytes(run: Path, html: str) -> None:
    assert written(run) == html
    assert write_report(run).html.read_text(encoding="utf-8") == html


def test_nothing_in_it_is_fetched_from_anywhere(html: str) -> None:
    for tag, attributes in Tags(html).tags:
        for name in ("src", "href", "action", "data", "srcset", "poster", "background"):
            address = attributes.get(name)
            assert address is None or address.startswith(("data:image/", "#")), (tag, name, address)
    assert "@import" not in html
    assert "url(" not in html
    policy = next(a["content"] for t, a in Tags(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_every_slide_of_the_run_has_a_card_and_a_row_and_those_that_were_counted_a_page(html: str) -> None:
    tags = Tags(html).tags
    assert sum(attributes.get("class") == "slide" for _, attributes in tags) == 3
    assert sum(tag == "tr" and "data-status" in attributes for tag, attributes in tags) == 4
    assert sum(tag == "li" and "data-status" in attributes for tag, attributes in tags) == 4
    text = " ".join(Tags(html).text)
    for name in ("disc", "bare", "torn", "text"):
        assert name in text


def test_the_numbers_are_those_of_the_documents(html: str, finished_run: Path) -> None:
    text = "".join(Tags(html).text).replace("\u202f", "")
    record = read_json(finished_run / "slides" / "disc" / "result.json")
    assert str(record["tissue"]["n_px"]) in text
    # π · 250² px of 0.5 × 0.475 µm are 0.04663 mm²; the error bar is 1.96 · 2 % of it, since its tags are of quality B
    assert "0.0466 ± 0.0018" in text
    worked = re.search(r"(\d+) tissue px × 0.5 µm × 0.475 µm = ([\d.]+) µm² = ([\d.]+) mm²", text)
    assert worked is not None
    assert int(worked[1]) * 0.2375 == pytest.approx(float(worked[2]), rel=1e-5)
    assert float(worked[2]) / 1e6 == pytest.approx(float(worked[3]), rel=1e-5)


def test_what_is_missing_is_said_and_not_shown_as_zero(html: str) -> None:
    text = " ".join("".join(Tags(html).text).split())
    assert "Nothing was measured of it, so there is no area, not even 0." in text
    assert "No scale bar: the slide has no pixel size." in text
    assert "Research use only." in text
    assert "TILE_UNREADABLE" in text
    assert "65 536" in text.replace("\u202f", " ")  # level-0 px of the one unreadable tile, in the table of areas
    assert "None" not in text
    assert "nan" not in text.lower().split()


def hostile(run: Path) -> None:
    """Put a script into everything that comes from a file or from a person."""
    folder = run / "slides"
    name = HOSTILE.replace("/", "\u2215")  # a slash cannot be in a folder's name
    (folder / "disc").rename(folder / name)
    for result in folder.glob("*/result.json"):
        edited(result, hostile_record)
    edited(run / "run.json", lambda about: hostile_run(about, name))


def hostile_record(record: dict[str, Any]) -> None:
    record["path"] = record["vendor"] = record["reason"] = HOSTILE
    for finding in record.get("findings", ()):
        finding["message"] = finding["remedy"] = finding["unit"] = HOSTILE
    if "calibration" in record:
        record["calibration"]["reason"] = record["reader_reason"] = record["segmenter"]["name"] = HOSTILE
        record["segmenter"]["facts"]["note"] = record["segmenter"]["facts"]["feature"] = HOSTILE
        for candidate in record["calibration"]["candidates"]:
            candidate["note"] = candidate["source"] = '"><img src=x onerror=alert(1)>'
        record["findings"].append(
            {"slide_id": HOSTILE, "code": "HOSTILE", "severity": "warning", "measured": None, "limit": None,
             "unit": HOSTILE, "message": HOSTILE, "remedy": "' onx='"}
        )  # fmt: skip


def hostile_run(about: dict[str, Any], name: str) -> None:
    slides = about["slides"]
    slides[name] = {**slides.pop("disc"), "slide_id": name}
    slides["text"].update(reason=HOSTILE, path=HOSTILE)
    about["argv"] = [HOSTILE]
    about["started"] = HOSTILE
    about["host"]["name"] = HOSTILE
    about["settings"]["segmenter"]["note"] = HOSTILE


def test_a_script_in_a_name_a_path_or_a_finding_stays_text(run: Path) -> None:
    hostile(run)
    found = Tags(written(run))
    assert sum(tag == "script" for tag, _ in found.tags) == 1
    assert not any(tag == "img" for tag, _ in found.tags)
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
    assert HOSTILE in "".join(found.text)


def test_the_classes_lie_on_the_slide_to_the_pixel(finished_run: Path) -> None:
    layout = RunLayout(finished_run).slide("disc")
    picture = slide_picture(layout, read_result(layout), 400_000)
    assert picture.photo is not None
    assert picture.classes is not None
    # the same reach, so the same place: boxes of 4 level-0 px, whose height is 0.95 of their width
    assert (picture.photo.width, picture.photo.height) == (picture.classes.width, picture.classes.height)
    assert picture.photo.width == BOX_PX * -(-SIZE.width_px // BOX_PX)
    assert picture.photo.height == pytest.approx(BOX_PX * -(-SIZE.height_px // BOX_PX) * 0.95)
    assert (picture.frame.width, picture.frame.height) == pytest.approx((SIZE.width_px, SIZE.height_px * 0.95))
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.classes.address.split(",")[1]))).convert("RGBA"))
    painted = disc(SIZE, 480.0, 350.0, 250.0).mask
    padded = np.pad(painted, ((0, -SIZE.height_px % BOX_PX), (0, -SIZE.width_px % BOX_PX)))
    share = padded.reshape(padded.shape[0] // BOX_PX, BOX_PX, -1, BOX_PX).mean(axis=(1, 3))
    assert np.array_equal((drawn[..., 3] > 0)[share == 1], np.ones(int((share == 1).sum()), bool))
    assert not (drawn[..., 3] > 0)[share < 0.5].any()


def test_a_small_budget_makes_smaller_pictures_of_the_same_place(run: Path) -> None:
    layout = RunLayout(run).slide("disc")
    shape = -(-SIZE.height_px // BOX_PX), -(-SIZE.width_px // BOX_PX)
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    write_thumbnail(layout, thumbnail_jpeg(noise, np.ones(shape, np.bool_), (BOX_PX, BOX_PX)))
    record = read_result(layout)
    large, small = (slide_picture(layout, record, budget) for budget in (400_000, 12_000))
    assert large.photo is not None
    assert small.photo is not None
    assert small.classes is not None
    assert len(small.photo.address) + len(small.classes.address) < 12_000 < len(large.photo.address)
    assert small.photo.width - large.photo.width < 8 * BOX_PX
    assert (small.photo.width, small.photo.height) == (small.classes.width, small.classes.height)


def test_the_class_map_is_read_once_or_not_at_all(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = RunLayout(run).slide("disc")
    shape = -(-SIZE.height_px // BOX_PX), -(-SIZE.width_px // BOX_PX)
    noise = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    write_thumbnail(layout, thumbnail_jpeg(noise, np.ones(shape, np.bool_), (BOX_PX, BOX_PX)))
    record, reading = read_result(layout), []
    whole = class_thumbnail.sparse_class_map
    monkeypatch.setattr(class_thumbnail, "sparse_class_map", lambda place: reading.append(place) or whole(place))
    made = slide_picture(layout, record, 12_000)  # several rungs down
    assert len(reading) == 1
    class_thumbnail.write_class_thumbnail(layout, record, read_frame(layout))
    reading.clear()
    again = slide_picture(layout, record, 12_000)
    assert not reading
    assert (again.photo, again.classes) == (made.photo, made.classes)


def test_a_hundred_slides_stay_below_fifteen_megabytes() -> None:
    page_of_text = 35_000  # bytes; 23 300 on a run of 100 real slides of five classes
    assert 100 * (bytes_per_slide(100) + page_of_text) < 15_000_000


def test_a_run_without_pictures_is_reported_and_says_so(run: Path) -> None:
    for picture in run.glob("slides/*/thumb.jpg"):
        picture.unlink()
    text = "".join(Tags(written(run)).text)
    assert "left no picture of this slide (thumb.jpg)" in text
    assert "Tiles: share of tissue in what was classified of each" in text


def test_a_class_map_that_is_gone_or_torn_costs_the_overlay_only(run: Path) -> None:
    for shard in (run / "slides" / "disc" / "mask.ome.zarr").rglob("zarr.json"):
        shard.unlink()
    for shard in (run / "slides" / "torn" / "mask.ome.zarr" / "0" / "c").rglob("*"):
        if shard.is_file():
            shard.write_bytes(b"torn" * 100)
    text = "".join(Tags(written(run)).text)
    assert text.count("The class map cannot be shown") == 2
    assert "0.0466 ± 0.0018" in text


def test_foci_are_listed_and_numbered_where_they_lie(run: Path) -> None:
    def with_foci(record: dict[str, Any]) -> None:
        foci = [
            {
                "object_id": k,
                "area_px": 9,
                "filled_px": 9,
                "centroid_x_l0_px": 100.0 * k,
                "centroid_y_l0_px": 50.0,
                "x_l0_px": 0,
                "y_l0_px": 0,
                "width_l0_px": 3,
                "height_l0_px": 3,
                "max_feret_mm": 1.5,
                "touches_border": False,
                "touches_unread": False,
                "area_mm2": 0.5 / k,
                "filled_area_mm2": 0.5 / k,
            }
            for k in range(1, 26)
        ]
        record["foci"] = {
            "set": "tumor", "count": 25, "n_px_net": 9, "n_px_filled": 9, "hole_count": 0, "touching_unread": 0,
            "largest_focus_mm2": 0.5, "largest_extent_mm": 1.5, "net_area_mm2": 1.9,
            "filled_area_mm2": 2.25, "touching_border": 3, "listed": foci,
        }  # fmt: skip

    layout = RunLayout(run).slide("disc")
    edited(layout.result_json, with_foci)
    picture = slide_picture(layout, read_result(layout), 400_000)
    assert [mark.number for mark in picture.marks] == list(range(1, 11))
    text = "".join(Tags(written(run)).text)
    assert "25 foci, largest 0.5 mm², largest extent 1.5 mm, net 1.9 mm², with holes filled 2.25 mm²" in text
    assert "3 cut by the border of the scan. The 10 largest are listed." in text


def test_excluded_classes_are_apart_and_named_as_what_was_looked_for(run: Path) -> None:
    def with_pen(record: dict[str, Any]) -> None:
        record["classes"][0]["is_excluded"] = False
        record["classes"].append({**record["classes"][0], "id": 2, "name": "pen", "n_px": 0, "area_mm2": 0.0})
        record["classes"][2].update(is_excluded=True, area_u_mm2=0.0, color_rgb=[0, 90, 0])
        record["counts"]["n_px_by_class"].append(0)
        del record["certificate"]  # as in a result of a version that made none

    edited(run / "slides" / "disc" / "result.json", with_pen)
    text = "".join(Tags(written(run)).text)
    assert "excluded from tissue" in text
    assert "Artefacts other than pen: no class of this run looks for them." in text


def test_run_json_is_told_in_full(html: str, finished_run: Path) -> None:
    about = json.loads((finished_run / "run.json").read_text())
    text = "".join(Tags(html).text)
    assert about["config_hash"] in text
    assert about["versions"]["numpy"] in text
    assert "tiling.skip_glass" in text


LEFT_OUT = [
    {"why": "Philips iSyntax, which is not read", "count": 2, "paths": ["/in/x.isyntax", "/in/y.isyntax"]},
    {"why": "a link to nothing", "count": 1, "paths": ["/in/" + HOSTILE], "is_lost": True},
    {"why": "a folder, not looked into", "count": 150, "paths": [f"/in/{n}" for n in range(100)]},
]


@pytest.mark.parametrize("left_out", [LEFT_OUT[:1], LEFT_OUT[1:2], LEFT_OUT])
def test_what_was_left_out_stands_where_people_look_first(run: Path, left_out: list[dict[str, Any]]) -> None:
    edited(run / "run.json", lambda document: document.update(left_out=left_out))
    page = written(run)
    count = sum(left["count"] for left in left_out)
    first = " ".join("".join(Tags(page.partition('id="slides"')[0]).text).split())
    assert f"{count} file" in first
    assert "left out" in first
    before_the_table = " ".join("".join(Tags(page.partition('id="numbers"')[0]).text).split())
    assert f"Left out, and so in no row: {count}" in before_the_table
    for left in left_out:
        assert left["why"] in before_the_table
    assert HOSTILE not in page


def test_of_a_run_that_left_nothing_out_nothing_is_said(html: str) -> None:
    assert "eft out" not in html
