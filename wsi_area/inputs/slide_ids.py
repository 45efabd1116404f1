"""inputs: names for slides that are unique and can safely be the name of a folder."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

MAX_ID_BYTES = 150
"""Names of folders may have 255 bytes; a hash and the names of temporary files need some of them."""
_KEPT_CATEGORIES = ("L", "M", "N")  # letters, marks and digits of every script

_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for devices


def safe_id(name: str) -> str:
    """Return a name of letters and digits of any script, dot, dash and underscore that cannot leave its folder.

    In one form of Unicode (NFC), since some file systems hold é and e with an accent for the same; no longer than a
    file system takes; and never one that a spreadsheet takes for a formula.

    >>> safe_id("Müller 12/b"), safe_id("日本"), safe_id("../../etc"), safe_id("-1"), safe_id("...")
    ('Müller_12_b', '日本', 'etc', '1', 'slide')
    """
    letters = [c if _is_kept(c) else " " for c in unicodedata.normalize("NFC", name)]
    text = "_".join("".join(letters).split())
    text = _cut(text[_first_of_a_name(text) :]).rstrip("._") or "slide"
    return f"{text}_" if _RESERVED.fullmatch(text) else text


def _is_kept(character: str) -> bool:
    return character in "._-" or unicodedata.category(character)[0] in _KEPT_CATEGORIES


def _first_of_a_name(text: str) -> int:
    """Return the index at which a name may begin: after dots, dashes and marks that belong to a letter before them."""
    odd = (c in "._-" or unicodedata.category(c)[0] == "M" for c in text)
    return next((n for n, is_odd in enumerate(odd) if not is_odd), len(text))


def _cut(text: str) -> str:
    """Return as much of a text as `MAX_ID_BYTES` hold, and no part of a character."""
    return text.encode()[:MAX_ID_BYTES].decode("utf-8", "ignore")


def unique_ids(names: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Return one safe id for each slide: its name, with a hash of its path where two would be the same.

    Upper and lower case count as the same, since some file systems hold them so. The answer depends on which
    slides there are, not on their order.

    >>> unique_ids(["a", "b"], ["/x/a.svs", "/x/b.svs"])
    ['a', 'b']
    >>> unique_ids(["a", "A"], ["/x/a.svs", "/y/A.svs"])
    ['a-df9fc66a', 'A-5b2a220c']
    """
    wanted = [safe_id(name) for name in names]
    times = Counter(_folded(slide_id) for slide_id in wanted)
    digests = [hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest() for path in paths]
    return [
        slide_id if times[_folded(slide_id)] == 1 else f"{slide_id}-{digest[:8]}"
        for slide_id, digest in zip(wanted, digests, strict=True)
    ]


def _folded(slide_id: str) -> str:
    """Return by what a file system that ignores case, and forms of one letter, knows a name."""
    return unicodedata.normalize("NFKC", slide_id).casefold()
