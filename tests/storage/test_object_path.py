"""A place in a bucket answers as a folder on a disk would, held against boto3 and pathlib."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from s3_server import Server

from wsi_area import storage
from wsi_area.errors import MissingExtraError, ResultError, SettingsError
from wsi_area.storage.access import Access
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.place import Place, commit, draft_of, grown, is_object, place_of, remove_tree, settle, total_bytes

NAMES = ("a.txt", "b/c.json", "b/d/e.json", "b/f/e.json", "with space+plus%20ü.txt")


def filled(place: Place) -> Place:
    for name in NAMES:
        commit(place / name, (name.encode(), b"!"), flushed=True)
    return place


@pytest.fixture
def both(place: ObjectPath, tmp_path: Path) -> tuple[Place, Place]:
    return filled(tmp_path / "runs" / "one"), filled(place)


def names(found: Any, root: Place) -> list[str]:
    return sorted(str(entry).removeprefix(f"{root}/") for entry in found)


def test_what_boto3_reads_is_what_was_put(place: ObjectPath, client: Any) -> None:
    filled(place)
    listed = client.list_objects_v2(Bucket=place.bucket)["Contents"]
    assert sorted(entry["Key"] for entry in listed) == sorted(f"runs/one/{name}" for name in NAMES)
    for name in NAMES:
        content = client.get_object(Bucket=place.bucket, Key=f"runs/one/{name}")["Body"].read()
        assert content == name.encode() + b"!" == (place / name).read_bytes()


@pytest.mark.parametrize("pattern", ["*", "*.txt", "*/c.json", "b/*/e.json", "b/*", "*/*/e.json", "nothing*"])
def test_globs_find_what_they_find_on_a_disk(both: tuple[Place, Place], pattern: str) -> None:
    disk, bucket = both
    assert names(bucket.glob(pattern), bucket) == names(disk.glob(pattern), disk)


def test_names_kinds_and_sizes_are_those_of_a_disk(both: tuple[Place, Place]) -> None:
    disk, bucket = both
    assert names(bucket.iterdir(), bucket) == names(disk.iterdir(), disk)
    for name in (*NAMES, "b", "b/d", "nothing", "b/c"):
        a, b = disk / name, bucket / name
        assert (a.exists(), a.is_file(), a.is_dir()) == (b.exists(), b.is_file(), b.is_dir())
        assert (a.name, a.stem, a.suffix, a.parent.name) == (b.name, b.stem, b.suffix, b.parent.name)
        if a.is_file():
            assert a.stat().st_size == b.stat().st_size
    assert total_bytes(bucket) == total_bytes(disk)
    remove_tree(disk / "b")
    remove_tree(bucket / "b")
    assert names(bucket.rglob("*"), bucket) == names((p for p in disk.rglob("*") if p.is_file()), disk)


def test_what_is_missing_is_missing_as_on_a_disk(place: ObjectPath) -> None:
    for ask in (place.read_bytes, place.stat, place.unlink):
        with pytest.raises(FileNotFoundError):
            ask()
    place.unlink(missing_ok=True)


def test_an_object_is_put_once_or_over_the_one_that_was_seen(place: ObjectPath, server: Server) -> None:
    first = place.write_bytes(b"1", only_new=True)
    assert server.puts("runs/one")[0].if_none_match == "*"
    with pytest.raises(FileExistsError):
        place.write_bytes(b"2", only_new=True)
    second = place.write_bytes(b"3", over=first)
    with pytest.raises(FileExistsError):
        place.write_bytes(b"4", over=first)
    assert (place.read_bytes(), place.stat().etag) == (b"3", second)


def test_blocks_are_of_one_version_or_none(place: ObjectPath) -> None:
    content = bytes(range(256)) * 5000
    tag = place.write_bytes(content)
    assert b"".join(place.blocks(1 << 16, tag)) == content
    assert place.first_bytes(7) == content[:7]
    place.write_bytes(content[::-1])
    with pytest.raises(OSError, match="412 Precondition Failed"):
        list(place.blocks(1 << 16, tag))


def test_a_folder_is_put_whole_with_its_top_last_and_over_the_one_before(
    both: tuple[Place, Place], server: Server
) -> None:
    for root in both:
        filled(root / "labels")
        with draft_of(root / "labels") as draft:
            for name in ("0/c/0/0", "0/zarr.json", "zarr.json"):
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_text(name)
            server.asked.clear()
            settle(draft, root / "labels")
        assert names((p for p in (root / "labels").rglob("*") if p.is_file()), root / "labels") == [
            "0/c/0/0", "0/zarr.json", "zarr.json",
        ]  # fmt: skip
        assert not list(root.glob(".*"))
    assert [request.path.rpartition("labels/")[2] for request in server.puts("labels")] == [
        "0/c/0/0", "0/zarr.json", "zarr.json",
    ]  # fmt: skip


def test_a_log_grows_over_runs_and_a_lost_server_costs_a_warning_only(
    place: ObjectPath, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for line in ("one\n", "two\n"):
        with grown(place / "run.jsonl") as file, file.open("a") as log:
            log.write(line)
    assert (place / "run.jsonl").read_bytes() == b"one\ntwo\n"
    with grown(place / "run.jsonl") as file:
        server.gate = lambda request: ("403 Forbidden", "AccessDenied") if request.method == "PUT" else None
        file.write_text("three\n")
    assert "could not be put" in caplog.text
    assert "403 Forbidden, AccessDenied" in caplog.text
    assert (place / "run.jsonl").read_bytes() == b"one\ntwo\n"


def test_a_place_travels_to_a_worker_without_keys_in_it(place: ObjectPath) -> None:
    place.write_bytes(b"1")
    sent = pickle.dumps(place)
    assert b"not-a-secret" not in sent
    assert pickle.loads(sent).read_bytes() == b"1"


def test_a_key_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="AWS_ACCESS_KEY_ID") as refused:
        place_of("s3://AKIA123:very-secret@lab/run")
    assert "very-secret" not in str(refused.value)
    for odd in ("s3://", "s3://a", "s3://Lab/run", "s3://lab/a/../b", "s3://lab//b"):
        with pytest.raises(SettingsError):
            place_of(odd)
    assert not is_object(Path("s3:/lab/run"))


def test_a_wrong_bucket_names_bucket_endpoint_and_remedy(server: Server) -> None:
    with pytest.raises(ResultError, match="NoSuchBucket") as refused:
        ObjectPath("no-such-lab", "x").exists()
    for part in ("s3://no-such-lab", server.endpoint, "404 Not Found", "check the name of the bucket"):
        assert part in str(refused.value)


def test_without_credentials_nothing_is_asked_and_the_variables_are_named(
    place: ObjectPath, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ResultError, match="no credentials were found; set AWS_ACCESS_KEY_ID"):
        place.exists()
    assert not server.asked


def test_a_profile_gives_the_keys_and_an_unknown_one_is_named(
    place: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    (tmp_path / "aws-credentials").write_text("[lab]\naws_access_key_id = x\naws_secret_access_key = y\n")
    reached = ObjectPath(place.bucket, "x", Access(profile="lab"))
    reached.write_bytes(b"1")
    assert reached.read_bytes() == b"1"
    with pytest.raises(ResultError, match=r"nobody.*storage\.profile or AWS_PROFILE"):
        ObjectPath(place.bucket, "x", Access(profile="nobody")).exists()


def test_a_busy_server_is_asked_again_later_each_time(place: ObjectPath, server: Server) -> None:
    left = 3

    def busy(request: Any) -> tuple[str, str] | None:
        nonlocal left
        left -= request.method == "PUT"
        return ("503 Slow Down", "SlowDown") if request.method == "PUT" and left >= 0 else None

    place.exists()
    server.gate = busy
    place.write_bytes(b"patience")
    assert len(server.puts("runs/one")) == 4
    assert place.read_bytes() == b"patience"


def test_without_the_extra_the_command_that_installs_it_is_named(
    place: ObjectPath, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(sys.modules, "wsi_area.storage.bucket")
    monkeypatch.delattr(storage, "bucket")
    with pytest.raises(MissingExtraError, match=r"pip install 'wsi-area\[s3\]'"):
        place.mkdir()


def test_a_run_on_a_disk_loads_nothing_of_the_extra() -> None:
    code = (
        "import sys, wsi_area.cli.commands.run, wsi_area.run.pipeline\n"
        "sys.exit(', '.join({'obstore', 'boto3', 'botocore'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip() == ""
