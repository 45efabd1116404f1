"""annotations: masks in zarr stores, those of our own runs included; only codecs that decode numbers are let in."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from wsi_area.annotations.masks.chunks import require_bounded_chunks
from wsi_area.annotations.masks.codes import (
    MAX_MASK_BYTES,
    MOST_CODE,
    PartGrid,
    Piece,
    as_codes,
    in_blocks,
    require_sane_part,
    require_sane_size,
)
from wsi_area.annotations.untrusted import read_bytes
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn_mask import Codes

_LEVEL = "0"  # the finest one of an OME-Zarr image
_MAX_METADATA_BYTES = 1 << 20
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*){0,3}")

_SAFE_CODECS = frozenset(
    {"bytes", "transpose", "sharding_indexed", "crc32c", "blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma"}
)


@frozen_value
class ZarrMask:
    """A mask in a zarr store, no chunk of it decoded yet."""

    path: Path
    grid: PartGrid
    names: dict[int, str] | None  # of OME-Zarr's ``image-label``, None where it has none
    digest: str  # of its files
    _array: Any
    _stored: frozenset[tuple[int, int]]  # rows and columns of the files that are there

    def pieces(self) -> Iterator[Piece]:
        """Yield its codes block by block.

        Raises
        ------
        AnnotationError
            It holds a number that is no code.
        """
        array, grid = self._array, self.grid
        ahead = (0,) * (array.ndim - 2)
        file_h, file_w = (array.shards or array.chunks)[-2:]
        fill = int(array.fill_value or 0)

        def part(row: int, col: int) -> int | Codes:
            top, left = row * grid.part_h, col * grid.part_w
            bottom, right = min(top + grid.part_h, grid.height_px), min(left + grid.part_w, grid.width_px)
            files = product(range(top // file_h, -(-bottom // file_h)), range(left // file_w, -(-right // file_w)))
            if 0 <= fill <= MOST_CODE and self._stored.isdisjoint(files):
                return fill
            return as_codes(self.path, np.asarray(array[(*ahead, slice(top, bottom), slice(left, right))]))

        yield from in_blocks(part, grid)


def open_mask_zarr(path: Path) -> ZarrMask:
    """Return the mask in a zarr store; of several axes, as OME-NGFF has them, all but y and x are 1 long.

    A code without a name in OME-Zarr's ``image-label`` (the reserved codes of a run, for one) belongs to no class.

    Raises
    ------
    AnnotationError
        It is no array of whole numbers in one plane, uses a codec that could run code, or has a chunk that unpacks to
        more than the array declares.
    """
    where = _finest(path)
    metadata = _safe_metadata(where)
    try:
        array: Any = zarr.open_array(where, mode="r")
        attributes = dict(zarr.open_group(path, mode="r").attrs) if where != path else dict(array.attrs)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise AnnotationError(f"{path} cannot be opened as a zarr array ({error}); export it again") from error
    if array.dtype.kind not in "bui" or array.ndim < 2 or any(length != 1 for length in array.shape[:-2]):
        raise AnnotationError(
            f"{path}: a mask is one plane of whole codes (…, 1, h, w), this is {array.dtype} {array.shape}; save one "
            "plane of codes below 256"
        )
    height, width = array.shape[-2:]
    require_sane_size(path, width, height)
    for chunk in (array.chunks, array.shards or array.chunks):
        if any(length != 1 for length in chunk[:-2]):
            raise AnnotationError(f"{path}: its chunks of {chunk} px reach over planes that it has not; save it anew")
        require_sane_part(path, chunk[-1], chunk[-2], width, height)
    if metadata.get("zarr_format") != array.metadata.zarr_format:
        raise AnnotationError(f"{where} is described twice, as zarr of two formats; save it anew")
    stored = require_bounded_chunks(where, array, metadata, MAX_MASK_BYTES)
    whole = PartGrid(height, width, *array.chunks[-2:])
    grid = PartGrid(height, width, whole.unit_h, whole.unit_w)
    return ZarrMask(path, grid, _names(attributes), _digest(path), array, stored)


def _finest(path: Path) -> Path:
    """Return the folder of the finest level: what OME-NGFF lists first, else ``0``, else the store itself."""
    for name in ("zarr.json", ".zattrs"):
        if (path / name).is_file():
            with contextlib.suppress(ValueError, RecursionError, LookupError, TypeError, AttributeError):
                found = json.loads(read_bytes(path / name, _MAX_METADATA_BYTES))
                found = found.get("attributes", found)
                listed = found.get("ome", found)["multiscales"][0]["datasets"][0]["path"]
                if _PLAIN.fullmatch(listed) and (path / listed).is_dir():
                    return path / str(listed)
    return path / _LEVEL if (path / _LEVEL).is_dir() else path


def _safe_metadata(where: Path) -> Mapping[str, Any]:
    """Return the document of an array, unless a chunk would go through a codec that can run code, as pickle can."""
    metadata = next((where / name for name in ("zarr.json", ".zarray") if (where / name).is_file()), None)
    if metadata is None:
        raise AnnotationError(f"{where} holds no zarr array; give the folder of a mask with its finest level in 0")
    try:
        found = json.loads(read_bytes(metadata, _MAX_METADATA_BYTES))
        used = set(_codecs(found))
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        raise AnnotationError(f"{metadata} is not zarr metadata ({error}); export the mask again") from error
    if used - _SAFE_CODECS:
        raise AnnotationError(
            f"{where} uses the codecs {sorted(used - _SAFE_CODECS)}, which no mask needs; save it anew"
        )
    return dict(found)


def _codecs(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all codecs of an array, format 2 or 3, those inside shards too."""
    for codec in (*(metadata.get("filters") or ()), metadata.get("compressor")):
        if codec is not None:
            yield str(codec["id"])
    for codec in (*(metadata.get("codecs") or ()), *(metadata.get("index_codecs") or ())):
        yield str(codec["name"])
        if isinstance(codec.get("configuration"), dict):
            yield from _codecs(codec["configuration"])


def _names(attributes: Mapping[str, Any]) -> dict[int, str] | None:
    ome = attributes.get("ome", attributes)
    label = ome.get("image-label") if isinstance(ome, Mapping) else None
    entries = label.get("properties") if isinstance(label, Mapping) else None
    if not isinstance(entries, list):
        return None
    named = [e for e in entries if isinstance(e, Mapping) and isinstance(e.get("class"), str)]
    codes = {e["label-value"]: e["class"] for e in named if isinstance(e.get("label-value"), int)}
    return {code: name for code, name in codes.items() if 0 < code < 256} or None


def _digest(path: Path) -> str:
    """Return the digest over every file of a store by its name, so that moving it changes nothing."""
    digest, total = hashlib.sha256(), 0
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        total += file.stat().st_size
        if total > MAX_MASK_BYTES:
            raise AnnotationError(f"{path} has more than {MAX_MASK_BYTES} bytes; save the mask at a coarser scale")
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        digest.update(f"{file.relative_to(path).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()
