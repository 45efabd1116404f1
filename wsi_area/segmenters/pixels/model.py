"""segmenters: the folder of a trained pixel classifier, ``card.json`` and ``trees.npz``; reading one runs no code.

Nothing in the folder is a pickle. The names, types and sizes of the arrays are read from their headers and held against
the card and fixed limits before memory is taken for them, and every index is checked before a compiled kernel sees it.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.pixels import ClassMap, TilePixels
from wsi_area.segmenters.pixels.arrays import arrays_bytes, read_arrays
from wsi_area.segmenters.pixels.balance import ColourBalance
from wsi_area.segmenters.pixels.card import MAX_CARD_BYTES, SCHEMA_VERSION, class_from, file_bytes, read_card
from wsi_area.segmenters.pixels.feature_set import FeatureSet
from wsi_area.segmenters.pixels.features import Window
from wsi_area.segmenters.pixels.probability import cell_probabilities, class_map_of, probability_reach_px
from wsi_area.segmenters.pixels.trees import TreeEnsemble

CARD_NAME, ARRAYS_NAME = "card.json", "trees.npz"


@frozen_value(eq=False)
class PixelModel:
    """A trained pixel classifier: what it looks at, what it decides by, and what is known about it."""

    features: FeatureSet
    classes: tuple[TissueClass, ...]  # a scheme: ids 0, 1, 2 …
    trees: TreeEnsemble
    smoothing_um: float  # standard deviation of the Gaussian over the probabilities, µm; 0 for none
    card: Mapping[str, Any]  # JSON-ready: whatever else is known, e.g. training data hashes, accuracy, licence

    def __post_init__(self) -> None:
        """Refuse parts that do not belong together."""
        ClassScheme(self.classes)
        if self.trees.n_features != len(self.features.names):
            raise SettingsError(
                f"the trees ask for {self.trees.n_features} features, the card describes {len(self.features.names)}; "
                "they are not of one model"
            )
        beyond = sorted(set(self.trees.class_ids) - {c.class_id for c in self.classes})
        if beyond:
            raise SettingsError(f"the trees tell the classes {beyond}, which the card does not describe")
        if not 0 <= self.smoothing_um <= 1000:
            raise SettingsError(f"smoothing_um is {self.smoothing_um}; it must lie in 0..1000")

    @property
    def scheme(self) -> ClassScheme:
        """Return the classes as a scheme."""
        return ClassScheme(self.classes)

    @property
    def context_um(self) -> float:
        """Return the distance that it looks round a pixel, in µm: features, smoothing and interpolation."""
        return (
            self.features.context_um
            + probability_reach_px(self.features, self.smoothing_um) * self.features.work_mpp_um
        )

    def at_work_mpp(self, work_mpp_um: float) -> "PixelModel":
        """Return the model for work pixels of another size; its scales stay what they are in µm."""
        return replace(self, features=self.features.at_work_mpp(work_mpp_um))

    def probabilities(
        self, pixels: TilePixels, origin_px: tuple[int, int] = (0, 0), balance: ColourBalance | None = None
    ) -> NDArray[np.float32]:
        """Return float32 (h, w, n_classes): the probability of each class id; ``origin_px`` is x, y on the slide."""
        out = np.zeros((*pixels.valid.shape, len(self.classes)), np.float32)
        known = cell_probabilities(self.features, self.trees, self.smoothing_um, pixels, origin_px, balance)
        for rows, planes in known.bands():
            for plane, class_id in zip(planes, self.trees.class_ids, strict=True):
                out[rows, :, class_id] = plane
        return out

    def class_map(
        self,
        pixels: TilePixels,
        origin_px: tuple[int, int] = (0, 0),
        balance: ColourBalance | None = None,
        wanted: Window | None = None,
    ) -> ClassMap:
        """Return uint8 (h, w) of class ids, the likeliest class, ``UNSCANNED_CODE`` where not valid.

        Of all the box, or of the rows and columns that are wanted.
        """
        known = cell_probabilities(self.features, self.trees, self.smoothing_um, pixels, origin_px, balance, wanted)
        rows, cols = wanted or ((0, None), (0, None))
        valid = pixels.valid[slice(*rows), slice(*cols)]
        classes: ClassMap = np.empty(valid.shape, np.uint8)
        for some, planes in known.bands():
            classes[some] = class_map_of(planes, self.trees.class_ids, valid[some])
        return classes


def save_model(model: PixelModel, folder: Path | str) -> str:
    """Return the model's hash after writing it into a new or an empty folder.

    Raises
    ------
    SettingsError
        If something is there already, or the card cannot be written as JSON.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there already and is not an empty folder; choose another place for the model")
    arrays = arrays_bytes(model.trees)
    try:
        card = json.dumps(_full_card(model, arrays), indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"the model's card cannot be written as JSON: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((ARRAYS_NAME, arrays), (CARD_NAME, card.encode())):
        partial = folder / f"{name}.partial"
        partial.write_bytes(content)
        os.replace(partial, folder / name)
    return model_hash(folder)


def model_hash(folder: Path | str) -> str:
    """Return the hash of the model in a folder: of its card, which holds that of its arrays."""
    return hashlib.sha256(file_bytes(Path(folder) / CARD_NAME, MAX_CARD_BYTES)).hexdigest()


def load_model(folder: Path | str) -> PixelModel:
    """Return the model of a folder.

    Raises
    ------
    SettingsError
        If anything about the folder is not as ``save_model`` leaves it; nothing in it was run.
    """
    folder = Path(folder)
    card = read_card(folder / CARD_NAME)
    size = card["arrays"]["bytes"]
    content = file_bytes(folder / ARRAYS_NAME, size)
    if hashlib.sha256(content).hexdigest() != card["arrays"]["sha256"]:
        raise SettingsError(f"{folder / ARRAYS_NAME} is not the file its card describes; fetch the model anew")
    trees = card["trees"]
    try:
        ensemble = TreeEnsemble(
            n_features=trees["n_features"],
            class_ids=tuple(trees["class_ids"]),
            link=trees["link"],
            **read_arrays(content, folder / ARRAYS_NAME),
        )
        return PixelModel(
            FeatureSet.from_json(card["features"]),
            tuple(class_from(entry) for entry in card["classes"]),
            ensemble,
            card["smoothing_um"],
            card["about"],
        )
    except SettingsError as error:
        raise SettingsError(f"the model in {folder} cannot be used: {error}") from error


def _full_card(model: PixelModel, arrays: bytes) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "wsi_area pixel classifier",
        "classes": [
            {
                "id": c.class_id, "name": c.name, "color": "#{:02x}{:02x}{:02x}".format(*c.color_rgb),
                "is_tissue": c.is_tissue, "is_tumor": c.is_tumor, "is_excluded": c.is_excluded,
                **({} if c.role is None else {"role": c.role}), **({} if c.weight is None else {"weight": c.weight}),
            }
            for c in model.classes
        ],
        "work_mpp_um": model.features.work_mpp_um,
        "context_um": model.context_um,
        "features": model.features.to_json(),
        "feature_names": list(model.features.names),
        "smoothing_um": model.smoothing_um,
        "trees": {
            "n_features": model.trees.n_features, "class_ids": list(model.trees.class_ids), "link": model.trees.link,
            "n_trees": len(model.trees.roots), "n_nodes": len(model.trees.feature),
        },
        "arrays": {"file": ARRAYS_NAME, "sha256": hashlib.sha256(arrays).hexdigest(), "bytes": len(arrays)},
        "about": dict(model.card),
    }  # fmt: skip
