"""results: a slide whose small objects were filtered away: its class map before and after, and when after is whole.

With size filters, tiles are committed below ``raw/`` of the slide's folder, in stores like any other, and the
class map and ledger that everybody reads are written from those once every tile is there. A note says what they
were written from, and is written last: without it, or with another key in it, they are written again, whole, from
what is raw. Without filters there is no ``raw/``, and nothing is written twice.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wsi_area.errors import ResultError
from wsi_area.model.classes import ClassScheme
from wsi_area.model.ledger import NOT_COMMITTED
from wsi_area.model.objects import SizeChange, SizeFilters
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.store import create_store
from wsi_area.results.layout import (
    HEAT_MAP_NAME,
    HOTSPOTS_NAME,
    LABELS_NAME,
    NAMED_REGIONS_NAME,
    OUTLINES_NAME,
    RAW_FOLDER,
    TISSUE_FOLDER,
    SlideLayout,
    read_json,
    write_json,
)
from wsi_area.results.tables.object_tables import OBJECTS_TABLE
from wsi_area.results.tables.region_tables import REGIONS_TABLE
from wsi_area.results.thumbnail import CLASSES_NAME
from wsi_area.storage.place import remove_tree

NOTE = "size_filters.json"
MADE_FROM_TILES = (
    OBJECTS_TABLE, REGIONS_TABLE, CLASSES_NAME, OUTLINES_NAME, NAMED_REGIONS_NAME, HOTSPOTS_NAME, HEAT_MAP_NAME,
)  # fmt: skip
"""Files beside a slide's result that are made from its tiles, so gone when these are measured afresh."""


def tiles_layout(layout: SlideLayout, filters: SizeFilters) -> SlideLayout:
    """Return the folder in which a slide's tiles are committed: its own, or with filters that of what is raw.

    >>> from pathlib import Path
    >>> tiles_layout(SlideLayout(Path("run/slides/a")), SizeFilters(max_hole_um2=9.0)).root.as_posix()
    'run/slides/a/raw'
    """
    return SlideLayout(layout.root / RAW_FOLDER) if filters.any else layout


def discard_cleaned(layout: SlideLayout) -> None:
    """Remove what was made from a slide's tiles, in its folder: for a slide that is measured afresh."""
    for name in (NOTE, *MADE_FROM_TILES):
        (layout.root / name).unlink(missing_ok=True)
    for name in (RAW_FOLDER, LABELS_NAME, TISSUE_FOLDER):
        with suppress(OSError):
            remove_tree(layout.root / name)


def discard_layer(layout: SlideLayout) -> None:
    """Remove the tissue layer of a slide for which none is asked: whoever counts tissue would take it for its own."""
    with suppress(OSError):
        remove_tree(layout.root / TISSUE_FOLDER)


def cleaned_key(key: str, filters: SizeFilters, raw_rows: NDArray[np.int64]) -> str:
    """Return the hash of everything that a filtered class map depends on.

    Parameters
    ----------
    key
        Of what is raw.
    filters
        The sizes asked for.
    raw_rows
        The raw ledger: a tile that is read after all changes it.
    """
    facts = json.dumps([key, asdict(filters)], sort_keys=True).encode()
    return hashlib.sha256(facts + np.ascontiguousarray(raw_rows).tobytes()).hexdigest()


def cleaned_changes(layout: SlideLayout, key: str) -> tuple[SizeChange, ...] | None:
    """Return the filters' changes, if the filtered stores were made with this key and are whole; else None."""
    try:
        note = read_json(layout.root / NOTE)
        if note["key"] != key or (ledger_rows(layout) == NOT_COMMITTED).any():
            return None
        return tuple(SizeChange(**change) for change in note["changes"])
    except (ResultError, KeyError, TypeError):
        return None


def create_cleaned(
    layout: SlideLayout, plan: SlidePlan, scheme: ClassScheme, key: str, made_from: Mapping[str, str]
) -> None:
    """Lay out the empty filtered stores of a slide, with no note; `class_map.store.commit_batch` fills them."""
    (layout.root / NOTE).unlink(missing_ok=True)
    create_store(layout, plan, scheme, key, made_from)


def finish_cleaned(layout: SlideLayout, key: str, changes: Sequence[SizeChange]) -> None:
    """Note that the filtered stores are whole, and what was changed."""
    note: dict[str, Any] = {"key": key, "changes": [asdict(change) for change in changes]}
    write_json(layout.root / NOTE, note)
