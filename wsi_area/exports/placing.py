"""exports: how a file or a folder gets into a slide's folder whole or not at all, over what was there before."""

import gzip
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from wsi_area.errors import ResultError


@contextmanager
def gzipped(path: Path) -> Iterator[BinaryIO]:
    """Open a gzip file for writing; it replaces what was there once all is written.

    There is no name and no time in its header: the same content makes the same bytes.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    beside = _beside(path)
    try:
        with beside.open("wb") as raw:
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
                yield cast(BinaryIO, packed)  # it has all that one needs to write
            raw.flush()
            os.fsync(raw.fileno())
        beside.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def replaced_folder(path: Path) -> Iterator[Path]:
    """Yield a folder to fill; it replaces what was there once all is written.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    beside, old = _beside(path), _beside(path)
    try:
        beside.mkdir()
        yield beside
        if path.exists():
            path.rename(old)
        beside.rename(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for left_over in (beside, old):
            shutil.rmtree(left_over, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")


def _unwritable(path: Path, error: OSError) -> ResultError:
    return ResultError(
        f"{path} cannot be written ({error.strerror or error}); free some space, or mend its permissions, and export "
        "again"
    )
