"""annotations: the JSON of the CAMELYON tools: ``positive`` outlines and ``negative`` ones cut out of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, number
from wsi_area.model.drawn import DrawnObject

KIND = "camelyon-json"
POSITIVE, NEGATIVE = "positive", "negative"


def add_entry(parsed: Parsed, index: int, key: str, entry: Any) -> None:
    """Add a positive outline, or a negative one as a hole in them, to what was parsed.

    >>> parsed = Parsed(KIND)
    >>> add_entry(parsed, 0, "negative", {"name": "x", "vertices": [[0, 0], [4, 0], [4, 4]]})
    >>> [(o.index, o.name, o.is_hole) for o in parsed.outlines]
    [(0, 'negative', True)]
    """
    vertices = entry.get("vertices") if isinstance(entry, Mapping) else None
    if not isinstance(vertices, list):
        parsed.leave_out(index, "without vertices", severity="warning")
        return
    pairs = [(number(v[0]), number(v[1])) if isinstance(v, list) and len(v) >= 2 else _NOWHERE for v in vertices]
    ring = np.array(pairs, np.float64).reshape(-1, 2)
    of = DrawnObject(own_name=str(entry.get("name") or ""))
    parsed.outlines.append(RawOutline(index, key, ((ring,),), is_hole=key == NEGATIVE, of=of))


_NOWHERE = (float("nan"), float("nan"))
