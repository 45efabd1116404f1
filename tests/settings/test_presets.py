"""Settings that come with the package are found by name, on the command line, in a manifest and for a cluster."""

import os
from pathlib import Path

import pytest
from command_line import wsi_area
from synthetic import disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.slide_settings import settings_of
from wsi_area.model.geometry import Size
from wsi_area.results.layout import read_json
from wsi_area.settings.presets import config_file, first_sentences, preset_text, presets
from wsi_area.settings.run_settings import load

SIZE = Size(300, 200)
NAMES = [file.stem for file in (Path(__file__).parents[2] / "configs").glob("*.toml")]


@pytest.fixture
def slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)}).path


def test_every_file_of_configs_is_a_preset_whose_first_line_is_a_sentence(configs: Path) -> None:
    assert {name: path.read_bytes() for name, path in presets().items()} == {
        name: (configs / f"{name}.toml").read_bytes() for name in NAMES
    }
    for name, sentence in first_sentences():
        assert sentence.endswith("."), name
        assert len(sentence) < 115, name


@pytest.mark.parametrize("name", ["he_tissue", "ihc_dab", "fluorescence", "plain_image", "slurm"])
def test_a_preset_is_what_its_file_is(configs: Path, name: str) -> None:
    assert load(name).canonical() == load(configs / f"{name}.toml").canonical()
    assert set(load(name).origins.values()) <= {f"preset {name}", "default"}


def test_a_file_of_a_preset_s_name_goes_first_and_a_folder_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ihc_dab").mkdir()
    assert config_file("ihc_dab") == presets()["ihc_dab"]
    Path("he_tissue").write_text("[tiling]\nwork_mpp = 7.0\n")
    assert load("he_tissue").tiling.work_mpp == 7.0
    os.mkfifo("fluorescence")  # as a shell's <(…) is one
    assert config_file("fluorescence") == Path("fluorescence")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("he_tisue", "did you mean he_tissue?"),
        ("he_tissue.toml", "did you mean he_tissue?"),
        ("configs/ihc_dab.toml", "did you mean ihc_dab?"),
        ("flourescence", "did you mean fluorescence?"),
        ("nothing-like-it.toml", "; presets are "),
    ],
)
def test_a_wrong_name_lists_the_presets_and_names_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError) as refused:
        load(typed)
    assert f"the settings file {typed} cannot be read" in str(refused.value)
    assert meant in str(refused.value)
    assert all(name in str(refused.value) for name in NAMES)
    ended = wsi_area("config", "show", "--config", typed)
    assert ended.code == 1
    assert "Traceback" not in ended.err


def test_a_run_by_name_is_the_run_by_path_and_says_which_it_was(slide: Path, configs: Path) -> None:
    by_name = wsi_area("run", slide, "--config", "he_tissue", "--out", "named", "--no-report")
    by_path = wsi_area("run", slide, "--config", configs / "he_tissue.toml", "--out", "pathed", "--no-report")
    assert (by_name.code, by_path.code) == (0, 0)
    named, pathed = (read_json(Path(out) / "run.json") for out in ("named", "pathed"))
    assert named["settings"] == pathed["settings"]
    assert named["settings_origin"]["tiling.work_mpp"] == "preset he_tissue"
    assert wsi_area("diff", "named", "pathed").code == 0


def test_a_manifest_may_name_a_preset_and_a_file_beside_it_goes_first(slide: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,config\ns.tif,he_tissue_clean\n")

    def work_mpp() -> float | None:
        (asked,) = collect_slides([], manifest=manifest)
        return settings_of(load("he_tissue"), asked).tiling.work_mpp

    assert work_mpp() == load("he_tissue_clean").tiling.work_mpp != load("he_tissue").tiling.work_mpp
    (tmp_path / "he_tissue_clean").write_text("[tiling]\nwork_mpp = 9.0\n")
    assert work_mpp() == 9.0
    manifest.write_text("path,config\ns.tif,he_tisue\n")
    with pytest.raises(SettingsError, match=r"line 2, column config \(he_tisue\): .*he_tissue"):
        work_mpp()
    manifest.write_text("path,config\ns.tif,slurm\n")
    with pytest.raises(SettingsError, match=r"\[cluster\] is no section of settings that one slide can have"):
        work_mpp()


def test_submit_takes_a_preset_and_its_tasks_find_it_wherever_they_start(slide: Path) -> None:
    ended = wsi_area("submit", slide, "--config", "slurm", "--out", "out", "--dry-run")
    assert ended.code == 0, ended.err
    assert f"--config={presets()['slurm']}" in ended.out


def test_init_prints_a_preset_with_its_comments_and_list_names_all(configs: Path) -> None:
    for name in NAMES:
        assert wsi_area("config", "init", name).out == (configs / f"{name}.toml").read_text(encoding="utf-8")
    assert preset_text("he_tissue").startswith("#")
    wrong = wsi_area("config", "init", "he_tisue")
    assert wrong.code == 1
    assert "did you mean he_tissue?" in wrong.err
    listed = wsi_area("config", "list", "--json")
    assert [row["name"] for row in listed.document["presets"]] == sorted(NAMES)
    table = wsi_area("config", "list").out
    assert all(name in table for name in NAMES)
