"""compute: native functions that an installation carries, so that no run need compile them from Python.

Written while the package is built (``hatch_build.py``), into a folder of the package: as object files for the
processor of the build, and as bitcode for any other of its kind. What is there is used only if it was made of the
sources at hand by the numba and llvmlite at hand; any other version has another name, and is not looked at. A file is
believed as every other that is run: `trusted_file`.
"""

import ctypes
import hashlib
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from llvmlite import __version__ as llvmlite_version

from wsi_area.compute.kept_code import read_code, source_of, write_code
from wsi_area.compute.native import Native
from wsi_area.compute.processor import processor_key

SHIPPED = Path(__file__).parents[1] / "shipped_code"
_SETTINGS_OF_THE_MACHINE = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"}


def numba_settings() -> list[str]:
    """Return the settings of numba, from the environment, that may change what it compiles."""
    given = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    return [f"{name}={value}" for name, value in given if name not in _SETTINGS_OF_THE_MACHINE]


def sources_digest(native: Native) -> bytes:
    """Return a digest of the sources of a native function, and of what makes machine code of them."""
    digest = hashlib.sha256()
    ours = ("machine_code", "object_code", "kept_code", "processor", "shipped_code", "shipping")
    for source in (*(f"wsi_area.compute.{name}" for name in ours), native.module, *native.frozen):
        digest.update(hashlib.sha256(source_of(source).read_bytes()).digest())
    return digest.digest()


def object_file(native: Native) -> tuple[str, bytes]:
    """Return the name of the file that holds a native function for this processor, and the key that it must have.

    A digest of all that machine code depends on: sources, compilers and their settings, processor.
    """
    parts = [
        native.name, native.arguments, version("numba"), llvmlite_version, *_system(), *processor_key(),
        sys.byteorder, str(ctypes.sizeof(ctypes.c_void_p)), str(sys.implementation.cache_tag), *numba_settings(),
    ]  # fmt: skip
    key = hashlib.sha256("\0".join(parts).encode() + sources_digest(native)).digest()
    return f"{native.file_stem}-{key.hex()[:24]}.o", key


def shipped_bitcode(native: Native) -> bytes | None:
    """Return the bitcode of a native function; None where none was shipped for what is installed here.

    Nor is it used where numba was told how to compile: then numba compiles.
    """
    return None if numba_settings() else bitcode_here(native)


def bitcode_here(native: Native, folder: Path | None = None) -> bytes | None:
    """Return the bitcode of a native function in a folder, or else the package; None where there is none to believe."""
    key = _key(native)
    return read_code((folder or SHIPPED) / _file_name(native, key), key)


def ship(native: Native, bitcode: bytes, folder: Path) -> None:
    """Write the bitcode of a native function into a folder that becomes `SHIPPED`."""
    key = _key(native)
    write_code(folder / _file_name(native, key), key, bitcode)


def _system() -> tuple[str, str]:
    return sys.platform, platform.machine()


def _key(native: Native) -> bytes:
    """Return a digest of what bitcode depends on. Not of Python's version: numba's work is done when it is written."""
    parts = (native.name, native.arguments, version("numba"), llvmlite_version, *_system())
    return hashlib.sha256("\0".join(parts).encode() + sources_digest(native)).digest()


def _file_name(native: Native, key: bytes) -> str:
    return f"{native.file_stem}-{key.hex()[:24]}.bc"
