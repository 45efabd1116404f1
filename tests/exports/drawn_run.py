"""What the tests of the exports share: settings of five classes, what is drawn in them, files opened again."""

import gzip
import json
from pathlib import Path
from typing import Any

from wsi_area.inputs.collect import collect_slides
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import load

SIZE = Size(601, 403)
MPP = Mpp(0.5, 0.475)
CLASSES = """
[segmenter]
name = "regions"
classes = [
    {id = 0, name = "background", color = "#ffffff"},
    {id = 1, name = "stroma", color = "#00ff80", is_tissue = true},
    {id = 2, name = "tumor", color = "#d62728", is_tissue = true, is_tumor = true},
    {id = 3, name = "pen", color = "#0000ff", is_excluded = true},
    {id = 4, name = "necrosis", color = "#808080", is_tissue = true},
]
"""
"""Necrosis is drawn nowhere."""


def feature(name: str, *rings: list[list[float]]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]] for ring in rings]},
        "properties": {"classification": {"name": name, "color": [0, 0, 0]}},
    }


DRAWN = [
    feature("stroma", [[20.3, 15.8], [560.2, 40.4], [500.9, 390.1], [90.7, 350.2]]),
    feature("tumor", [[100, 80], [330.5, 95.2], [300.1, 300.7], [120.9, 260.4]], [[160, 130], [260, 130], [220, 240]]),
    feature("tumor", [[400, 100], [480.4, 140.2], [410.3, 210.9]]),
    feature("pen", [[180.5, 150.5], [230.2, 150.5], [215.7, 200.3]]),
]


def measure_drawn(slide: Path, drawing: Path, out: Path, *assignments: str, **options: Any) -> RunOutcome:
    """Measure a slide by what was drawn on it, in the five classes."""
    config = out.parent / f"{out.name}.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(CLASSES)
    inputs = collect_slides([str(slide)], annotations=drawing, **options)
    return run_slides(inputs, load(config, ["tiling.tile_px=64", "run.executor=serial", *assignments]), out)


def unpacked(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return content


def edit_json(path: Path, *keys: str | int, value: Any) -> None:
    """Change one value of a JSON document in place."""
    document = json.loads(path.read_text(encoding="utf-8"))
    place = document
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(document), encoding="utf-8")
