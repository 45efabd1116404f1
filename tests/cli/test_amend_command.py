"""`wsi-area amend` and `run --corrections`: what they print, what they refuse, and how they end."""

import json
from pathlib import Path

import pytest
from command_line import Ended, wsi_area
from measuring import FLAT
from painting_by_hand import box, operation, write_corrections
from synthetic import FileForm, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

SIZE = Size(400, 300)
LINE = [part for text in (*FLAT, "tiling.tile_px=128") for part in ("--set", text)] + ["--no-report"]
ADD = operation("add", box(10.3, 10.3, 60.7, 50.2), **{"class": "tissue"})


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("slides")
    form = FileForm(mpp=Mpp(0.5, 0.5))
    return [write_slide(folder / f"{n}.tif", SIZE, {"tissue": disc(SIZE, 200, 150, r)}, form).path
            for n, r in (("a", 100), ("b", 80))]  # fmt: skip


@pytest.fixture
def out(slides: list[Path], tmp_path: Path) -> Path:
    assert wsi_area("run", *slides, "--out", tmp_path / "out", *LINE).code == 0
    return tmp_path / "out"


def base(out: Path, slide: str) -> str:
    found: str = wsi_area("amend", out, slide, "--json").document["measured"]
    return found


def amend(out: Path, slide: str, file: Path, *options: str) -> Ended:
    return wsi_area("amend", out, slide, file, *options)


def test_the_version_is_told_with_each_area_measured_and_amended(out: Path, tmp_path: Path) -> None:
    ended = amend(out, "a", write_corrections(tmp_path / "c.geojson", base(out, "a"), [ADD]))
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0] == "a: amended version 1"
    # 51 columns of centres from 10.5 to 60.5, and 40 rows: 2040 px of 0.25 µm²
    assert any(line.strip().startswith("tissue: +0.00051 mm², ") and line.endswith("mm² amended") for line in lines)
    assert "1. add tissue: 0.00051 mm² changed (A. Reader, 2026-03-01T10:00:00Z)" in ended.out
    again = amend(out, "a", tmp_path / "c.geojson", "--json")
    assert (again.document["version"], again.document["was_there"]) == (1, True)
    assert "had been laid before, as version 1" in again.err
    (of_tissue,) = (c for c in again.document["classes"] if c["name"] == "tissue")
    assert of_tissue["amended_px"] - of_tissue["measured_px"] == 51 * 40
    (version,) = wsi_area("amend", out, "a", "--json").document["versions"]
    assert (version["number"], version["listed"][0]["n_px_changed"]) == (1, 51 * 40)
    lines = wsi_area("amend", out, "a").out.splitlines()
    assert lines[2].startswith("a: amended version 1 of what was measured, tissue ")
    assert lines[3] == "  1. add tissue: 0.00051 mm² changed (A. Reader, 2026-03-01T10:00:00Z)"


def test_corrections_without_effect_are_told_as_such_and_a_second_list_says_what_it_lacks(
    out: Path, tmp_path: Path
) -> None:
    measured = base(out, "a")
    erased = operation("erase", box(10.3, 10.3, 60.7, 50.2), **{"class": "tissue"})
    nothing = write_corrections(tmp_path / "n.geojson", measured, [erased])
    ended = amend(out, "a", nothing)
    assert (ended.code, ended.out.splitlines()[0]) == (
        0, "a: no pixel is another one by these corrections, so no version is made",
    )  # fmt: skip
    assert "1. erase tissue: nothing changed" in ended.out
    told = amend(out, "a", nothing, "--json").document
    assert (told["version"], told["content_hash"]) == (None, measured)
    assert {c["measured_px"] - c["amended_px"] for c in told["classes"]} == {0}
    assert not list(out.glob("slides/*/amended/*"))
    assert amend(out, "a", write_corrections(tmp_path / "c.geojson", measured, [ADD])).code == 0
    other = operation("add", box(70.3, 10.3, 90.7, 50.2), **{"class": "tissue"})
    second = amend(out, "a", write_corrections(tmp_path / "o.geojson", measured, [other]))
    assert "the corrections of version 1 are not in it" in " ".join(second.out.split())
    assert amend(out, "a", tmp_path / "o.geojson", "--json").document["versions_beside"] == [1]


def test_what_became_of_an_outline_is_told(out: Path, tmp_path: Path) -> None:
    bow = {"type": "Polygon", "coordinates": [[[10, 10], [60, 60], [60, 10], [10, 60], [10, 10]]]}
    dot = box(5.1, 5.1, 5.2, 5.2)
    file = write_corrections(
        tmp_path / "c.geojson",
        base(out, "a"),
        [operation("add", bow, **{"class": "tissue"}), operation("add", dot, **{"class": "tissue"})],
    )
    ended = amend(out, "a", file)
    told = " ".join(ended.out.split())
    assert ended.code == 0
    assert "OUTLINE_REPAIRED" in told
    assert "2. add tissue: nothing changed, the centre of no pixel lies in it" in told


def test_of_many_corrections_the_first_are_told_one_by_one_and_the_rest_by_their_number(
    out: Path, tmp_path: Path
) -> None:
    drawn = [operation("add", box(x + 0.3, 10.3, x + 3.7, 20.2), **{"class": "tissue"}) for x in range(5, 200, 5)]
    drawn += [operation("erase", box(x + 0.3, 280.3, x + 3.7, 290.2)) for x in range(5, 30, 5)]
    ended = amend(out, "a", write_corrections(tmp_path / "c.geojson", base(out, "a"), drawn))
    lines = [line.strip() for line in ended.out.splitlines()]
    assert sum(line[:1].isdigit() for line in lines) == 30
    assert "and 14 more, of which 5 change nothing: amendment.listed in result.json has them" in lines
    assert "and 14 more" in wsi_area("amend", out, "a").out
    assert len(amend(out, "a", tmp_path / "c.geojson", "--json").document["result"]["amendment"]["listed"]) == 44


@pytest.mark.parametrize("name", ["Ada\nMiller", "Ada\x1b[31m", "Ada\rMiller"])
@pytest.mark.parametrize("order", [True, False])
def test_a_reviewer_is_one_line_of_text_or_nothing_is_laid(out: Path, tmp_path: Path, name: str, order: bool) -> None:
    drawn = operation("add", box(10.3, 10.3, 60.7, 50.2), **{"class": "tissue"})
    if not order:
        del drawn["properties"]["operation"]
    file = tmp_path / "c.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "base": base(out, "a"), "features": [drawn]}))
    ended = amend(out, "a", file, "--reviewer", name)
    assert ended.code == 2
    assert "is not one line of text" in ended.err
    assert "\x1b" not in ended.err
    assert not (out / "slides/a/amended").exists()


@pytest.mark.parametrize(
    ("slide", "code", "words"),
    [("z", 1, "has no slide 'z'"), ("b", 2, "corrects the slide 'a', not 'b'")],
)
def test_what_cannot_be_amended_is_refused_in_one_line(
    out: Path, tmp_path: Path, slide: str, code: int, words: str
) -> None:
    file = write_corrections(tmp_path / "c.geojson", base(out, "a"), [ADD], slide="a")
    ended = amend(out, slide, file)
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert not list(out.glob("slides/*/amended"))


def test_a_folder_without_a_run_and_a_number_that_is_none_are_refused(out: Path, tmp_path: Path) -> None:
    file = write_corrections(tmp_path / "c.geojson", "", [ADD])
    assert amend(tmp_path / "nothing", "a", file).code == 1
    assert amend(out, "a", file, "--on", "first").code == 1
    missing = amend(out, "a", file, "--on", "3")
    assert (missing.code, "no amended version 3" in missing.err) == (2, True)
    assert amend(out, "a", file, "--on", "measured").code == 0


def test_a_run_lays_corrections_over_the_slides_that_they_name(slides: list[Path], out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "corrected"
    folder.mkdir()
    for name in ("a", "b"):
        write_corrections(folder / f"{name}.geojson", base(out, name), [ADD], slide=name)
    ended = wsi_area("run", *slides, "--out", tmp_path / "fresh", *LINE, "--corrections", folder, "--json")
    assert ended.code == 0
    assert [(one["slide_id"], one["version"]) for one in ended.document["amended"]] == [("a", 1), ("b", 1)]
    assert wsi_area("verify", tmp_path / "fresh").code == 0
    again = wsi_area("run", *slides, "--out", tmp_path / "fresh", *LINE, "--corrections", folder)
    assert again.code == 0
    assert "makes the amended version 1" in again.err
    assert len(list((tmp_path / "fresh").glob("slides/*/amended/*"))) == 2


def test_corrections_that_fit_no_longer_cost_the_run_nothing_but_its_exit_code(
    slides: list[Path], out: Path, tmp_path: Path
) -> None:
    write_corrections(tmp_path / "a.geojson", base(out, "a"), [ADD], slide="a")
    options = [
        "--set",
        "segmenter.threshold=110",
        "--set",
        "tiling.work_mpp=1",
        "--corrections",
        tmp_path / "a.geojson",
    ]
    ended = wsi_area("run", *slides, "--out", tmp_path / "other", *LINE, *options, "--json")
    assert ended.code == 2
    (one,) = ended.document["amended"]
    assert (one["version"], "no result of a" in one["reason"]) == (None, True)
    assert [slide["status"] for slide in ended.document["slides"]] == ["complete", "complete"]


def test_corrections_of_no_slide_of_the_run_stop_it_before_anything_is_measured(
    slides: list[Path], tmp_path: Path
) -> None:
    for n, top in enumerate(({"slide": "z"}, {})):
        file = write_corrections(tmp_path / f"{n}.geojson", "sha256:" + "0" * 64, [ADD], **top)
        ended = wsi_area("run", *slides, "--out", tmp_path / "none", *LINE, "--corrections", file)
        assert ended.code == 2
        assert "slide" in ended.err
        assert not (tmp_path / "none").exists()


def test_diff_tells_what_corrections_changed_and_export_writes_the_version(out: Path, tmp_path: Path) -> None:
    amend(out, "a", write_corrections(tmp_path / "c.geojson", base(out, "a"), [ADD]))
    ended = wsi_area("diff", out, "--amended", "--json")
    assert ended.code == 4
    assert {one["slide_id"] for one in ended.document["slides"]} == {"a"}
    assert wsi_area("diff", out).code == 1
    exported = wsi_area("export", out, "--format", "geojson", "--amended", "--json").document
    assert [(s["slide_id"], s["not_exported"]) for s in exported["slides"]] == [
        ("a", None), ("b", "it has no amended version"),
    ]  # fmt: skip
    place = Path(exported["slides"][0]["path"])
    assert place == out / "slides" / "a" / "amended" / "1" / "regions.geojson.gz"
    assert json.loads((out / "slides" / "a" / "amended" / "1" / "seal.json").read_text())["measured_seal"]
    assert wsi_area("verify", out).code == 0


def test_a_version_whose_base_is_gone_is_named_by_amend_by_the_status_and_by_verify(
    slides: list[Path], out: Path, tmp_path: Path
) -> None:
    amend(out, "a", write_corrections(tmp_path / "c.geojson", base(out, "a"), [ADD]))
    assert wsi_area("review", out, "--status", "--json").document["amended_base_gone"] == {}
    other = ["--set", "segmenter.threshold=110", "--set", "tiling.work_mpp=1", "--force"]
    assert wsi_area("run", *slides, "--out", out, *LINE, *other).code == 0
    assert "its base is gone" in wsi_area("amend", out, "a").out
    assert wsi_area("review", out, "--status", "--json").document["amended_base_gone"] == {"a": [1]}
    assert "a: the base of its amended version 1 is gone" in wsi_area("review", out, "--status").out
    verified = wsi_area("verify", out)
    assert verified.code == 0
    assert "a: the amended version 1 cannot be replayed" in verified.out
    (exported, _) = wsi_area("export", out, "--format", "geojson", "--amended", "--json").document["slides"]
    assert (exported["path"], "is gone" in exported["not_exported"]) == (None, True)


def test_an_amended_slide_is_held_against_the_truth_as_it_is_now(out: Path, tmp_path: Path) -> None:
    drawn = {"type": "Feature", "geometry": box(10.3, 10.3, 60.7, 50.2), "properties": {"classification": "tissue"}}
    (tmp_path / "truth").mkdir()
    for name in ("a", "b"):
        (tmp_path / "truth" / f"{name}.geojson").write_text(json.dumps(drawn))
    replaced = {**drawn, "properties": {"classification": {"name": "tissue"}}}
    (tmp_path / "c.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [replaced]}))
    assert amend(out, "a", tmp_path / "c.geojson", "--reviewer", "A. Reader").code == 0
    (tmp_path / "truth" / "b.geojson").unlink()
    told = [
        wsi_area("evaluate", out, "--truth", tmp_path / "truth", *option, "--json").document["accuracy"]
        for option in ([], ["--amended"])
    ]
    measured, amended = ({c["name"]: c["dice"] for c in one["classes"]}["tissue"] for one in told)
    assert measured < 0.2 < amended == 1


def test_the_report_of_the_amended_slides_is_a_file_of_its_own(out: Path, tmp_path: Path) -> None:
    amend(out, "a", write_corrections(tmp_path / "c.geojson", base(out, "a"), [ADD]))
    assert wsi_area("report", out).code == 0
    measured = (out / "report.html").read_bytes()
    written = wsi_area("report", out, "--amended")
    assert (written.code, written.out.strip()) == (0, str(out / "report_amended.html"))
    page = (out / "report_amended.html").read_text(encoding="utf-8")
    assert "2 slides" in page
    assert "1 with a person&#39;s corrections" in page
    assert "amended version 1: 1 correction by A. Reader" in page
    assert (out / "report.html").read_bytes() == measured
    assert b"with a person" not in measured
    assert wsi_area("verify", out).code == 0
    (out / "report_amended.html").write_text(page.replace("A. Reader", "B. Reader"), encoding="utf-8")
    spoilt = wsi_area("verify", out)
    assert (spoilt.code, "report_amended.html" in spoilt.out) == (4, True)


def test_the_newest_version_is_explained_where_it_is_asked_for(out: Path, tmp_path: Path) -> None:
    refused = wsi_area("explain", out, "a", "--amended")
    assert refused.code == 1
    assert "no amended version" in refused.err
    for number, right_px in enumerate((60.7, 80.7), 1):
        add = operation("add", box(10.3, 10.3, right_px, 50.2), **{"class": "tissue"})
        file = write_corrections(tmp_path / f"{number}.geojson", base(out, "a"), [add])
        assert amend(out, "a", file).code == 0

    def tissue_px(*options: str) -> int:
        classes = wsi_area("explain", out, "a", "--class", "tissue", "--json", *options).document["classes"]
        return int(classes[0]["n_px"])

    assert tissue_px("--amended") - tissue_px() == 71 * 40
    assert wsi_area("explain", "--px", "3", "--mpp", "0.5", "--amended").code == 1


@pytest.mark.parametrize("name", ["regions.geojson.gz", "labels.ome.zarr", "named_regions.geojson.gz"])
def test_the_next_export_of_a_version_removes_what_a_killed_one_left_in_it(
    out: Path, tmp_path: Path, name: str
) -> None:
    assert amend(out, "a", write_corrections(tmp_path / "c.geojson", base(out, "a"), [ADD])).code == 0
    left = out / "slides/a/amended/1" / f".{name}.0123.partial"
    left.write_bytes(b"half")
    assert wsi_area("export", out, "--format", "geojson", "--amended").code == 0
    assert not left.exists()
    assert wsi_area("verify", out).code == 0
