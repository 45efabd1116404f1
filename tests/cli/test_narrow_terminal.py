"""Tables on a terminal of 80 columns: nothing cut, nothing wrapped in the middle of a number."""

import io
import logging
import os
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import wsi_area
from measuring import measure
from recorded import slide_of
from rich.console import Console
from synthetic import FileForm, box, disc, write_slide

from wsi_area.audit.accuracy import Accuracy, ImageAgreement
from wsi_area.cli.commands.decisions.review import command as review
from wsi_area.cli.output import console, printer, wrapping
from wsi_area.cli.output.agreement_table import print_accuracy
from wsi_area.cli.output.console import PlainConsole
from wsi_area.cli.output.findings_text import Told, print_findings
from wsi_area.cli.output.results_table import print_results
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.geometry import Size

SIZE = Size(900, 700)
LONG = "TCGA-A2-A0YE-01Z-00-DX1.8A2E3094-5755-42BC-969D-7F0A2ECA0F39"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Callable[[], Any]], str]:
    """Run something on a terminal of 80 columns and return what it shows, without colours."""

    def terminal(**options: Any) -> Console:
        return PlainConsole(**options, force_terminal=True, width=80, legacy_windows=False)

    def run(prints: Callable[[], Any]) -> str:
        monkeypatch.setattr(console, "PlainConsole", terminal)
        monkeypatch.setattr(printer, "is_piped", lambda: False)
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
    found = shown(lambda: print_results([slide_of(r) for r in records["slides"]], tmp_path / "o"))
    table, _, rest = found.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table
    positive = next(r["positive"] for r in records["slides"] if r["slide_id"] == LONG)
    assert f"{positive['area_mm2']:.4f}" in table
    half_widths = [float(text) for text in re.findall(r"± (\d\.\d+)", table)]
    budget = next(r["budgets"]["listed"] for r in records["slides"] if r["slide_id"] == LONG)
    expanded = next(b["expanded_mm2"] for b in budget if (b["kind"], b["area"]) == ("total", "positive"))
    assert half_widths[0] == pytest.approx(expanded, rel=0.05)  # two digits of it are shown, and of the pixel size
    assert any(half == pytest.approx(1.96 * positive["area_u_mm2"], rel=0.05) for half in half_widths)
    # what two slides lack is said once, and what to do about it
    assert rest.count("MPP_MISSING") == 1
    assert rest.count("--mpp-reason TEXT") == 1
    assert "bare-1, bare-2:" in rest


def test_the_plan_shows_every_number_whole(slides: Path, shown: Any) -> None:
    def plan() -> None:
        from click.testing import CliRunner

        from wsi_area.cli.commands.plan import command

        ended = CliRunner().invoke(command, [str(slides)])
        print(ended.stdout)

    found = shown(plan)
    table = found.partition("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table
    assert "900 × 700" in table
    assert "about 0 core-seconds" not in found
    assert re.search(r"about 0\.0\d+ core-seconds", found)


def test_the_plan_keeps_each_name_whole_and_says_how_large_and_how_fine(slides: Path, shown: Any) -> None:
    from wsi_area.cli.commands.plan import command

    found = shown(lambda: _ended(command, [str(slides)], 3)).partition("\n\n")[0].splitlines()
    assert LONG in found
    at = found.index(LONG)
    facts = " ".join(" ".join(found[at + 1 : at + 4]).replace("\u00a0", " ").split())
    assert "900 × 700 px; level ÷ factor 0 ÷ 1, 0.25 µm/px; lane" in facts
    assert "MiB a task" in facts


def test_every_key_of_the_settings_can_be_copied(configs: Path, shown: Any) -> None:
    from wsi_area.cli.commands.config import show

    path = configs / "ihc_dab.toml"
    found = shown(lambda: show.main(["--config", str(path)], standalone_mode=False))
    assert max(map(len, found.partition("\n\n")[0].splitlines())) <= 80
    firsts = {line.split(" ")[0] for line in found.splitlines()}
    keys = {v["key"] for v in wsi_area("config", "show", "--config", path, "--json").document["settings"]}
    lists = {"segmenter.classes"}  # of which each entry has a line
    assert keys - lists <= firsts
    assert "file: preset ihc_dab" in " ".join(found.split())


def test_the_change_between_two_dates_shows_every_column_and_number(tmp_path: Path, shown: Any) -> None:
    from wsi_area.cli.commands.change import command

    name = "leg-of-patient-0017-left"
    classes = '[{id=0,name="glass",color="#fff"},{id=1,name="granulation_tissue",color="#d6609c",is_tissue=true}]'
    for date, radius in (("march", 300), ("june", 200)):
        (tmp_path / date).mkdir()
        slide = write_slide(tmp_path / date / f"{name}.tif", SIZE, {"tissue": disc(SIZE, 350, 350, radius)})
        measure(slide.path, tmp_path / f"{date}-out", f"segmenter.classes={classes.replace('#fff', '#ffffff')}")
    runs = [str(tmp_path / f"{date}-out") for date in ("march", "june")]
    piped = wsi_area("change", *runs).out  # before, since below everything goes to the terminal
    found = shown(lambda: _ended(command, runs))
    table, _, rest = found.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table
    for told in (name, "granulation_tissue", "before mm²", "after mm²", "change mm²", "% (± 95 %)", "±?"):
        assert told in table
    numbers = re.findall(r"[+−]?\d[\d.]*(?= ±)", piped.splitlines()[1])
    assert len(numbers) == 4
    assert all(number in table for number in numbers)
    assert set(rest.split()) <= set(piped.split())  # the lines below end between words


def _ended(command: Any, arguments: list[str], code: int = 0) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments, standalone_mode=False)
    assert end.value.code == code


def test_the_last_lines_of_a_run_end_between_words_and_never_in_a_path(tmp_path: Path, shown: Any) -> None:
    path = "/data/" + "very-long-folder-name/" * 5 + "summary.csv"
    text = f"Tables: {path} (and .parquet, .xlsx); each slide in full where it lies, and a report to read beside it"
    found = shown(lambda: printer.print_lines(printer.printer(), text))
    assert path in found
    assert " ".join(found.split()) == text
    assert all(len(line) <= 80 for line in found.splitlines() if path not in line)


@pytest.mark.parametrize("name", [":art:", "case:smile:2", "[b]1[/b].svs", "[/]"])
def test_a_name_with_colons_or_brackets_is_printed_as_it_is_on_a_terminal_and_in_a_pipe(
    name: str, shown: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    console.report_console().print(name)
    assert capsys.readouterr().out == f"{name}\n"
    assert shown(lambda: console.report_console().print(name)) == f"{name}\n"


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
        heads[name] = shown(lambda out=outcome, at=tmp_path / name: print_results(out.slides, at)).partition("\ns ")[0]
    assert "gland mm²" in heads["gland"]
    assert "tissue mm²" not in heads["gland"]
    assert "tumour mm²" in heads["tumor"]
    assert "tissue mm²" not in heads["tumor"]
    assert "tissue mm²" not in heads["metal"]


def test_findings_and_their_remedies_end_between_words_and_hang_below_their_beginning(shown: Any) -> None:
    path = "/data/" + "very-long-folder-name/" * 5 + "slide.svs"
    remedy = (
        f"give the pixel size of the slides that lack one, in a row of --manifest or as an option, as for {path} alone"
    )
    message = "no pixel size is on record in the file, nor in anything that lies beside it, so that mm² are withheld"
    told = [Told(name, "refusal", "MPP_MISSING", message, remedy) for name in ("bare-1", "bare-2")]
    lines = shown(lambda: print_findings(console.report_console(), told)).splitlines()
    assert lines[:2] == ["", "REFUSED MPP_MISSING"]
    assert all(len(line) <= 80 for line in lines if path not in line)
    at = next(n for n, line in enumerate(lines) if line.startswith("    → "))
    assert all(line.startswith("  ") for line in lines[2:at])
    assert " ".join(" ".join(lines[2:at]).split()) == f"bare-1, bare-2: {message}"
    assert all(line.startswith("      ") for line in lines[at + 1 :])
    assert " ".join(" ".join(lines[at:]).split()) == f"→ {remedy}"


def test_an_error_ends_between_words_on_a_terminal_and_is_one_line_in_a_pipe(tmp_path: Path) -> None:
    line = [sys.executable, "-c", "from wsi_area.cli.main import main; main()", "report", str(tmp_path)]
    piped = subprocess.run(line, capture_output=True, text=True, check=False).stderr
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 40))
    subprocess.run(line, stderr=theirs, check=False)
    os.close(theirs)
    with open(ours, "rb", buffering=0) as terminal:
        seen = terminal.read(1 << 16).decode().splitlines()
    assert piped.count("\n") == 1
    assert "there is no run.json" in piped
    assert len(seen) > 1
    assert all(len(told) <= 40 for told in seen if str(tmp_path) not in told)
    assert " ".join(seen) == piped.strip()


def test_a_warning_of_the_log_is_wrapped_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "the shards that were there are forgotten, and so are the tables that were made of them"
    record = logging.LogRecord("wsi_area.run", logging.WARNING, "", 0, words, None, None)
    told = {}
    for width in (None, 40):
        monkeypatch.setattr(wrapping, "terminal_width", lambda stream, width=width: width)
        stream = io.StringIO()
        wrapping.WrappedLines(stream).emit(record)
        told[width] = stream.getvalue().splitlines()
    assert told[None] == [words]
    assert [len(line) <= 40 for line in told[40]] == [True] * 3
    assert " ".join(told[40]) == words


def test_what_explain_says_ends_between_words_on_a_terminal_and_is_whole_lines_in_a_pipe(
    slides: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(slides / f"{LONG}.tif", tmp_path / "out", "tiling.skip_glass=false")
    explain = ("explain", tmp_path / "out", LONG)
    piped = wsi_area(*explain).out.splitlines()
    assert max(len(line) for line in piped) > 80
    monkeypatch.setattr(wrapping, "terminal_width", lambda stream: 80)
    shown = wsi_area(*explain).out.splitlines()
    assert max(len(line) for line in shown) <= 80
    assert " ".join(" ".join(shown).split()) == " ".join(" ".join(piped).split())
    (at,) = (n for n, line in enumerate(shown) if line.startswith("  pixel size: "))
    assert shown[at + 1].startswith("    ")  # below its own line, not as one of its own
    assert not shown[at + 1].startswith("     ")


@pytest.mark.parametrize("decision", [("--accept",), ("--reject", "--reason", "wrong_outline"), ("--second-opinion",)])
def test_how_each_slide_stands_in_a_review_has_whole_words_and_numbers(
    slides: Path, tmp_path: Path, shown: Any, decision: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    measure([slides / f"{LONG}.tif", slides / "bare-1.tif"], out, "tiling.skip_glass=false")
    by = ("--by", "Ada Miller", "--role", "pathologist")
    assert wsi_area("review", out, decision[0], LONG, *decision[1:], *by).code in {0, 3}
    status = wsi_area("review", out, "--status", "--json").document["slides"]
    found = shown(lambda: _ended(review, [str(out), "--status"], code=3))
    table = found.split("nobody decided on")[0]
    assert max(map(len, table.splitlines())) <= 80
    assert "…" not in table
    for slide in status:
        assert slide["status"].replace("_", " ") in table
        for told in ("reviewer", "signed_by"):
            assert (slide[told] or "–") in table
        assert (slide["utc"] or "–")[:19] in table
    assert "bare-1" in table
    (area,) = (slide["measured_mm2"] for slide in status if slide["slide_id"] == LONG)
    assert f"{area:.6g}" in table
