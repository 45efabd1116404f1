"""On one machine dask is reachable from that machine only: every socket that listens is on loopback."""

import subprocess
import sys
from pathlib import Path

import psutil

LISTENING = """
import psutil, sys
from wsi_area.run.executors.choice import make_executor
from wsi_area.settings.run_settings import RunSection

def main():
    executor = make_executor(RunSection(executor="processes", workers=2))
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        for socket in process.net_connections(kind="inet"):
            if socket.status == psutil.CONN_LISTEN:
                print(socket.laddr.ip, process.pid == me.pid)
    executor.close()

if __name__ == "__main__":
    main()
"""


def test_worker_processes_listen_on_loopback_only_dashboard_and_all(tmp_path: Path) -> None:
    script = tmp_path / "listening.py"
    script.write_text(LISTENING)
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = [line.split() for line in done.stdout.splitlines()]
    assert {ip for ip, _ in told} == {"127.0.0.1"}
    # the scheduler and its dashboard in the coordinator; in the others each a nanny's and a worker's
    assert sum(of_coordinator == "True" for _, of_coordinator in told) >= 2
    assert sum(of_coordinator == "False" for _, of_coordinator in told) >= 2


def test_the_test_would_see_a_socket_that_is_open_to_all() -> None:
    import socket

    with socket.create_server(("0.0.0.0", 0)):
        mine = psutil.Process().net_connections(kind="inet")
        assert "0.0.0.0" in {s.laddr.ip for s in mine if s.status == psutil.CONN_LISTEN}
