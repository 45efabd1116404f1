"""compute: native functions written as bitcode, for `hatch_build.py`, which calls this in a process of its own.

    python -m wsi_area.compute.shipping FOLDER

Numba is told to make code for no processor in particular and without vectors: llvmlite makes both where it runs.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

from wsi_area.compute.native import Native
from wsi_area.compute.shipped_code import bitcode_here, ship

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


def ship_all(folder: Path) -> list[str]:
    """Write the bitcode of every native function into a folder; return the names of those that cannot be shipped.

    What lies in the package already, made of the same sources by the same compilers, is copied.
    """
    from wsi_area.compute.object_code import bitcode_of, compiled_by_numba, module_of

    folder.mkdir(parents=True, exist_ok=True)
    left = []
    for native in declared_natives():
        bitcode = bitcode_here(native)
        if bitcode is None:
            bitcode = bitcode_of(module_of(compiled_by_numba(native.module, native.name, native.arguments)))
        if bitcode is None:
            left.append(native.name)
        else:
            ship(native, bitcode, folder)
    return left


def main() -> None:
    """Write all bitcode into the folder that the first argument names, and say on stderr what could not be."""
    os.environ.update(_FOR_ANY_PROCESSOR)  # numba reads them when it is first imported
    for name in ship_all(Path(sys.argv[1])):
        print(f"{name} needs numba while it runs; its first run compiles it", file=sys.stderr)


if __name__ == "__main__":
    main()
