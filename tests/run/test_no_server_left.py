"""A test run that is ended by a signal leaves no server behind."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest
from one_node import missing_programs

TESTS = Path(__file__).parents[1]
SUITE = """
    import sys, time
    from pathlib import Path
    from scheduler_processes import started_scheduler
    with started_scheduler(Path(sys.argv[1]), 1) as running:
        print(*(process.pid for process in running.processes), flush=True)
        time.sleep(600)
"""


SLURM_SUITE = """
    import sys, time
    from pathlib import Path
    from one_node import PID_FILES, one_node
    with one_node(Path(sys.argv[1]), cpus=1, memory_mib=1024) as environment:
        print(*((Path(sys.argv[1]) / name).read_text().strip() for name in PID_FILES), flush=True)
        time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends them on Linux alone")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_scheduler_and_workers_end_with_the_suite_that_started_them(tmp_path: Path, number: int) -> None:
    assert left_by(SUITE, tmp_path, number, servers=2) == []


@pytest.mark.skipif(bool(missing_programs()), reason="SLURM is not installed here")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_daemons_of_slurm_end_with_the_suite_that_started_them(tmp_path: Path, number: int) -> None:
    assert left_by(SLURM_SUITE, tmp_path, number, servers=3) == []


def left_by(suite_code: str, folder: Path, number: int, servers: int) -> list[psutil.Process]:
    """The servers of a suite that are alive long after it was ended by a signal; they are ended then."""
    path = f"import sys; sys.path[:0] = {[str(TESTS), str(TESTS / 'run'), str(TESTS / 'slurm')]!r}\n"
    words = [sys.executable, "-c", path + textwrap.dedent(suite_code), str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as suite:
        assert suite.stdout is not None
        started = [psutil.Process(int(pid)) for pid in suite.stdout.readline().split()]
        assert len(started) == servers
        suite.send_signal(number)
        suite.wait(30)
    _, alive = psutil.wait_procs(started, timeout=60)
    for process in alive:
        process.kill()
    return alive
