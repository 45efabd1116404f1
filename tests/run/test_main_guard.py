"""A script that would start itself again in every worker process is told what to write, before any is started."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

SIZE = Size(300, 200)
CALL = """
import sys
import wsi_area

def measure():
    settings = ["segmenter.threshold=60", "run.workers=1", f"run.executor={sys.argv[3]}"]
    run = wsi_area.measure(sys.argv[1], settings=settings, out=sys.argv[2])
    print("complete", *run.summary["status"])
"""


def ran(
    tmp_path: Path, end: str, executor: str = "processes", as_module: bool = False
) -> "subprocess.CompletedProcess[str]":
    slide = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 150, 100, 60)}).path
    script = tmp_path / "script.py"
    script.write_text(CALL + textwrap.dedent(end))
    start = ["-m", "script"] if as_module else [str(script)]
    words = [sys.executable, *start, str(slide), str(tmp_path / "out"), executor]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)


@pytest.mark.parametrize("end", ["measure()\n", "for _ in range(1):\n    measure()\n"])
@pytest.mark.parametrize("as_module", [False, True])
def test_without_the_guard_no_process_is_started_and_the_line_to_write_is_named(
    tmp_path: Path, end: str, as_module: bool
) -> None:
    ended = ran(tmp_path, end, as_module=as_module)
    assert ended.returncode == 1
    assert ended.stderr.count("Traceback") == 1  # of the script itself, from none of its copies
    assert 'below a line `if __name__ == "__main__":`, or choose run.executor=threads' in ended.stderr
    called_in = 1 + (tmp_path / "script.py").read_text().splitlines().index(end.splitlines()[-1])
    assert f"script.py, line {called_in}: each worker process imports this script" in ended.stderr
    assert "bootstrapping" not in ended.stderr


@pytest.mark.parametrize("test", ['__name__ == "__main__"', 'len(sys.argv) > 1 and "__main__" == __name__'])
def test_with_a_guard_the_script_measures_once(tmp_path: Path, test: str) -> None:
    end = f"if {test}:\n    measure()\n"
    ended = ran(tmp_path, end)
    assert (ended.returncode, ended.stdout) == (0, "complete complete\n"), ended.stderr


def test_threads_need_no_guard(tmp_path: Path) -> None:
    assert ran(tmp_path, "measure()\n", "threads").stdout == "complete complete\n"
