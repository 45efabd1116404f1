"""compute: how a file begins, in words for people; pure."""

_MOST = 16


def first_bytes(head: bytes) -> str:
    r"""Return the first bytes of a file as text where they are text, else as what they probably are, or as numbers.

    >>> first_bytes(b"Patient;Slide\r\n1;A"), first_bytes(b"\x89HDF\r\n\x1a\n"), first_bytes(b"")
    ('the text “Patient;Slide”', 'the bytes 89 48 44 46 0d 0a 1a 0a', 'nothing: it is empty')
    >>> first_bytes(bytes(16)), first_bytes(b"PK\x03\x04"), first_bytes(b"%PDF-1.7")
    ('zeros: it was never written, or lost on the way', 'a ZIP archive', 'a PDF')
    """
    known = {b"PK": "a ZIP archive", b"%PDF": "a PDF", b"\x1f\x8b": "a gzip archive", b"GIF8": "a GIF"}
    if not head:
        return "nothing: it is empty"
    if not any(head):
        return "zeros: it was never written, or lost on the way"
    for magic, what in known.items():
        if head.startswith(magic):
            return what
    start = head[:_MOST]
    line = start.decode("latin-1").partition("\n")[0].strip()
    if line and line.isascii() and line.isprintable():
        return f"the text “{line}”"
    return f"the bytes {start.hex(' ')}"
