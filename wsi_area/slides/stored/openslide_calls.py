"""slides: the few calls of OpenSlide's library that open a slide and describe it, by ctypes.

openslide-python has all calls there are, and loads Pillow and a library for colour profiles first, for pictures that
are never asked of it here: 0.01 s of each run. Pixels are read by a call of `lanes.openslide_lane`.
"""

import ctypes
import os
import sys
from itertools import count, takewhile
from typing import Any

import openslide_bin


class OpenSlideCallError(Exception):
    """What OpenSlide says is wrong, in its own words."""


class Handle:
    """A slide that is open in OpenSlide: closed once, by `close` or when nobody holds it any more."""

    __slots__ = ("__weakref__", "_as_parameter_", "is_open")

    def __init__(self, address: int) -> None:
        self._as_parameter_ = ctypes.c_void_p(address)
        self.is_open = True

    @classmethod
    def from_param(cls, handle: "Handle") -> ctypes.c_void_p:
        """Return what the library is given for a handle; a closed one is refused, since the library dies of it."""
        if not handle.is_open:
            raise ValueError("the slide is closed")
        return handle._as_parameter_

    def __del__(self, end: Any = openslide_bin.libopenslide1["openslide_close"]) -> None:
        if self.is_open:
            end(self._as_parameter_)


def _call(name: str, result: Any, *arguments: Any) -> Any:
    """Return a function of the library, looked up by item, so that its types are nobody else's."""
    function = openslide_bin.libopenslide1[name]
    function.restype, function.argtypes = result, arguments
    return function


_LENGTH = ctypes.POINTER(ctypes.c_int64)

_detect_vendor = _call("openslide_detect_vendor", ctypes.c_char_p, ctypes.c_char_p)
_open = _call("openslide_open", ctypes.c_void_p, ctypes.c_char_p)
_close = _call("openslide_close", None, Handle)
_get_error = _call("openslide_get_error", ctypes.c_char_p, Handle)
_level_count = _call("openslide_get_level_count", ctypes.c_int32, Handle)
_level_dimensions = _call("openslide_get_level_dimensions", None, Handle, ctypes.c_int32, _LENGTH, _LENGTH)
_level_downsample = _call("openslide_get_level_downsample", ctypes.c_double, Handle, ctypes.c_int32)
_property_names = _call("openslide_get_property_names", ctypes.POINTER(ctypes.c_char_p), Handle)
_property_value = _call("openslide_get_property_value", ctypes.c_char_p, Handle, ctypes.c_char_p)
_cache_create = _call("openslide_cache_create", ctypes.c_void_p, ctypes.c_size_t)
_set_cache = _call("openslide_set_cache", None, Handle, ctypes.c_void_p)
_cache_release = _call("openslide_cache_release", None, ctypes.c_void_p)


def detect_vendor(file: str | os.PathLike[str]) -> str | None:
    """Return OpenSlide's name of the format of a file, or None where it does not know it."""
    return _text(_detect_vendor(_file_name(file)))


def open_slide(file: str | os.PathLike[str]) -> Handle:
    """Return a new handle of a slide.

    Raises
    ------
    OpenSlideCallError
        OpenSlide does not know the format, or cannot open the file.
    """
    address = _open(_file_name(file))
    if address is None:
        raise OpenSlideCallError("Unsupported or missing image file")
    handle = Handle(address)
    _refuse_error(handle)
    return handle


def close(handle: Handle) -> None:
    """Close a slide; no call may follow with its handle."""
    _close(handle)
    handle.is_open = False


def get_error(handle: Handle) -> str | None:
    """Return what went wrong with a handle, which is of no use from then on; None where nothing did."""
    return _text(_get_error(handle))


def level_sizes_px(handle: Handle) -> list[tuple[int, int]]:
    """Return width and height of each level."""
    sizes = []
    for level in range(_level_count(handle)):
        width, height = ctypes.c_int64(), ctypes.c_int64()
        _level_dimensions(handle, level, width, height)
        sizes.append((width.value, height.value))
    _refuse_error(handle)
    return sizes


def level_downsample(handle: Handle, level: int) -> float:
    """Return the downsample by which OpenSlide addresses a level."""
    downsample: float = _level_downsample(handle, level)
    _refuse_error(handle)
    return downsample


def properties_of(handle: Handle) -> dict[str, str]:
    """Return the properties of a slide; what is not UTF-8 in them is marked as such."""
    listed = _property_names(handle)
    _refuse_error(handle)
    names = list(takewhile(bool, (listed[n] for n in count())))
    values = [_property_value(handle, name) for name in names]
    _refuse_error(handle)
    return {_text(name) or "": _text(value) or "" for name, value in zip(names, values, strict=True)}


def property_of(handle: Handle, name: str) -> str | None:
    """Return one property of a slide, or None where it has none of that name."""
    value = _property_value(handle, name.encode())
    _refuse_error(handle)
    return _text(value)


def keep_decoded(handle: Handle, kept_bytes: int) -> None:
    """Have OpenSlide keep so many bytes of a slide's decoded tiles."""
    cache = _cache_create(kept_bytes)
    try:
        _set_cache(handle, cache)
    finally:
        _cache_release(cache)  # the slide holds it from now on
    _refuse_error(handle)


def library_version() -> str:
    """Return the version of the library."""
    return _text(_call("openslide_get_version", ctypes.c_char_p)()) or ""


def _refuse_error(handle: Handle) -> None:
    """Refuse a handle that is dead, with OpenSlide's words."""
    if (failure := get_error(handle)) is not None:
        raise OpenSlideCallError(failure)


def _file_name(file: str | os.PathLike[str]) -> bytes:
    """Return the name of a file as the library wants it."""
    return os.fspath(file).encode() if sys.platform == "win32" else os.fsencode(file)


def _text(found: bytes | None) -> str | None:
    return None if found is None else found.decode("utf-8", "replace")
