"""results: the bands of a slide put on record, from what its boxes add up to."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.bands.band_rule import BandRule, band_rule
from wsi_area.compute.count.area import area_mm2
from wsi_area.errors import ResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import BACKGROUND_ID
from wsi_area.model.record.slide_bands import Band, BandsOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.margins.named_classes import Sets
from wsi_area.segmenters.protocol import Signal

Ints = NDArray[np.int64]


def rule_of(slide: CountedSlide, edges_um: tuple[float, ...]) -> BandRule:
    """Return the bands between edges on the work grid of a slide."""
    return band_rule(edges_um, work_mpp_of(slide))


def work_mpp_of(slide: CountedSlide) -> Mpp:
    """Return the µm per work pixel of a slide.

    Raises
    ------
    ResultError
        If it has no pixel size.
    """
    x, y = slide.work.work_mpp_x_um, slide.work.work_mpp_y_um
    if x is None or y is None:
        raise ResultError(f"{slide.slide_id} has no pixel size, so nothing in µm can be measured on it")
    return Mpp(x, y)


def bands_on_record(
    slide: CountedSlide, key: str, borders: Sets, rule: BandRule, counts: Ints, signal: Signal | None
) -> BandsOnRecord:
    """Return the bands of a slide.

    Parameters
    ----------
    slide, key
        What is known of it so far, and the hash of what the bands are made from.
    borders : mapping
        The class ids inside each border, by its name.
    rule : BandRule
    counts : int64 (2, borders, bands, 256)
        Level-0 pixels of tissue by code, then their signal in whole steps × px.
    signal : Signal or None
        Whose steps these are; None where no signal map was kept.
    """
    steps_per_unit = None if signal is None else signal.micro_scale
    listed = tuple(
        row
        for name, px_by_band, steps_by_band in zip(borders, *counts, strict=True)
        for edges, px, steps in zip(rule.bands, px_by_band, steps_by_band, strict=True)
        for row in _rows(slide, name, edges, px, steps, steps_per_unit)
    )
    return BandsOnRecord(key=key, edges_um=rule.edges_um, border_classes=tuple(borders), listed=listed)


def _rows(
    slide: CountedSlide,
    name: str,
    edges_um: tuple[float, float],
    by_code: Ints,
    steps_by_code: Ints,
    steps_per_unit: int | None,
) -> Iterator[Band]:
    total, mpp, (from_um, to_um) = int(by_code.sum()), slide.mpp, edges_um
    if mpp is None:
        return
    positive = [int(by_code[c.id]) for c in slide.classes if c.is_positive]
    for c in slide.classes:
        n_px = int(by_code[c.id])
        if not n_px and not c.is_tissue:
            continue  # what is no tissue lies in tissue only where that is a layer of its own
        # background adds nothing to any signal, so that of what lies in tissue nothing is known
        scale = None if c.id == BACKGROUND_ID else steps_per_unit
        sum_px = None if scale is None else int(steps_by_code[c.id]) / scale
        yield Band(
            border_class=name,
            from_um=from_um,
            to_um=to_um,
            class_=c.name,
            n_px=n_px,
            area_mm2=area_mm2(n_px, mpp),
            pct_band=100 * n_px / total if total else None,
            positive_pct=100 * sum(positive) / total if positive and total else None,
            mean_signal=sum_px / n_px if sum_px is not None and n_px else None,
            integrated_mm2=None if sum_px is None else area_mm2(sum_px, mpp),
        )
