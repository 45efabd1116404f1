"""`wsi-area export`: what it writes and prints, and how it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from measuring import fingerprint, measure
from synthetic import FileForm, box, write_slide, write_text_slide

from wsi_area.cli.commands.export import command
from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.geometry import Size


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a complete, an uncalibrated and a failed slide."""
    folder = tmp_path_factory.mktemp("slides")
    size = Size(300, 200)
    shapes = {"tissue": box(size, 21, 22, 103, 104)}
    slides = [
        write_slide(folder / "a.tiff", size, shapes).path,
        write_slide(folder / "bare.tiff", size, shapes, FileForm(mpp=None)).path,
        write_text_slide(folder / "text.svs"),
    ]
    measure(slides, folder / "out")
    return folder / "out"


def export(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(a) for a in arguments])


@pytest.mark.parametrize(("kind", "name"), [("geojson", "regions.geojson.gz"), ("ome-zarr", "labels.ome.zarr")])
def test_it_prints_what_it_wrote_and_says_which_slide_has_nothing(out: Path, kind: str, name: str) -> None:
    result = export(out, "--format", kind)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(out / "slides" / slide / name) for slide in ("a", "bare")]
    assert all(Path(line).exists() for line in result.stdout.splitlines())
    assert result.stderr.startswith("text: nothing to export, failed, ")


def test_json_has_every_slide_with_its_sizes_and_areas(out: Path) -> None:
    document = json.loads(export(out, "--format", "geojson", "--json").stdout)
    a, bare, text = document["slides"]
    assert (a["slide_id"], bare["slide_id"], text["slide_id"]) == ("a", "bare", "text")
    assert a["size_bytes"] == Path(a["path"]).stat().st_size
    [tissue] = a["classes"]
    assert (tissue["name"], tissue["regions"], tissue["area_px"]) == ("tissue", 1, 103 * 104)
    assert (text["path"], text["not_exported"][:7]) == (None, "failed,")


def test_only_the_slide_that_was_asked_for_is_written(out: Path) -> None:
    assert export(out, "--format", "geojson", "--slide", "bare").stdout.splitlines() == [
        str(out / "slides/bare/regions.geojson.gz")
    ]


def test_simplifying_says_by_how_much_the_area_changed(out: Path) -> None:
    lines = export(out, "--format", "geojson", "--slide", "a", "--simplify-px", "1.5").stdout.splitlines()
    assert lines[1].split(": ", 1) == [
        "  tissue", "the outlines enclose 10712.0 level-0 px², measured are 10712 px (+0.0000 %)",
    ]  # fmt: skip


def test_an_older_ome_zarr_is_written_on_request(out: Path) -> None:
    assert export(out, "--format", "ome-zarr", "--slide", "a", "--ome-zarr-version", "0.4").exit_code == 0
    assert (out / "slides/a/labels.ome.zarr/.zattrs").is_file()


@pytest.mark.parametrize(
    ("arguments", "refusal", "words"),
    [
        (["--format", "geojson", "--slide", "b"], ResultError, "no slide 'b'; it has 'a', 'bare', 'text'"),
        (["--format", "geojson", "--slide", "text"], ResultError, "text is failed and has no class map"),
        (["--format", "ome-zarr", "--split"], SettingsError, "--format ome-zarr has none"),
        (["--format", "geojson", "--ome-zarr-version", "0.4"], SettingsError, "belongs to --format ome-zarr"),
        (["--format", "geojson", "--simplify-px", "-1"], SettingsError, "-1.0 is no distance"),
        (["--format", "geojson", "--simplify-px", "nan"], SettingsError, "nan is no distance"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_sentence(
    out: Path, arguments: list[str], refusal: type[Exception], words: str
) -> None:
    result = export(out, *arguments)
    assert isinstance(result.exception, refusal)
    assert words in str(result.exception)


def test_a_folder_without_a_run_and_one_that_has_not_ended_are_refused(out: Path, tmp_path: Path) -> None:
    assert "holds no run" in str(export(tmp_path, "--format", "geojson").exception)
    begun = json.loads((out / "run.json").read_text()) | {"state": "running", "slides": None}
    (tmp_path / "run.json").write_text(json.dumps(begun))
    assert "has not ended" in str(export(tmp_path, "--format", "geojson").exception)


@pytest.mark.parametrize(("kind", "name"), [("geojson", "regions.geojson.gz"), ("ome-zarr", "labels.ome.zarr")])
def test_a_run_that_is_read_only_is_exported_elsewhere_and_no_byte_of_it_changes(
    out: Path, tmp_path: Path, kind: str, name: str
) -> None:
    before = fingerprint(out)
    result = export(out, "--format", kind, "--out", tmp_path / "there")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(tmp_path / "there" / slide / name) for slide in ("a", "bare")]
    assert all(Path(line).exists() for line in result.stdout.splitlines())
    assert fingerprint(out) == before


def test_an_export_never_goes_into_another_run(out: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    assert "holds a run" in str(export(out, "--format", "geojson", "--out", tmp_path).exception)
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_dry_run_says_what_outlines_cost_and_writes_nothing(out: Path) -> None:
    before = sorted(out.rglob("*"))
    told = export(out, "--format", "geojson", "--dry-run")
    a, bare, total = told.stdout.splitlines()
    assert a == "a: 4 corners, about 1 outline, 1 kB of GeoJSON, 1 kB packed, no time to speak of"
    assert bare.startswith("bare: 4 corners")
    assert total.startswith("in all: 8 corners")
    assert told.stderr.startswith("text: nothing to export, failed, ")
    assert sorted(out.rglob("*")) == before
    document = json.loads(export(out, "--format", "geojson", "--dry-run", "--json").stdout)
    assert [slide["corners"] for slide in document["slides"]] == [4, 4]
    assert list(document["not_exported"]) == ["text"]


def test_files_are_the_same_for_any_number_of_workers(out: Path, tmp_path: Path) -> None:
    for workers in (1, 3):
        assert export(out, "--format", "geojson", "--out", tmp_path / str(workers), "--workers", workers).exit_code == 0
    for slide in ("a", "bare"):
        one, other = (tmp_path / n / slide / "regions.geojson.gz" for n in ("1", "3"))
        assert one.read_bytes() == other.read_bytes()
