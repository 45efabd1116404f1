"""Asked to stop, out of disk, on a wrong clock, two at once, over another file: nothing is lost, nothing is mixed."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from crash_bench import KILLED, SHARD, SIZE, STEPS, Bench, assert_no_lie, stores
from crash_children import RENAME, Fault
from synthetic import disc, write_slide

from wsi_area.results.layout import read_json


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, configs: Path) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("crash"), configs)
    with made.nursery:
        yield made


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("SIGTERM", SHARD),
        ("SIGTERM", "wsi_area.run.passes.object_pass:describe_foci"),
        ("SIGUSR1", SHARD),
        ("SIGINT", SHARD),
    ],
)
def test_asked_to_stop_it_commits_what_it_is_at_and_says_interrupted(
    bench: Bench, tmp_path: Path, name: str, at: str
) -> None:
    out = tmp_path / "out"
    assert bench.nursery.run(bench.command(out), Fault(at, "before", 3, name)) == 130
    assert read_json(out / "run.json")["state"] == "interrupted"
    assert_no_lie(out, stores(bench.undisturbed["foci"]))
    bench.resumed(out, "foci")


# --- disks


@pytest.mark.parametrize(
    ("error", "at"),
    [("ENOSPC", SHARD), ("ENOSPC", RENAME), ("EROFS", "os:fsync"), ("EIO", SHARD), ("EDQUOT", RENAME)],
)
def test_a_disk_that_takes_no_more_costs_what_was_not_yet_committed(
    bench: Bench, tmp_path: Path, error: str, at: str
) -> None:
    out = tmp_path / "out"
    fault = Fault(at, nth=4, error=error, errors=10_000)
    assert bench.nursery.run(bench.command(out), fault) in {1, 2}
    assert_no_lie(out, stores(bench.undisturbed["foci"]))
    bench.resumed(out, "foci")


@pytest.mark.parametrize("limit_bytes", [0, 300, 5000])
def test_a_file_that_cannot_grow_is_never_left_torn(bench: Bench, tmp_path: Path, limit_bytes: int) -> None:
    out = tmp_path / "out"
    assert bench.nursery.run(bench.command(out), Fault(file_limit_bytes=limit_bytes)) in {1, 2}
    assert_no_lie(out, stores(bench.undisturbed["foci"]))
    bench.resumed(out, "foci")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk))
    if mounted != 0:
        pytest.skip("a small disk can only be mounted by root, with leave of the container")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def mount(*options: str) -> int:
    if shutil.which("mount") is None or os.geteuid() != 0:
        return -1
    return subprocess.run(["mount", *options], check=False, capture_output=True).returncode


@pytest.mark.parametrize("free_kib", [4, 24, 48])
def test_a_full_disk_ends_a_run_and_more_space_lets_it_go_on(bench: Bench, small_disk: Path, free_kib: int) -> None:
    (small_disk / "ballast").write_bytes(bytes((64 - free_kib) << 10))
    out = small_disk / "out"
    assert bench.nursery.run(bench.command(out)) in {1, 2}
    assert_no_lie(out, stores(bench.undisturbed["foci"]))
    assert mount("-o", "remount,size=4m", str(small_disk)) == 0
    bench.resumed(out, "foci")


def test_a_read_only_folder_is_refused_before_anything_is_measured(bench: Bench, small_disk: Path) -> None:
    assert mount("-o", "remount,ro", str(small_disk)) == 0
    assert bench.nursery.run(bench.command(small_disk / "out")) == 1
    assert list(small_disk.iterdir()) == []


# --- clocks, other people, other files


@pytest.mark.parametrize("time_s", [0, 4_102_444_800])
def test_files_from_the_past_or_the_future_are_judged_by_what_is_in_them(
    bench: Bench, tmp_path: Path, time_s: int
) -> None:
    out = tmp_path / "out"
    assert bench.nursery.run(bench.command(out), STEPS["after a chunk, before its row"][1]) == KILLED
    for path in out.rglob("*"):
        os.utime(path, (time_s, time_s))
    bench.resumed(out, "foci")


def test_a_second_coordinator_is_refused_and_changes_nothing(bench: Bench, tmp_path: Path) -> None:
    out = tmp_path / "out"
    stopped = Fault(SHARD, "after", 3, "SIGSTOP")
    first, second, forced = bench.nursery.run_all(
        [
            (bench.command(out), stopped),
            (bench.command(out), None),
            (bench.command(out, "foci", "--no-report", "--force"), None),
        ]
    )
    assert (first, second, forced) == (KILLED, 1, 1)
    assert read_json(out / "run.json")["state"] == "running"  # of the first: the others did not touch it
    assert_no_lie(out, stores(bench.undisturbed["foci"]))
    bench.resumed(out, "foci")


def test_a_slide_replaced_under_its_name_is_never_mixed_in(bench: Bench, tmp_path: Path) -> None:
    out, kept = tmp_path / "out", tmp_path / "kept"
    shutil.copy2(bench.slide, kept)
    assert bench.nursery.run(bench.command(out), STEPS["after a chunk, before its row"][1]) == KILLED
    before = stores(out)
    write_slide(bench.slide, SIZE, {"dab": disc(SIZE, 400, 300, 250)})
    try:
        assert bench.nursery.run(bench.command(out)) == 2
        assert stores(out) == before
        assert json.loads((out / "run.json").read_text())["statuses"] == {"failed": 1}
        assert_no_lie(out, stores(bench.undisturbed["foci"]))
        other, forced = tmp_path / "other", bench.command(out, "foci", "--no-report", "--force")
        assert bench.nursery.run(bench.command(other)) == bench.nursery.run(forced) == 0
        assert stores(out) == stores(other) != stores(bench.undisturbed["foci"])
    finally:
        shutil.copy2(kept, bench.slide)
    assert bench.nursery.run(bench.command(out, "foci", "--no-report", "--force")) == 0
    bench.resumed(out, "foci")
