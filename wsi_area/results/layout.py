"""results: where things lie in a run directory, and how a file gets there whole or not at all."""

import csv
import errno
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from wsi_area.errors import ResultError

SCHEMA_VERSION = 1
OUTLINES_NAME, LABELS_NAME = "regions.geojson.gz", "labels.ome.zarr"
"""What `wsi-area export` writes beside a slide's result; made from its class map, so gone when that is made anew."""


@dataclass(frozen=True, slots=True)
class RunLayout:
    """The paths of one run directory."""

    root: Path

    @property
    def run_json(self) -> Path:
        """Return the file that says what ran, with what, and how it ended."""
        return self.root / "run.json"

    @property
    def slides(self) -> Path:
        """Return the folder with one folder a slide."""
        return self.root / "slides"

    @property
    def shards(self) -> Path:
        """Return the folder in which the tasks of a job array say what they measured."""
        return self.root / "shards"

    @property
    def shard_plan(self) -> Path:
        """Return the file that says which slides the tasks of a job array share, and who has which."""
        return self.shards / "plan.json"

    def shard(self, index: int, count: int) -> Path:
        """Return the file in which one task says how its slides ended."""
        return self.shards / f"{index}-of-{count}.json"

    @property
    def logs(self) -> Path:
        """Return the folder of logs, JSON lines."""
        return self.root / "logs"

    def slide(self, slide_id: str) -> "SlideLayout":
        """Return the paths of one slide."""
        return SlideLayout(self.slides / slide_id)


@dataclass(frozen=True, slots=True)
class SlideLayout:
    """The paths of one slide inside a run directory."""

    root: Path

    @property
    def result_json(self) -> Path:
        """Return the slide's result; it exists once every tile has been accounted for."""
        return self.root / "result.json"

    @property
    def ledger(self) -> Path:
        """Return the zarr group of per-tile counts."""
        return self.root / "ledger.zarr"

    @property
    def class_map(self) -> Path:
        """Return the zarr group of the class map, an OME-Zarr image of class ids."""
        return self.root / "mask.ome.zarr"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk, and rename it: whole, or not there.

    Raises
    ------
    ResultError
        Naming the file, if it cannot be written (no permission, no space).
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise ResultError(
            f"{path} cannot be written ({error.strerror or error}); free some space or choose another --out, then "
            "run the same command again: what is committed is kept"
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON document; not-a-number is refused, since JSON has none."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON document.

    Raises
    ------
    ResultError
        If it is missing or damaged.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ResultError(
            f"{path} cannot be read ({error}); if this is the folder of a run, run the same command again"
        ) from error
    if not isinstance(content, dict):
        raise ResultError(f"{path} does not hold a JSON object; it was not written by wsi_area")
    return content


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table as CSV: comma, point, UTF-8; missing values are empty."""
    lines: list[str] = []

    class _Lines:
        def write(self, text: str) -> None:
            lines.append(text)

    writer = csv.DictWriter(_Lines(), fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows({c: _cell(row.get(c)) for c in columns} for row in rows)
    write_bytes(path, "".join(lines).encode())


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else value


@contextmanager
def sole_writer(root: Path) -> Iterator[None]:
    """Hold a run directory for this process; a second coordinator is refused.

    Raises
    ------
    ResultError
        If another process holds it, or the folder cannot be made.
    """
    with held(root / ".lock", busy=_in_use(root)):
        yield


@contextmanager
def joint_writer(root: Path) -> Iterator[IO[str]]:
    """Hold a run directory together with other tasks of one job array, and keep everybody else out.

    Raises
    ------
    ResultError
        If a process holds it alone, or the folder cannot be made.
    """
    with held(root / ".lock", shared=True, busy=_in_use(root)) as lock:
        yield lock


def _in_use(root: Path) -> str:
    return f"{root} is being written by another wsi-area process; wait for it, or choose another --out"


@contextmanager
def held(path: Path, *, shared: bool = False, waits: bool = False, busy: str = "") -> Iterator[IO[str]]:
    """Hold a lock file: for this process alone, or together with others that share it.

    Raises
    ------
    ResultError
        With the words of ``busy`` if somebody else holds it, unless this waits; or if the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+")  # readable too: over NFS a shared lock asks for that
    except OSError as error:
        raise ResultError(
            f"{path.parent} cannot be written ({error.strerror or error}); choose another --out or mend its permissions"
        ) from error
    with lock:
        relock(lock, shared=shared, waits=waits, busy=busy)
        yield lock


def relock(lock: IO[str], *, shared: bool, busy: str, waits: bool = False) -> None:
    """Take an opened lock file, or change how it is held; where that fails it is not held any more.

    Raises
    ------
    ResultError
        With the words of ``busy`` if somebody else holds it.
    """
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if waits else fcntl.LOCK_NB)
    try:
        fcntl.flock(lock, how)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise ResultError(
                f"{lock.name} is on a file system that cannot lock files ({error.strerror}); choose another --out"
            ) from error
        raise ResultError(busy) from error
