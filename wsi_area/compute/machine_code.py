"""compute: machine code: Python functions compiled by numba, and kept on disk for the processes that follow.

They take addresses and whole numbers, and are kept as an object file that needs nothing to be loaded: numba itself
would cost each process 0.4 s of CPU and 42 MB. The first process on a machine makes that file, by llvmlite, of the
bitcode that the installation carries; numba is imported only where there is neither.
"""

import ctypes
import logging
import sys
from collections.abc import Callable
from threading import Lock
from typing import Any

from wsi_area.compute.kept_code import no_place, place_for, places_for, read_code, tell_not_kept, write_code
from wsi_area.compute.laid_code import lay_out
from wsi_area.compute.native import SYMBOL, Native

_LOG = logging.getLogger(__name__)
_LOADING = Lock()
_ORDER = "<" if sys.byteorder == "little" else ">"
_SPELT = {
    "|b1": "uint8*", "|u1": "uint8*", "|i1": "int8*", f"{_ORDER}f4": "float32*", f"{_ORDER}f8": "double*",
    **{f"{_ORDER}{sign}{n}": f"{word}{8 * n}*" for sign, word in (("i", "int"), ("u", "uint")) for n in (2, 4, 8)},
}  # fmt: skip
"""What an array of a type is to a kernel, by numpy's short word for it: its long one takes longer than many a call."""
_LOADED: dict[tuple[str, str, str], Callable[..., None]] = {}


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
            _LOADED[wanted] = _loaded(Native(*wanted, frozen))
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

    # numba would copy it into a piece that calls it, since what is not said is taken from the caller
    compiled: Callable[..., Any] = njit(nogil=True, error_model="numpy", forceinline=False)(function)
    return compiled


def native_piece(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a part of a native function that is copied to wherever it is called: to call it would cost more."""
    from numba import njit

    compiled: Callable[..., Any] = njit(nogil=True, error_model="numpy", forceinline=True)(function)
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


def _loaded(native: Native) -> Callable[..., None]:
    """Return the function from disk, or else made and put there."""
    return _callable_at(_address(native), native.arguments)


def _address(native: Native) -> int:
    from wsi_area.compute.shipped_code import SHIPPED, object_file

    file, key = object_file(native)
    for place in (SHIPPED, *places_for(native.module)):
        code = read_code(place / file, key)
        if code is not None:
            return _in_memory(code)
    code = _from_bitcode(native)
    if code is None:
        from wsi_area.compute.object_code import address_by_numba, compiled_by_numba, module_of, object_of

        compiled = compiled_by_numba(native.module, native.name, native.arguments)
        code = object_of(module_of(compiled))
        if code is None:
            return address_by_numba(compiled)
    _keep(native, file, key, code)
    return _in_memory(code)


def _in_memory(code: bytes) -> int:
    """Return the address of the function of an object file, now in memory; by LLVM where we do not know all of it."""
    address = lay_out(code, SYMBOL)
    if address is None:
        from wsi_area.compute.object_code import address_by_llvm

        return address_by_llvm(code)
    return address


def _callable_at(address: int, arguments: str) -> Callable[..., None]:
    words = arguments.split()
    kinds = [ctypes.c_void_p if word.endswith("*") else getattr(ctypes, f"c_{word}") for word in words]
    return ctypes.CFUNCTYPE(None, *kinds)(address)


def _from_bitcode(native: Native) -> bytes | None:
    """Return the object file made of what was shipped; None where that cannot be had."""
    from wsi_area.compute.object_code import module_from, object_of
    from wsi_area.compute.shipped_code import shipped_bitcode

    bitcode = shipped_bitcode(native)
    if bitcode is None:
        return None
    try:
        return object_of(module_from(bitcode))
    except RuntimeError as error:
        _LOG.warning("the shipped code of %s cannot be used (%s); it is compiled instead", native.name, error)
        return None


def _keep(native: Native, file: str, key: bytes, code: bytes) -> None:
    place = place_for(native.module)
    if place is None:
        tell_not_kept(no_place())
        return
    try:
        write_code(place / file, key, code)
    except OSError as error:
        tell_not_kept(f"{place}: {error.strerror}")
