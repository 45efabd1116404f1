"""segmenters: the arrays of a trained model as an npz of plain numbers; what a hostile file claims is never believed.

Names, types and sizes are read from the headers and held against fixed limits and the bytes that are really there,
before memory is taken; nothing in the file is a pickle.
"""

import io
import math
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SettingsError
from wsi_area.segmenters.pixels.trees import MAX_NODES, MAX_TREES, TreeEnsemble

_ARRAYS: dict[str, tuple[str, int]] = {  # name: type as NumPy writes it, most rows
    "roots": ("<i4", MAX_TREES),
    "outputs": ("<i4", MAX_TREES),
    "feature": ("<i4", MAX_NODES),
    "threshold": ("<f4", MAX_NODES),
    "left": ("<i4", MAX_NODES),
    "right": ("<i4", MAX_NODES),
    "values": ("<f4", MAX_NODES),
    "start": ("<f4", 253),
}
_MAX_WIDTH = 253
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # so that equal models are equal files
MOST_BYTES = 1 << 30
"""No model of this kind is larger."""


def arrays_bytes(trees: TreeEnsemble) -> bytes:
    """Return the arrays as an npz, the same bytes for the same trees."""
    names = {f.name for f in fields(trees)} & set(_ARRAYS)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(names):
            one = io.BytesIO()
            np.lib.format.write_array(one, getattr(trees, name).astype(_ARRAYS[name][0]), (1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _ZIP_DATE), one.getvalue())
    return target.getvalue()


def read_arrays(content: bytes, path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz, each checked by its header before its data are touched."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sorted(e.filename for e in entries) != sorted(f"{name}.npy" for name in _ARRAYS):
                raise SettingsError(f"{path} must hold exactly the arrays {', '.join(_ARRAYS)}")
            if any(e.compress_type != zipfile.ZIP_STORED or e.file_size != e.compress_size for e in entries):
                raise SettingsError(f"{path} is packed, which no model of this kind is")
            return {e.filename[:-4]: _read_array(e.filename[:-4], archive.read(e), path) for e in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise SettingsError(f"{path} is damaged ({error}); fetch the model anew") from error


def _read_array(name: str, content: bytes, path: Path) -> NDArray[Any]:
    """Return one array from the bytes of its .npy file."""
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise SettingsError(f"{path}: {name} is of .npy version {version}; models are written with (1, 0)")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    except ValueError as error:
        raise SettingsError(f"{path}: {name} is no array that can be read ({error})") from error
    kind, most = _ARRAYS[name]
    sides = 2 if name == "values" else 1
    fits = (
        dtype == np.dtype(kind)
        and not dtype.hasobject
        and not fortran
        and len(shape) == sides
        and 0 <= shape[0] <= most
        and (sides == 1 or 0 <= shape[1] <= _MAX_WIDTH)
        and math.prod(shape) * dtype.itemsize == len(content) - stream.tell()
    )
    if not fits:
        raise SettingsError(f"{path}: {name} is {dtype} {shape}, which does not fit {kind}, its limits or its bytes")
    return np.frombuffer(content, dtype, offset=stream.tell()).reshape(shape).astype(dtype.newbyteorder("="))
