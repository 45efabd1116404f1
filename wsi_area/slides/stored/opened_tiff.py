"""slides: a TIFF as tifffile opens it, in one place."""

import os

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
