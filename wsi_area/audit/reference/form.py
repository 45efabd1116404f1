"""audit: form.html, one page in which a reader answers point by point, by key, without sight of the map."""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from wsi_area.audit.reference.answers import CANNOT_TELL
from wsi_area.audit.reference.patches import PATCH_PX, Patch
from wsi_area.model.uncertainty.reference_design import ReferenceDesign

_TEMPLATES = Path(__file__).with_name("templates")
_KEYS = "123456789abcdefghijklmopqrtuvwxyz"  # n and s are taken: next, save


def form_html(design: ReferenceDesign, found: Mapping[str, Patch], field_um: float) -> str:
    """Return the form of a draw; of the map it holds the names of its classes alone."""
    names = list(dict.fromkeys(c.name for slide in design.slides for c in slide.classes))
    facts = {
        "draw": design.name,
        "classes": [[_KEYS[n % len(_KEYS)], name] for n, name in enumerate(names)] + [["0", CANNOT_TELL]],
        "points": [
            {
                "id": p.point_id, "slide": p.slide_id, "x": p.x_px, "y": p.y_px,
                "cx": round(found[p.point_id].x_share, 5), "cy": round(found[p.point_id].y_share, 5),
                "why": found[p.point_id].why_not,
                "jpeg": base64.b64encode(found[p.point_id].jpeg).decode(),
            }
            for p in design.points
        ],
        "field_um": field_um,
        "patch_px": PATCH_PX,
    }  # fmt: skip
    style, script = (_TEMPLATES / "form.css").read_text("utf-8"), (_TEMPLATES / "form.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    # no text of a file can end the element that holds it
    told = json.dumps(facts, ensure_ascii=True).replace("<", "\\u003c")
    page = (_TEMPLATES / "form.html").read_text("utf-8")
    for mark, text in (("@@policy@@", policy), ("@@style@@", style), ("@@script@@", script), ("@@facts@@", told)):
        page = page.replace(mark, text)
    return page


def _hash(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"
