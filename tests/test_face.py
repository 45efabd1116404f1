"""The face of the package: what `import wsi_area` offers and what it costs."""

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from synthetic import FileForm, disc, write_slide

import wsi_area
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

HEAVY = (
    "numpy", "numba", "pandas", "zarr", "dask", "distributed", "openslide", "skimage", "scipy", "pyarrow",
    "pydantic", "pydicom", "tifffile", "imagecodecs", "PIL",
)  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after a statement."""
    code = f"import sys\n{statement}\nsys.stderr.write('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import wsi_area")
    assert "wsi_area.errors" in loaded
    assert not loaded & set(HEAVY)
    assert not {name for name in loaded if name.startswith("wsi_area.")} - {"wsi_area.errors", "wsi_area.version"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(
        f"sys.argv = ['wsi-area', *{arguments!r}]\n"
        "from wsi_area.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0"
    )
    assert "wsi_area.cli.main" in loaded
    assert not loaded & set(HEAVY)
    assert not loaded & {"wsi_area.cli.commands.run", "wsi_area.run.pipeline"}


def test_the_modules_of_a_run_load_nothing_that_only_some_runs_need() -> None:
    loaded = loaded_by(
        "import wsi_area.cli.commands.run, wsi_area.segmenters.colour.stain, wsi_area.segmenters.colour.tissue"
    )
    assert "wsi_area.run.work.tile_task" in loaded
    seldom = {"numba", "llvmlite", "scipy", "pandas", "pyarrow", "distributed", "shapely", "skimage", "pydicom"}
    assert not loaded & seldom
    assert not loaded & {"wsi_area.segmenters.colour.compiled", "wsi_area.compute.count.compiled_means"}


SELDOM = (
    "wsi_area.reports", "wsi_area.exports", "wsi_area.notebook", "wsi_area.training", "wsi_area.audit",
    "wsi_area.run.amending", "wsi_area.run.estimate", "wsi_area.compute.estimate", "wsi_area.results.estimates",
    "wsi_area.run.array.task_run", "wsi_area.run.array.array_plan", "wsi_area.run.array.merge",
    "wsi_area.run.passes.crossing", "wsi_area.review.tables", "wsi_area.review.verdicts", "wsi_area.review.chains",
    "wsi_area.results.opened_run", "wsi_area.results.amended", "wsi_area.results.uncertainty.repeat_file",
    "wsi_area.model.uncertainty.repeat_study", "wsi_area.segmenters.exclusions.excluding",
    "wsi_area.segmenters.exclusions.pen", "wsi_area.segmenters.exclusions.excluded", "wsi_area.slides.header.dicom",
    "wsi_area.slides.header.refusal", "wsi_area.slides.stored.dicom_header", "wsi_area.storage.lease",
    "wsi_area.run.work.isolation", "wsi_area.review.folder", "wsi_area.model.review", "wsi_area.settings.difference",
    "wsi_area.compute.judge.agreement", "wsi_area.compute.count.subject_totals",
    "wsi_area.compute.cut.spots", "wsi_area.inputs.in_buckets",
    "wsi_area.results.class_map.layered_map",
    "zarr", "fsspec", "asyncio", "dask",
    "shapely", "scipy", "pandas", "jinja2", "openpyxl", "xlsxwriter", "skimage", "distributed", "rich", "numpy.ma",
    "configparser", "PIL", "openslide", "difflib", "html",
    "imagecodecs._jpeg2k", "imagecodecs._imcd",
)  # fmt: skip
"""What runs need that were asked for more: corrections, an estimate, a tissue layer, exclusions, repeats, a report …;
and what a terminal needs."""


def loaded_by_a_run(folder: Path, *options: str, config: str = "he_tissue") -> set[str]:
    """The modules that a command holds after it has measured one small slide."""
    slide, size = folder / "slide.tif", Size(600, 500)
    write_slide(slide, size, {"tissue": disc(size, 300, 250, 100)}, FileForm(mpp=Mpp(0.25, 0.26)))
    return loaded_by(
        f"sys.argv = ['wsi-area', 'run', {str(slide)!r}, '--config', {config!r}, '--force', *{options!r},\n"
        f"    '--out', {str(folder / 'out')!r}]\n"
        "from wsi_area.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0"
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every kernel and template of a run is kept: the first run on a machine compiles, and so loads the compiler."""
    loaded_by_a_run(tmp_path_factory.mktemp("compiled"))


@pytest.mark.usefixtures("compiled")
def test_a_plain_run_loads_nothing_of_what_was_not_asked_for(tmp_path: Path) -> None:
    loaded = loaded_by_a_run(tmp_path, "--workers", "1", "--no-report")
    assert {"wsi_area.run.work.tile_task", "wsi_area.results.tables.workbook.sheets"} <= loaded
    assert not {name for name in loaded if any(name == seldom or name.startswith(f"{seldom}.") for seldom in SELDOM)}


FOCI = """
[segmenter]
name = "tissue"
classes = [
    {id = 0, name = "background", color = "#ffffff"},
    {id = 1, name = "tumor", color = "#c81e1e", is_tissue = true, is_tumor = true},
]
"""


def test_a_run_with_foci_and_its_report_loads_no_more_packages_than_a_plain_one(tmp_path: Path) -> None:
    (tmp_path / "foci.toml").write_text(FOCI)
    loaded_by_a_run(tmp_path, config=str(tmp_path / "foci.toml"))  # the first one on a machine may compile
    loaded = loaded_by_a_run(tmp_path, config=str(tmp_path / "foci.toml"))
    assert {"wsi_area.run.passes.object_pass", "wsi_area.reports.picture.focus_marks"} <= loaded
    assert not loaded & {"numba", "zarr", "scipy", "pandas", "dask", "asyncio"}


PACKAGES = {
    "PIL", "annotated_types", "click", "google_crc32c", "imagecodecs", "jinja2", "llvmlite", "markupsafe",
    "numpy", "openslide_bin", "pydantic", "pydantic_core", "simplejpeg", "tifffile",
    "typing_extensions", "typing_inspection", "zstandard",
}  # fmt: skip
"""What a run with its report loads of other people's: each was seen to be needed by every run."""
MOST_MODULES = 423
"""Of ours that a run with its report loads. Each costs 0.3 ms of its CPU, and as many lie beside them unloaded."""
REMEDY = (
    "import it in the function that knows that it was asked for (docs/decisions.md, start-up); raise this only for "
    "what every run needs"
)


@pytest.mark.usefixtures("compiled")
def test_a_run_with_its_report_loads_the_packages_that_every_run_needs_and_few_modules_more(tmp_path: Path) -> None:
    loaded = loaded_by_a_run(tmp_path, "--workers", "4")
    assert "wsi_area.reports.report" in loaded
    ours = {name for name in loaded if name.partition(".")[0] == "wsi_area"}
    others = {name.partition(".")[0] for name in loaded - loaded_by("pass")} - sys.stdlib_module_names
    packages = others & packages_distributions().keys() - {"wsi_area"}
    assert "llvmlite.binding" not in loaded  # the library of LLVM: kernels lie on disk
    assert packages <= PACKAGES, f"{sorted(packages - PACKAGES)}: {REMEDY}"
    assert len(ours) <= MOST_MODULES, f"{len(ours)} modules: {REMEDY}"


@pytest.mark.parametrize(("workers", "tasks", "has_dask"), [(1, 100, False), (4, 16, False), (4, 17, True)])
def test_dask_is_loaded_where_several_threads_have_many_tasks(workers: int, tasks: int, has_dask: bool) -> None:
    loaded = loaded_by(
        "from wsi_area.run.executors.choice import make_executor\n"
        "from wsi_area.settings.run_settings import RunSection\n"
        f"found = make_executor(RunSection(workers={workers})).map(abs, range(-{tasks}, 0))\n"
        f"assert sorted(found) == [(n, {tasks} - n) for n in range({tasks})]"
    )
    assert "wsi_area.run.executors.threads" in loaded
    assert ("dask" in loaded) is has_dask


def test_the_command_ends_without_a_search_for_garbage() -> None:
    code = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print(gc.get_freeze_count()))\n"  # the last to be called
        "sys.argv = ['wsi-area', '--version']\n"
        "from wsi_area.cli.main import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) > 1000


@pytest.mark.parametrize(
    ("start", "told", "held"),
    [
        ("from wsi_area.cli.main import main\ntry: main()\nexcept SystemExit: pass", None, "1"),
        ("from wsi_area.cli.main import main\ntry: main()\nexcept SystemExit: pass", "3", "3"),
        ("import wsi_area\nwsi_area.Mpp", None, None),
    ],
)
def test_blas_has_one_thread_in_a_command_unless_the_user_says_otherwise_and_stays_as_it_is_in_a_notebook(
    start: str, told: str | None, held: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if told is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", told)
    code = (
        f"import os, sys\nsys.argv = ['wsi-area', '--version']\n{start}\nprint(os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == str(held)


def test_every_public_name_is_there_and_comes_from_its_room() -> None:
    assert wsi_area.__all__ == sorted(wsi_area.__all__)
    for name in wsi_area.__all__:
        found = getattr(wsi_area, name)
        if not isinstance(found, str):
            assert found.__name__ == name.removesuffix("_settings")  # of which the room itself makes one word
            assert found.__module__.startswith("wsi_area.")
            assert found.__doc__


def test_dir_and_tab_show_the_public_names_and_nothing_else() -> None:
    script = "import wsi_area; wsi_area.measure; wsi_area.open_run; print(*dir(wsi_area))"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert shown == sorted(wsi_area.__all__)
    assert {"collect_slides", "load_settings", "measure", "open_run", "run_slides"} <= set(shown)
    # what a notebook's Tab shows after "wsi_area.", private names aside
    script = (
        "import wsi_area; wsi_area.run_slides\n"
        "from IPython.core.completer import IPCompleter\n"
        "found = IPCompleter(namespace={'wsi_area': wsi_area}).all_completions('wsi_area.')\n"
        "print(*(name.removeprefix('wsi_area.') for name in found))"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(ended.stdout.split()) - {"__version__"} == set(wsi_area.__all__) - {"__version__"}


def test_a_name_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match=r"it offers .*open_run"):
        _ = wsi_area.open_slide  # type: ignore[attr-defined]


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    assert wsi_area.__version__ == version("wsi-area")
