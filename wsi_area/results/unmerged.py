"""results: whether the tables of a run have everything that the tasks of a job array measured."""

import hashlib
import shlex

from wsi_area.errors import ResultError
from wsi_area.results.layout import RunLayout, read_json
from wsi_area.storage.place import Place


def shard_digests(layout: RunLayout) -> dict[str, str]:
    """Return the hash of each file that a job array's tasks have left so far, by its name."""
    files: list[Place] = [*layout.tasks.glob("*-of-*.json")]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(files, key=lambda f: f.name)}


def is_unmerged(layout: RunLayout) -> bool:
    """Return whether tasks of a job array measured something here that the run's tables do not have yet."""
    if not layout.array_plan.exists():
        return False
    if not layout.run_json.exists():
        return True
    about = read_json(layout.run_json).get("shards")
    # run.json without a word of shards is of before them, or of a forced task that has measured nothing yet
    return about is None or about.get("merged", {}) != shard_digests(layout)


def refuse_unmerged(layout: RunLayout) -> None:
    """Refuse a run whose tables do not have yet what its shards measured.

    Raises
    ------
    ResultError
        Naming the command that finishes it.
    """
    if is_unmerged(layout):
        raise ResultError(
            f"{layout.root} was measured in shards that are not merged, so its tables are not whole: run wsi-area "
            f"merge {shlex.quote(str(layout.root))}"
        )


def discard_shards(layout: RunLayout) -> None:
    """Forget what a job array's tasks said, so that the folder can be begun afresh; their slides' folders stay."""
    layout.array_plan.unlink(missing_ok=True)
    for path in layout.tasks.glob("*-of-*.json"):
        path.unlink(missing_ok=True)
