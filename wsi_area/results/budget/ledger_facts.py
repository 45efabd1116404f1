"""results: what a slide's ledger says of the errors of its areas: lengths of outlines, counts in other pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.budget.work_pixel import OtherPixels, other_pixels
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.ledger import TOTALS, LedgerLayout, TileStatus
from wsi_area.model.record.budget.uncertainty_budget import AreaKind
from wsi_area.model.record.slide_areas import ClassOnRecord

AreaName = tuple[AreaKind, str]
"""Names an area of a slide."""


@frozen_value
class LedgerFacts:
    """What a ledger says beyond the counts; what it does not say of an area is not there."""

    edges: Mapping[AreaName, int] = field(default_factory=dict)  # between work pixels in the area and beside it
    other_pixels: Mapping[AreaName, OtherPixels] = field(default_factory=dict)


NO_FACTS = LedgerFacts()


def ledger_facts(rows: NDArray[np.int64], columns: LedgerLayout, classes: Sequence[ClassOnRecord]) -> LedgerFacts:
    """Return the facts of a ledger, int64 (…, columns), on the errors of each class and total; of an older one none."""
    flat = rows.reshape(-1, rows.shape[-1])
    if flat.shape[1] < len(columns.columns):
        return NO_FACTS
    names: list[AreaName] = [("class", c.name) for c in classes if c.id != BACKGROUND_ID]
    names += [("total", name) for name in TOTALS]
    edges = dict(zip(names, (int(n) for n in flat[:, columns.edge_columns].sum(axis=0)), strict=True))
    of_tiles = int((flat[:, columns.status_column] != TileStatus.SKIPPED).sum())
    is_read = flat[:, columns.status_column] == TileStatus.READ
    read_px = int(flat[is_read, : columns.class_count].sum())
    here, other = flat[:, columns.here_columns], flat[:, columns.other_columns]
    found: dict[AreaName, OtherPixels] = {}
    for name, ids in _ids_of(classes).items():
        parts = [np.stack([part[:, ids].sum(axis=1), part.sum(axis=1)], axis=1) for part in (here, other)]
        seen = other_pixels(parts[0], parts[1], of_tiles, int(here.sum()) / max(1, read_px)) if ids else None
        if seen is not None:
            found[name] = seen
    return LedgerFacts(edges, found)


def _ids_of(classes: Sequence[ClassOnRecord]) -> dict[AreaName, list[int]]:
    totals = {
        "tumor": [c.id for c in classes if c.is_tumor],
        "positive": [c.id for c in classes if c.is_positive],
        "tissue": [c.id for c in classes if c.is_tissue],
    }
    single: dict[AreaName, list[int]] = {("class", c.name): [c.id] for c in classes if c.id != BACKGROUND_ID}
    return single | {("total", name): ids for name, ids in totals.items()}
