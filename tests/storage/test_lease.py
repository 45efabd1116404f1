"""Who may write a bucket: one alone or several together, the dead told from the living."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from command_line import wsi_area
from s3_server import Server

from wsi_area.errors import ResultError
from wsi_area.storage import lease as lease_module
from wsi_area.storage.lease import Lease
from wsi_area.storage.locks import held, joint_writer, sole_writer
from wsi_area.storage.object_path import ObjectPath


def test_a_second_coordinator_is_refused_with_a_conditional_put(
    place: ObjectPath, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "s.tif").write_bytes(b"never opened")
    with sole_writer(place):
        assert server.puts("/.lock")[0].if_none_match == "*"
        ended = wsi_area("run", tmp_path / "s.tif", "--out", place)
        assert ended.code == 1
        assert "is being written by another wsi-area process" in ended.err
    with sole_writer(place):
        pass
    assert not list(place.rglob("*"))


def test_tasks_share_and_keep_everybody_else_out(place: ObjectPath) -> None:
    with joint_writer(place), joint_writer(place):
        with pytest.raises(ResultError, match="being written"), sole_writer(place):
            pass
        with joint_writer(place):
            pass
    with sole_writer(place), pytest.raises(ResultError, match="being written"), joint_writer(place):
        pass
    assert not list(place.rglob("*"))


def test_a_share_becomes_sole_only_when_nobody_else_shares(place: ObjectPath) -> None:
    one, other = Lease(place / ".lock"), Lease(place / ".lock")
    assert one.take(shared=True, waits=False)
    assert other.take(shared=True, waits=False)
    assert not one.take(shared=False, waits=False)
    assert one.take(shared=True, waits=False)
    other.close()
    assert one.take(shared=False, waits=False)
    assert not Lease(place / ".lock").take(shared=True, waits=False)
    assert one.take(shared=True, waits=False)
    one.close()
    assert not list(place.rglob("*"))


def test_of_many_that_come_at_once_one_has_it(place: ObjectPath) -> None:
    place.exists()
    leases = [Lease(place / ".lock") for _ in range(8)]
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda x=x: taken.append(x.take(shared=False, waits=False))) for x in leases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 1
    for lease in leases:
        lease.close()


def test_one_that_waits_gets_it_after_the_holder(place: ObjectPath) -> None:
    first = Lease(place / ".plan.lock")
    assert first.take(shared=False, waits=False)
    threading.Timer(0.2, first.close).start()
    with held(place / ".plan.lock", waits=True):
        assert (place / ".plan.lock").is_file()


def test_what_a_killed_process_of_this_machine_held_is_taken_at_once(place: ObjectPath) -> None:
    code = (
        "import sys, time; from wsi_area.storage.place import place_of; from wsi_area.storage.lease import Lease\n"
        "Lease(place_of(sys.argv[1])).take(shared=len(sys.argv) > 2, waits=False); print('held', flush=True)\n"
        "time.sleep(600)"
    )
    for further in ([], ["shared"]):
        command = [sys.executable, "-c", code, str(place / ".lock"), *further]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            with pytest.raises(ResultError, match="being written"), sole_writer(place):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
        with sole_writer(place):
            pass
    assert not list(place.rglob("*"))


def test_a_holder_elsewhere_is_dead_after_a_silence_by_the_servers_clock(
    place: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = place / ".lock"
    lock.write_bytes(json.dumps({"token": "x", "host": "node7", "machine": "node7 b p", "pid": 1}).encode())
    with pytest.raises(ResultError, match="being written"), sole_writer(place):
        pass
    monkeypatch.setattr(lease_module, "DEAD_AFTER_S", -1.0)
    with sole_writer(place):
        assert json.loads(lock.read_bytes())["token"] != "x"


def test_a_holder_whose_object_another_took_stops_its_run_and_says_so(
    place: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_module, "RENEWED_EVERY_S", 0.02)
    stopped = threading.Event()
    monkeypatch.setattr(lease_module._thread, "interrupt_main", lambda number: stopped.set())
    lock = place / ".lock"
    holder = Lease(lock)
    assert holder.take(shared=False, waits=False)
    before = lock.stat().etag
    for _ in range(6000):  # it is put anew all the while
        if lock.stat().etag != before:
            break
        time.sleep(0.01)
    else:
        raise AssertionError("the lease was never renewed")
    lock.write_bytes(b"{}")
    assert stopped.wait(60)
    with pytest.raises(ResultError, match="lease was lost"):
        holder.close()
    assert lock.read_bytes() == b"{}"  # the other's is left alone
