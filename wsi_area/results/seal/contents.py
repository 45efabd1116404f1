"""results: the digests that a seal is made of: of what was measured, whoever did it, and wherever the files lie."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bit_planes import WORD_BYTES, bit_planes
from wsi_area.model.json_tree import json_digest
from wsi_area.model.pixels import ClassMap
from wsi_area.model.run_record import RunRecord
from wsi_area.results.tables.run_tables import RunTable

NOT_SEALED = frozenset(
    {
        "path", "timing", "schema_version",  # where it lies, how long it took, how the document is laid out
        "fingerprint", "key", "made_from",  # they know the time of the slide's file; its content digest is sealed
        "reader", "reader_reason", "batch_tiles", "plan_hash",  # who read the pixels, and in which helpings
    }
)  # fmt: skip
"""Fields of a result that say nothing of what was measured, or how the work was shared out."""
COLUMNS_NOT_SEALED = frozenset({"path", "annotations", "roi", "sha_sample", "reader"})
"""Columns of the tables that hold such fields."""
_NO_FILE = ("", "")


def document_digest(document: dict[str, Any]) -> str:
    """Return the digest of a slide's result: of everything in it but `NOT_SEALED`, at any depth."""
    path = str(document.get("path", ""))
    return json_digest(_of_the_slide(document, path, PurePath(path).name))


def table_digest(table: RunTable, path_of: Mapping[str, str]) -> str:
    """Return the digest of a table: its columns and its rows, without where files lie.

    Parameters
    ----------
    table : RunTable
    path_of : mapping
        The path of each slide by its id; in texts it is told as the file's name.
    """
    names = [name for name in table.columns if name not in COLUMNS_NOT_SEALED]
    file_of = {slide_id: (path, PurePath(path).name) for slide_id, path in path_of.items()}
    files = [file_of.get(row.get("slide_id", ""), _NO_FILE) for row in table.rows]
    rows = [[_shortened(row.get(n), *file) for n in names] for row, file in zip(table.rows, files, strict=True)]
    return json_digest({"columns": names, "rows": rows})


def run_digest(run: RunRecord) -> str:
    """Return the digest of which slides were measured together, of whom, and with which settings."""
    cases = {slide_id: asdict(case) for slide_id, case in run.known_cases.items()}
    return json_digest(
        {
            "settings": run.config_hash,
            "segmenter_package": run.segmenter_package,
            "slides": list(run.slides_planned),
            "same_content": [list(names) for names in run.twins],
            **({"cases": cases} if cases else {}),  # what earlier versions sealed has none
        }
    )


def ledger_digest(rows: NDArray[np.int64]) -> str:
    """Return the digest of a ledger, int64 (grid_rows, grid_cols, columns)."""
    head = json_digest(list(rows.shape)).encode()
    return hashlib.sha256(head + np.ascontiguousarray(rows, "<i8").tobytes()).hexdigest()


def tile_digest(tile: NDArray[Any]) -> bytes | None:
    """Return the SHA-256 of a tile of codes or of signal, (h, w), byte by byte; None of 0 alone."""
    return hashlib.sha256(np.ascontiguousarray(tile).data).digest() if tile.any() else None


def codes_digest(tile: ClassMap) -> bytes | None:
    """Return the SHA-256 of the bit planes of a tile of codes, uint8 (h, w); None of 0 alone.

    The planes follow each other, the lowest bit first, up to the highest bit that any code has. Each holds its bit of
    every code, line by line, eight a byte, the first of them the lowest bit, and ends with a whole word. Of few classes
    they are a quarter of the bytes.

    >>> planes = np.array([[1, 1, 0, 1, 0, 0, 0, 0], [0] * 8, [0, 1, 0, 0, 0, 0, 0, 0]], np.uint8)
    >>> codes_digest(planes * 2) == hashlib.sha256(bytes([0, 0, 0]) + bytes([11, 0, 2])).digest()
    True
    """
    codes = np.ascontiguousarray(tile).reshape(-1)
    if codes.size % WORD_BYTES:
        codes = np.pad(codes, (0, -codes.size % WORD_BYTES))
    planes = bit_planes(codes)
    return None if planes is None else hashlib.sha256(planes.data).digest()


@dataclass(slots=True)
class ClassMapDigest:
    """The digest of a class map or a signal map, tile by tile in any order; tiles of 0 alone are no part of it."""

    shape: tuple[int, ...]
    digest_of: Callable[[NDArray[Any]], bytes | None] = tile_digest
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def add(self, y: int, x: int, tile: NDArray[Any]) -> None:
        """Take in a tile, (h, w), by its first row and column."""
        self.put(y, x, self.digest_of(tile))

    def put(self, y: int, x: int, digest: bytes | None) -> None:
        """Take in the digest of a tile, as `digest_of` makes it."""
        if digest is not None:
            self.tiles[y, x] = digest

    @property
    def hex(self) -> str:
        """Return the digest of all tiles taken in."""
        whole = hashlib.sha256(json_digest(list(self.shape)).encode())
        for (y, x), digest in sorted(self.tiles.items()):
            whole.update(f"{y} {x} ".encode() + digest)
        return whole.hexdigest()


def _of_the_slide(value: Any, path: str, name: str) -> Any:
    """Return a value of a document without `NOT_SEALED`, with the slide's path told as the name of its file."""
    if isinstance(value, str):
        return _shortened(value, path, name)
    if isinstance(value, dict):
        return {key: _of_the_slide(inner, path, name) for key, inner in value.items() if key not in NOT_SEALED}
    return [_of_the_slide(inner, path, name) for inner in value] if isinstance(value, list) else value


def _shortened(value: Any, path: str, name: str) -> Any:
    """Return a text with a slide's path told as the name of its file; anything else as it is."""
    return value.replace(path, name) if path and isinstance(value, str) else value
