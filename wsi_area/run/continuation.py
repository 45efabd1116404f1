"""run: the stores of a slide on disk: made anew, continued, or refused because they were made from something else."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from wsi_area.compute.cut.grid import batch_tiles_at, batches_to_measure, tile_areas_l0_px
from wsi_area.compute.cut.planning import estimated_disk_bytes
from wsi_area.compute.quantity_text import pair_text
from wsi_area.errors import ResultError, SegmentationError, StaleResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Calibration
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.drawn import Drawn, RegionOfInterest
from wsi_area.model.json_tree import json_digest
from wsi_area.model.ledger import LedgerLayout, TileStatus
from wsi_area.model.plan import SlidePlan
from wsi_area.results.class_map.cleaned_store import discard_cleaned
from wsi_area.results.class_map.soundness import stores_open
from wsi_area.results.class_map.store import commit_batch, create_store, stored_origin
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RAW_FOLDER, SlideLayout
from wsi_area.run.prepare import PreparedSlide
from wsi_area.segmenters.protocol import Signal
from wsi_area.settings.run_settings import RunSettings
from wsi_area.storage.place import free_bytes, mending, remove_tree

_LOG = logging.getLogger(__name__)

MEASUREMENT_VERSION = 2
"""Raised whenever the same pixels would be counted differently; results of another version are never continued."""


@frozen_value
class Origin:
    """Everything that the integers of a slide depend on, part by part, so that a difference can be named."""

    slide_file: str
    pixel_size: str
    settings: str
    drawings: str
    tiles: str
    fit: str
    measurement_version: str
    segmenter_package: str | None = None  # of somebody else's segmenter only: ours changes with the version above

    @property
    def parts(self) -> dict[str, str]:
        """Return each part by its name, as it is written down; what does not apply is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @property
    def key(self) -> str:
        """Return one hash of all parts."""
        return json_digest(list(self.parts.values()))


def origin_of(prepared: PreparedSlide, settings: RunSettings) -> Origin:
    """Return the origin that the result of a prepared slide will be made from."""
    mpp = prepared.calibration.mpp
    return Origin(
        slide_file=prepared.info.fingerprint,
        pixel_size="unknown" if mpp is None else f"{mpp.x!r} × {mpp.y!r} µm",
        settings=settings.tiles_hash,
        drawings=json_digest([_drawing_facts(d) for d in (prepared.drawn, prepared.roi)]),
        tiles=prepared.plan.fingerprint,
        fit=_fit_digest(prepared),
        measurement_version=str(MEASUREMENT_VERSION),
        segmenter_package=prepared.segmenter_package,
    )


def _fit_digest(prepared: PreparedSlide) -> str:
    try:
        return json_digest(prepared.fitted.facts)
    except (TypeError, ValueError) as error:
        raise SegmentationError(
            f"{prepared.info.slide_id}: the facts that its segmenter records have no form in JSON ({error}); return "
            "plain numbers, texts, lists and dicts from `facts`"
        ) from error


def _drawing_facts(drawing: Drawn | RegionOfInterest | None) -> list[object] | None:
    """Return the things that an answer depends on: the file's content and the scale it was read with."""
    return None if drawing is None else [drawing.sha256, drawing.scale]


def is_begun(layout: SlideLayout) -> bool:
    """Return True if stores of a slide's tiles lie there, below ``raw/`` with size filters."""
    return any(stored_origin(place) is not None for place in (layout, SlideLayout(layout.root / RAW_FOLDER)))


def lay_out(
    layout: SlideLayout,
    tiles: SlideLayout,
    prepared: PreparedSlide,
    origin: Origin,
    force: bool,
    *,
    has_class_map: bool = True,
    is_layer: bool = False,
    signal: Signal | None = None,
) -> None:
    """Make the empty stores, or keep those of an earlier run of the very same.

    A slide that was counted in pixels only for want of a pixel size may be measured afresh without ``force``, and a
    tissue layer where another one is asked for: nothing is lost that the settings do not give again.

    Parameters
    ----------
    layout : SlideLayout
        The slide's folder in the run.
    tiles : SlideLayout
        Where its tiles are committed: the same, or with size filters the folder of what is raw.
    prepared, origin, force
        What is to be measured, what it is made from, whether what is there may be replaced.
    has_class_map : bool
        False for an estimate, which claims none.
    is_layer
        Whether it is a tissue layer.
    signal
        What is kept pixel by pixel where the stores are made; those of an earlier run stay as they are.

    Raises
    ------
    StaleResultError
        Naming what differs from what the stores on disk were made from.
    ResultError
        If there is no room, or the folder cannot be written.
    """
    found = stored_origin(tiles)
    if found == origin.parts and not force and stores_open(tiles, has_class_map=has_class_map):
        return
    if found == origin.parts and not force:
        _LOG.warning(
            "%s: its stores do not open (a torn zarr.json); all of it is measured again", prepared.info.slide_id
        )
    found = stored_origin(layout) if found is None else found
    is_other_layer = is_layer and found is not None and found.get("settings") != origin.settings
    if found not in (None, origin.parts) and not force and not is_other_layer and not _lacked_a_pixel_size(layout):
        raise StaleResultError(
            f"{prepared.info.slide_id}: {origin_difference(found, origin.parts, prepared.calibration)}"
        )
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        layout.result_json.unlink(missing_ok=True)
        discard_cleaned(layout)
        remove_tree(layout.coarse.root)
        _require_space(layout, prepared.plan, 1 if tiles == layout else 2, has_signal=signal is not None)
        tiles.root.mkdir(parents=True, exist_ok=True)
        create_store(
            tiles, prepared.plan, prepared.fitted.scheme, origin.key, origin.parts, has_class_map=has_class_map,
            signal=signal,
        )  # fmt: skip
    except OSError as error:
        raise ResultError(
            f"{layout.root} cannot be written ({error.strerror or error}); {mending(layout.root)}"
        ) from error


def origin_difference(then: Mapping[str, Any], now: Mapping[str, str], calibration: Calibration | None = None) -> str:
    """Return the origin of an earlier result that differs, and what to do.

    Parameters
    ----------
    then, now : mapping
        The parts of both origins.
    calibration : Calibration or None
        Of now, to say why a pixel size that was given is not used.
    """
    differ = [name for name in {**now, **then} if then.get(name) != now.get(name)]
    if "pixel_size" in differ:  # from which the size of the tiles and what is fitted follow
        differ = [name for name in differ if name not in {"tiles", "fit"}]
    named = (name.replace("_", " ") for name in differ)
    text = "the result on disk was made with " + ", ".join(
        f"{'other' if name.endswith('s') else 'another'} {name}" for name in named
    )
    if "segmenter_package" in differ:
        text += f" ({package_change(then.get('segmenter_package'), now.get('segmenter_package'))})"
    if "pixel_size" in differ:
        text += (
            f" (then {_size_text(then.get('pixel_size'))}, now {_size_text(now['pixel_size'])}{_disbelief(calibration)}"
            "; if that of then was given, give it again: for this slide alone with the same --mpp, or among others in "
            "a row of --manifest)"
        )
    choose = "or choose" if "pixel_size" in differ else "choose"
    return f"{text}; {choose} another --out, or --force to measure it afresh"


def _size_text(recorded: str | None) -> str:
    """Return a pixel size as people read it: on record it stands to the last digit.

    >>> _size_text("0.2270972430394695 × 0.22710240047237298 µm"), _size_text("unknown")
    ('0.227097 × 0.227102 µm', 'none')
    """
    try:
        x, y = (recorded or "").removesuffix(" µm").split(" × ")
        return f"{pair_text(float(x), float(y))} µm"
    except ValueError:
        return "none"


def _disbelief(calibration: Calibration | None) -> str:
    """Return the reason why a stated size of a pixel is not believed; nothing where it is, or nothing is said."""
    if calibration is None or calibration.chosen is not None:
        return ""
    why = next((f for f in calibration.findings if f.severity == "refusal" and f.code != "MPP_MISSING"), None)
    return "" if why is None else f" that can be believed: {why.message}"


def package_change(then: str | None, now: str | None) -> str:
    """Return the change of a segmenter's package, as ``name then -> now``.

    >>> package_change("lab-seg 1.0", "lab-seg 1.1"), package_change(None, "lab-seg 1.1")
    ('lab-seg 1.0 -> 1.1', 'of no known version -> lab-seg 1.1')
    """
    if then is not None and now is not None and then.split(" ")[0] == now.split(" ")[0]:
        return f"{then} -> {now.split(' ')[1]}"
    return f"{then or 'of no known version'} -> {now or 'of no known version'}"


def _lacked_a_pixel_size(layout: SlideLayout) -> bool:
    try:
        return read_result(layout).status == "needs_calibration"
    except ResultError:
        return False


def _require_space(layout: SlideLayout, plan: SlidePlan, copies: int, *, has_signal: bool) -> None:
    """Refuse a slide whose maps will not fit on the disk, before any work on it is lost."""
    needed, free = copies * estimated_disk_bytes(plan, has_signal=has_signal), free_bytes(layout.root)
    if free is not None and needed > free:
        raise ResultError(
            f"{plan.slide.slide_id}: about {needed / 2**20:.0f} MiB are needed at {layout.root}, "
            f"{free / 2**20:.0f} MiB are free; free some space or choose another --out, then run the same command again"
        )


def commit_skipped(
    layout: SlideLayout, prepared: PreparedSlide, key: str, batches: Iterable[int] | None = None
) -> None:
    """Commit those of some batches, of all by default, that hold nothing to read; no task is made for them."""
    plan = prepared.plan
    columns = LedgerLayout(len(prepared.fitted.scheme.classes))
    areas = tile_areas_l0_px(plan)
    wanted = range(plan.batch_rows * plan.batch_cols) if batches is None else batches
    for batch in set(wanted) - set(batches_to_measure(plan)):
        rows, cols = batch_tiles_at(plan, batch)
        entries = np.zeros((len(rows), len(cols), len(columns.columns)), np.int64)
        entries[..., BACKGROUND_ID] = areas[rows.start : rows.stop, cols.start : cols.stop]
        entries[..., columns.status_column] = TileStatus.SKIPPED
        commit_batch(layout, key, (rows[0], cols[0]), {}, entries)
