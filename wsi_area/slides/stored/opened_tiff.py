"""slides: a TIFF as tifffile opens it, in one place."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tifffile


def opened_tiff(file: str | os.PathLike[str]) -> tifffile.TiffFile:
    """Return an opened TIFF, which the caller closes.

    Where a file has the field of a laser scanning microscope, tifffile looks for a thumbnail behind the first picture
    and fails without one. Such a file is opened as any other.

    Raises
    ------
    tifffile.TiffFileError, OSError, IndexError
        It is no TIFF, or damaged.
    """
    try:
        return tifffile.TiffFile(file)
    except IndexError:
        return tifffile.TiffFile(file, is_lsm=False)


def page_at(tiff: tifffile.TiffFile, directory_at: int) -> tifffile.TiffPage:
    """Return the directory that begins at a byte of the file."""
    tiff.filehandle.seek(directory_at)
    return tifffile.TiffPage(tiff, 0)


@contextmanager
def quiet_tifffile() -> Iterator[None]:
    """Keep tifffile from telling this thread of what it cannot follow, where that is told elsewhere."""
    here = threading.get_ident()

    def is_of_another(record: logging.LogRecord) -> bool:
        return record.thread != here

    log = logging.getLogger("tifffile")
    log.addFilter(is_of_another)
    try:
        yield
    finally:
        log.removeFilter(is_of_another)
