"""A test run that is ended by a signal leaves no server behind."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

TESTS = Path(__file__).parents[1]
SUITE = """
    import sys, time
    from pathlib import Path
    from scheduler_processes import started_scheduler
    with started_scheduler(Path(sys.argv[1]), 1) as running:
        print(*(process.pid for process in running.processes), flush=True)
        time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends them on Linux alone")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_scheduler_and_workers_end_with_the_suite_that_started_them(tmp_path: Path, number: int) -> None:
    path = f"import sys; sys.path[:0] = {[str(TESTS), str(TESTS / 'run')]!r}\n"
    words = [sys.executable, "-c", path + textwrap.dedent(SUITE), str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as suite:
        assert suite.stdout is not None
        servers = [psutil.Process(int(pid)) for pid in suite.stdout.readline().split()]
        assert len(servers) == 2
        suite.send_signal(number)
        suite.wait(30)
    _, alive = psutil.wait_procs(servers, timeout=30)
    for process in alive:
        process.kill()
    assert alive == []
