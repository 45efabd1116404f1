"""compute: native functions compiled for `hatch_build.py`, which calls this in a process of its own.

    python -m wsi_area.compute.shipping FOLDER

For bitcode, numba is told to make code for no processor in particular and without vectors: llvmlite makes both, here
for this processor, and elsewhere for another in the first run.
"""

import os
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
    """Write the object files of native functions, for this processor, beside their bitcode."""
    from wsi_area.compute.object_code import module_from, object_of

    for native in natives:
        name, key = object_file(native)
        bitcode = bitcode_here(native, folder)
        code = read_code(SHIPPED / name, key) or (bitcode and object_of(module_from(bitcode)))
        if code:
            write_code(folder / name, key, code)


def main() -> None:
    """Write all code into the folder that the first argument names."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(_FOR_ANY_PROCESSOR)  # numba reads them when it is first imported
    natives = ship_bitcode(folder)
    for name in _FOR_ANY_PROCESSOR:
        del os.environ[name]
    processor.cache_clear()
    ship_objects(natives, folder)


if __name__ == "__main__":
    main()
