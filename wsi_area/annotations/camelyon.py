"""annotations: the JSON of the CAMELYON tools: ``positive`` outlines and ``negative`` ones cut out of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsi_area.annotations.raw import Parsed, RawOutline, not_an_area, number

KIND = "camelyon-json"
POSITIVE, NEGATIVE = "positive", "negative"


def is_camelyon(tree: object) -> bool:
    """Return whether a parsed JSON text has the lists of this format.

    >>> is_camelyon({"positive": [], "negative": []}), is_camelyon({"type": "Feature"})
    (True, False)
    """
    return isinstance(tree, Mapping) and any(isinstance(tree.get(key), list) for key in (POSITIVE, NEGATIVE))


def parse_camelyon(tree: Mapping[str, Any]) -> Parsed:
    """Return the positive outlines, class ``positive``, then the negative ones as holes in them.

    >>> tree = {"positive": [{"name": "Tumor1", "vertices": [[0, 0], [4, 0], [4, 4]]}], "negative": []}
    >>> [(o.index, o.name, o.is_hole) for o in parse_camelyon(tree).outlines]
    [(0, 'positive', False)]
    """
    parsed = Parsed(KIND)
    entries = [(key, entry) for key in (POSITIVE, NEGATIVE) for entry in tree.get(key) or []]
    for index, (key, entry) in enumerate(entries):
        vertices = entry.get("vertices") if isinstance(entry, Mapping) else None
        if not isinstance(vertices, list):
            parsed.findings.append(not_an_area(index, "without vertices"))
            continue
        pairs = [(number(v[0]), number(v[1])) if isinstance(v, list) and len(v) >= 2 else _NOWHERE for v in vertices]
        ring = np.array(pairs, np.float64).reshape(-1, 2)
        parsed.outlines.append(RawOutline(index, key, ((ring,),), is_hole=key == NEGATIVE))
    return parsed


_NOWHERE = (float("nan"), float("nan"))
