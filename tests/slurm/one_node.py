"""tests: a SLURM cluster of this one machine, started and stopped without systemd, cgroups or an account database.

It needs Debian's packages ``slurmctld slurmd slurm-client munge``, and to be root. Everything it writes lies in one
folder, its ports are its own, and it listens on loopback only. Memory limits are not enforced without cgroups.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo", "scontrol")
PID_FILES = ("munge.pid", "slurmctld.pid", "slurmd.pid")
READY_S, STOP_S = 30.0, 10.0

CONF = """ClusterName=wsitest
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobcomp.log
MpiDefault=none
DefMemPerCPU=512
ReturnToService=2
KillWait=5
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mib} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing_programs() -> list[str]:
    """What is not installed here; sbin is looked at too, which not every PATH has."""
    return [name for name in PROGRAMS if _found(name) is None]


def _found(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def one_node(folder: Path, cpus: int, memory_mib: int) -> Iterator[dict[str, str]]:
    """Start a cluster in a folder, yield the environment in which its commands work, and stop it."""
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(
            host=host, folder=folder, ctld_port=_free_port(), slurmd_port=_free_port(), cpus=cpus, memory_mib=memory_mib
        )
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    environment = {**os.environ, "SLURM_CONF": str(conf)}
    with ExitStack() as daemons:
        daemons.enter_context(_watched(folder, environment))
        munge = [f"--key-file={key}", f"--socket={folder}/munge.socket", f"--pid-file={folder}/munge.pid"]
        munge += [f"--seed-file={folder}/munge.seed", f"--log-file={folder}/munge.log"]
        for command in (["munged", "--force", *munge], ["slurmctld", "-c"], ["slurmd", "-c", "-N", host]):
            program = _found(command[0])
            assert program is not None
            subprocess.run([program, *command[1:]], env=environment, check=True, capture_output=True)
        _wait_until_idle(environment)
        yield environment


@contextmanager
def _watched(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Have a process of its own stop the cluster at the end, or when this one ends, however it does.

    Its standard input is a pipe that nobody else holds the other end of: it ends with this process.
    """
    words = [sys.executable, __file__, str(folder)]
    watcher = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        assert watcher.stdin is not None
        watcher.stdin.close()
        watcher.wait(6 * STOP_S)


def _end_cluster(folder: Path) -> None:
    """Cancel what is at work, and end the daemons, the last that was started first."""
    subprocess.run(["scancel", "--user=root"], check=False, capture_output=True, timeout=STOP_S)
    end = time.monotonic() + STOP_S
    while time.monotonic() < end:  # their steps are ended by the daemons, which must be there
        at_work = subprocess.run(["squeue", "-h"], check=False, capture_output=True, text=True, timeout=STOP_S)
        if not at_work.stdout.strip():
            break
        time.sleep(0.2)
    for pid_file in PID_FILES[::-1]:
        _stop(folder / pid_file)


def _wait_until_idle(environment: dict[str, str]) -> None:
    end = time.monotonic() + READY_S
    state = ""
    while time.monotonic() < end:
        asked = subprocess.run(
            ["sinfo", "-h", "-o", "%T"], env=environment, check=False, capture_output=True, text=True
        )
        state = asked.stdout.strip()
        if state == "idle":
            return
        time.sleep(0.2)
    raise TimeoutError(f"the node is {state!r} after {READY_S} s")


def _stop(pid_file: Path) -> None:
    """End the daemon of a pid file, and wait until it has."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_S
        while time.monotonic() < end:
            os.kill(pid, 0)  # raises once it is gone
            time.sleep(0.1)
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.read()  # until whoever started the cluster has closed it, or is no more
    with suppress(subprocess.TimeoutExpired):
        _end_cluster(Path(sys.argv[1]))
