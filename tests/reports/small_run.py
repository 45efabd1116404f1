"""What the small run of the reports' tests is made of, and how a document of it is changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from synthetic import FileForm

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size

HOSTILE = "<script>alert(1)</script>"
SIZE = Size(1001, 703)  # a picture pixel of 4 × 4 is cut at the right and at the lower rim
BOX_PX = 4
FORM = FileForm(mpp=Mpp(0.5, 0.475))


def picture_of(rgb: np.ndarray) -> np.ndarray:
    """The slide in boxes of 4 × 4 px by their upper left pixel: its own small truth."""
    return rgb[::BOX_PX, ::BOX_PX]


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a JSON document in place."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
