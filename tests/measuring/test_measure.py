"""One call from a slide to the opened run: where it lies, what it takes, how long it stays, and what it tells."""

import gc
import json
import logging
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import SyntheticSlide, disc, write_slide

import wsi_area
from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.geometry import Size

SIZE = Size(400, 300)
COARSE = {"tiling.work_mpp": 1.0, "run.executor": "serial"}


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> list[SyntheticSlide]:
    folder = tmp_path_factory.mktemp("slides")
    return [
        write_slide(folder / f"{n}.tif", SIZE, {"tissue": disc(SIZE, 200, 150, r)}) for n, r in (("a", 90), ("b", 60))
    ]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files, which nothing else writes to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def tissue_px(run: wsi_area.OpenedRun, slide_id: str) -> int:
    return int(run.areas.set_index(["slide_id", "class_name"]).loc[(slide_id, "tissue"), "n_px"])


def test_a_slide_is_measured_where_nothing_but_its_name_is_given(slides: list[SyntheticSlide], scratch: Path) -> None:
    with wsi_area.measure(slides[0].path, settings=COARSE) as run:
        assert list(run) == ["a"]
        assert abs(tissue_px(run, "a") / (math.pi * 90**2) - 1) < 0.04
        assert run.layout.root.is_relative_to(scratch)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("form", ["path", "text", "list", "folder", "glob", "manifest", "manifest option", "collected"])
def test_slides_are_given_as_a_command_takes_them(slides: list[SyntheticSlide], tmp_path: Path, form: str) -> None:
    folder = slides[0].path.parent
    manifest = tmp_path / "m.csv"
    manifest.write_text("path\n" + "".join(f"{slide.path}\n" for slide in slides))
    given, options = {
        "path": (slides[0].path, {}),
        "text": (str(slides[0].path), {}),
        "list": ([slide.path for slide in slides], {}),
        "folder": (folder, {}),
        "glob": (f"{folder}/*.tif", {}),
        "manifest": (manifest, {}),
        "manifest option": ([], {"manifest": manifest}),
        "collected": (wsi_area.collect_slides(folder), {}),
    }[form]
    run = wsi_area.measure(given, settings=COARSE, **options)
    assert list(run) == (["a"] if form in {"path", "text"} else ["a", "b"])


def test_a_temporary_run_stays_while_anything_of_it_is_held_and_goes_when_all_is_forgotten(
    slides: list[SyntheticSlide], scratch: Path
) -> None:
    run = wsi_area.measure(slides[0].path, settings=COARSE)
    folder, slide = run.layout.root, run["a"]
    level = slide.class_map()
    del run
    gc.collect()
    assert slide.slide_id == "a"
    del slide
    gc.collect()
    assert folder.exists()
    assert set(np.unique(level)) == {0, 1}
    del level
    gc.collect()
    assert not folder.exists()


def test_a_temporary_run_is_gone_when_python_ends(slides: list[SyntheticSlide], tmp_path: Path) -> None:
    script = (
        f"import wsi_area; run = wsi_area.measure({str(slides[0].path)!r}, settings={COARSE!r})\n"
        "print(run.layout.root, run.layout.root.exists())"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    folder, was_there = ended.stdout.split()
    assert was_there == "True"
    assert not Path(folder).exists()
    assert ended.stderr == ""  # nothing is shown where nobody looks


def test_a_run_with_a_folder_of_its_own_stays_and_goes_on(slides: list[SyntheticSlide], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with wsi_area.measure(slides[0].path, settings=COARSE, out=str(out)) as run:
        first = tissue_px(run, "a")
    assert (out / "run.json").exists()
    both = wsi_area.measure([s.path for s in slides], settings=COARSE, out=out)
    assert tissue_px(both, "a") == first
    assert sorted(both) == ["a", "b"]
    with pytest.raises(ResultError, match="other settings"):
        wsi_area.measure(slides[0].path, settings={**COARSE, "tiling.work_mpp": 2.0}, out=out)
    again = wsi_area.measure(slides[0].path, settings={**COARSE, "tiling.work_mpp": 2.0}, out=out, force=True)
    assert again.summary.loc["a", "work_mpp_um"] == 2.0


def test_settings_are_a_preset_a_file_or_values_in_any_form(slides: list[SyntheticSlide], tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("[tiling]\nwork_mpp = 1.0\n")
    wanted = wsi_area.load_settings(file).tiling.work_mpp
    path = slides[0].path
    for config, settings in (
        (None, {"tiling": {"work_mpp": 1}}),
        (None, {"tiling.work_mpp": np.float64(1.0)}),
        (None, ["tiling.work_mpp=1"]),
        (None, "tiling.work_mpp=1"),
        (file, ()),
        ("he_tissue", {"tiling.work_mpp": 1.0}),
        (wsi_area.load_settings(file), ()),
    ):
        with wsi_area.measure(path, config, settings=settings) as run:
            assert run.summary.loc["a", "work_mpp_um"] == wanted
    with wsi_area.measure(path, "he_tissue", settings={"tiling.work_mpp": 1.0}) as run:
        origin = json.loads((run.layout.root / "run.json").read_text())["settings_origin"]
        assert (origin["tiling.work_mpp"], origin["segmenter.name"]) == ("program", "preset he_tissue")


@pytest.mark.parametrize(
    ("config", "settings", "says"),
    [
        ("he_tisue", {}, "did you mean he_tissue"),
        (None, {"tiling.work_mp": 1}, "did you mean tiling.work_mpp"),
        (None, {"tiling.work_mpp": object()}, "tiling.work_mpp is <object"),
        (None, {"tiling": 3}, "tiling"),
        (None, ["tiling.work_mpp"], "section.key=value"),
        (wsi_area.RunSettings(), {"tiling.work_mpp": 1}, "on top of a file or a preset"),
    ],
)
def test_what_is_wrong_is_refused_before_any_folder_is_made(
    slides: list[SyntheticSlide], scratch: Path, config: object, settings: object, says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        wsi_area.measure(slides[0].path, config, settings=settings)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"no\.svs: no such file"):
        wsi_area.measure("no.svs")
    assert list(scratch.iterdir()) == []


def test_a_slide_that_fails_is_told_and_the_others_are_measured(
    slides: list[SyntheticSlide], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "torn.svs").write_bytes(b"not a slide")
    bare = write_slide(tmp_path / "bare.tif", SIZE, {"tissue": disc(SIZE, 200, 150, 50)}).path
    with caplog.at_level(logging.WARNING, logger="wsi_area"):
        run = wsi_area.measure([tmp_path / "torn.svs", slides[0].path, bare], settings=COARSE)
    assert dict(run.summary["status"]) == {"torn": "failed", "a": "complete", "bare": "complete"}
    (told,) = [r.getMessage() for r in caplog.records if r.name == "wsi_area.measuring.measure"]
    assert told.startswith("torn: failed: ")


def test_a_pixel_size_and_regions_are_given_as_on_the_command_line(
    slides: list[SyntheticSlide], tmp_path: Path
) -> None:
    run = wsi_area.measure(slides[0].path, settings=COARSE, mpp=0.6, mpp_reason="stage micrometer", mpp_confirmed=True)
    assert run["a"].mpp == wsi_area.Mpp(0.6, 0.6)
    with pytest.raises(SettingsError, match="have their own"):
        wsi_area.measure(wsi_area.collect_slides(slides[0].path), mpp=0.5)


def test_an_interrupt_ends_the_call_and_leaves_no_temporary_folder(slides: list[SyntheticSlide], scratch: Path) -> None:
    # the call is told of the signal in its main thread: slides of other threads wait until it was
    script = f"""
import os, signal, tempfile, threading, wsi_area
tempfile.tempdir = {str(scratch)!r}
import wsi_area.measuring.measure as module
honest, heard = module.run_slides, threading.Event()
def interrupted(*args, listener, **rest):
    def tell(event):
        listener(event)
        if type(event).__name__ == "Stopping":
            heard.set()
        if type(event).__name__ == "SlideDone" and event.slide_id == "a":
            os.kill(os.getpid(), signal.SIGINT)
            assert heard.wait(60)
    return honest(*args, listener=tell, **rest)
module.run_slides = interrupted
try:
    wsi_area.measure({[str(s.path) for s in slides]!r}, settings={COARSE | {"run.slides_in_flight": 1}!r})
except KeyboardInterrupt as stop:
    print("stopped:", stop)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert "stopped: interrupted after" in ended.stdout
    assert [name for name in os.listdir(scratch) if name.startswith("wsi-area-")] == []


def test_run_slides_takes_paths_and_says_what_settings_are(slides: list[SyntheticSlide], tmp_path: Path) -> None:
    settings = wsi_area.load_settings(None, ["run.executor=serial"])
    outcome = wsi_area.run_slides([str(slides[0].path)], settings, str(tmp_path / "out"))
    assert outcome.exit_code == 0
    with pytest.raises(SettingsError, match=r"load_settings\('he_tissue'\)"):
        wsi_area.run_slides([str(slides[0].path)], "he_tissue", tmp_path / "out")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="collect all of them"):
        wsi_area.run_slides([str(slides[1].path), *wsi_area.collect_slides(slides[0].path)], settings, tmp_path / "out")


def test_the_bar_of_a_notebook_is_updated_in_place(slides: list[SyntheticSlide], tmp_path: Path) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    code = f"import wsi_area\nrun = wsi_area.measure({str(slides[0].path)!r}, settings={COARSE!r})\nrun"
    quiet = code.replace("settings=", "progress=False, settings=")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (code, quiet)])
    ran = nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    bar, shown = ran.cells[0].outputs
    assert bar.data["text/plain"].startswith("1/1 slides, 100%")
    assert '<progress max="1" value="1.000">' in bar.data["text/html"]
    assert "✓ complete" in shown.data["text/html"]
    assert len(ran.cells[1].outputs) == 1
