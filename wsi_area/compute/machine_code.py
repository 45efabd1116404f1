"""compute: machine code: Python functions compiled by numba, and kept on disk for the processes that follow.

Two ways. ``machine_code`` is numba's own, for functions that take arrays: to load them again costs numba itself,
0.4 s of CPU and 42 MB of a process's own memory. ``native_function`` is for the few that every run calls: they take
addresses and whole numbers, and are kept as an object file that llvmlite loads alone, so that numba is imported only
where there is no such file yet.
"""

import ctypes
import hashlib
import logging
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.metadata import version
from threading import Lock
from typing import Any

from wsi_area.compute.kept_code import REMEDY, place_for, places_for, read_code, source_of, write_code
from wsi_area.compute.trusted_file import is_trusted_cache

_LOG = logging.getLogger(__name__)
_SYMBOL = "wsi_area_function"
_LOADING = Lock()
_ORDER = "<" if sys.byteorder == "little" else ">"
_SPELT = {
    "|b1": "uint8*", "|u1": "uint8*", "|i1": "int8*", f"{_ORDER}f4": "float32*", f"{_ORDER}f8": "double*",
    **{f"{_ORDER}{sign}{n}": f"{word}{8 * n}*" for sign, word in (("i", "int"), ("u", "uint")) for n in (2, 4, 8)},
}  # fmt: skip
"""What an array of a type is to a kernel, by numpy's short word for it: its long one takes longer than many a call."""
_LOADED: dict[tuple[str, str, str], Callable[..., None]] = {}
_KEPT_ALIVE: list[object] = []  # machine code lives as long as what loaded it


def machine_code(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled on its first call, without the GIL, and kept on disk for the next process.

    What is kept goes stale with its own file alone: numba watches no other. So such a file takes nothing from another
    of ours, neither a function nor a constant; what two of them need stands in both. A test holds every file to that.

    Where nothing can be written, neither beside the package nor in the user's cache (a container), it is
    compiled again by every process, which a warning says.
    """
    from numba import njit  # here, and below: whoever finds an object file must not pay for numba

    try:
        compiled: Any = njit(nogil=True, cache=True)(function)
    except RuntimeError as error:  # numba's only word for "no place to cache"
        _LOG.warning("%s; %s", error, REMEDY)
        return _compiled_anew(function)
    kept: Callable[..., Any] = compiled if is_trusted_cache(compiled._cache) else _compiled_anew(function)
    return kept


def _compiled_anew(function: Callable[..., Any]) -> Callable[..., Any]:
    from numba import njit

    compiled: Callable[..., Any] = njit(nogil=True)(function)
    return compiled


def machine_part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function compiled into the machine code of its own file that calls it, and kept on disk with that."""
    from numba import njit

    compiled: Callable[..., Any] = njit(nogil=True)(function)
    return compiled


def native_function(module: str, name: str, arguments: str, frozen: tuple[str, ...] = ()) -> Callable[..., None]:
    """Return a function as machine code that is called with addresses and whole numbers, without the GIL.

    Parameters
    ----------
    module, name
        Where the function stands. It makes arrays of its addresses with ``numba.carray``, takes no memory and raises
        nothing; the module is imported only if it must be compiled.
    arguments
        The types of its arguments, spelt as numba's: ``"uint8* int64"``.
    frozen
        Other modules whose constants are compiled into it: a change of one of them makes the object file stale.
    """
    wanted = (module, name, arguments)
    with _LOADING:  # two threads must not compile the same
        if wanted not in _LOADED:
            _LOADED[wanted] = _loaded(*wanted, frozen)
        return _LOADED[wanted]


def call_native(module: str, name: str, arguments: str, *values: Any, frozen: tuple[str, ...] = ()) -> None:
    """Call a native function with arrays where it takes their addresses, and with numbers.

    Parameters
    ----------
    module, name, arguments, frozen
        As `native_function` has them.
    values
        For each argument an array, contiguous and of that type (bool counts as uint8), or a number.

    Raises
    ------
    TypeError
        If an array is of another type or not contiguous: its memory would be read as what it is not.
    """
    given = []
    for word, value in zip(arguments.split(), values, strict=True):
        if word.endswith("*"):
            if _SPELT.get(value.dtype.str) != word or not value.flags.c_contiguous:
                raise TypeError(f"{name} takes contiguous {word[:-1]}, got {value.dtype} of strides {value.strides}")
            value = address_of(value)
        given.append(value)
    native_function(module, name, arguments, frozen)(*given)


def native_part(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function compiled into the native function that calls it; there, a division by zero gives 0."""
    from numba import njit

    compiled: Callable[..., Any] = njit(nogil=True, error_model="numpy")(function)
    return compiled


def address_of(array: Any) -> int:
    """Return the address of an array's data; quickly where they are contiguous and can be written.

    >>> import numpy as np
    >>> pixels = np.zeros(3, np.uint8)
    >>> address_of(pixels) == pixels.ctypes.data
    True
    """
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    except (TypeError, ValueError):  # strided, read-only, empty
        return int(array.ctypes.data)


def _loaded(module: str, name: str, arguments: str, frozen: tuple[str, ...]) -> Callable[..., None]:
    """Return the function from disk, or else compiled and put there."""
    key = _key(module, name, arguments, frozen)
    file = f"{module.rpartition('.')[2]}.{name}-{key.hex()[:24]}.o"
    for place in places_for(module):
        code = read_code(place / file, key)
        if code is not None:
            return _linked(code, arguments)
    compiled = _compiled(module, name, arguments)
    code = _object_code(compiled)
    if code is None:  # it needs numba while it runs: numba's own copy, in this process only
        _KEPT_ALIVE.append(compiled)
        return _callable_at(compiled.address, arguments)
    writable = place_for(module)
    try:
        if writable is None:
            raise OSError("neither beside the package nor in the user's cache")
        write_code(writable / file, key, code)
    except OSError as error:
        _LOG.warning(
            "the machine code of %s cannot be kept on disk (%s), so every process compiles it; %s", name, error, REMEDY
        )
    return _linked(code, arguments)


def _key(module: str, name: str, arguments: str, frozen: tuple[str, ...]) -> bytes:
    """Return a digest of all that the machine code depends on: sources, compilers and their settings, processor."""
    from llvmlite import __version__ as llvmlite_version
    from llvmlite.binding import get_process_triple

    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_"))
    parts = [
        name, arguments, version("numba"), llvmlite_version, get_process_triple(), *_processor(), sys.byteorder,
        str(ctypes.sizeof(ctypes.c_void_p)), str(sys.implementation.cache_tag),
        *(f"{key}={value}" for key, value in settings if key not in ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")),
    ]  # fmt: skip
    digest = hashlib.sha256("\0".join(parts).encode())
    for source in (__name__, "wsi_area.compute.kept_code", module, *frozen):
        digest.update(hashlib.sha256(source_of(source).read_bytes()).digest())
    return digest.digest()


@lru_cache(maxsize=1)
def _processor() -> tuple[str, str]:
    """Return the name and the features of the processor that code is made for; numba's settings go first."""
    from llvmlite.binding import get_host_cpu_features, get_host_cpu_name

    name = os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    if features is None:
        features = get_host_cpu_features().flatten() if name == get_host_cpu_name() else ""
    return name, features


def _compiled(module: str, name: str, arguments: str) -> Any:
    """Return the function compiled by numba."""
    from numba import cfunc, types

    numba_types = [
        types.CPointer(getattr(types, word[:-1])) if word.endswith("*") else getattr(types, word)
        for word in arguments.split()
    ]
    # a division by zero gives 0 and raises nothing, so that no exception is prepared that needs numba
    return cfunc(types.void(*numba_types), error_model="numpy")(getattr(import_module(module), name))


def _object_code(compiled: Any) -> bytes | None:
    """Return compiled code as an object file that needs nothing but itself; None where that cannot be."""
    from llvmlite import binding

    code = binding.parse_assembly(compiled.inspect_llvm())
    code.get_function(compiled.native_name).name = _SYMBOL
    for part in (*code.functions, *code.global_variables):
        if not part.is_declaration and part.name != _SYMBOL:
            part.linkage = "internal"  # so that whatever is not reached is thrown away
    machine = _target_machine()
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(code, passes)
    outside = [part.name for part in (*code.functions, *code.global_variables) if part.is_declaration]
    if any(not symbol.startswith("llvm.") for symbol in outside):
        _LOG.warning("machine code that needs %s cannot be kept on disk", ", ".join(outside))
        return None
    return bytes(machine.emit_object(code))


def _target_machine() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    cpu, features = _processor()
    return target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


def _linked(code: bytes, arguments: str) -> Callable[..., None]:
    """Return the function of an object file, loaded into this process."""
    from llvmlite import binding

    machine = _target_machine()
    nothing = binding.parse_assembly("")
    nothing.triple = machine.triple
    engine = binding.create_mcjit_compiler(nothing, machine)
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _KEPT_ALIVE.append(engine)
    return _callable_at(engine.get_function_address(_SYMBOL), arguments)


def _callable_at(address: int, arguments: str) -> Callable[..., None]:
    words = arguments.split()
    kinds = [ctypes.c_void_p if word.endswith("*") else getattr(ctypes, f"c_{word}") for word in words]
    return ctypes.CFUNCTYPE(None, *kinds)(address)
