"""review: where a review lies: in its run, or beside a run that may not be written; and what belongs there."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import without_version
from wsi_area.model.review.review_seal import ReviewIdentity, ReviewSeal
from wsi_area.results.documents import document_of
from wsi_area.results.layout import RunLayout, json_bytes, read_json, write_json
from wsi_area.storage.growing import make_once
from wsi_area.storage.place import Place
from wsi_area.version import __version__

V = TypeVar("V", ReviewIdentity, ReviewSeal)

SUFFIX = ".jsonl"


@frozen_value
class ReviewFolder:
    """The paths of one review."""

    root: Place
    is_in_run: bool = True
    joined: "ReviewFolder | None" = None  # the begun review in the run, which this one beside it goes on with

    @property
    def identity_json(self) -> Place:
        """Return the file with the id of the review."""
        return self.root / "review.json"

    @property
    def events(self) -> Place:
        """Return the folder with one file for each session that wrote."""
        return self.root / "events"

    @property
    def summary_csv(self) -> Place:
        """Return the table of the verdicts, made of the events."""
        return self.root / "summary.csv"

    @property
    def seal_json(self) -> Place:
        """Return the seal of the review."""
        return self.root / "seal.json"

    @property
    def lock(self) -> Place:
        """Return the lock that is held while the table is made; events need no lock."""
        return self.root / ".lock"

    def chain(self, writer: str) -> Place:
        """Return the file of one session."""
        return self.events / f"{writer}{SUFFIX}"

    @property
    def is_written(self) -> bool:
        """Return True if anything of a review lies in this folder."""
        return self.identity_json.exists() or self.events.exists()

    @property
    def is_begun(self) -> bool:
        """Return True if anything of a review is there, here or in the run."""
        return self.joined is not None or self.is_written


def review_folder(layout: RunLayout, events: Place | None = None) -> ReviewFolder:
    """Return the place of a run's review: in ``review/`` of it, or in a folder of its own.

    A folder of its own goes on with the review in the run, where one has begun there: the events of both count, and
    those of the folder can be put into the run later. A folder that was begun before that stays a review of its own.

    Parameters
    ----------
    layout : RunLayout
    events : Place or None
        The folder for a run that may not be written.

    Raises
    ------
    ResultError
        That folder holds a run or lies in this one, or an identity cannot be read.
    """
    in_run = ReviewFolder(layout.review)
    if events is None:
        return in_run
    if RunLayout(events).run_json.exists():
        raise ResultError(f"{events} holds a run; choose another folder for --events, or leave it out")
    if _absolute(events) == _absolute(in_run.root):
        return in_run
    if _absolute(events).startswith(f"{_absolute(layout.root)}/"):
        raise ResultError(
            f"{events} lies in the run itself, where it would be junk; choose a folder outside {layout.root} for "
            "--events, or leave it out"
        )
    beside = ReviewFolder(events, is_in_run=False)
    if not in_run.identity_json.exists():
        return beside
    if beside.is_written and read_identity(beside).review != read_identity(in_run).review:
        return beside
    return replace(beside, joined=in_run)


def _absolute(place: Place) -> str:
    return place.resolve().as_posix() if isinstance(place, Path) else str(place)


def review_left_out(layout: RunLayout, events: Place | None) -> str | None:
    """Return the words on a review in the run that a folder beside it does not go on with; None for nothing.

    Parameters
    ----------
    layout, events
        As of `review_folder`, and so are the errors.
    """
    in_run = review_folder(layout)
    if events is None or not in_run.is_written or review_folder(layout, events).joined is not None:
        return None
    return (
        f"{in_run.root} holds a review of its own, which is not counted here: {events} was begun as another one; leave "
        "--events out to see it"
    )


def begun_review(folder: ReviewFolder) -> ReviewIdentity:
    """Return the identity of a review, which begins here if it has not.

    Raises
    ------
    ResultError
        It cannot be written, or its events are there and its identity is lost.
    """
    if not folder.identity_json.exists():
        if folder.events.exists() and not folder.identity_json.exists():  # it comes before them
            raise ResultError(
                f"{folder.events} holds events and {folder.identity_json} is gone, so nobody can say of which run they "
                "are; put that file back from a copy of the run. Each event names its id as review"
            )
        fresh = (
            ReviewIdentity(wsi_area_version=__version__, review=secrets.token_hex(16), began=now_text())
            if folder.joined is None
            else read_identity(folder.joined)
        )
        try:
            make_once(folder.identity_json, json_bytes(document_of(fresh)))
        except OSError as error:
            raise unwritable(folder, error) from error
    return read_identity(folder)


def read_identity(folder: ReviewFolder) -> ReviewIdentity:
    """Return the identity of a review; that of the one in the run, where the folder goes on with it.

    Raises
    ------
    ResultError
        It is missing or damaged.
    """
    lies_in = folder if folder.joined is None or folder.is_written else folder.joined
    return _read(ReviewIdentity, lies_in.identity_json)


def read_review_seal(folder: ReviewFolder) -> ReviewSeal:
    """Return the seal of a review; for errors as `read_identity`."""
    return _read(ReviewSeal, folder.seal_json)


def write_review_seal(folder: ReviewFolder, seal: ReviewSeal) -> None:
    """Write the seal of a review; it is there whole, or not at all."""
    write_json(folder.seal_json, document_of(seal))


def _read(kind: type[V], place: Place) -> V:
    try:
        return kind.model_validate(without_version(read_json(place)))
    except ValidationError as error:
        raise ResultError(
            f"{place} was changed or is damaged ({error.error_count()} faults); put it back from a copy of the run"
        ) from error


def unwritable(folder: ReviewFolder, error: OSError) -> ResultError:
    """Return the error of a review that cannot be written, with the way out for a run that is read-only."""
    remedy = "give another folder with --events, which may lie anywhere" if folder.is_in_run else "mend its permissions"
    return ResultError(f"{folder.root} cannot be written ({error.strerror or error}); {remedy}")


def junk_in(folder: ReviewFolder) -> list[str]:
    """Return the files in a review that are no part of one, by its place in it."""
    if not folder.root.exists():
        return []
    known = {"review.json", "summary.csv", "seal.json"}
    found = []
    everything: list[Place] = [*folder.root.rglob("*")]
    for place in sorted(everything, key=str):
        name = _inside(folder.root, place)
        parent, _, last = name.rpartition("/")
        is_folder = isinstance(place, Path) and place.is_dir() and not place.is_symlink()
        if is_folder and name == "events":
            continue
        if name.partition("/")[0].startswith(".lock"):  # in a bucket a lock is several objects
            continue
        is_link = isinstance(place, Path) and place.is_symlink()
        is_chain = parent == "events" and is_writers_file(last) and not is_folder
        if is_link or not (is_chain or (name in known and not is_folder)):
            found.append(name)
    return found


def is_writers_file(name: str) -> bool:
    """Return True if a file is named like that of a session.

    >>> is_writers_file("0123456789abcdef.jsonl"), is_writers_file("notes.jsonl")
    (True, False)
    """
    stem = name.removesuffix(SUFFIX)
    return name.endswith(SUFFIX) and len(stem) == 16 and set(stem) <= set("0123456789abcdef")


def _inside(root: Place, place: Place) -> str:
    return str(place)[len(str(root)) + 1 :]


def now_text() -> str:
    """Return the time now, UTC, ISO 8601 to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
