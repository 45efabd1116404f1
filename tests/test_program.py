"""The end of the program: at once where nothing is lost by it, and Python's own end everywhere else."""

import subprocess
import sys
from pathlib import Path

import pytest

BEGUN = """
import os, sys
def end_at_once(code, end=os._exit, write=os.write):
    write(1, b"at once\\n")
    end(code)
os._exit = end_at_once
sys.argv = ["wsi-area", *{words!r}]
from wsi_area.__main__ import program
"""


@pytest.fixture(autouse=True)
def buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output waits in a buffer, as it does where nobody asks for anything else."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


def ended(before: str = "", words: tuple[str, ...] = ("--version",)) -> tuple[int, str]:
    """Return the exit code and the output of a process that is the program, with something of its own before it."""
    code = f"{BEGUN.format(words=words)}\n{before}\nprogram()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def test_a_program_that_holds_nothing_ends_at_once() -> None:
    code, shown = ended()
    assert code == 0
    assert shown.startswith("wsi-area, version")
    assert shown.endswith("at once\n")


@pytest.mark.parametrize("words", [("run",), ("no-such-command",), ("explain", "--px", "nan")])
def test_the_exit_code_is_that_of_the_command(words: tuple[str, ...]) -> None:
    assert ended(words=words) == (1, "at once\n")


def test_what_was_to_happen_at_the_end_happens_before_it(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    later = "\n".join(
        [
            "import atexit, tempfile, threading, time",
            f"atexit.register(lambda: open({str(log)!r}, 'a').write('told last'))",
            "from wsi_area.cli import main as command_line",
            "ran = command_line.main",
            "def main():",
            "    global kept",
            "    kept = tempfile.TemporaryDirectory(prefix='kept')",
            f"    open({str(tmp_path / 'place.txt')!r}, 'w').write(kept.name)",
            f"    atexit.register(lambda: open({str(log)!r}, 'a').write('told at the end '))",
            f"    slow = lambda: (time.sleep(0.3), open({str(log)!r}, 'a').write('thread ended '))",
            "    threading.Thread(target=slow).start()",
            "    sys.stdout.write('not flushed')",
            "    ran()",
            "command_line.main = main",
        ]
    )
    code, shown = ended(later)
    assert code == 0
    assert shown.startswith("not flushed")
    assert shown.endswith("at once\n")
    assert log.read_text() == "thread ended told at the end told last"
    assert not Path((tmp_path / "place.txt").read_text()).exists()


def test_python_ends_a_process_with_somebody_elses_segmenter_which_may_hold_an_open_file(tmp_path: Path) -> None:
    (tmp_path / "lab_seg.py").write_text(f"notes = open({str(tmp_path / 'notes.txt')!r}, 'w')\nnotes.write('seen')\n")
    code, shown = ended(f"sys.path.insert(0, {str(tmp_path)!r}); import lab_seg")
    assert code == 0
    assert "at once" not in shown
    assert (tmp_path / "notes.txt").read_text() == "seen"


def test_output_that_nobody_reads_is_told_as_python_tells_it() -> None:
    asked = "from wsi_area.cli import main as command_line\ncommand_line.main = lambda: sys.exit(0)"
    code = f"{BEGUN.format(words=('--version',))}\nsys.stdout.write('some')\n{asked}\nprogram()"
    line = [sys.executable, "-c", code]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 120
    assert "BrokenPipeError" in told
