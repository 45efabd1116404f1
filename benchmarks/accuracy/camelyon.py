"""benchmarks: the pixel classifier on CAMELYON16 tumor_072, trained on the left section and tried on the right one.

``python -m benchmarks.accuracy.camelyon --choose`` compares settings inside the left section alone: it is cut into four
bands with a quarter of the drawn tumour each, every band is held out in turn, and the pooled Dice stands for a setting.
The choice is the first in the list (simplest first) whose Dice is within 0.01 of the best.

``python -m benchmarks.accuracy.camelyon --out FOLDER`` trains with the chosen settings on the left section (they are
``configs/coarse_overview.toml``), runs the model over the whole slide and prints its agreement with the right section.
"""

import argparse
import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.accuracy.places import CONFIGS, testdata, wsi_area
from wsi_area.audit.evaluate import evaluate_run
from wsi_area.audit.truth import parse_naming
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load
from wsi_area.training.material import slide_sources
from wsi_area.training.settings import TrainSettings
from wsi_area.training.train import train

SLIDE, DRAWN, MASK = (
    "slides/camelyon16_tumor_072",
    "annotations/camelyon16_tumor_072.json",
    "masks/camelyon16_tumor_072_level0.png",
)
SCALE = "1/128"
WIDTH_PX, HEIGHT_PX, BETWEEN_PX = 1152, 700, 576  # of the slide; the column between its two sections
BANDS = 4
CONFIG = CONFIGS / "coarse_overview.toml"
Box = tuple[int, int, int, int]  # left, top, right, bottom
LEFT, RIGHT = (0, 0, BETWEEN_PX, HEIGHT_PX), (BETWEEN_PX, 0, WIDTH_PX, HEIGHT_PX)

NEAR, FAR = (30.0, 60.0, 120.0), (30.0, 60.0, 120.0, 240.0)
SHALLOW = {"depth": 3, "leaves": 8, "leaf_px": 100}
DEEP = {"depth": 6, "leaves": 16, "leaf_px": 40}
FOREST = {"classifier": "random_forest", "depth": 8, "leaves": 64, "leaf_px": 40}
CANDIDATES = [
    {"scales_um": scales, **trees, "priors": priors}
    for scales, trees in ((NEAR, SHALLOW), (NEAR, DEEP), (NEAR, FOREST), (FAR, SHALLOW), (FAR, DEEP))
    for priors in ("as_seen", "equal")
]


def outline(path: Path, boxes: Sequence[Box]) -> Path:
    """Write boxes of level-0 pixels as a GeoJSON file."""
    rings = [[[[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]] for x0, y0, x1, y1 in boxes]
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": ring}} for ring in rings
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def bands() -> list[Box]:
    """The left half in bands, each with the same share of the drawn tumour."""
    with Image.open(testdata() / MASK) as opened:
        drawn = np.asarray(opened.convert("L"))[:, :BETWEEN_PX] > 0
    share = np.cumsum(drawn.sum(axis=1)) / drawn.sum()
    cuts = [0, *(int(np.searchsorted(share, k / BANDS)) for k in range(1, BANDS)), HEIGHT_PX]
    return [(0, top, BETWEEN_PX, bottom) for top, bottom in itertools.pairwise(cuts)]


def held_out_dice(settings: TrainSettings, scratch: Path) -> tuple[float, float]:
    """Pooled Dice and area ratio of the tumour over the bands, each found by a model that was trained on the others."""
    counts = np.zeros(3)
    slide = testdata() / SLIDE
    for number, band in enumerate(bands()):
        folder = Path(tempfile.mkdtemp(dir=scratch))
        others = [b for b in bands() if b != band]
        rest, own = outline(folder / "rest.geojson", others), outline(folder / "own.geojson", [band])
        drawn = {"annotations": testdata() / DRAWN, "annotation_scale": SCALE}
        (source,) = slide_sources(
            [replace(s, roi=DrawnSource(str(rest))) for s in collect_slides([str(slide)], **drawn)], {}
        )
        naming = parse_naming(("positive=tumor",), (), rest="other")
        train([source], naming, settings, folder / "model", rest_in_tissue=True)
        run_slides(collect_slides([str(slide)]), load(CONFIG, [f"segmenter.model={folder / 'model'}"]), folder / "run")
        truth = DrawnSource(str(testdata() / DRAWN), 1 / 128)
        found = evaluate_run(folder / "run", truth, naming, within=DrawnSource(str(own))).accuracy
        if found is None:
            raise SystemExit(f"band {number} could not be compared")
        tumor = next(a for a, c in zip(found.agreements, found.scheme.classes, strict=True) if c.name == "tumor")
        counts += tumor.truth_px, tumor.predicted_px, tumor.common_px
    return float(2 * counts[2] / (counts[0] + counts[1])), float(counts[1] / counts[0])


def choose() -> None:
    tried = []
    with tempfile.TemporaryDirectory() as scratch:
        for candidate in CANDIDATES:
            settings = TrainSettings(pitch_um=29.0, smoothing_um=60.0, stain_jitter=0, **candidate)
            dice, ratio = held_out_dice(settings, Path(scratch))
            tried.append((dice, str(candidate)))
            print(f"{dice:.4f}  area {ratio:.3f}  {candidate}", flush=True)
    best = max(dice for dice, _ in tried)
    print("chosen:", next(what for dice, what in tried if dice >= best - 0.01))


def show(out: Path) -> None:
    out.mkdir(parents=True)
    left, right = outline(out / "left.geojson", [LEFT]), outline(out / "right.geojson", [RIGHT])
    slide, drawn = testdata() / SLIDE, testdata() / DRAWN
    naming = ("--map", "positive=tumor")
    wsi_area(
        "train", "--slides", slide, "--annotations", drawn, "--annotation-scale", SCALE, *naming, "--rest-is", "other",
        "--within", left, "--config", CONFIG, "--out", out / "model",
    )  # fmt: skip
    config = out / "coarse_overview.toml"
    config.write_text(CONFIG.read_text().replace('model = "model"', f"model = {json.dumps(str(out / 'model'))}"))
    wsi_area("run", slide, "--config", config, "--out", out / "run")
    for name, within in (("left, learnt from", left), ("right, never seen", right)):
        print(name)
        print(wsi_area("evaluate", out / "run", "--truth", drawn, "--truth-scale", SCALE, *naming, "--within", within))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--choose", action="store_true", help="compare settings inside the left section")
    what.add_argument("--out", type=Path, help="a new folder for the model and the run")
    chosen = parser.parse_args()
    if chosen.choose:
        choose()
    else:
        show(chosen.out)


if __name__ == "__main__":
    main()
