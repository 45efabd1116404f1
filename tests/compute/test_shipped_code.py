"""An installation carries its kernels as bitcode: whole, up to date, trusted, right; or else numba compiles."""

import ast
import inspect
import platform
import shutil
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from test_machine_code import ARGUMENTS, SOURCE, cache, ours_imported, scaled, was_compiled  # noqa: F401
from test_trusted_code import by_umask_002, file_of_everybody, folder_of_everybody

from wsi_area.compute import machine_code, shipped_code, trusted_file
from wsi_area.compute.kept_code import KEY_ENDS, write_code
from wsi_area.compute.machine_code import address_of, native_function
from wsi_area.compute.native import Native
from wsi_area.compute.object_code import bitcode_of, compiled_by_numba, module_of
from wsi_area.compute.processor import processor
from wsi_area.compute.shipped_code import object_file, ship
from wsi_area.compute.shipping import BY_NUMBA, declared_natives, ship_bitcode, ship_by_numba, ship_objects

PACKAGE = Path(machine_code.__file__).parents[1]
NATIVE = Native("scaling", "scale", ARGUMENTS)


def kernels(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a compiled module that are called from outside."""
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [one for one in found if not one.decorator_list and not one.name.startswith("_")]


def test_every_kernel_of_the_package_is_declared_and_so_it_is_shipped() -> None:
    written = set()
    for path in PACKAGE.rglob("compiled*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        written |= {(module, one.name) for one in kernels(ast.parse(path.read_text(encoding="utf-8")))}
    assert len(written) > 25
    assert written == {(one.module, one.name) for one in declared_natives()}  # say it in NATIVE, beside the caller


@pytest.mark.parametrize("native", declared_natives(), ids=lambda one: one.file_stem)
def test_a_kernel_is_spelt_with_all_that_it_takes_and_with_all_that_is_compiled_in(native: Native) -> None:
    taken = inspect.signature(getattr(import_module(native.module), native.name)).parameters
    assert len(native.arguments.split()) == len(taken)
    imported: set[str] = set()
    unseen = [native.module]
    while unseen:  # a module of parts is compiled in with all that it takes from others
        tree = ast.parse(inspect.getsource(import_module(unseen.pop())))
        new = {name for name in ours_imported(tree) if name.startswith("wsi_area")} - imported
        unseen += [name for name in new if ".compiled" in name]
        imported |= new
    assert imported - {"wsi_area.compute.machine_code"} == set(native.frozen)


@pytest.fixture
def shipped(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A folder of an installation that carries code of ``scaling`` with the factor 3; an empty cache beside it."""
    folder = cache.parent / "shipped"
    folder.mkdir()
    monkeypatch.setattr(shipped_code, "SHIPPED", folder)
    trusted_file.tell_distrust.cache_clear()
    (cache.parent / "scaling.py").write_text(SOURCE.format(factor=3, imports=""))
    bitcode = bitcode_of(module_of(compiled_by_numba(*NATIVE[:3])))
    assert bitcode is not None
    ship(NATIVE, bitcode, folder)
    del sys.modules["scaling"]
    return folder


def test_what_is_shipped_is_made_into_machine_code_without_numba_and_kept(shipped: Path, cache: Path) -> None:  # noqa: F811
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()
    [kept] = cache.iterdir()
    shutil.rmtree(shipped)
    assert scaled(cache) == [3, 6, 750]  # of the object file alone
    assert not was_compiled()
    assert kept.exists()


def test_where_nothing_can_be_written_what_is_shipped_is_used_all_the_same(
    shipped: Path,
    cache: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache.write_text("a file where the folder should be")
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()
    assert "NUMBA_CACHE_DIR" in caplog.text


def test_what_is_shipped_serves_another_kind_of_processor(
    shipped: Path,
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scaled(cache)
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    processor.cache_clear()
    try:
        assert scaled(cache) == [3, 6, 750]
        assert not was_compiled()
        assert len(list(cache.iterdir())) == 2
    finally:
        processor.cache_clear()


def a_changed_source(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    return 4


def another_numba(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(shipped_code, "version", lambda package: "0.1")
    return 3


def another_llvmlite(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(shipped_code, "llvmlite_version", "0.1")
    return 3


def another_architecture(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    return 3


def a_setting_of_numba(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("NUMBA_OPT", "2")
    return 3


@pytest.mark.parametrize(
    "changed", [a_changed_source, another_numba, another_llvmlite, another_architecture, a_setting_of_numba]
)
def test_what_was_shipped_for_something_else_is_left_alone_without_a_word(
    shipped: Path,
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    changed: Callable[[Path, pytest.MonkeyPatch], int],
) -> None:
    factor = changed(shipped, monkeypatch)
    assert scaled(cache, factor) == [factor, 2 * factor, 250 * factor]
    assert was_compiled()
    assert not caplog.records


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def a_byte_changed(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])


def not_bitcode(file: Path) -> None:
    start = file.read_bytes()[:KEY_ENDS]
    write_code(file, start[-32:], b"not bitcode")


@pytest.mark.parametrize("damage", [cut_short, a_byte_changed, not_bitcode])
def test_what_is_shipped_and_damaged_is_said_and_compiled_instead(
    shipped: Path,
    cache: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
) -> None:
    [file] = shipped.iterdir()
    damage(file)
    assert scaled(cache) == [3, 6, 750]
    assert was_compiled()
    assert len(caplog.records) == 1


@pytest.mark.parametrize("opened", [file_of_everybody, folder_of_everybody])
def test_what_others_may_write_is_not_used_and_the_remedy_is_said(
    shipped: Path,
    cache: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    opened: Callable[[Path], None],
) -> None:
    opened(shipped)
    assert scaled(cache) == [3, 6, 750]
    assert was_compiled()
    assert "chmod -R o-w" in caplog.text


def test_what_a_group_may_write_is_used_like_the_sources_beside_it(shipped: Path, cache: Path) -> None:  # noqa: F811
    by_umask_002(shipped)
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()


def test_a_kernel_that_needs_numba_while_it_runs_is_not_shipped(
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = SOURCE.format(factor="np.ones(count).size", imports="import numpy as np")
    (cache.parent / "scaling.py").write_text(source)
    assert bitcode_of(module_of(compiled_by_numba(*NATIVE[:3]))) is None
    assert "cannot be kept" in caplog.text


FOLDED = """
from numba import carray

def fold(values_at, count, out_at):
    values, out = carray(values_at, count), carray(out_at, 1)
    {first}
    for i in range(count):
        {each}
    out[0] = total
"""
FOLDS = {  # what a compiler may reorder, widen or turn into vectors
    "a sum of doubles, in their order": ("double", "total = 0.0", "total += values[i] * 0.1", 1),
    "whole numbers that wrap round": ("int32", "total = 1", "total = (total * 31 + values[i]) & 0xFFFFFFFF", 7),
    "the first of the largest": ("int64", "total = best = 0", "if values[i] > best:\n            best = values[i]\n"
                                 "            total = i", 5),
}  # fmt: skip


@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
def test_bitcode_comes_to_what_python_comes_to(
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    fold: tuple[str, str, str, int],
) -> None:
    kind, first, each, seed = fold
    source = FOLDED.format(first=first, each=each)
    (cache.parent / "scaling.py").write_text(source)
    native = Native("scaling", "fold", f"{kind}* int64 {'double' if kind == 'double' else 'int64'}*")
    bitcode = bitcode_of(module_of(compiled_by_numba(*native[:3])))
    assert bitcode is not None
    monkeypatch.setattr(shipped_code, "SHIPPED", cache)
    cache.mkdir()
    ship(native, bitcode, cache)
    del sys.modules["scaling"]
    dtype = np.dtype("float64" if kind == "double" else kind)
    values = np.random.default_rng(seed).integers(-(2**30), 2**30, 1003).astype(dtype)
    out = np.zeros(1, np.float64 if kind == "double" else np.int64)
    native_function(*native)(address_of(values), values.size, address_of(out))
    assert not was_compiled()
    read = {"carray": lambda array, count: array}
    exec(source.replace("from numba import carray", ""), read)
    expected = np.zeros_like(out)
    read["fold"](values.tolist(), values.size, expected)
    assert out.tolist() == expected.tolist()


def test_what_the_package_carries_already_is_copied_and_not_compiled_again(
    shipped: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("wsi_area.compute.shipping.declared_natives", lambda: [NATIVE])
    wheel = tmp_path / "wheel"
    wheel.mkdir()
    assert ship_bitcode(wheel) == [NATIVE]
    [one], [other] = shipped.iterdir(), wheel.iterdir()
    assert (one.name, one.read_bytes()) == (other.name, other.read_bytes())
    assert not was_compiled()


def test_on_the_processor_of_the_build_nothing_is_made_at_all(
    shipped: Path,
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ship_objects([NATIVE], shipped)
    name, _ = object_file(NATIVE)
    assert (shipped / name).exists()
    monkeypatch.setattr("wsi_area.compute.object_code.object_of", None)  # which must not be called
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()
    assert not cache.exists()  # nor is anything kept twice


def test_object_files_that_are_numbas_own_stay_beside_bitcode_for_other_processors(
    shipped: Path,
    cache: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = shipped / object_file(NATIVE)[0]
    monkeypatch.setattr("wsi_area.compute.shipping.declared_natives", lambda: [NATIVE])
    ship_by_numba(shipped)
    assert not file.exists()  # nobody asks for it
    monkeypatch.setattr("wsi_area.compute.shipping.BY_NUMBA", {NATIVE.module})
    ship_by_numba(shipped)
    own = file.read_bytes()
    assert was_compiled()
    ship_objects([NATIVE], shipped)
    assert file.read_bytes() == own
    del sys.modules["scaling"]
    assert scaled(cache) == [3, 6, 750]
    assert not was_compiled()
    assert not cache.exists()


def test_modules_whose_object_files_are_numbas_own_are_there() -> None:
    assert {native.module for native in declared_natives()} >= BY_NUMBA
