"""Threads share one arena of glibc's, so that what is free at the end of a stage goes back to the system."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence

import pytest

from wsi_area.storage import processes

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no arenas")

THREADS = 6
SETTINGS = ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")

COUNTED = f"""
import ctypes, json, tempfile, threading

def rss_mib():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 >> 20

def arenas():
    libc = ctypes.CDLL(None)
    libc.fopen.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile() as told:
        stream = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        return told.read().count(b"<heap nr=")

def used_by_threads():
    "Take 54 MiB in each thread, in blocks that are not mapped one by one, and let them go."
    all_there = threading.Barrier({THREADS})
    def work():
        blocks = [b"x" * (9 << 20) for _ in range(6)]
        all_there.wait()
        del blocks
        all_there.wait()
    threads = [threading.Thread(target=work) for _ in range({THREADS})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

bytearray(30 << 20)  # a freed block of a picture: from now on glibc keeps up to twice as much at the end of an arena
"""


def told(code: str, tail: Sequence[str] = (), **env: str) -> dict[str, int]:
    """Return what a process of its own says, as JSON on its last line, of its memory."""
    settings = {name: value for name, value in os.environ.items() if name not in SETTINGS} | env
    ended = subprocess.run(
        [sys.executable, "-c", COUNTED + code, *tail], env=settings, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    said: dict[str, int] = json.loads(ended.stdout.splitlines()[-1])
    return said


@pytest.mark.parametrize("shared", [False, True])
def test_what_threads_used_goes_back_to_the_system_once_they_share_one_arena(shared):
    said = told(
        "from wsi_area.storage.processes import give_back_memory, share_one_arena\n"
        f"is_shared = share_one_arena() if {shared} else False\n"
        "before = rss_mib()\n"
        "used_by_threads()\n"
        "give_back_memory()\n"
        "print(json.dumps({'is_shared': is_shared, 'arenas': arenas(), 'kept_mib': rss_mib() - before}))"
    )
    if shared:
        assert (said["is_shared"], said["arenas"]) == (True, 1)
        assert said["kept_mib"] < 20  # of 324
    else:  # or the count would show nothing
        assert said["arenas"] > 1


@pytest.mark.parametrize("setting", [("MALLOC_ARENA_MAX", "3"), ("GLIBC_TUNABLES", "glibc.malloc.arena_max=3")])
def test_who_has_told_glibc_how_many_arenas_there_are_keeps_them(setting):
    said = told(
        "from wsi_area.storage.processes import share_one_arena\n"
        "is_shared = share_one_arena()\n"
        "used_by_threads()\n"
        "print(json.dumps({'is_shared': is_shared, 'arenas': arenas()}))",
        **dict([setting]),
    )
    assert said == {"is_shared": False, "arenas": 3}


def test_a_command_has_one_arena_however_many_threads_work():
    said = told(
        "from wsi_area.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        "used_by_threads()\n"
        "print(json.dumps({'code': code, 'arenas': arenas()}))",
        ["explain", "--px", "15000", "--mpp", "0.5"],
    )
    assert said == {"code": 0, "arenas": 1}


def test_a_worker_process_of_ours_has_one_arena():
    said = told(
        "from wsi_area.run.work.worker_setup import dask_setup\n"
        "dask_setup(None)\n"
        "used_by_threads()\n"
        "print(json.dumps({'arenas': arenas()}))"
    )
    assert said == {"arenas": 1}


def test_a_library_in_somebody_elses_process_leaves_its_arenas_alone():
    said = told("import wsi_area\nwsi_area.measure\nused_by_threads()\nprint(json.dumps({'arenas': arenas()}))")
    assert said["arenas"] > 1


def test_another_c_library_is_left_as_it_is(monkeypatch):
    for setting in SETTINGS:
        monkeypatch.delenv(setting, raising=False)
    monkeypatch.setattr(processes.ctypes, "CDLL", lambda name: object())
    assert processes.share_one_arena() is False
    assert processes.keep_freed_blocks() is False
    processes.give_back_memory()
