"""What a stranger's file could misuse is nowhere in the code: no shell, no foreign pickle, no XML with entities.

The source is read, not run; each rule names the few places where the thing stands, and why it is harmless there.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "wsi_area"

PICKLE = {
    "run/work/isolation.py",  # between a worker and the process that it starts: nothing from a slide was ever pickled
    "segmenters/contract.py",  # a test that a segmenter survives travelling; loads what it dumped itself
}
SUBPROCESS = {
    "run/work/isolation.py",  # this Python, with a constant program
    "slides/header/refusal.py",  # this Python, with a constant program; the file's name is an argument behind it
    "compute/shipping.py",  # this Python, with a module of ours, while the package is built
    "run/executors/sbatch.py",  # sbatch, the script on its standard input
    "run/executors/slurm_keeper.py",  # squeue, with constant arguments
}
RUN_AS_CODE = {
    (
        "frozen_value.py",
        "exec",
    ),  # the names of a class's own fields, as dataclasses does it; nothing that was ever read
}


@functools.cache
def sources() -> dict[str, ast.Module]:
    found = {p.relative_to(PACKAGE).as_posix(): ast.parse(p.read_text("utf-8")) for p in PACKAGE.rglob("*.py")}
    assert len(found) > 100
    return found


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize(
    ("modules", "allowed"),
    [
        ({"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib", "jsonpickle"}, PICKLE),
        ({"subprocess", "pty", "popen2"}, SUBPROCESS),
        ({"tarfile"}, set()),
        ({"xml.dom", "xml.sax", "lxml", "xml.etree.ElementTree.parse", "xml.etree.ElementTree.fromstring"}, set()),
    ],
    ids=["pickle", "subprocess", "archives that are unpacked", "XML without defence"],
)
def test_what_is_dangerous_is_imported_only_where_it_is_known_to_be_harmless(
    modules: set[str], allowed: set[str]
) -> None:
    assert {place for place, tree in sources().items() if imported(tree) & modules} <= allowed


def test_nothing_is_handed_to_a_shell_and_nothing_that_was_read_is_run_as_code() -> None:
    banned = {"eval", "exec", "compile", "os.system", "os.popen", "os.execv", "os.spawnl"}
    found = [
        (place, name)
        for place, tree in sources().items()
        for name, call in calls(tree)
        if name in banned or any(word.arg == "shell" for word in call.keywords)
    ]
    assert set(found) == RUN_AS_CODE


def test_arrays_are_loaded_without_pickle_and_archives_never_unpacked_to_disk() -> None:
    for place, tree in sources().items():
        for name, call in calls(tree):
            last = name.rpartition(".")[2]
            assert last not in {"extractall", "extract", "unpack_archive"}, place
            if name in {"np.load", "numpy.load"} or last == "read_array":
                said = {word.arg: ast.unparse(word.value) for word in call.keywords}
                assert said.get("allow_pickle", "False") == "False", place


def test_the_rules_would_notice_a_slip() -> None:
    slip = ast.parse("import pickle\nsubprocess.run(text, shell=True)\nos.system(text)\nfrom xml.sax import parse")
    assert {"pickle", "xml.sax"} <= imported(slip)
    assert {"subprocess.run", "os.system"} <= {name for name, _ in calls(slip)}
