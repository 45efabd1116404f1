"""form.html in a browser: answered by key, saved as CSV, and scored as it was saved."""

import csv
from pathlib import Path
from typing import Any

from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, box, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE = Size(640, 512)


def test_a_form_answered_by_key_is_saved_and_scored_and_asks_no_network(browser: Any, tmp_path: Path) -> None:
    write_slide(tmp_path / "a.tif", SIZE, {"tissue": box(SIZE, 100, 100, 200, 200)}, FileForm(mpp=Mpp(1.0, 1.0)))
    measure(tmp_path / "a.tif", tmp_path / "out")
    drawn = wsi_area("reference", "draw", tmp_path / "out", "--points", "12", "--json")
    assert drawn.code == 0, drawn.err
    folder = tmp_path / "out" / "reference" / "points"
    page = browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((folder / "form.html").as_uri())
    keys = {"tissue": "2", "background": "1"}
    with (folder / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    truth = ["tissue" if 100 <= int(r["x_px"]) < 300 and 100 <= int(r["y_px"]) < 300 else "background" for r in rows]
    page.keyboard.press("0")  # a slip, taken back
    page.keyboard.press("Backspace")
    for name in truth:
        page.keyboard.press(keys[name])
    assert page.inner_text("#done") == f"{len(rows)} of {len(rows)} answered"
    with page.expect_download() as saved:
        page.keyboard.press("s")
    saved.value.save_as(tmp_path / "reader.csv")
    page.close()
    with (tmp_path / "reader.csv").open() as file:
        answers = list(csv.DictReader(file))
    assert [row["answer"] for row in answers] == truth
    assert [{**row, "answer": ""} for row in answers] == rows
    assert not faults
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    scored = wsi_area("reference", "score", tmp_path / "out", tmp_path / "reader.csv", "--json")
    assert scored.code == 0, scored.err
    assert [a["adjusted_mm2"] for a in scored.document["areas"] if a["class"] == "tissue"] == [0.04, 0.04]
