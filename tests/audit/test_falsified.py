"""Whoever changes what people read of a run is found out: each kind of change is named with its file and its place."""

import csv
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import wsi_area
from PIL import Image
from stain_settings import POSITIVE_IS_TUMOUR
from synthetic import FileForm, SyntheticSlide, disc, write_slide, write_text_slide

from wsi_area.audit.verify import Verified, verify_run
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.reports.report import write_report
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE = Size(1201, 903)
SETTINGS = ("tiling.tile_px=200", "tiling.skip_glass=false", "objects.foci=true", POSITIVE_IS_TUMOUR)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with foci, findings, pictures, a failed slide and a report."""
    folder = tmp_path_factory.mktemp("honest")
    slides: list[SyntheticSlide | Path] = [
        write_slide(folder / f"{name}.tif", SIZE, {"dab": disc(SIZE, 600, 400, radius)}, FileForm(mpp=Mpp(0.25, 0.26)))
        for name, radius in (("a", 300), ("b", 120))
    ]
    slides.append(write_text_slide(folder / "text.svs"))
    paths = [slide if isinstance(slide, Path) else slide.path for slide in slides]
    settings = load("ihc_dab", [*SETTINGS])
    run_slides(collect_slides([str(path) for path in paths]), settings, folder / "out", for_report=True)
    write_report(folder / "out")
    return folder / "out"


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy to be falsified."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def told(run: Path) -> list[tuple[str, str, str]]:
    return [(fault.slide_id, fault.what, fault.message) for fault in verify_run(run, with_slides=False).disagreements]


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write_rows(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def in_csv(name: str, row: int, column: str, text: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        rows = rows_of(run / name)
        rows[row][rows[0].index(column)] = text
        write_rows(run / name, rows)

    return change


def row_out(name: str, row: int) -> Callable[[Path], None]:
    return lambda run: write_rows(run / name, [r for n, r in enumerate(rows_of(run / name)) if n != row])


def row_twice(name: str, row: int, **cells: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        rows = rows_of(run / name)
        added = list(rows[row])
        for column, text in cells.items():
            added[rows[0].index(column)] = text
        write_rows(run / name, [*rows, added])

    return change


def in_parquet(name: str, row: int, column: str, value: Any) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        table = pq.read_table(run / name)
        cells = table[column].to_pylist()
        cells[row] = value
        place = table.column_names.index(column)
        pq.write_table(
            table.set_column(place, table.field(column), pa.array(cells, table.field(column).type)), run / name
        )

    return change


def parquet_cut(name: str) -> Callable[[Path], None]:
    return lambda run: pq.write_table(pq.read_table(run / name).slice(1), run / name)


def in_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        text = (run / name).read_text(encoding="utf-8")
        assert old in text
        (run / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def in_workbook(sheet: int, pattern: str, text: str) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        path, part = run / "summary.xlsx", f"xl/worksheets/sheet{sheet}.xml"
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        changed, n = re.subn(pattern, text, parts[part].decode(), count=1)
        assert n == 1
        parts[part] = changed.encode()
        with zipfile.ZipFile(path, "w") as package:
            for name, content in parts.items():
                package.writestr(name, content)

    return change


def in_json(name: str, change_document: Callable[[Any], None]) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        document = json.loads((run / name).read_text())
        change_document(document)
        (run / name).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    return change


def replaced(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        content = (run / name).read_bytes()
        assert old in content
        (run / name).write_bytes(content.replace(old, new))

    return change


def other_thumbnail(run: Path) -> None:
    path = run / "slides/a/thumb.jpg"
    with Image.open(path) as image:
        image.rotate(180).save(path, "JPEG", comment=image.info["comment"])


def other_class_picture(run: Path) -> None:
    """The same picture with a class wiped out and a note that fits its pixels."""
    path = run / "slides/a/classes.png"
    with Image.open(path) as image:
        assert hasattr(image, "text")
        note = json.loads(image.text["wsi-area"])
        pixels, palette = np.asarray(image).copy(), image.getpalette()
    pixels[pixels == pixels.max()] = 0
    wiped = Image.frombytes("P", pixels.shape[::-1], pixels.tobytes())
    wiped.putpalette(palette)
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("wsi-area", json.dumps({**note, "pixels": hashlib.sha256(pixels.tobytes()).hexdigest()}))
    wiped.save(path, "PNG", pnginfo=text)


def first_finding(document: Any) -> None:
    document["findings"][0]["message"] = "nothing to see here"


def other_settings(document: Any) -> None:
    document["settings"]["segmenter"]["threshold"] = 0.1


def other_focus(document: Any) -> None:
    document["foci"]["listed"][0]["centroid_x_l0_px"] += 1


KINDS: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    # name: what is done, then the slide, the file and the words that must be named
    "a number in the CSV": (in_csv("summary.csv", 1, "tumor_area_mm2", "9.9"), "a", "summary.csv", "in row 2"),
    "a digit at the end": (
        in_csv("summary.csv", 2, "n_px_tumor", "45239"),
        "b",
        "summary.csv",
        "n_px_tumor is '45239'",
    ),
    "a pixel size": (in_csv("summary.csv", 2, "mpp_x_um", "0.2501"), "b", "summary.csv", "mpp_x_um is '0.2501'"),
    "a row taken out": (row_out("summary.csv", 2), "b", "summary.csv", "has no row"),
    "a row added": (row_twice("summary.csv", 1, slide_id="c"), "", "summary.csv", "row 5"),
    "a row twice": (row_twice("summary.csv", 1), "a", "summary.csv", "2 rows of this slide"),
    "an area for what failed": (in_csv("summary.csv", 3, "tumor_area_mm2", "1.5"), "text", "summary.csv", "in row 4"),
    "rows in another order": (
        lambda run: write_rows(run / "summary.csv", [rows_of(run / "summary.csv")[n] for n in (0, 2, 1, 3)]),
        "",
        "summary.csv",
        "order",
    ),
    "a flag's text": (in_csv("flags.csv", 1, "message", "fine"), "a", "flags.csv", "message is 'fine' in row 2"),
    "a flag taken out": (row_out("flags.csv", 1), "a", "flags.csv", "no row of this slide"),
    "a failed slide taken out": (row_out("failed.csv", 1), "text", "failed.csv", "no row of this slide"),
    "a reason of a failed one": (in_csv("failed.csv", 1, "reason", "tidied up"), "text", "failed.csv", "'tidied up'"),
    "a failed one added": (row_twice("failed.csv", 1, slide_id="b"), "b", "failed.csv", "1 rows of this slide"),
    "a number in Parquet": (
        in_parquet("summary.parquet", 0, "tissue_area_mm2", 1.0),
        "a",
        "summary.parquet",
        "in row 2",
    ),
    "a class in Parquet": (in_parquet("areas.parquet", 5, "n_px", 7), "b", "areas.parquet", "n_px is 7"),
    "a row out of Parquet": (parquet_cut("areas.parquet"), "a", "areas.parquet", "rows of this slide"),
    "a number in a cell": (
        in_workbook(1, r"(<c r=\"D2\"[^>]*><v>)[^<]*", r"\g<1>9.9"),
        "a",
        "summary.xlsx",
        "is 9.9 in sheet summary, row 2",
    ),
    "a text in a cell": (
        in_workbook(4, r"(<c r=\"C2\"[^>]*>.*?<t [^>]*>)[^<]*", r"\g<1>ok"),
        "text",
        "summary.xlsx",
        "sheet failed, row 2",
    ),
    "a row out of a sheet": (
        in_workbook(1, r"<row r=\"3\">.*?</row>", ""),
        "b",
        "summary.xlsx",
        "sheet summary, it has no row",
    ),
    "the seal in the workbook": (in_workbook(7, r"[0-9a-f]{64}", "0" * 64), "", "summary.xlsx", "sheet seal, row 2"),
    "a formula in a cell": (
        in_workbook(1, r"(<c r=\"D2\"[^>]*>)(<v>)", r"\g<1><f>1+1</f>\g<2>"),
        "a",
        "summary.xlsx",
        "'=1+1'",
    ),
    "an object's area": (in_parquet("objects.parquet", 0, "area_px", 7), "a", "objects.parquet", "row 1: area_px is 7"),
    "an object taken out": (parquet_cut("objects.parquet"), "a", "objects.parquet", "row 1"),
    "a slide's own object": (
        in_parquet("slides/b/objects.parquet", 0, "area_px", 7),
        "b",
        "objects.parquet",
        "row 1: area_px is 7",
    ),
    "a thumbnail": (other_thumbnail, "a", "thumb.jpg", "not the file that was written"),
    "a class picture": (other_class_picture, "a", "classes.png", "pixels are not what the class map shows"),
    "a damaged class picture": (
        lambda run: (run / "slides/b/classes.png").write_bytes(b"PNG"),
        "b",
        "classes.png",
        "not the file",
    ),
    "a word in the report": (
        replaced("report.html", b"Report of 3 slides", b"Report of 2 slides"),
        "",
        "report.html",
        "not the file",
    ),
    "a finding's text": (
        in_json("slides/a/result.json", first_finding),
        "a",
        "result.json",
        "not what was sealed",
    ),
    "a focus of the document": (
        in_json("slides/a/result.json", other_focus),
        "a",
        "objects.parquet",
        "row 1: centroid_x_l0_px",
    ),
    "a setting": (in_json("run.json", other_settings), "", "run.json", "not the file that was written"),
    "the hash of the settings": (
        in_json("run.json", lambda d: d.update(config_hash="0" * 64)),
        "",
        "seal.json",
        "does not name the slides and the settings",
    ),
    "a slide not planned": (
        in_json("run.json", lambda d: d["slides_planned"].pop(1)),
        "",
        "seal.json",
        "same slides: b",
    ),
    "a digest of the seal": (
        in_json("seal.json", lambda d: d["slides"]["a"].update(ledger="0" * 64)),
        "",
        "seal.json",
        "one of them was changed",
    ),
    "a seal that fits itself": (
        in_json("seal.json", lambda d: d.update(seal="0" * 64)),
        "",
        "seal.json",
        "run.json says",
    ),
    "what was added later": (
        in_json("seal.json", lambda d: d["later"][0].update(name="x")),
        "",
        "seal.json",
        "addition 1",
    ),
    "why a slide failed": (
        in_text("slides/text/result.json", "neither OpenSlide nor we", "nobody"),
        "text",
        "result.json",
        "not the file that was written",
    ),
    "the scale of a class map": (
        in_text("slides/a/mask.ome.zarr/zarr.json", '"scale"', '"scales"'),
        "a",
        "mask.ome.zarr/zarr.json",
        "not the file that was written",
    ),
    "the colours of a class map": (
        in_text("slides/b/mask.ome.zarr/zarr.json", "255", "254"),
        "b",
        "mask.ome.zarr/zarr.json",
        "not the file that was written",
    ),
    "a table of another run": (
        lambda run: (run / "regions.csv").write_text("slide_id,area_mm2\na,12\n"),
        "",
        "regions.csv",
        "no such table",
    ),
    "a table of another run in Parquet": (
        lambda run: shutil.copy(run / "areas.parquet", run / "hotspots.parquet"),
        "",
        "hotspots.parquet",
        "no such table",
    ),
    "no seal any more": (lambda run: (run / "seal.json").unlink(), "", "seal.json", "is not there"),
    "no table any more": (lambda run: (run / "flags.csv").unlink(), "", "flags.csv", "not there"),
    "no thumbnail any more": (
        lambda run: (run / "slides/b/thumb.jpg").unlink(),
        "b",
        "thumb.jpg",
        "not there any more",
    ),
    "no workbook": (lambda run: (run / "summary.xlsx").write_bytes(b"PK"), "", "summary.xlsx", "cannot be read"),
    "no CSV": (lambda run: (run / "flags.csv").write_bytes(b"\xff\xfe\x00"), "", "flags.csv", "cannot be read"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_falsified_is_named_with_its_file_and_its_place(run: Path, kind: str) -> None:
    falsify, slide_id, what, words = KINDS[kind]
    falsify(run)
    found = told(run)
    assert [(slide, file) for slide, file, message in found if words in message] == [(slide_id, what)], found


def test_what_nobody_touched_agrees_and_bears_its_seal(run: Path) -> None:
    verified = verify_run(run, with_slides=False)
    assert (verified.disagreements, verified.not_held) == ((), ())
    assert verified.seal == json.loads((run / "run.json").read_text())["seal"]
    assert [added.name for added in verified.later] == ["report"]


def test_a_slide_that_is_none_of_the_run_is_named_as_not_held(run: Path) -> None:
    shutil.copytree(run / "slides/a", run / "slides/a (copy)")
    verified = verify_run(run, with_slides=False)
    assert verified.disagreements == ()
    assert verified.not_held == ("of no slide of this run, so not held: slides/a (copy)",)


def test_a_document_that_was_edited_is_named_alone_and_not_the_tables_that_are_right(run: Path) -> None:
    in_json("slides/a/result.json", first_finding)(run)
    assert {what for _, what, _ in told(run)} == {"result.json"}


def test_several_workers_find_what_one_finds(run: Path) -> None:
    KINDS["a class picture"][0](run)
    KINDS["a flag's text"][0](run)
    alone = verify_run(run, with_slides=False)
    assert len(alone.disagreements) == 2
    assert verify_run(run, with_slides=False, workers=2) == alone


NESTED = "[" * 100_000 + "]" * 100_000
DAMAGE: dict[str, bytes] = {
    "nested": json.dumps({"classes": 1})[:-2].encode() + NESTED.encode() + b"}",
    "nested a little": json.dumps({"classes": []})[:-2].encode() + b"[" * 300 + b"]" * 300 + b"]}",
    "not UTF-8": b'{"slide_id": "\xff\xfe"}',
    "of other types": b'{"classes": {"a": [1]}, "counts": 3, "work": null}',
    "not a number": b'{"classes": [NaN]}',
    "a list": b"[1, 2]",
    "empty": b"",
    "a number of many digits": b'{"classes": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_tampered_document_costs_itself_in_verify_and_in_the_report(run: Path, damage: str) -> None:
    (run / "slides/a/result.json").write_bytes(DAMAGE[damage])
    ended = wsi_area("verify", run, "--no-slides", "--json")
    assert ended.code == 4
    assert {fault["slide_id"] for fault in ended.document["disagreements"]} == {"a"}
    reported = wsi_area("report", run)
    assert reported.code == 4
    assert "a stands in the report as failed: " in reported.err
    page = (run / "report.html").read_text()
    assert "3 slides" in page
    assert "<code>" in page


def test_a_document_larger_than_any_of_ours_is_not_read(run: Path) -> None:
    with (run / "slides/a/result.json").open("r+b") as file:
        file.truncate((1 << 28) + 1)  # a hole: it takes no space
    (fault,) = verify_run(run, with_slides=False).disagreements
    assert (fault.slide_id, fault.what) == ("a", "record")
    assert str((1 << 28) + 1) in fault.message


def test_the_seal_on_a_paper_finds_its_run_and_no_other(run: Path) -> None:
    seal = json.loads((run / "run.json").read_text())["seal"]
    assert f"Seal of the run <code>{seal}</code>" in (run / "report.html").read_text()
    assert wsi_area("verify", run, "--no-slides", "--seal", seal[:12]).code == 0
    ended = wsi_area("verify", run, "--no-slides", "--seal", "0123456789ab")
    assert ended.code == 4
    assert "it is another run" in ended.out


def test_an_export_and_another_report_are_chained_to_the_seal_of_the_run(run: Path) -> None:
    assert wsi_area("export", run, "--format", "geojson").code == 0
    (run / "report.html").write_text("another")
    assert wsi_area("report", run).code == 0  # the same bytes as before: nothing is added
    verified: Verified = verify_run(run, with_slides=False)
    assert verified.disagreements == ()
    assert [added.name for added in verified.later] == ["report", "export geojson"]
    assert [added.previous for added in verified.later] == [verified.seal, verified.later[0].seal]
    outlines = run / "slides/a/regions.geojson.gz"
    outlines.write_bytes(outlines.read_bytes()[:-1] + b"x")
    assert [(slide, what) for slide, what, _ in told(run)] == [("a", "regions.geojson.gz")]


def test_a_run_without_a_seal_says_in_one_line_what_is_not_held(run: Path) -> None:
    (run / "seal.json").unlink()
    in_json("run.json", lambda document: document.pop("seal"))(run)
    with zipfile.ZipFile(io.BytesIO((run / "summary.xlsx").read_bytes())) as package:
        assert "xl/worksheets/sheet5.xml" in package.namelist()
    (run / "summary.xlsx").unlink()  # what bears the seal is of now
    table = pq.read_table(run / "areas.parquet")
    pq.write_table(table.drop_columns(["is_positive"]), run / "areas.parquet")  # a column that it did not have
    verified = verify_run(run, with_slides=False)
    assert verified.disagreements == ()
    (line,) = verified.not_held
    assert "has no seal" in line
    in_csv("summary.csv", 1, "tumor_area_mm2", "9.9")(run)
    assert [(slide, what) for slide, what, _ in told(run)] == [("a", "summary.csv")]
