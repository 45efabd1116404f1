"""A folder is a chapter and a module one noun: neither grows beyond what is read in one go."""

from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "wsi_area"
MODULES = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]

MAX_MODULES, MAX_LINES = 20, 300


def test_no_folder_has_more_modules_than_a_chapter_has_pages() -> None:
    by_folder = Counter(path.parent.relative_to(PACKAGE.parent).as_posix() for path in MODULES)
    assert by_folder["wsi_area/run/work"] > 5  # they are found
    assert {name: count for name, count in by_folder.items() if count > MAX_MODULES} == {}  # make a room of a noun


def test_no_module_is_longer_than_one_noun_takes() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert sum(lines.values()) > 10_000
    assert {path.relative_to(PACKAGE).as_posix(): n for path, n in lines.items() if n > MAX_LINES} == {}


def test_no_two_test_files_have_one_name_or_one_of_them_is_not_collected() -> None:
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert sum(names.values()) > 100
    assert [name for name, count in names.items() if count > 1] == []
