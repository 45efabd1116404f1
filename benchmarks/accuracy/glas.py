"""benchmarks: the built-in pixel classifier on GlaS beside a plain prototype, on the same folds by patient.

``python -m benchmarks.accuracy.glas --out FOLDER`` trains with ``wsi-area train`` (five folds, grouped by
patient), runs the prototype of ``glas_baseline.py`` on the folds that the model's card states, and prints the pooled
pixel Dice and area ratio of both with 95 % intervals (patients drawn with replacement), of the difference too, and the
work pixels that each puts out in a second of CPU.
"""

import argparse
import csv
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.accuracy.glas_baseline import GlasImage, drawn_pixels, fitted, glas_image, predicted_gland
from benchmarks.accuracy.places import CONFIGS, testdata, wsi_area
from wsi_area.model.geometry import Size
from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.segmenters.pixels.balance import colour_balance
from wsi_area.segmenters.pixels.model import PixelModel, load_model

MPP_UM, WORK_MPP_UM = 0.62005, 1.24
DRAWS, TIMED = 2000, 12
Counts = NDArray[np.int64]  # (images, 3): truth, predicted, common, in full-size px


def trained_card(folder: Path, out: Path, config: Path) -> dict[str, Any]:
    """Train with the command, unless the folder has a model already, and return the card's account."""
    if not (out / "model" / "card.json").is_file():
        groups = out / "groups.csv"
        out.mkdir(parents=True, exist_ok=True)
        with (folder / "grade.csv").open(newline="") as file:
            rows = [f"{row['name']},{row['patient_id']}" for row in csv.DictReader(file)]
        groups.write_text("\n".join(["image,group", *rows]) + "\n")
        facts = ("--any-nonzero", "gland", "--groups", groups, "--mpp", str(MPP_UM), "--work-mpp", str(WORK_MPP_UM))
        print(wsi_area("train", "--images", folder, *facts, "--config", config, "--out", out / "model"))
    return dict(json.loads((out / "model" / "card.json").read_text())["about"])


def counts_of_card(card: Mapping[str, Any], names: Sequence[str]) -> Counts:
    by_id = {image["id"]: image["classes"][1] for image in card["accuracy"]["per_image"]}
    return np.array([[by_id[n][f"{what}_px"] for what in ("truth", "predicted", "common")] for n in names])


def counts_of_baseline(images: Sequence[GlasImage], folds: Sequence[int]) -> Counts:
    """Every image by a classifier that saw none of its fold."""
    counts = np.zeros((len(images), 3), np.int64)
    parts = [drawn_pixels(image, number) for number, image in enumerate(images)]
    for fold in range(max(folds) + 1):
        classifier = fitted([part for part, f in zip(parts, folds, strict=True) if f != fold])
        for number in [n for n, f in enumerate(folds) if f == fold]:
            gland = images[number].gland
            found = np.kron(predicted_gland(classifier, images[number].rgb), np.ones((2, 2), np.bool_))
            found = found[: gland.shape[0], : gland.shape[1]]
            counts[number] = gland.sum(), found.sum(), (gland & found).sum()
    return counts


def dice_and_ratio(counts: NDArray[Any]) -> NDArray[np.float64]:
    """(..., 2) of (..., 3)."""
    truth, found, common = np.moveaxis(counts, -1, 0)
    return np.stack([2 * common / (truth + found), found / truth], axis=-1)


def intervals(by_patient: NDArray[Any]) -> NDArray[np.float64]:
    """Dice and area ratio of both classifiers, (draws, 2, 2), for the same patients drawn with replacement."""
    n = len(by_patient)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    return dice_and_ratio(np.einsum("dp,pck->dck", draws, by_patient))


def mpx_per_cpu_s(model: PixelModel, classifier: Any, images: Sequence[GlasImage]) -> tuple[float, float]:
    """Features, prediction and smoothing by each, image by image in turn, on one thread."""
    spent, px = [0.0, 0.0], 0
    for image in images:
        valid = np.ones(image.rgb.shape[:2], np.bool_)
        start = time.process_time()
        overview = Overview(image.rgb, valid, Size(valid.shape[1], valid.shape[0]), None)
        model.class_map(TilePixels(image.rgb, valid), balance=colour_balance(overview))
        between = time.process_time()
        predicted_gland(classifier, image.rgb)
        spent[0] += between - start
        spent[1] += time.process_time() - between
        px += valid.size
    return px / spent[0] / 1e6, px / spent[1] / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="where the model goes, or is")
    parser.add_argument("--config", type=Path, default=CONFIGS / "pixel_classifier.toml")
    chosen = parser.parse_args()
    folder = testdata() / "glas_train"
    card = trained_card(folder, chosen.out, chosen.config)
    rows = card["training_data"]
    names, folds = [row["id"] for row in rows], [row["fold"] for row in rows]
    patients = sorted({row["group"] for row in rows})
    images = [glas_image(folder, name) for name in names]
    with threadpool_limits(1):
        start = time.process_time()
        both = np.stack([counts_of_card(card, names), counts_of_baseline(images, folds)], axis=1)
        print(f"baseline: {time.process_time() - start:.0f} s of CPU for its cross-validation")
        model = load_model(chosen.out / "model")
        timed = images[:: len(images) // TIMED]
        classifier = fitted([drawn_pixels(image, number) for number, image in enumerate(images)])
        mpx_per_cpu_s(model, classifier, timed[:1])  # compiled and warm
        speeds = [mpx_per_cpu_s(model, classifier, timed) for _ in range(3)]
    by_patient = np.array([both[[row["group"] == p for row in rows]].sum(axis=0) for p in patients])
    pooled, drawn = dice_and_ratio(both.sum(axis=0)), intervals(by_patient)
    assert (both[:, 0, 0].sum() - both[:, 1, 0].sum()) / both[:, 1, 0].sum() < 0.001  # one truth, two samplings of it
    for number, who in enumerate(("wsi-area", "prototype")):
        low, high = np.percentile(drawn[:, number], [2.5, 97.5], axis=0)
        for what in (0, 1):
            name = ("pooled pixel Dice", "area found / true")[what]
            print(f"{who:10} {name}: {pooled[number, what]:.4f} ({low[what]:.4f} to {high[what]:.4f})")
    gain = drawn[:, 0, 0] - drawn[:, 1, 0]
    low, high = np.percentile(gain, [2.5, 97.5])
    print(f"Dice, wsi-area less prototype: {pooled[0, 0] - pooled[1, 0]:+.4f} ({low:+.4f} to {high:+.4f})")
    ours, theirs = np.median(speeds, axis=0)
    ratios = sorted(a / b for a, b in speeds)
    least, middle, most = ratios
    print(f"Mpx/s of CPU at 1.24 µm/px: {ours:.2f} and {theirs:.2f}, ratio {middle:.1f} ({least:.1f} to {most:.1f})")


if __name__ == "__main__":
    main()
