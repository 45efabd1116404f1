"""slides: what a file is before it is opened as a slide: a format by its first bytes, one that is not read, no file."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

_MAGIC_AT, _MAGIC = 128, b"DICM"
DICOM_HEAD_BYTES = _MAGIC_AT + len(_MAGIC)
"""So much of a file says whether it is DICOM (PS3.10, 7.1)."""

_HEADERS = (
    b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"ZISRAWFILE",
)  # fmt: skip
"""How files begin that can be measured: TIFF, BigTIFF, PNG, JPEG, CZI; DICOM has its own."""

_EXPORT = "which is not read: export it as OME-TIFF, SVS or DICOM"
_PICTURE = "a picture of a kind that is not read: save it as PNG or TIFF"
NOT_READ = {
    **dict.fromkeys((".isyntax", ".i2syntax"), f"Philips iSyntax, {_EXPORT}"),
    ".vsi": f"Olympus VSI, {_EXPORT}",
    ".ets": f"Olympus ETS, {_EXPORT}",
    ".sdpc": f"Sqray SDPC, {_EXPORT}",
    ".kfb": f"KFBio KFB, {_EXPORT}",
    ".tmap": f"UNIC TMAP, {_EXPORT}",
    ".qptiff": f"Akoya QPTIFF, {_EXPORT}",
    **dict.fromkeys((".mds", ".mdsx"), f"Motic MDS, {_EXPORT}"),
    ".afi": f"Aperio AFI, a list of pictures, {_EXPORT}",
    ".nd2": f"Nikon ND2, {_EXPORT}",
    **dict.fromkeys((".lif", ".lof", ".xlef"), f"Leica LIF, {_EXPORT}"),
    **dict.fromkeys((".oir", ".oib", ".oif"), f"Olympus FluoView, {_EXPORT}"),
    ".zvi": f"Zeiss ZVI, {_EXPORT}",
    ".ims": f"Imaris IMS, {_EXPORT}",
    ".zarr": f"a Zarr store, {_EXPORT}",
    **dict.fromkeys((".jp2", ".j2k", ".jpx", ".jxl", ".bmp", ".gif", ".webp", ".heic", ".heif", ".avif"), _PICTURE),
}
"""Formats of slides and pictures that are known and not read, by their suffix, and what to do."""
_ONLY_AN_OVERVIEW = {".vsi"}
"""Begins as a TIFF, which holds an overview; the slide lies in a folder beside it."""
_HEADERS_NOT_READ = {
    b'<DataObject ObjectType="DPUfsImport"': ".isyntax",
    b"\0\0\0\x0cjP  ": ".jp2",
    b"\xda\xce\xbe\x0a": ".nd2",
}
UNFINISHED = frozenset({".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp"})
"""What programs add to a file's name while they still write it."""

_WINDOWS = re.compile(r"(?:^|/)([A-Za-z]:[\\/]|\\\\)")
_LEAST_LIKE = 4  # letters of a name from which on a likeness means anything
_NO_FILE = (
    (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)  # fmt: skip


def no_file(path: str | os.PathLike[str]) -> str:
    """Return the kind of something that has a file's name and is none: reading it could wait for ever; "" for all else.

    >>> no_file("/dev/null"), no_file("/")
    ('a device', '')
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return ""
    return next((what for is_one, what in _NO_FILE if is_one(mode)), "")


def dead_link(path: str | os.PathLike[str]) -> str:
    """Return the target of a link that leads nowhere; "" for all else."""
    return os.readlink(path) if os.path.islink(path) and not os.path.exists(path) else ""


def not_read(path: Path) -> str:
    """Return the format of a file that is known and not read; "" for all else.

    The first bytes decide: a suffix only names what they do not.
    """
    suffix, head = path.suffix.casefold(), first_of(path)
    if has_slide_header(head) and suffix not in _ONLY_AN_OVERVIEW:
        return ""
    return NOT_READ.get(suffix) or next(
        (NOT_READ[kind] for magic, kind in _HEADERS_NOT_READ.items() if magic in head), ""
    )


def has_slide_header(head: bytes) -> bool:
    r"""Return True if a file begins like one that can be measured.

    >>> has_slide_header(b"II*\0rest"), has_slide_header(b"path,slide_id")
    (True, False)
    """
    return head.startswith(_HEADERS) or has_dicom_magic(head)


def has_dicom_magic(head: bytes) -> bool:
    """Return True if the first `DICOM_HEAD_BYTES` of a file are those of a DICOM file.

    >>> has_dicom_magic(bytes(128) + b"DICM"), has_dicom_magic(b"DICM")
    (True, False)
    """
    return head[_MAGIC_AT:DICOM_HEAD_BYTES] == _MAGIC


def first_of(path: Path) -> bytes:
    """Return the first bytes of a file, none of one that cannot be read or is no file."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(DICOM_HEAD_BYTES)
    except OSError:
        return b""


def absent_text(path: Path) -> str:
    """Return in words that there is nothing where a path leads, with what may have been meant."""
    if target := dead_link(path):
        return f"it is a link to {target}, which is not there"
    return f"no such file or folder{_hint(str(path))}"


def _hint(text: str) -> str:
    """Return the words on a path that is not there, besides that: "" where nothing is known.

    >>> _hint("C:/slides/a.svs").rpartition(" ")[2]
    '/mnt/c/slides/a.svs'
    """
    if found := _WINDOWS.search(text):
        windows = PureWindowsPath(text[found.start(1) :])
        here = "/".join(part.strip("\\/").replace("\\", "/") for part in windows.parts)
        mounted = f"/mnt/{here[0].lower()}{here[2:]}" if here[1:2] == ":" else f"/mnt/{here}"
        return (
            f": a path of Windows, which this machine does not know; write it as it is mounted here, such as {mounted}"
        )
    near = _like(os.path.basename(text), _names_beside(text))
    return f" (did you mean {near}?)" if near else ""


def _like(name: str, known: Sequence[str]) -> str:
    """Return the name that is most like one that is not there; "" for none, and never one of another number.

    >>> _like("silde_101.svs", ["slide_101.svs", "slide_102.svs"]), _like("slide_103.svs", ["slide_102.svs"])
    ('slide_101.svs', '')
    >>> _like("b.svs", ["c.svs"])
    ''
    """
    if len(name.partition(".")[0]) < _LEAST_LIKE:
        return ""
    import difflib  # only where a name is wrong

    same = [other for other in known if re.findall(r"\d+", other) == re.findall(r"\d+", name)]
    return next(iter(difflib.get_close_matches(name, same, n=1, cutoff=0.8)), "")


def _names_beside(text: str) -> list[str]:
    try:
        return os.listdir(os.path.dirname(text) or ".")
    except OSError:
        return []
