"""The hash of what is decided on: kept by a plain run, by copies and by whoever measures; changed by every number."""

import copy
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from measuring import measure
from pydantic import create_model
from recorded import RESULTS_0_1_0, counted_slide
from synthetic import FileForm, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.documented import Part
from wsi_area.model.geometry import Size
from wsi_area.model.slide_result import CountedSlide, EndedSlide
from wsi_area.results import content_hash as hashing
from wsi_area.results.content_hash import content_hash
from wsi_area.results.documents import document_of, ended_slide, read_result
from wsi_area.results.layout import RunLayout
from wsi_area.results.opened_run import open_run

SIZE = Size(801, 603)
ALL = ("objects.foci=true", "tiling.tile_px=100")

NO_CONTENT = {
    "schema_version", "path", "slide_id", "vendor", "fingerprint", "file_bytes", "objective_power", "bounds_l0_px",
    "levels", "wsi_area_version", "measurement_version", "config_hash", "key", "made_from", "reader", "reader_reason",
    "segmenter", "light", "timing", "tile_errors", "annotations", "roi", "pictures", "reason", "size_filters",
    "budgets",
}  # fmt: skip
"""Parts of a result that say how it came about, or follow from it; what of them is decided on, the certificate has."""
NOT_IN_PART = {
    "work": {"level", "reduce_factor", "asked_work_mpp_um", "work_width_px", "work_height_px", "tile_px", "halo_px",
             "batch_tiles", "tiles", "tiles_skipped", "plan_hash"},
    "calibration": {"pixel_area_mm2", "candidates"},
    "certificate": {"content_digest", "pixel_size", "not_assessed", "sha256", "pictures", "light"},
    "classes": {"color_rgb"},
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("content")
    for name, radius in (("a", 250), ("b", 120)):
        form = FileForm(mpp=Mpp(0.25, 0.25), tile_px=128)
        write_slide(folder / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 400, 300, radius)}, form)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    measure([folder / "a.tif", folder / "b.tif"], out, *ALL)
    return out


def hash_in(out: Path, name: str = "a") -> str:
    return content_hash(read_result(RunLayout(out).slide(name)))


def test_it_says_how_it_was_made(run: Path) -> None:
    kind, _, digits = hash_in(run).partition(":")
    assert kind == "sha256"
    assert len(digits) == 64
    assert int(digits, 16) > 0
    assert hash_in(run) != hash_in(run, "b")


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ((), {}),
        ((), {"force": True}),
        (("run.executor=threads", "run.workers=3"), {"force": True}),
        (("reader.lane=openslide",), {"force": True}),
        (("run.executor=serial",), {"force": True}),
    ],
)
def test_whoever_measures_the_same_slide_again_keeps_it(
    folder: Path, run: Path, tmp_path: Path, settings: tuple[str, ...], options: dict[str, Any]
) -> None:
    out = tmp_path / "out"
    measure(folder / "a.tif", out, *ALL)
    measure(folder / "a.tif", out, *ALL, *settings, **options)
    assert hash_in(out) == hash_in(run)


def test_a_copy_elsewhere_and_later_keeps_it(folder: Path, run: Path, tmp_path: Path) -> None:
    shutil.copyfile(folder / "a.tif", tmp_path / "a.tif")
    os.utime(tmp_path / "a.tif", (1e9, 1e9))
    measure(tmp_path / "a.tif", tmp_path / "out", *ALL)
    assert hash_in(tmp_path / "out") == hash_in(run)


def test_a_twin_that_joins_the_run_keeps_it(folder: Path, run: Path, tmp_path: Path) -> None:
    for name in "ac":
        shutil.copyfile(folder / "a.tif", tmp_path / f"{name}.tif")
    measure([tmp_path / "a.tif", tmp_path / "c.tif"], tmp_path / "out", *ALL)
    opened = open_run(tmp_path / "out")["a"].counted
    assert [finding.code for finding in opened.findings] == ["SLIDE_TWICE"]
    assert content_hash(opened) == hash_in(run)


@pytest.mark.parametrize("settings", [("segmenter.threshold=61",), ("tiling.work_mpp=0.5",)])
def test_other_settings_that_change_a_number_change_it(
    folder: Path, run: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    measure(folder / "a.tif", tmp_path / "out", *ALL, *settings)
    assert hash_in(tmp_path / "out") != hash_in(run)


def test_another_pixel_size_changes_it(folder: Path, run: Path, tmp_path: Path) -> None:
    measure(folder / "a.tif", tmp_path / "out", *ALL, mpp="0.26", mpp_reason="stage micrometer")
    assert hash_in(tmp_path / "out") != hash_in(run)


def test_every_number_that_people_read_of_a_slide_changes_it(run: Path) -> None:
    slide = read_result(RunLayout(run).slide("a"))
    places = content_places(document_of(slide))
    assert {"counts", "classes", "tissue", "analyzed", "calibration", "certificate"} <= {place[0] for place in places}
    assert len(places) > 40
    assert silent_places(slide) == []


RECORDED = [*(name for name in RESULTS_0_1_0 if "classes" in RESULTS_0_1_0[name]), "schema 2"]


@pytest.mark.parametrize("name", RECORDED)
def test_every_number_of_recorded_slides_changes_it(name: str) -> None:
    slide = counted_slide(name)
    assert len(content_places(document_of(slide))) > 20
    assert silent_places(slide) == []


PINNED = {
    "out/complete": "cfd57b2df1b7759f9027d827316f412878f663ee1b59cce73dcbe51ad5442000",
    "out/incomplete": "8d68b59daa03300bbb4aad5ff98ec4b8f5f051d16a2c24432e3d7b94a6929b87",
    "out/needs_calibration": "d67d4ff9c1cd3b9cb46aa7927cf2f1087527ebbfc8f6fdc4bf887684455754b6",
    "stain/complete": "2c7e86e97fbcf517f1a09ab2cb4ed4bc9e43039e46131560eada27838074f4cd",
    "drawn/complete": "10458a1d062eba858c3fd0b2ead8f3adb4a0fd3cebc2c533084c4a7d5b9b7376",
    "roi/complete": "8f83ae38f030828bd207cbc27549afa60ad1af5385df1f1c22d8dfcbbab87901",
    "clean/complete": "15b4e445764ee5883e2c1daaa116bd6655a4e285e77394ed7449f6ad1db367cd",
    "schema 2": "7e08ef74d60844d02f4468d698cd875f26e9680a32b33039ec6c035ab0380cae",
}
"""Hashes that verdicts on record name. Whoever changes one makes these verdicts outdated: raise `CONTENT_RULES`."""


@pytest.mark.parametrize("name", PINNED)
def test_a_verdict_on_a_recorded_slide_still_finds_its_content(name: str) -> None:
    assert content_hash(counted_slide(name)) == f"sha256:{PINNED[name]}"


def test_every_recorded_slide_has_its_hash_pinned() -> None:
    assert sorted(PINNED) == sorted(RECORDED)


def newer(part: Part) -> Part:
    """A part as a later version of the program has it, read from a document that lacks the new fields."""
    added: dict[str, Any] = {
        "new_mm2": (float | None, None), "new_px": (int, 0), "new_flag": (bool, False), "unit": (str, ""),
        "new_list": (tuple[int, ...], ()), "new_part": (dict[str, int], {}),
    }  # fmt: skip
    fields = {name: field for name, field in added.items() if name not in type(part).model_fields}
    return create_model("Newer", __base__=type(part), **fields).model_validate(part.model_dump(by_alias=True))


@pytest.mark.parametrize("name", RECORDED)
def test_a_field_that_a_later_version_adds_with_a_default_changes_nothing(name: str) -> None:
    slide = counted_slide(name)
    parts = {key: value for key, value in slide if isinstance(value, Part)}
    lists = {key: value for key, value in slide if value and isinstance(value, tuple) and isinstance(value[0], Part)}
    assert {"counts", "tumor", "tissue", "calibration"} <= set(parts)
    assert "classes" in lists
    later = slide.model_copy(
        update={
            **{key: newer(value) for key, value in parts.items()},
            **{key: tuple(newer(one) for one in value) for key, value in lists.items()},
        }
    )
    assert "new_px" in type(later.counts).model_fields
    assert content_hash(later) == content_hash(slide)
    told = later.counts.model_copy(update={"new_px": 7})
    assert content_hash(later.model_copy(update={"counts": told})) != content_hash(slide)


@pytest.mark.parametrize("lacking", ["bands", "hotspots", "regions", "tissue_envelope", "certificate"])
def test_a_part_that_a_slide_does_not_have_leaves_no_trace(lacking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[dict[str, Any]] = []
    slide = counted_slide("schema 2")
    assert getattr(slide, lacking) is not None
    monkeypatch.setattr(hashing, "json_digest", lambda facts: str(hashed.append(facts)))
    content_hash(slide.model_copy(update={lacking: None}))
    content_hash(slide)
    without, whole = (one for one in hashed if isinstance(one, dict))
    assert {name: one for name, one in whole.items() if name in without} == without
    assert len(set(whole) - set(without)) == 1


def test_a_better_known_error_of_a_number_is_no_other_number() -> None:
    slide = counted_slide("schema 2")
    assert slide.budgets is not None
    assert content_hash(slide.model_copy(update={"budgets": None})) == content_hash(slide)


def silent_places(slide: EndedSlide) -> list[tuple[Any, ...]]:
    document = document_of(slide)
    return [place for place in content_places(document) if changed_hash(document, place) == content_hash(slide)]


def content_places(document: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [place for place in leaves(document) if is_content(place)]


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*place, number))
    elif isinstance(value, int | float):
        yield place


def is_content(place: tuple[Any, ...]) -> bool:
    names = {name for name in place[1:] if isinstance(name, str)}
    return place[0] not in NO_CONTENT and not names & NOT_IN_PART.get(place[0], set())


def changed_hash(document: dict[str, Any], place: tuple[Any, ...]) -> str:
    other = copy.deepcopy(document)
    *way, last = place
    inner: Any = other
    for step in way:
        inner = inner[step]
    old = inner[last]
    inner[last] = (not old) if isinstance(old, bool) else abs(old - 0.1875) if isinstance(old, float) else old + 1
    slide = CountedSlide.model_validate({name: value for name, value in other.items() if name != "schema_version"})
    return content_hash(slide)


def test_a_finding_that_comes_changes_it_and_its_words_do_not(run: Path) -> None:
    slide = read_result(RunLayout(run).slide("a"))
    document = document_of(slide)
    told = {
        "slide_id": "a", "code": "TISSUE_ZERO", "severity": "warning", "measured": 0, "limit": 0, "unit": "px",
        "message": "none", "remedy": "look",
    }  # fmt: skip
    hashes = set()
    for words in ("none", "no tissue"):
        document["findings"] = [{**told, "message": words}]
        found = ended_slide({k: v for k, v in document.items() if k != "schema_version"}, run)
        hashes.add(content_hash(found))
    assert len(hashes) == 1
    assert content_hash(slide) not in hashes


def test_a_slide_that_failed_has_one_too() -> None:
    failed = EndedSlide(slide_id="x", status="failed", reason="/a/x.tif is no slide", path="/a/x.tif")
    moved = failed.model_copy(update={"reason": "/b/x.tif is no slide", "path": "/b/x.tif"})
    assert content_hash(failed) == content_hash(moved)
    assert content_hash(failed) != content_hash(failed.model_copy(update={"status": "needs_calibration"}))
