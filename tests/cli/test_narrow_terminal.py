"""Tables on a terminal of 80 columns: nothing cut, nothing wrapped in the middle of a number."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from measuring import measure
from rich.console import Console
from synthetic import FileForm, box, disc, write_slide

from wsi_area.cli import console
from wsi_area.cli.agreement_table import print_accuracy
from wsi_area.cli.results_table import print_results
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.geometry import Size
from wsi_area.run.accuracy import Accuracy, ImageAgreement

SIZE = Size(900, 700)
LONG = "TCGA-A2-A0YE-01Z-00-DX1.8A2E3094-5755-42BC-969D-7F0A2ECA0F39"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Callable[[], Any]], str]:
    """Run something on a terminal of 80 columns and return what it shows, without colours."""

    def terminal(**options: Any) -> Console:
        return Console(**options, force_terminal=True, width=80, legacy_windows=False)

    def run(prints: Callable[[], Any]) -> str:
        monkeypatch.setattr(console, "Console", terminal)
        monkeypatch.setenv("TERM", "xterm")
        capsys.readouterr()
        prints()
        return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)

    return run


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    write_slide(folder / f"{LONG}.tif", SIZE, {"dab": disc(SIZE, 300, 300, 200)})
    for name in ("bare-1", "bare-2"):
        write_slide(folder / f"{name}.tif", SIZE, {"dab": box(SIZE, 100, 100, 300, 300)}, FileForm(mpp=None))
    return folder


def test_the_table_of_a_run_shows_every_number_whole(slides: Path, tmp_path: Path, configs: Path, shown: Any) -> None:
    records = wsi_area("run", slides, "--config", configs / "ihc_dab.toml", "--out", tmp_path / "o", "--json").document
    found = shown(lambda: print_results(records["slides"], tmp_path / "o"))
    table, _, rest = found.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table
    tumor = next(r["tumor"] for r in records["slides"] if r["slide_id"] == LONG)
    assert f"{tumor['area_mm2']:.4f}" in table
    half_widths = [float(text) for text in re.findall(r"± (\d\.\d+)", table)]
    assert half_widths[0] == pytest.approx(1.96 * tumor["area_u_mm2"], rel=0.05)  # two digits of it are shown
    # what two slides lack is said once, and what to do about it
    assert rest.count("MPP_MISSING") == 1
    assert rest.count("--mpp-reason TEXT") == 1
    assert "bare-1, bare-2:" in rest


def test_the_plan_shows_every_number_whole(slides: Path, shown: Any) -> None:
    def plan() -> None:
        from click.testing import CliRunner

        from wsi_area.cli.plan import command

        ended = CliRunner().invoke(command, [str(slides)])
        print(ended.stdout)

    found = shown(plan)
    table = found.partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table
    assert "900 × 700" in table
    assert "about 0 core-seconds" not in found
    assert re.search(r"about 0\.0\d+ core-seconds", found)


def test_the_accuracy_of_many_classes_shows_every_number_whole(shown: Any) -> None:
    rng = np.random.default_rng(5)
    classes = tuple(TissueClass(k, f"class_{k}", (k, k, k), k > 0) for k in range(9))
    images = tuple(ImageAgreement(f"i{n}", f"g{n}", rng.integers(0, 10**8, (9, 9)), {}, 1e-6, {}) for n in range(6))
    accuracy = Accuracy(ClassScheme(classes), images, 0)
    found = shown(lambda: print_accuracy(accuracy, with_images=False))
    tables = found.partition("\nCounts are")[0]
    assert max(map(len, tables.splitlines())) <= 80
    assert "…" not in tables
    for count in accuracy.matrix.ravel().tolist():
        assert re.search(rf"\b{count}\b", tables)
    assert len(re.findall(r"\d\.\d{3}–\d\.\d{3}", tables)) == 9 * 5


def test_a_tissue_that_is_one_class_goes_by_its_name_and_one_that_is_tumour_alone_is_not_told_twice(
    tmp_path: Path, shown: Any
) -> None:
    slide = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 300, 300, 200)})
    names = {"gland": "is_tissue=true", "tumor": "is_tissue=true,is_tumor=true", "metal": ""}
    heads = {}
    for name, flags in names.items():
        classes = (
            f'[{{id=0,name="glass",color="#ffffff"}},{{id=1,name="{name}",color="#d6609c"{"," * bool(flags)}{flags}}}]'
        )
        outcome = measure(slide.path, tmp_path / name, f"segmenter.classes={classes}")
        heads[name] = shown(lambda out=outcome, at=tmp_path / name: print_results(out.records, at)).partition("\ns ")[0]
    assert "gland mm²" in heads["gland"]
    assert "tissue mm²" not in heads["gland"]
    assert "tumour mm²" in heads["tumor"]
    assert "tissue mm²" not in heads["tumor"]
    assert "tissue mm²" not in heads["metal"]
