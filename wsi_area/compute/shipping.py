"""compute: native functions compiled for `hatch_build.py`, which calls this in a process of its own.

    python -m wsi_area.compute.shipping FOLDER

For bitcode, numba is told to make code for no processor in particular and without vectors: llvmlite makes both, here
for this processor, and elsewhere for another in the first run. Meanwhile numba makes the object files of `BY_NUMBA`, in
a process that is told nothing; where it comes to none, that of the bitcode stands.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from wsi_area.compute.kept_code import read_code, write_code
from wsi_area.compute.native import Native
from wsi_area.compute.processor import processor
from wsi_area.compute.shipped_code import SHIPPED, bitcode_here, object_file, ship

_PACKAGE = Path(__file__).parents[1]
_DECLARED = "\nNATIVE = "
BY_NUMBA = frozenset({"wsi_area.compute.jpeg.compiled_decoder"})
"""Modules of functions whose object files for the processor of the build are numba's own: their code is faster by an
eighth, and takes 15 s to make."""
_BY_NUMBA_ALONE = "by-numba"
_FOR_ANY_PROCESSOR = {"NUMBA_CPU_NAME": "generic", "NUMBA_LOOP_VECTORIZE": "0", "NUMBA_SLP_VECTORIZE": "0"}


def declared_natives() -> list[Native]:
    """Return every native function that a module of the package declares, in its ``NATIVE``."""
    found: list[Native] = []
    for path in sorted(_PACKAGE.rglob("*.py")):
        if _DECLARED in path.read_text(encoding="utf-8"):
            module = ".".join((_PACKAGE.name, *path.relative_to(_PACKAGE).with_suffix("").parts))
            found += import_module(module).NATIVE
    return found


def ship_bitcode(folder: Path) -> list[Native]:
    """Write the bitcode of every native function into a folder; return those that are there.

    What lies in the package already, made of the same sources by the same compilers, is copied.
    """
    from wsi_area.compute.object_code import bitcode_of, compiled_by_numba, module_of

    shipped = []
    for native in declared_natives():
        bitcode = bitcode_here(native)
        if bitcode is None:
            bitcode = bitcode_of(module_of(compiled_by_numba(native.module, native.name, native.arguments)))
        if bitcode is not None:
            ship(native, bitcode, folder)
            shipped.append(native)
    return shipped


def ship_objects(natives: Sequence[Native], folder: Path) -> None:
    """Write the object files of native functions, for this processor, beside their bitcode; those there stay."""
    from wsi_area.compute.object_code import module_from, object_of

    for native in natives:
        name, key = object_file(native)
        bitcode = bitcode_here(native, folder)
        code = _object_there(name, key, folder) or (bitcode and object_of(module_from(bitcode)))
        if code:
            write_code(folder / name, key, code)


def ship_by_numba(folder: Path) -> None:
    """Write the object files that are numba's own, for this processor, into a folder."""
    from wsi_area.compute.object_code import compiled_by_numba, module_of, object_of

    for native in declared_natives():
        name, key = object_file(native)
        if native.module in BY_NUMBA and _object_there(name, key, folder) is None:
            code = object_of(module_of(compiled_by_numba(native.module, native.name, native.arguments)))
            if code is not None:
                write_code(folder / name, key, code)


def _object_there(name: str, key: bytes, folder: Path) -> bytes | None:
    """Return the object file of a native function that is made already; None where there is none to believe."""
    return read_code(SHIPPED / name, key) or read_code(folder / name, key)


def main() -> None:
    """Write all code into the folder that the first argument names; with a second one, what is numba's own alone."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if sys.argv[2:] == [_BY_NUMBA_ALONE]:
        ship_by_numba(folder)
        return
    beside = subprocess.Popen([sys.executable, "-B", "-m", "wsi_area.compute.shipping", folder, _BY_NUMBA_ALONE])
    os.environ.update(_FOR_ANY_PROCESSOR)  # numba reads them when it is first imported
    natives = ship_bitcode(folder)
    for name in _FOR_ANY_PROCESSOR:
        del os.environ[name]
    processor.cache_clear()
    beside.wait()
    ship_objects(natives, folder)


if __name__ == "__main__":
    main()
