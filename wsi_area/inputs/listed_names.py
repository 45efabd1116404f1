"""inputs: names that a file lists: its text, of whatever program, and what a path of another machine looks like."""

from pathlib import Path

from wsi_area.errors import SettingsError


def read_names(path: Path, what: str) -> str:
    """Return the text of a list or manifest; bytes that are no UTF-8 stay as they are, since they may be names.

    Parameters
    ----------
    path : Path
    what : str
        Such as ``the manifest``, for messages.

    Raises
    ------
    SettingsError
        It cannot be read, or is UTF-16, as Excel's "Unicode text" is.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{what} {path} cannot be read ({error.strerror or error}); give a text file") from error
    head = content[:64]
    # UTF-16 without its mark: every second byte of plain letters is zero; one zero byte alone is a bad line's own.
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) // 4:
        raise SettingsError(f"{what} {path} is UTF-16 ('Unicode text'); save it as 'CSV UTF-8'")
    return content.decode("utf-8-sig", "surrogateescape")


def is_utf8(text: str) -> bool:
    """Return True if a text of `read_names` was UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def nearest(word: str, known: list[str]) -> str:
    """Return the known word that is most like one that is not known; "" where none is.

    >>> nearest("mpp_xx", ["mpp_x", "slide_id"]), nearest("a", ["slide_id"])
    ('mpp_x', '')
    """
    import difflib  # only where a name is wrong

    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.8)), "")
