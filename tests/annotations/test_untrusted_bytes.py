import gzip
import io
import zipfile
from pathlib import Path

import pytest
from drawn_samples import written

from wsi_area.annotations import read_outlines
from wsi_area.annotations.json_text import decoded, json_members
from wsi_area.annotations.untrusted import read_bytes, unpacked, xml_events
from wsi_area.errors import AnnotationError

PATH = Path("a.geojson")


def zipped(*members: tuple[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "packed", [gzip.compress(bytes(10**6), mtime=0), zipped(("a.json", bytes(10**6))), bytes(2000)]
)
def test_what_unpacks_to_more_than_the_limit_is_refused(tmp_path, packed):
    limit_bytes = 1500
    if packed.startswith(b"\0"):
        (tmp_path / "a").write_bytes(packed)
        with pytest.raises(AnnotationError, match="larger than 1500 bytes"):
            read_bytes(tmp_path / "a", limit_bytes)
    else:
        assert len(packed) < limit_bytes
        with pytest.raises(AnnotationError, match="larger than 1500 bytes"):
            unpacked(PATH, packed, limit_bytes)


def test_a_zip_that_understates_the_size_of_its_member_is_refused_too():
    packed = bytearray(zipped(("a.json", bytes(10**6))))
    true_size = (10**6).to_bytes(4, "little")
    assert packed.count(true_size) == 2
    with pytest.raises(AnnotationError, match=r"larger than 1500 bytes|cannot be unpacked"):
        unpacked(PATH, bytes(packed.replace(true_size, (100).to_bytes(4, "little"))), 1500)


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (zipped(), "no annotation format"),
        (zipped(("readme.txt", b"x")), "holds 0 annotation files"),
        (zipped(("a.json", b"[]"), ("b.json", b"[]")), "holds 2 annotation files"),
        (gzip.compress(b"[]", mtime=0)[:-6], "cannot be unpacked"),
        (b"\x1f\x8b not gzip at all", "cannot be unpacked"),
        (b"PK\x03\x04 not zip at all", "cannot be unpacked"),
    ],
)
def test_a_damaged_or_ambiguous_archive_is_refused(tmp_path, packed, words):
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(AnnotationError, match=words):
        read_outlines(tmp_path / "a.zip")


def test_what_is_not_packed_passes_as_it_is():
    assert unpacked(PATH, b"[1]") == b"[1]"


def test_a_folder_or_nothing_is_no_file_of_outlines(tmp_path):
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(AnnotationError, match="cannot be read"):
            read_outlines(path)


def test_no_entity_is_expanded_and_nothing_outside_is_fetched():
    bomb = b'<!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]><Annotations>&y;</Annotations>'
    outside = b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><Annotations/>'
    for text in (bomb, outside):
        with pytest.raises(AnnotationError, match="DTDForbidden"):
            list(xml_events(PATH, text))


def test_numbers_of_thousands_of_digits_and_stray_bytes_are_refused():
    for text in (b"[" + b"9" * 100_000 + b"]", b'["\xff\xfe"]'):
        with pytest.raises(AnnotationError, match="not JSON that can be read"):
            list(json_members(PATH, decoded(PATH, text), frozenset()))


def test_elements_nested_a_hundred_thousand_deep_do_no_harm(tmp_path):
    deep = f"<Annotations>{'<a>' * 100_000}{'</a>' * 100_000}</Annotations>"
    with pytest.raises(AnnotationError, match=r"lists no object|not XML"):
        read_outlines(written(tmp_path / "a.xml", deep))


def test_a_byte_order_mark_and_utf_16_are_read(tmp_path):
    text = '{"positive": [{"vertices": [[0, 0], [4, 0], [4, 4]]}]}'
    (tmp_path / "a.json").write_bytes(text.encode("utf-8-sig"))
    assert read_outlines(tmp_path / "a.json").regions[0].area == 8
    points = "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in [(0, 0), (4, 0), (4, 4)])
    xml = f'<?xml version="1.0" encoding="utf-16"?><Annotations><Annotation><Regions><Region><Vertices>{points}'
    (tmp_path / "b.xml").write_bytes(f"{xml}</Vertices></Region></Regions></Annotation></Annotations>".encode("utf-16"))
    assert read_outlines(tmp_path / "b.xml").regions[0].area == 8
