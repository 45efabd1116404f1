"""inputs: names for slides that are unique and can safely be the name of a folder."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

MAX_ID_CHARS = 100
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for devices


def safe_id(name: str) -> str:
    """Return a name made of A-Z, a-z, 0-9, dot, dash and underscore that cannot leave its folder.

    >>> safe_id("Müller 12/b"), safe_id("../../etc"), safe_id("...")
    ('Muller_12_b', 'etc', 'slide')
    """
    letters = [c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)]
    text = _ODD.sub("_", "".join(letters)).strip("._")[:MAX_ID_CHARS].rstrip("._") or "slide"
    return f"{text}_" if _RESERVED.fullmatch(text) else text


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
    times = Counter(slide_id.casefold() for slide_id in wanted)
    digests = [hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest() for path in paths]
    return [
        slide_id if times[slide_id.casefold()] == 1 else f"{slide_id}-{digest[:8]}"
        for slide_id, digest in zip(wanted, digests, strict=True)
    ]
