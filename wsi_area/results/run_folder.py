"""results: what a folder holds, and what may be done with it: one state, one table, the same words for everybody.

Whoever writes reads the state while it holds the folder (`storage.locks`): a run that has not ended was killed then.
"""

import hashlib
import shlex
from collections.abc import Callable, Mapping
from enum import Enum

from wsi_area.errors import NewerDocumentError, ResultError, StaleResultError, WsiAreaError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.run_record import RunRecord
from wsi_area.results.documents import read_run
from wsi_area.results.layout import RunLayout
from wsi_area.storage.place import Place


class Standing(Enum):
    """What a folder holds, by its run.json and the files of a job array's tasks."""

    ABSENT = "there is no such folder"
    EMPTY = "a folder without a run"
    RUNNING = "a run that has not ended: it is at work, or was killed"
    ENDED = "a run that has ended"
    MERGED = "a job array whose every task is in the tables"
    UNMERGED = "tasks of a job array that are not in the tables"
    DAMAGED = "a run.json that is not whole"
    UNREADABLE = "a run.json that may be whole and cannot be read"
    NEWER = "a run.json that a later version wrote"


class Wish(Enum):
    """What somebody wants of a folder; afresh is what ``--force`` asks for."""

    READ = "read the run"
    RUN = "measure slides"
    RUN_AFRESH = "measure slides afresh"
    TASK = "measure a task's slides"
    TASK_AFRESH = "measure a task's slides afresh"
    MERGE = "merge the tasks"
    MERGE_AFRESH = "merge tasks that were begun afresh"


class Act(Enum):
    """What may be done."""

    READ = "read it"
    BEGIN = "begin: there is no earlier run"
    JOIN = "go on: the slides of the earlier run stay in the tables, and what is measured is kept"
    AFRESH = "the slides of the earlier run stay in the tables, those asked for are measured afresh"
    AFRESH_WITHOUT_TASKS = "likewise, and what the tasks of a job array said is forgotten"
    REPLACE = "nothing of the earlier run stays in the tables"

    @property
    def keeps_others(self) -> bool:
        """Return True if the slides of the earlier run stay in the tables."""
        return self in {Act.JOIN, Act.AFRESH, Act.AFRESH_WITHOUT_TASKS}

    @property
    def forgets_tasks(self) -> bool:
        """Return True if what the tasks of a job array said is forgotten."""
        return self in {Act.AFRESH_WITHOUT_TASKS, Act.REPLACE}


class Refusal(Enum):
    """Why a wish is refused; `_words` has what is said."""

    NO_RUN = "there is no run to read"
    NO_TASKS = "there are no tasks to merge"
    NOT_MERGED = "tasks measured something that the tables do not have"
    OTHER_SETTINGS = "the earlier run has other settings"
    NOT_WHOLE = "which slides the earlier run has is lost"
    NOT_READ = "run.json cannot be read"
    TOO_NEW = "run.json is of a later version"


_ERRORS: Mapping[Refusal, type[WsiAreaError]] = {
    Refusal.OTHER_SETTINGS: StaleResultError,
    Refusal.TOO_NEW: NewerDocumentError,
}
_WISHES = (Wish.READ, Wish.RUN, Wish.RUN_AFRESH, Wish.TASK, Wish.TASK_AFRESH, Wish.MERGE, Wish.MERGE_AFRESH)
_READ, _BEGIN, _JOIN, _AFRESH, _BARE, _REPLACE = Act
_NO_RUN, _NO_TASKS, _UNMERGED, _OTHER, _TORN, _UNREAD, _NEWER = Refusal

SAME, OTHER = False, True
"""Whether the earlier run has other settings than are asked for now."""

# fmt: off
_ROWS: Mapping[tuple[Standing, bool], tuple[Act | Refusal, ...]] = {
    #                            READ       RUN        RUN_AFRESH TASK     TASK_AFRESH MERGE      MERGE_AFRESH
    (Standing.ABSENT, SAME):     (_NO_RUN,   _BEGIN,    _BEGIN,   _BEGIN,  _BEGIN,    _NO_TASKS, _NO_TASKS),
    (Standing.EMPTY, SAME):      (_NO_RUN,   _BEGIN,    _BEGIN,   _BEGIN,  _BEGIN,    _NO_TASKS, _NO_TASKS),
    (Standing.RUNNING, SAME):    (_READ,     _JOIN,     _AFRESH,  _JOIN,   _AFRESH,   _NO_TASKS, _NO_TASKS),
    (Standing.RUNNING, OTHER):   (_READ,     _OTHER,    _REPLACE, _OTHER,  _REPLACE,  _NO_TASKS, _NO_TASKS),
    (Standing.ENDED, SAME):      (_READ,     _JOIN,     _AFRESH,  _JOIN,   _AFRESH,   _NO_TASKS, _NO_TASKS),
    (Standing.ENDED, OTHER):     (_READ,     _OTHER,    _REPLACE, _OTHER,  _REPLACE,  _NO_TASKS, _NO_TASKS),
    (Standing.MERGED, SAME):     (_READ,     _JOIN,     _AFRESH,  _JOIN,   _AFRESH,   _JOIN,     _JOIN),
    (Standing.MERGED, OTHER):    (_READ,     _OTHER,    _REPLACE, _OTHER,  _REPLACE,  _OTHER,    _REPLACE),
    (Standing.UNMERGED, SAME):   (_UNMERGED, _UNMERGED, _BARE,    _JOIN,   _AFRESH,   _JOIN,     _JOIN),
    (Standing.UNMERGED, OTHER):  (_UNMERGED, _UNMERGED, _REPLACE, _OTHER,  _REPLACE,  _OTHER,    _REPLACE),
    (Standing.DAMAGED, SAME):    (_TORN,     _TORN,     _REPLACE, _TORN,   _REPLACE,  _TORN,     _REPLACE),
    (Standing.UNREADABLE, SAME): (_UNREAD,   _UNREAD,   _UNREAD,  _UNREAD, _UNREAD,   _UNREAD,   _UNREAD),
    (Standing.NEWER, SAME):      (_NEWER,    _NEWER,    _NEWER,   _NEWER,  _NEWER,    _NEWER,    _NEWER),
}
# fmt: on
TABLE: Mapping[tuple[Standing, bool], Mapping[Wish, Act | Refusal]] = {
    state: dict(zip(_WISHES, answers, strict=True)) for state, answers in _ROWS.items()
}
"""What may be done: by what the folder holds, whether that has other settings, and what is wanted."""


@frozen_value
class RunFolder:
    """The state of a folder: what it holds, and in what that differs from what is asked for now."""

    layout: RunLayout
    standing: Standing
    earlier: RunRecord | None = None  # run.json, where it could be read
    difference: str = ""  # of the settings, then and now; "" where they are the same, or nobody asks
    fault: ResultError | NewerDocumentError | None = None  # why run.json could not be read


def read_folder(layout: RunLayout, difference_to: Callable[[RunRecord], str] = lambda earlier: "") -> RunFolder:
    """Return the state of a folder.

    Parameters
    ----------
    layout : RunLayout
    difference_to : callable
        Is given run.json, and returns in what its settings differ from those asked for now.
    """
    has_tasks = layout.array_plan.exists()
    if not layout.run_json.exists():
        nothing = Standing.EMPTY if layout.root.exists() else Standing.ABSENT
        return RunFolder(layout, Standing.UNMERGED if has_tasks else nothing)
    try:
        earlier = read_run(layout)
    except NewerDocumentError as error:
        return RunFolder(layout, Standing.NEWER, fault=error)
    except ResultError as error:
        is_whole_perhaps = isinstance(error.__cause__, OSError)
        return RunFolder(layout, Standing.UNREADABLE if is_whole_perhaps else Standing.DAMAGED, fault=error)
    if has_tasks:
        standing = Standing.MERGED if _are_merged(layout, earlier) else Standing.UNMERGED
    else:
        standing = Standing.RUNNING if earlier.state == "running" else Standing.ENDED
    return RunFolder(layout, standing, earlier, difference_to(earlier))


def task_digests(layout: RunLayout) -> dict[str, str]:
    """Return the SHA-256 of each file that a job array's tasks have left so far, by its name."""
    return {name: _digest(file) for name, file in _task_files(layout).items()}


def _task_files(layout: RunLayout) -> dict[str, Place]:
    files: list[Place] = [*layout.tasks.glob("*-of-*.json")]
    return {file.name: file for file in sorted(files, key=lambda f: f.name)}


def _digest(file: Place) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _are_merged(layout: RunLayout, earlier: RunRecord) -> bool:
    """Return True if every file that tasks left is in the tables; no file is read where their names say that it is not.

    A run.json without a word of tasks is of before them, or of a forced task that has measured nothing yet.
    """
    if earlier.shards is None:
        return False
    merged, files = earlier.shards.merged, _task_files(layout)
    return merged.keys() == files.keys() and all(merged[name] == _digest(file) for name, file in files.items())


def decide(folder: RunFolder, wish: Wish) -> Act:
    """Return the act that may be done with a folder.

    Raises
    ------
    NewerDocumentError, ResultError
        If the wish is refused: why, and what to do.
    """
    answer = TABLE[folder.standing, bool(folder.difference)][wish]
    if isinstance(answer, Refusal):
        raise _ERRORS.get(answer, ResultError)(_words(answer, folder, wish)) from folder.fault
    return answer


def require_readable(layout: RunLayout) -> RunRecord:
    """Return run.json of a run whose tables say what was measured.

    Raises
    ------
    NewerDocumentError, ResultError
        If the folder holds no such run.
    """
    folder = read_folder(layout)
    decide(folder, Wish.READ)
    assert folder.earlier is not None, "what may be read was read"
    return folder.earlier


def refuse_run_in(out: Place | None) -> None:
    """Refuse a folder for copies that holds a run, whose own would be replaced.

    Raises
    ------
    ResultError
    """
    if out is not None and RunLayout(out).run_json.exists():
        raise ResultError(f"{out} holds a run; choose another --out, or leave it out to write into the run itself")


def _words(why: Refusal, folder: RunFolder, wish: Wish) -> str:
    """Return the words of a refusal: what is there, and what to do."""
    layout, root = folder.layout, folder.layout.root
    match why:
        case Refusal.NO_RUN:
            return f"{root} holds no run (there is no {layout.run_json.name}); give the folder named by --out"
        case Refusal.NO_TASKS:
            return f"{root} holds no shards (there is no {layout.array_plan}); give the folder named by --out"
        case Refusal.NOT_MERGED:
            return (
                f"{root} was measured in shards that are not merged, so its tables are not whole: run wsi-area "
                f"merge {shlex.quote(str(root))}"
            )
        case Refusal.OTHER_SETTINGS:
            return (
                f"{root} holds a run with other settings: {folder.difference}; choose another --out, or --force to "
                "start this folder afresh"
            )
        case Refusal.NOT_WHOLE:
            return _words_of_loss(layout, wish)
        case Refusal.NOT_READ | Refusal.TOO_NEW:
            return str(folder.fault)


def _words_of_loss(layout: RunLayout, wish: Wish) -> str:
    """Return the words on what a damaged run.json costs, and what makes it anew."""
    lost = (
        f"{layout.run_json} is damaged: which slides this run has, and how each ended, is lost; what was measured "
        f"of them is kept in {layout.slides}. Remove that one file"
    )
    if wish is Wish.READ:
        return f"{lost} and measure the slides into this folder again: nothing is measured twice"
    again = f"{lost} and run the same command again, with every slide that shall be in the tables: nothing is measured"
    if wish is Wish.MERGE:
        return f"{lost} and merge again; then measure those slides into this folder again that no task had"
    return f"{again} twice. Or --force measures them afresh"
