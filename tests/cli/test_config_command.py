"""`wsi-area config`: which setting holds and whose it is, the schema that editors use, and the page."""

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from wsi_area.cli.commands.config import command
from wsi_area.cli.output.settings_reference import built_in_segmenters, settings_page, settings_schema
from wsi_area.errors import SettingsError
from wsi_area.settings.run_settings import RunSettings


def config(*arguments: str | Path) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def shown(*arguments: str | Path) -> dict[str, tuple[Any, str]]:
    result = config("show", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return {entry["key"]: (entry["value"], entry["origin"]) for entry in json.loads(result.stdout)["settings"]}


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_setting_has_a_value_and_an_origin(tmp_path: Path) -> None:
    path = written(tmp_path, '[tiling]\nwork_mpp = 2.0\ntile_px = 256\n[segmenter]\nname = "stain"\nweak_od = 0.3\n')
    found = shown("--config", path, "--set", "tiling.work_mpp=0.5", "--set", "run.workers = 3")
    assert found["tiling.work_mpp"] == (0.5, "--set")
    assert found["tiling.tile_px"] == (256, "file")
    assert found["tiling.skip_glass"] == (True, "default")
    assert found["run.workers"] == (3, "--set")
    assert found["segmenter.name"] == ("stain", "file")
    assert found["segmenter.weak_od"] == (0.3, "file")
    assert found["segmenter.moderate_od"] == (0.4, "default")  # a default of the segmenter, not of the settings
    sections = {key.partition(".")[0] for key in found}
    assert sections == set(RunSettings.model_fields)


def test_a_value_that_is_set_to_its_default_is_still_somebodys(tmp_path: Path) -> None:
    found = shown("--config", written(tmp_path, "[tiling]\nskip_glass = true\n"))
    assert found["tiling.skip_glass"] == (True, "file")


def test_a_key_inside_a_table_marks_the_table() -> None:
    found = shown("--set", "segmenter.name=stain", "--set", "segmenter.vectors.a=[0.6,0.7,0.3]",
                  "--set", "segmenter.vectors.dab=[0.3,0.6,0.8]")  # fmt: skip
    assert found["segmenter.vectors"][1] == "--set"


def test_only_what_was_changed_can_be_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "[reader]\nlane = 'openslide'\n")
    assert shown("--changed", "--config", path) == {"reader.lane": ("openslide", "file")}


def test_the_text_names_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[reader]\nlane = 'openslide'\n")
    (line,) = (line for line in config("show", "--config", path).stdout.splitlines() if line.startswith("reader.lane"))
    assert line.split() == ["reader.lane", '"openslide"', str(path)]


def test_what_a_run_would_refuse_is_refused(tmp_path: Path) -> None:
    error = config("show", "--config", written(tmp_path, "[tiling]\nwork_mp = 1\n")).exception
    assert isinstance(error, SettingsError)
    assert "did you mean tiling.work_mpp" in str(error)


def test_the_settings_for_training_are_shown_where_a_file_has_them(tmp_path: Path) -> None:
    found = shown("--config", written(tmp_path, "[train]\nfolds = 3\n"))
    assert found["train.folds"] == (3, "file")
    assert found["train.seed"] == (0, "default")
    assert not any(key.startswith("train.") for key in shown())


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(config("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_config_that_we_ship_is_right_by_the_schema(validator: Any, configs: Path) -> None:
    found = sorted(configs.glob("*.toml"))
    assert len(found) >= 7
    for path in found:
        faults = [error.message for error in validator.iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))]
        assert not faults, path.name


@pytest.mark.parametrize(
    "text",
    [
        "[tilling]\nwork_mpp = 1",
        "[tiling]\nwork_mp = 1",
        "[tiling]\nwork_mpp = -1",
        "[reader]\nlane = 'fast'",
        "[segmenter]\nname = 'stain'\nweek_od = 0.2",
        "[segmenter]\nweak_od = 0.2",  # no name: that is tissue, which has no such key
        "[segmenter]\nname = 'tissue'\nthreshold = 300",
        "[[segmenter.classes]]\nid = 0\nname = 'a'\ncolor = 'red'",
        "[train]\nfolds = 1",
    ],
)
def test_what_a_run_refuses_an_editor_marks(validator: Any, text: str) -> None:
    assert list(validator.iter_errors(tomllib.loads(text)))


def test_somebody_elses_segmenter_may_have_keys_of_its_own(validator: Any) -> None:
    assert not list(validator.iter_errors({"segmenter": {"name": "ours_at_home", "anything": 1}}))


def test_the_page_has_every_key_with_what_it_means() -> None:
    page = settings_page()
    models = [field.annotation for field in RunSettings.model_fields.values()]
    for model in (*models, *built_in_segmenters().values()):
        for key, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{key} has no description"
            (found, *_) = (line for line in page.splitlines() if line.startswith(f"| `{key}` |"))
            assert found.count(" | ") >= 3
    assert "| `work_mpp` | left out | number, > 0 | µm per pixel to work at; left out: the finest level |" in page


def test_the_page_in_docs_is_the_page_of_today(request: pytest.FixtureRequest) -> None:
    stored = (request.config.rootpath / "docs" / "settings.md").read_text(encoding="utf-8")
    assert stored == config("reference").stdout, "run: wsi-area config reference > docs/settings.md"


def test_the_schema_is_the_same_each_time() -> None:
    assert json.dumps(settings_schema()) == json.dumps(settings_schema())


@pytest.mark.parametrize("preset", ["he_tissue", "ihc_dab", "fluorescence"])
def test_the_classes_that_are_shown_can_be_given_back_as_settings(preset: str) -> None:
    lines = config("show", "--config", preset).stdout.splitlines()
    tables = [line[line.index("{") : line.rindex("}") + 1] for line in lines if line.startswith("segmenter.classes[")]
    assert len(tables) >= 2
    given_back = f"segmenter.classes=[{', '.join(tables)}]"
    assert tomllib.loads(given_back)
    before, after = shown("--config", preset), shown("--config", preset, "--set", given_back)
    classes = [key for key in before if key.startswith("segmenter.classes")]
    assert classes
    assert [after[key][0] for key in classes] == [before[key][0] for key in classes]
