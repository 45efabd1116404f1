from pathlib import Path

import pytest

from wsi_area.errors import SettingsError
from wsi_area.settings.run_settings import RunSettings, load


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "")) == RunSettings() == load(None)


def test_what_the_command_line_sets_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[tiling]\nwork_mpp = 2.0\ntile_px = 256\n")
    settings = load(path, ["tiling.work_mpp=0.5", "reader.lane=openslide", "tiling.skip_glass=false"])
    assert (settings.tiling.work_mpp, settings.tiling.tile_px, settings.tiling.skip_glass) == (0.5, 256, False)
    assert settings.reader.lane == "openslide"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tilling]\nwork_mpp = 1", "did you mean tiling"),
        ("[tiling]\nwork_mp = 1", r"unknown key tiling\.work_mp; did you mean tiling\.work_mpp"),
        ("[tiling]\nwork_mpp = -1", r"tiling\.work_mpp = -1"),
        ("[tiling]\nwork_mpp = 'fine'", r"tiling\.work_mpp"),
        ("[reader]\nlane = 'fast'", r"reader\.lane"),
        ("[run]\nexecutor = 'spark'", r"run\.executor"),
        ("[segmenter]\nname = 'tisue'", "tissue"),
        ("[segmenter]\nname = 'tissue'\nbackgrund = 'dark'", "background"),
        ("[tiling\n", "not TOML"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as caught:
        load(written(tmp_path, text))
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "assignments", "place"),
    [
        ("[tiling]\ntile_px = 512", ["tiling.work_mp=1"], "--set tiling.work_mp=1: unknown key"),
        ("[tiling]\ntile_px = 512", ["tiling.work_mpp=abc"], "--set tiling.work_mpp=abc: tiling.work_mpp = 'abc'"),
        ("[tiling]\nwork_mp = 1", ["tiling.tile_px=512"], "{file}: unknown key tiling.work_mp;"),
        ("[tiling]\nwork_mpp = -1", ["tiling.work_mpp=-2"], "--set tiling.work_mpp=-2: tiling.work_mpp = -2"),
        ("[segmenter]\nname = 'tissue'", ["segmenter.thresold=3"], "--set segmenter.thresold=3: unknown key"),
        ("[segmenter]\nthresold = 3", ["segmenter.background=dark"], "{file}: unknown key"),
        ("[segmenter]\nthresold = 3", ["tiling.work_mpp=1"], "{file}: unknown key"),
    ],
)
def test_what_is_wrong_is_looked_for_where_it_was_written(
    tmp_path: Path, text: str, assignments: list[str], place: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        load(path, assignments)
    assert str(caught.value).startswith(place.format(file=path))


def test_two_faults_are_told_each_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, "[reader]\nlane = 'fast'")
    with pytest.raises(SettingsError) as caught:
        load(path, ["tiling.work_mpp=-1"])
    told = str(caught.value)
    assert "--set tiling.work_mpp=-1: tiling.work_mpp = -1" in told
    assert f"{path}: reader.lane = 'fast'" in told


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        load(Path("nowhere.toml"))


@pytest.mark.parametrize("text", ["tiling.work_mpp", "=3", ".x=1"])
def test_an_assignment_that_is_none_is_shown_how(text: str) -> None:
    with pytest.raises(SettingsError, match=r"section\.key=value"):
        load(None, [text])


def test_only_what_can_change_a_number_changes_the_hash() -> None:
    plain = load(None).measurement_hash
    assert load(None, ["run.workers=7", "run.executor=serial", "reader.lane=openslide"]).measurement_hash == plain
    assert load(None, ["tiling.work_mpp=2"]).measurement_hash != plain
    assert load(None, ["segmenter.threshold=30"]).measurement_hash != plain
    assert load(None, ["calibration.profile=plain"]).measurement_hash != plain


@pytest.mark.parametrize("name", ["he_tissue", "ihc_dab", "fluorescence", "plain_image"])
def test_every_config_that_comes_along_is_accepted(configs: Path, name: str) -> None:
    load(configs / f"{name}.toml")
