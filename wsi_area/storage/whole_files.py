"""exports: how a file or a folder gets into a slide's folder whole or not at all, over what was there before."""

import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from wsi_area.errors import ResultError
from wsi_area.storage.place import Place, draft_of, settle


@contextmanager
def gzipped(path: Place) -> Iterator[BinaryIO]:
    """Open a gzip file for writing; it replaces what was there once all is written.

    There is no name and no time in its header: the same content makes the same bytes.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    try:
        with draft_of(path) as draft:
            with draft.open("wb") as raw:
                with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
                    yield cast(BinaryIO, packed)  # it has all that one needs to write
                raw.flush()
                os.fsync(raw.fileno())
            settle(draft, path)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def replaced_folder(path: Place) -> Iterator[Path]:
    """Yield a folder to fill; it replaces what was there once all is written.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    try:
        with draft_of(path) as draft:
            draft.mkdir()
            yield draft
            settle(draft, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Place, error: OSError) -> ResultError:
    return ResultError(
        f"{path} cannot be written ({error.strerror or error}); free some space, or mend its permissions, and export "
        "again"
    )
