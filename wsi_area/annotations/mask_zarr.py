"""annotations: masks in zarr stores, those of our own runs included; only codecs that decode numbers are let in."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import zarr

from wsi_area.annotations.mask_chunks import require_bounded_chunks
from wsi_area.annotations.untrusted import MAX_MASK_BYTES, read_bytes, require_sane_size
from wsi_area.errors import AnnotationError

_LEVEL = "0"  # the finest one of an OME-Zarr image
_MAX_METADATA_BYTES = 1 << 20
MAX_CHUNK_PX = 1 << 26
"""8192 × 8192: 67 MB unpacked. A chunk may be larger where the mask itself is, which is held whole anyway."""

_SAFE_CODECS = frozenset(
    {"bytes", "transpose", "sharding_indexed", "crc32c", "blosc", "zstd", "gzip", "zlib", "lz4", "bz2", "lzma"}
)


def open_mask_zarr(path: Path) -> tuple[Any, dict[int, str] | None, str]:
    """Return the codes of a zarr store as a lazy array (h, w), the names it gives them, and a digest of its files.

    The names are those of OME-Zarr's ``image-label``; None where it has none. A code without a name there (the
    reserved codes of a run, for one) belongs to no class.

    Raises
    ------
    AnnotationError
        It is no array of whole codes, uses a codec that could run code, or has a chunk that unpacks to more than the
        array declares.
    """
    where = path / _LEVEL if (path / _LEVEL).is_dir() else path
    metadata = _safe_metadata(where)
    try:
        array = zarr.open_array(where, mode="r")
        attributes = dict(zarr.open_group(path, mode="r").attrs) if where != path else dict(array.attrs)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise AnnotationError(f"{path} cannot be opened as a zarr array ({error}); export it again") from error
    if str(array.dtype) != "uint8" or array.ndim != 2:
        raise AnnotationError(
            f"{path}: a mask is uint8 (h, w), this is {array.dtype} {array.shape}; save one plane of codes below 256"
        )
    require_sane_size(path, array.shape[1], array.shape[0])
    _require_sane_chunks(path, array)
    if metadata.get("zarr_format") != array.metadata.zarr_format:
        raise AnnotationError(f"{where} is described twice, as zarr of two formats; save it anew")
    require_bounded_chunks(where, array, metadata, MAX_MASK_BYTES)
    return array, _names(attributes), _digest(path)


def _require_sane_chunks(path: Path, array: Any) -> None:
    """Refuse chunks that take far more memory than the mask: a few stored bytes can unpack to any size."""
    whole_px = array.shape[0] * array.shape[1]
    for chunk in (array.chunks, array.shards or array.chunks):
        if chunk[0] * chunk[1] > max(MAX_CHUNK_PX, whole_px):
            raise AnnotationError(
                f"{path}: a mask of {array.shape[1]} × {array.shape[0]} px in chunks of {chunk[1]} × {chunk[0]} px is "
                "damaged or hostile; save it anew"
            )


def _safe_metadata(where: Path) -> Mapping[str, Any]:
    """Return what an array says of itself, unless a chunk would go through a codec that can run code, as pickle can."""
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
