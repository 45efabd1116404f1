"""annotations: bytes of unknown origin, bounded before they are parsed; no entity, no pickle, no extraction."""

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from wsi_area.errors import AnnotationError

MAX_TEXT_BYTES = 1 << 29
"""537 MB of GeoJSON or XML, unpacked: some 700 000 nuclei, which take about four times as much while they are read."""

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TEXT_SUFFIXES = (".geojson", ".json", ".xml", ".ndpa")


def read_bytes(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a file that is no larger than the limit.

    Raises
    ------
    AnnotationError
        It cannot be read, is empty or is too large.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(limit_bytes + 1)
    except OSError as error:
        raise AnnotationError(f"{path} cannot be read ({error.strerror or error}); check the path") from error
    if not content:
        raise AnnotationError(f"{path} is empty (0 bytes); export it again")
    return _within(path, content, limit_bytes)


def sha256_of(content: bytes) -> str:
    """Return the hex digest that identifies a file's content.

    >>> sha256_of(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(content).hexdigest()


def unpacked(path: Path, content: bytes, limit_bytes: int = MAX_TEXT_BYTES) -> bytes:
    """Return the text inside a gzip or zip file, or the content itself where it is neither.

    A zip file may hold one text only. Nothing is written to disk, so the names inside cannot lead anywhere.

    Raises
    ------
    AnnotationError
        It is damaged, encrypted, holds no or several texts, or unpacks to more than the limit.
    """
    try:
        if content.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
                return _within(path, stream.read(limit_bytes + 1), limit_bytes)
        if content.startswith(_ZIP):
            return _within(path, _only_member(path, content, limit_bytes), limit_bytes)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        # zipfile: RuntimeError for an encrypted member, NotImplementedError for an unknown compression
        raise AnnotationError(f"{path} cannot be unpacked ({error}); export it again, uncompressed") from error
    return content


def _only_member(path: Path, content: bytes, limit_bytes: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [m for m in archive.infolist() if m.filename.lower().endswith(_TEXT_SUFFIXES)]
        members = [m for m in members if not m.filename.startswith("__MACOSX/")]
        if len(members) != 1:
            raise AnnotationError(
                f"{path} holds {len(members)} annotation files, one is needed; unpack it and give the one that is meant"
            )
        with archive.open(members[0]) as stream:  # read, not the size it claims, decides
            return stream.read(limit_bytes + 1)


def _within(path: Path, content: bytes, limit_bytes: int) -> bytes:
    if len(content) > limit_bytes:
        raise AnnotationError(
            f"{path} is larger than {limit_bytes} bytes (unpacked); export the annotations without the single "
            "detections, or as a mask"
        )
    return content


def xml_events(path: Path, text: bytes) -> Iterator[tuple[str, Element]]:
    """Yield "start" and "end" of each element of an XML text, as it is read; who takes an element may clear it.

    One with a document type is refused, so no entity is ever expanded.

    Raises
    ------
    AnnotationError
        It is not XML, or has a document type.
    """
    try:
        yield from iterparse(io.BytesIO(text), events=("start", "end"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: unknown encoding
        raise AnnotationError(f"{path} is not XML that can be read ({error!r}); export it again") from error
