"""`wsi-area reference`: points over slides whose truth is known, answered by it, and wrong in ways that are known."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from measuring import measure
from synthetic import FileForm, box, write_slide
from synthetic_textures import write_outlines

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

SIZE, FORM = Size(1280, 1024), FileForm(mpp=Mpp(1.0, 1.0))
FOUND = (100, 100, 400, 300)  # left, top, width, height of what the map calls tissue


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    for name in ("a", "b"):
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": box(SIZE, *FOUND)}, FORM)
    return folder


def measured(slides: Path, out: Path, *assignments: str) -> Path:
    measure([slides / "a.tif", slides / "b.tif"], out, "tiling.skip_glass=false", *assignments)
    return out


@pytest.fixture(scope="module")
def first_run(slides: Path) -> Path:
    return measured(slides, slides / "out", "tiling.tile_px=128")


@pytest.fixture
def run(first_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(first_run, tmp_path / "out")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def answered(points: Path, to: Path, truth: Callable[[dict[str, str]], str]) -> Path:
    rows = rows_of(points)
    return written(to, [{**row, "answer": truth(row)} for row in rows])


def written(to: Path, rows: list[dict[str, str]]) -> Path:
    with to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return to


def in_box(row: dict[str, str], left: int, top: int, width: int, height: int) -> bool:
    x, y = int(row["x_px"]), int(row["y_px"])
    return left <= x < left + width and top <= y < top + height


def wider(row: dict[str, str]) -> str:
    """The truth: tissue reaches 40 px further to the right than the map has it."""
    return "tissue" if in_box(row, 100, 100, 440, 300) else "background"


def drawn(run: Path, *options: str) -> Path:
    ended = wsi_area("reference", "draw", run, "--seed", "7", *options, "--json")
    assert ended.code == 0, ended.err
    return Path(str(run)) / "reference" / ended.document["name"]


def area_of(document: dict[str, Any], slide: str, name: str) -> dict[str, Any]:
    (found,) = [a for a in document["areas"] if (a["slide_id"], a["class"]) == (slide, name)]
    return found


@pytest.mark.parametrize("by", ["slide", "run"])
def test_a_map_that_is_too_small_is_adjusted_to_the_area_that_is_there(run: Path, tmp_path: Path, by: str) -> None:
    folder = drawn(run, "--points", "600", "--by", by)
    ended = wsi_area("reference", "score", run, answered(folder / "points.csv", tmp_path / "r.csv", wider), "--json")
    assert ended.code == 0, ended.err
    for slide, slides in (("a", 1), ("b", 1), ("(run)", 2)):
        tissue = area_of(ended.document, slide, "tissue")
        assert tissue["counted_mm2"] == pytest.approx(slides * 0.12)
        assert tissue["ci95_low_mm2"] < slides * 0.132 < tissue["ci95_high_mm2"]
        assert tissue["users_accuracy"] == 1.0
    whole = area_of(ended.document, "(run)", "tissue")
    assert whole["adjusted_mm2"] == pytest.approx(0.264, abs=0.03)
    assert whole["producers_accuracy"] == pytest.approx(0.12 / 0.132, abs=0.1)
    table = rows_of(folder / "areas.csv")
    assert list(table[0]) == ["slide_id", "class", "counted_mm2", "adjusted_mm2", "ci95_low_mm2", "ci95_high_mm2"]
    told = [(row["slide_id"], row["class"], float(row["adjusted_mm2"])) for row in table]
    assert told == [(a["slide_id"], a["class"], a["adjusted_mm2"]) for a in ended.document["areas"]]


def test_published_areas_and_their_half_widths_come_through_the_command_line(tmp_path: Path) -> None:
    # Olofsson et al. 2014, table 8: 0.09 ha a pixel there is 0.09 µm² here, so that a hectare is a µm²
    size = Size(4000, 2500)
    write_slide(tmp_path / "land.tif", size, {"tissue": box(size, 0, 0, 4000, 2500)}, FileForm(mpp=Mpp(0.3, 0.3)))
    outlines = {
        "deforestation": [(0, 0, 500, 400)], "gain": [(1000, 0, 1500, 300)], "forest": [(0, 500, 2000, 2100)],
    }  # fmt: skip
    write_outlines(tmp_path / "land.geojson", outlines)
    inputs = collect_slides([str(tmp_path / "land.tif")], annotations=tmp_path / "land.geojson")
    (tmp_path / "land.toml").write_text(
        '[segmenter]\nname = "regions"\n[tiling]\nwork_mpp = 0.3\n'
        + "".join(
            f'[[segmenter.classes]]\nid = {n}\nname = "{name}"\ncolor = "#00000{n}"\n{tissue}'
            for n, (name, tissue) in enumerate(
                (("background", ""), *((k, f'is_tissue = true\nmatch = ["{k}"]\n') for k in outlines))
            )
        )
    )
    run_slides(inputs, load(tmp_path / "land.toml", []), tmp_path / "out")
    options = ("deforestation=75", "gain=75", "forest=165", "background=325")
    folder = drawn(tmp_path / "out", "--boundary-um", "0", *(w for o in options for w in ("--points-in", o)))
    names = ("deforestation", "gain", "forest", "background")
    counts = ([66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313])  # by mapped class; true classes
    design = json.loads((folder / "design.json").read_text())
    mapped = {p["point_id"]: p["class_name"] for p in design["points"]}
    assert Counter(mapped.values()) == dict(zip(names, map(sum, counts), strict=True))
    left = {name: iter(np.repeat(names, row).tolist()) for name, row in zip(names, counts, strict=True)}
    answers = answered(folder / "points.csv", tmp_path / "r.csv", lambda row: next(left[mapped[row["point_id"]]]))
    ended = wsi_area("reference", "score", tmp_path / "out", answers, "--json")
    assert ended.code == 0, ended.err
    found = [area_of(ended.document, "land", name) for name in names]
    assert [round(a["adjusted_mm2"] * 1e6) for a in found] == [21158, 11686, 285770, 581386]
    assert [round(a["published_mm2"] * 1e6) for a in found] == [6158, 3756, 15510, 16282]
    assert all(a["ci95_low_mm2"] < a["adjusted_mm2"] < a["ci95_high_mm2"] for a in found)


def test_the_draw_is_that_of_its_seed_whatever_the_tiles(slides: Path, tmp_path: Path) -> None:
    places = []
    for number, tile_px in enumerate((64, 128, 512)):
        run = measured(slides, tmp_path / str(number), f"tiling.tile_px={tile_px}")
        rows = rows_of(drawn(run) / "points.csv")
        places.append([(r["slide_id"], r["x_px"], r["y_px"]) for r in rows])
    assert places[0] == places[1] == places[2]
    other = wsi_area("reference", "draw", tmp_path / "0", "--seed", "8", "--name", "other", "--json")
    assert other.code == 0
    rows = rows_of(tmp_path / "0" / "reference" / "other" / "points.csv")
    assert [(r["slide_id"], r["x_px"], r["y_px"]) for r in rows] != places[0]


def test_strata_add_up_to_the_counts_and_each_has_its_floor(run: Path) -> None:
    design = json.loads((drawn(run) / "design.json").read_text())
    opened = open_run(run)
    for name in ("a", "b"):
        counted = {c.name: c.n_px for c in opened[name].counted.classes}
        summed: Counter[str] = Counter()
        for stratum in design["strata"]:
            if stratum["slide_id"] == name:
                summed[stratum["class_name"]] += stratum["n_px"]
        assert summed == counted
    points = Counter((p["class_name"], p["zone"]) for p in design["points"])
    assert len(design["points"]) == 300
    assert set(points) == {(c, z) for c in ("background", "tissue") for z in ("inside", "boundary")}
    assert min(points.values()) >= 50
    for point in design["points"]:
        row = {"x_px": str(point["x_px"]), "y_px": str(point["y_px"])}
        assert in_box(row, *FOUND) == (point["class_name"] == "tissue")


def test_what_a_reader_gets_says_nothing_of_the_map(run: Path) -> None:
    folder = drawn(run)
    rows = rows_of(folder / "points.csv")
    assert list(rows[0]) == ["point_id", "slide_id", "x_px", "y_px", "answer"]
    assert {row["answer"] for row in rows} == {""}
    for name in ("points.csv", "points.geojson"):
        assert not {"tissue", "boundary", "inside"} & set(json.dumps((folder / name).read_text()).split('"'))
    form = (folder / "form.html").read_text()
    assert '"inside"' not in form
    assert "http://" not in form
    assert form.count('"jpeg"') == len(rows)
    features = json.loads((folder / "points.geojson").read_text())["features"]
    assert features[0]["geometry"]["coordinates"] == [int(rows[0]["x_px"]) + 0.5, int(rows[0]["y_px"]) + 0.5]
    design = json.loads((folder / "design.json").read_text())
    zones = [p["class_name"] for p in design["points"]]
    assert sorted(zones) != zones  # numbered in random order over the strata


def refused(run: Path, *answers: Path) -> str:
    ended = wsi_area("reference", "score", run, *answers)
    assert ended.code == 1
    return ended.err.replace("\n", " ")


def test_answers_that_would_bend_the_sample_are_refused_with_their_number(run: Path, tmp_path: Path) -> None:
    folder = drawn(run)
    whole = rows_of(answered(folder / "points.csv", tmp_path / "r.csv", wider))
    gaps = [{**row, "answer": "" if n in (3, 5) else row["answer"]} for n, row in enumerate(whole)]
    assert "2 of the first 300 points have no answer" in refused(run, written(tmp_path / "g.csv", gaps))
    strange = [{**row, "answer": "Tissue!" if n < 4 else row["answer"]} for n, row in enumerate(whole)]
    assert "4 answers are no class of the run" in refused(run, written(tmp_path / "s.csv", strange))
    moved = [{**row, "x_px": str(int(row["x_px"]) + (n == 9))} for n, row in enumerate(whole)]
    assert "1 points are not where they were drawn" in refused(run, written(tmp_path / "m.csv", moved))
    foreign = [{**row, "point_id": "p000000-001"} for row in whole]
    assert "is of none of the draws" in refused(run, written(tmp_path / "f.csv", foreign))
    mixed = [*whole[:-1], foreign[-1]]
    assert "1 of 300 points are not of the draw" in refused(run, written(tmp_path / "x.csv", mixed))
    twice = [*whole, whole[0]]
    assert "is answered twice" in refused(run, written(tmp_path / "t.csv", twice))
    assert not (folder / "areas.csv").exists()


@pytest.mark.parametrize("spelt", [str.title, str.upper, lambda name: f" {name}  "])
def test_a_class_is_meant_in_any_case(run: Path, tmp_path: Path, spelt: Callable[[str], str]) -> None:
    folder = drawn(run, "--points", "60")
    plain = answered(folder / "points.csv", tmp_path / "plain.csv", wider)
    ended = wsi_area("reference", "score", run, plain, "--json")
    other = answered(folder / "points.csv", tmp_path / "other.csv", lambda row: spelt(wider(row)))
    again = wsi_area("reference", "score", run, other, "--json")
    assert (ended.code, again.code) == (0, 0), again.err
    assert again.document["areas"] == ended.document["areas"]


def test_answers_to_another_run_and_to_slides_measured_again_are_refused(
    slides: Path, run: Path, tmp_path: Path
) -> None:
    answers = answered(drawn(run) / "points.csv", tmp_path / "r.csv", wider)
    other = measured(slides, tmp_path / "other", "segmenter.threshold=90")
    drawn(other)
    assert "of none of the draws" in refused(other, answers)
    measure([slides / "a.tif", slides / "b.tif"], run, "tiling.work_mpp=4", force=True)
    assert "was measured again since" in refused(run, answers)


def test_a_reader_may_stop_early_and_pays_with_width(run: Path, tmp_path: Path) -> None:
    rows = rows_of(answered(drawn(run) / "points.csv", tmp_path / "r.csv", wider))
    whole = wsi_area("reference", "score", run, tmp_path / "r.csv", "--json").document
    some = [{**row, "answer": row["answer"] if n < 150 else ""} for n, row in enumerate(rows)]
    early = wsi_area("reference", "score", run, written(tmp_path / "some.csv", some), "--json").document
    assert any("150 of 300 points are answered" in note for note in early["notes"])
    widths = [t["ci95_high_mm2"] - t["ci95_low_mm2"] for t in (area_of(d, "(run)", "tissue") for d in (whole, early))]
    assert widths[1] > 1.2 * widths[0]


def test_what_nobody_can_tell_widens_the_interval_both_ways(run: Path, tmp_path: Path) -> None:
    points = drawn(run) / "points.csv"
    sure = wsi_area("reference", "score", run, answered(points, tmp_path / "a.csv", wider), "--json").document
    doubt = answered(points, tmp_path / "b.csv", lambda row: "?" if in_box(row, 480, 100, 160, 300) else wider(row))
    unsure = wsi_area("reference", "score", run, doubt, "--json").document
    first, second = (area_of(document, "(run)", "tissue") for document in (sure, unsure))
    assert second["ci95_high_mm2"] > first["ci95_high_mm2"]
    assert second["ci95_low_mm2"] < first["ci95_low_mm2"]
    assert any("answers are ?" in note for note in unsure["notes"])


def test_two_readers_have_a_kappa_and_a_spread_and_their_mean_is_the_area(run: Path, tmp_path: Path) -> None:
    points = drawn(run, "--points", "600") / "points.csv"
    first = answered(points, tmp_path / "wide.csv", wider)
    second = answered(points, tmp_path / "tight.csv", lambda row: "tissue" if in_box(row, *FOUND) else "background")
    found = wsi_area("reference", "score", run, first, second, "--json").document
    alone = [wsi_area("reference", "score", run, one, "--json").document for one in (first, second)]
    areas = [area_of(document, "(run)", "tissue")["adjusted_mm2"] for document in alone]
    both = area_of(found, "(run)", "tissue")
    assert both["adjusted_mm2"] == pytest.approx(sum(areas) / 2)
    assert both["observer_u_mm2"] == pytest.approx(abs(areas[0] - areas[1]) / 2**0.5)
    assert 0.8 < found["kappa"] < 1
    assert [alone[0]["kappa"], area_of(alone[0], "(run)", "tissue")["observer_u_mm2"]] == [None, None]


def test_points_keep_their_distance_or_the_draw_is_refused(run: Path) -> None:
    rows = rows_of(drawn(run, "--points", "200", "--min-distance-um", "20") / "points.csv")
    for slide in ("a", "b"):
        at = np.array([(int(r["x_px"]), int(r["y_px"])) for r in rows if r["slide_id"] == slide], float)
        apart = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
        assert apart[~np.eye(len(at), dtype=bool)].min() >= 20
    ended = wsi_area("reference", "draw", run, "--min-distance-um", "400", "--name", "far")
    assert ended.code == 1
    assert "give a smaller --min-distance-um" in ended.err.replace("\n", " ")


def test_a_draw_is_never_replaced_and_what_was_scored_is_under_the_seal(run: Path, tmp_path: Path) -> None:
    folder = drawn(run)
    again = wsi_area("reference", "draw", run)
    assert again.code == 1
    assert "give another --name" in again.err.replace("\n", " ")
    wsi_area("reference", "score", run, answered(folder / "points.csv", tmp_path / "r.csv", wider))
    assert wsi_area("verify", run).code == 0
    table = (folder / "areas.csv").read_text()
    (folder / "areas.csv").write_text(table.replace("tissue", "tumour"))
    ended = wsi_area("verify", run)
    assert ended.code == 4
    assert "areas.csv" in ended.out + ended.err


def test_a_slide_whose_file_is_gone_has_points_without_pictures(slides: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.tif").write_bytes((slides / f"{name}.tif").read_bytes())
    run = measured(tmp_path, tmp_path / "out")
    (tmp_path / "b.tif").unlink()
    ended = wsi_area("reference", "draw", run, "--json")
    assert ended.code == 2
    n_b = sum(row["slide_id"] == "b" for row in rows_of(run / "reference" / "points" / "points.csv"))
    assert ended.document["without_picture"] == n_b > 0
