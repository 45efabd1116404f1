"""What a setting can change is said once, on its model; the hash, the difference and the refusals follow it."""

from pathlib import Path
from typing import Annotated

import pytest
from command_line import wsi_area
from measuring import measure
from pydantic import BaseModel
from synthetic import SyntheticSlide, disc, write_slide

from wsi_area.audit.difference import compare_runs
from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.geometry import Size
from wsi_area.settings.difference import differences
from wsi_area.settings.effect import Effect, effect_of
from wsi_area.settings.run_settings import RunSettings, load
from wsi_area.settings.settings_tree import assign

SIZE = Size(300, 200)

CHANGE_NUMBERS = (
    "tiling.work_mpp=2",
    "tiling.tile_px=256",
    "tissue.name=tissue",
    "segmenter.threshold=30",
    "exclusions.pen=true",
    "objects.min_focus_um2=3",
    "envelope.closing_um=80",
    "bands.edges_um=[0, 100]",
    "hotspots.areas_mm2=[1]",
    "sections.find=true",
    "estimate.budget_pct=10",
    "tma.core_mm=1",
    "calibration.profile=plain",
)
CHANGE_FINDINGS = ("quality.unscanned_fraction=0.1", "quality.stain_angle_deg=3", "uncertainty.rescan_on=these")
CHANGE_NOTHING = (
    "run.workers=7",
    "report.title=Cohort 3",
    "run.executor=serial",
    "run.tile_timeout_s=1",
    "reader.lane=openslide",
    "cluster.jobs=3",
    "cluster.memory=9G",
    'tls={ca="a.pem", cert="b.pem", key="c.pem"}',
    "storage.endpoint=http://localhost:9000",
    "storage.profile=lab",
)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    return write_slide(tmp_path_factory.mktemp("slides") / "s.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)})


@pytest.mark.parametrize("text", CHANGE_NUMBERS)
def test_what_changes_numbers_changes_the_hash_and_is_a_difference(text: str) -> None:
    plain, other = load(None), load(None, [text])
    assert other.measurement_hash != plain.measurement_hash
    (found,) = differences(plain.canonical(), other.canonical())
    assert found.key == text.partition("=")[0]


@pytest.mark.parametrize("text", CHANGE_FINDINGS)
def test_what_changes_findings_is_a_difference_that_no_result_is_measured_again_for(text: str) -> None:
    plain, other = load(None), load(None, [text])
    assert other.measurement_hash == plain.measurement_hash
    (found,) = differences(plain.canonical(), other.canonical())
    assert found.key == text.partition("=")[0]
    assert not differences(plain.canonical(), other.canonical(), Effect.NUMBERS)


@pytest.mark.parametrize("text", CHANGE_NOTHING)
def test_who_does_the_work_is_no_difference(text: str) -> None:
    plain, other = load(None), load(None, [text])
    assert plain.canonical() != other.canonical()
    assert other.measurement_hash == plain.measurement_hash
    assert not differences(plain.canonical(), other.canonical())


def test_every_section_is_known_to_one_of_these_tests() -> None:
    spoken_of = {text.partition(".")[0].partition("=")[0] for text in CHANGE_NUMBERS + CHANGE_FINDINGS + CHANGE_NOTHING}
    assert spoken_of == set(RunSettings.model_fields)


def test_a_setting_that_says_nothing_of_itself_changes_numbers_whatever_its_neighbours_say() -> None:
    class Reader(BaseModel):
        lane: Annotated[str, Effect.WORK] = "auto"
        picture: int = 0

    class Deep(BaseModel):
        reader: Reader = Reader()

    class Settings(BaseModel):
        deep: Deep = Deep()
        quality: Annotated[Reader, Effect.FINDINGS] = Reader()

    said = {
        key: effect_of(Settings, key)
        for key in ("deep.reader.lane", "deep.reader.picture", "quality.picture", "gone.since.then", "deep.new")
    }
    assert said == {
        "deep.reader.lane": Effect.WORK,
        "deep.reader.picture": Effect.NUMBERS,
        "quality.picture": Effect.FINDINGS,
        "gone.since.then": Effect.NUMBERS,
        "deep.new": Effect.NUMBERS,
    }


def test_a_difference_names_each_key_and_holds_a_key_of_one_side_against_nothing() -> None:
    first = {"tiling": {"work_mpp": 0.5}, "segmenter": {"map": {"a": 1}, "classes": [{"name": "x"}]}, "run": {"w": 1}}
    second = {"tiling.work_mpp": 1.0, "segmenter": {"map": {"a": 2}, "classes": [{"name": "x"}]}, "objects": {"new": 3}}
    found = [(d.key, d.first, d.second) for d in differences(first, second)]
    assert found == [("objects.new", None, 3), ("segmenter.map.a", 1, 2), ("tiling.work_mpp", 0.5, 1.0)]


def test_diff_says_nothing_of_two_runs_on_two_clusters(slide: SyntheticSlide, tmp_path: Path) -> None:
    measure(slide.path, tmp_path / "a", "cluster.jobs=8")
    measure(slide.path, tmp_path / "b", "cluster.jobs=3", "cluster.queue=night", "storage.profile=lab", "run.workers=1")
    found = compare_runs(tmp_path / "a", tmp_path / "b")
    assert found.is_same
    assert not found.settings
    told = wsi_area("diff", tmp_path / "a", tmp_path / "b")
    assert told.code == 0
    assert "setting" not in told.out.replace("settings", "")
    assert "cluster" not in told.out


VALUES = {"0.5": 0.5, "TRUE": True, "5": 5, "otsu": "otsu", "[1, 2]": [1, 2], "2026-03-01": "2026-03-01", "nan": "nan"}


@pytest.mark.parametrize("text", VALUES)
def test_a_value_means_the_same_on_the_command_line_and_in_a_manifest(
    tmp_path: Path, slide: SyntheticSlide, text: str
) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(f'path,tiling.work_mpp\n{slide.path},"{text}"\n')
    (asked,) = collect_slides([], manifest=manifest)
    by_line: dict[str, object] = {}
    assign(by_line, f"tiling.work_mpp={text}")
    assert asked.own is not None
    assert asked.own.tree == by_line == {"tiling": {"work_mpp": VALUES[text]}}


@pytest.mark.parametrize("key", ["tiling.work_mpp", "objects.max_hole_um2", "tiling.skip_margin_um"])
@pytest.mark.parametrize("value", ["inf", "1e999", "nan"])
def test_a_number_without_an_end_is_refused_before_any_work(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load(None, [f"{key}={value}"])
