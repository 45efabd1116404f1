"""An object file laid into memory here does what LLVM's own loading of it does, or is left to LLVM."""

import ctypes
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from llvmlite import binding

from wsi_area.compute.laid_code import lay_out
from wsi_area.compute.machine_code import native_function
from wsi_area.compute.object_code import address_by_llvm, compiled_by_numba, module_of, object_of
from wsi_area.compute.processor import as_linux_tells, processor_key
from wsi_area.compute.shipping import declared_natives

HERE = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="no other system's files are laid out here"
)
CODES = """
import numpy as np
from numba import carray

PRIMES = np.array([2, 3, 5, 7, 11, 13, 17, 19], np.int64)

def cleared(values_at, count, out_at):
    out = carray(out_at, count)
    for i in range(count):
        out[i] = 0

def by_table(values_at, count, out_at):
    values, out = carray(values_at, count), carray(out_at, count)
    for i in range(count):
        out[i] = PRIMES[values[i] & 7]

def weighed(values_at, count, out_at):
    values, out = carray(values_at, count), carray(out_at, count)
    for i in range(count):
        out[i] = np.int64(values[i] * 0.299 + 17.5) // 3

def chosen(values_at, count, out_at):
    values, out = carray(values_at, count), carray(out_at, count)
    for i in range(count):
        kind = values[i] % 6
        out[i] = 40 if kind == 0 else 7 if kind == 1 else 9 if kind == 2 else 5 if kind == 3 else 1 if kind == 4 else 8
"""
TRUTH: dict[str, Callable[[int], int]] = {
    "cleared": lambda value: 0,
    "by_table": lambda value: (2, 3, 5, 7, 11, 13, 17, 19)[value & 7],
    "weighed": lambda value: int(value * 0.299 + 17.5) // 3,
    "chosen": lambda value: (40, 7, 9, 5, 1, 8)[value % 6],
}
ARGUMENTS = "uint8* int64 int64*"
FUNCTION = "wsi_area_function"


def called(address: int) -> list[int]:
    """What a function makes of all bytes, and a byte more than a vector holds."""
    values, out = np.arange(257).astype(np.uint8), np.full(258, -9, np.int64)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    kind(address)(values.ctypes.data, 257, out.ctypes.data)
    assert out[257] == -9  # nothing is written beyond
    return [int(n) for n in out[:257]]


@HERE
@pytest.mark.parametrize("name", TRUTH)
def test_code_laid_out_here_does_what_it_does_where_llvm_loads_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "laid_codes.py").write_text(CODES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "laid_codes", raising=False)
    code = object_of(module_of(compiled_by_numba("laid_codes", name, ARGUMENTS)))
    assert code is not None
    address = lay_out(code, FUNCTION)
    assert address is not None
    assert called(address) == called(address_by_llvm(code)) == [TRUTH[name](n % 256) for n in range(257)]


@HERE
def test_every_kernel_of_the_package_is_laid_out_without_llvm(monkeypatch: pytest.MonkeyPatch) -> None:
    from wsi_area.compute import machine_code, object_code

    def refused(code: bytes) -> int:
        raise AssertionError("it was left to LLVM")

    monkeypatch.setattr(object_code, "address_by_llvm", refused)
    monkeypatch.setattr(machine_code, "_LOADED", {})
    assert all(native_function(*native) for native in declared_natives())


KINDS = {
    "a variable": "@n = internal global i64 7\ndefine i64 @f() {{\n store i64 {value}, ptr @n\n"
    " %v = load volatile i64, ptr @n\n ret i64 %v\n}}",
    "a variable that begins as 0": "@n = internal global i64 0\ndefine i64 @f() {{\n"
    " store volatile i64 {value}, ptr @n\n %v = load volatile i64, ptr @n\n ret i64 %v\n}}",
    "a function of libm": "declare double @sqrt(double)\ndefine i64 @f() {{\n"
    " %v = call double @sqrt(double {square}.0)\n %n = fptosi double %v to i64\n ret i64 %n\n}}",
    "what unwinds": "define i64 @f() uwtable {{\n ret i64 {value}\n}}",
}
"""Code of kinds that no kernel of ours has, as LLVM writes it down."""


def object_from(text: str, triple: str, near: bool = False) -> bytes:
    """The object file of a module for some system; near: with addresses of 4 bytes, as other programs have them."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    target = binding.Target.from_triple(triple)
    model = {"codemodel": "small", "reloc": "pic"} if near else {"jit": True}
    machine = target.create_target_machine(opt=0, **model)
    module = binding.parse_assembly(text)
    module.triple, module.data_layout = triple, str(machine.target_data)
    return bytes(machine.emit_object(module))


@HERE
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [3, 11])
def test_code_of_a_kind_that_is_not_known_here_is_left_to_llvm_and_right(kind: str, value: int) -> None:
    text = KINDS[kind].format(value=value, square=value * value).replace("@f()", f"@{FUNCTION}()")
    code = object_from(text, binding.get_process_triple())
    assert lay_out(code, FUNCTION) is None
    assert ctypes.CFUNCTYPE(ctypes.c_int64)(address_by_llvm(code))() == value


@pytest.mark.parametrize(
    ("triple", "near"),
    [
        ("x86_64-unknown-linux-gnu", True), ("aarch64-unknown-linux-gnu", False), ("x86_64-apple-darwin", False),
        ("x86_64-pc-windows-msvc", False), ("i686-unknown-linux-gnu", False),
    ],
)  # fmt: skip
def test_code_with_near_addresses_or_for_another_system_is_not_laid_out(triple: str, near: bool) -> None:
    text = KINDS["a variable that begins as 0"].replace("global i64 0", "constant i64 5").format(value=3)
    text = text.replace(" store volatile i64 3, ptr @n\n", "")
    try:
        code = object_from(text.replace("@f()", f"@{FUNCTION}()"), triple, near)
    except RuntimeError:
        pytest.skip(f"this LLVM makes no code for {triple}")
    assert lay_out(code, FUNCTION) is None


PROCESSOR = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Some processor
stepping\t: {stepping}
cpu MHz\t\t: {mhz}
flags\t\t: fpu sse2 {flags}

"""


def test_processors_are_told_apart_by_what_they_can_and_not_by_what_they_do_now(tmp_path: Path) -> None:
    def told(name: str, stepping: int = 8, mhz: int = 2000, flags: str = "avx2", more: str = "") -> tuple[str, ...]:
        (tmp_path / name).write_text(PROCESSOR.format(stepping=stepping, mhz=mhz, flags=flags) + more)
        return as_linux_tells(str(tmp_path / name))

    one = told("one")
    assert len(one) == 5
    assert told("busy", mhz=3500) == one
    assert told("two of them", more=PROCESSOR.format(stepping=9, mhz=1, flags="avx")) == one
    others = {told("newer", stepping=9), told("wider", flags="avx2 avx512f"), told("narrower", flags="")}
    assert len(others | {one}) == 4


def test_where_linux_does_not_tell_the_processor_llvm_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "arm").write_text("processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU part\t: 0xd0c\n")
    assert as_linux_tells(str(tmp_path / "arm")) == ()
    assert as_linux_tells(str(tmp_path / "nothing")) == ()
    monkeypatch.setattr("wsi_area.compute.processor.as_linux_tells", tuple)
    assert processor_key()[0] == binding.get_host_cpu_name()
