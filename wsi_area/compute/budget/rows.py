"""compute: each row of an uncertainty budget from what is on record of a slide; a row of nothing says why."""

import math

from wsi_area.compute.judge.area_change import u_count_of_cracks_mm2
from wsi_area.model.record.budget.uncertainty_budget import BudgetRow, Term
from wsi_area.model.record.slide_origin import CalibrationOnRecord, Candidate
from wsi_area.model.record.slide_threshold import ThresholdOnRecord

_UNBOUNDED = ("image",)  # a print density that nobody believed speaks against nothing


def unknown(name: Term, why: str, remedy: str = "") -> BudgetRow:
    """Return the row of something that was not assessed."""
    return BudgetRow(name=name, source=why, value=None, unit="", distribution=None, u_mm2=None, remedy=remedy)


def exact(name: Term, why: str) -> BudgetRow:
    """Return the row of something that cannot make the area wrong."""
    return BudgetRow(name=name, source=why, value=None, unit="", distribution="normal", u_mm2=0.0)


def rectangular(name: Term, source: str, half_mm2: float, value: float, unit: str, remedy: str) -> BudgetRow:
    """Return the row of an error that lies anywhere within ± a bound in mm²; the area is not corrected for it.

    GUM 4.3.7: the standard uncertainty is the half width over the root of 3.

    >>> round(rectangular("work_pixel", "s", 3.0, 1.0, "%", "").u_mm2, 6)
    1.732051
    """
    return BudgetRow(
        name=name, source=source, value=value, unit=unit, distribution="rectangular", u_mm2=half_mm2 / math.sqrt(3),
        remedy=remedy,
    )  # fmt: skip


def uncorrected(name: Term, source: str, error_mm2: float, value: float, unit: str, remedy: str) -> BudgetRow:
    """Return the row of an error in mm² that was seen and for which the area is not corrected: all of it counts.

    >>> uncorrected("work_pixel", "s", 3.0, 1.0, "%", "").u_mm2
    3.0
    """
    return BudgetRow(
        name=name, source=source, value=value, unit=unit, distribution="two-point", u_mm2=error_mm2, remedy=remedy
    )


def pixel_size_row(area_mm2: float, calibration: CalibrationOnRecord) -> BudgetRow:
    """Return the row of the pixel size: as stated, or by the quality of its source."""
    relative = calibration.relative_u_area or 0.0
    source = f"{calibration.source}; {calibration.uncertainty_from or 'not on record'}"
    return BudgetRow(
        name="pixel_size", source=source, value=100 * relative, unit="%", distribution="normal",
        u_mm2=relative * area_mm2,
        remedy="scan a stage micrometer, and state the size with its uncertainty: --mpp with --mpp-u",
    )  # fmt: skip


def conflict_row(area_mm2: float, calibration: CalibrationOnRecord) -> BudgetRow | None:
    """Return the row of claims on record that differ; None where what the pixel size may be off by holds them all.

    The true size may lie anywhere up to the farthest claim (rectangular). What the row of the pixel size holds of that
    is not counted twice. A size that a person confirmed or stated the uncertainty of settles what the file says.
    """
    mpp, relative = calibration.mpp, calibration.relative_u_area
    if mpp is None or relative is None or _is_settled(calibration):
        return None
    chosen = mpp.x * mpp.y
    others = [c for c in calibration.candidates if c.rung not in _UNBOUNDED and c.mpp_x_um > 0 and c.mpp_y_um > 0]
    apart = max((abs(c.mpp_x_um * c.mpp_y_um / chosen - 1) for c in others), default=0.0)
    beyond = apart**2 / 3 - relative**2
    if beyond <= 0:
        return None
    farthest = max(others, key=lambda c: abs(c.mpp_x_um * c.mpp_y_um / chosen - 1))
    return BudgetRow(
        name="pixel_size_conflict", source=f"{farthest.source} makes another area; both are on record",
        value=100 * apart, unit="%", distribution="rectangular", u_mm2=math.sqrt(beyond) * area_mm2,
        remedy="find out which claim is right, and state it with --mpp and its uncertainty",
    )  # fmt: skip


def _is_settled(calibration: CalibrationOnRecord) -> bool:
    chosen = next((c for c in calibration.candidates if _is_chosen(c, calibration)), None)
    return chosen is not None and chosen.rung == "override" and (bool(chosen.is_confirmed) or chosen.u_um is not None)


def _is_chosen(candidate: Candidate, calibration: CalibrationOnRecord) -> bool:
    return candidate.source == calibration.source and candidate.mpp_x_um == calibration.mpp_x_um


def counting_row(edges: int | None, work_px_um: tuple[float, float]) -> BudgetRow:
    """Return the row of counting in pixels: where the grid happened to lie on the outline.

    Parameters
    ----------
    edges : int or None
        Edges between work pixels in the area and beside it; None where nobody counted them.
    work_px_um : (x, y)
        Size of a work pixel.
    """
    if edges is None:
        return unknown(
            "counting", "not assessed: the length of the outline is not on record", "measure the slide again"
        )
    x_um, y_um = work_px_um
    length_mm = math.pi / 4 * edges * math.sqrt(x_um * y_um) * 1e-3
    return BudgetRow(
        name="counting", source="length of the outline, 0.09 px² of variance for each pixel of it (Kendall and Moran)",
        value=length_mm, unit="mm", distribution="normal", u_mm2=u_count_of_cracks_mm2(edges, x_um * y_um * 1e-6),
        remedy="a finer tiling.work_mpp",
    )  # fmt: skip


def skipped_glass_row(bound_px: int | None, skipped_tiles: int, pixel_area_mm2: float, may_hold: bool) -> BudgetRow:
    """Return the row of tiles that were skipped as bare glass: they hold between nothing and the bound.

    Parameters
    ----------
    bound_px : int or None
        95 % bound on the level-0 pixels of tissue in them; None where too few bare tiles were read to say.
    skipped_tiles : int
        Tiles that were skipped.
    pixel_area_mm2 : float
        Of a level-0 pixel.
    may_hold : bool
        Whether the area can lie there at all: what is no tissue and no tumour cannot.
    """
    if not skipped_tiles or not may_hold:
        return exact("skipped_glass", "no tile was skipped" if not skipped_tiles else "it lies on no bare glass")
    remedy = "tiling.skip_glass=false reads every tile"
    if bound_px is None:
        return unknown("skipped_glass", "not assessed: too few bare tiles were read to say", remedy)
    source = f"{skipped_tiles} tiles taken for bare glass hold no more than the bound (95 %), from bare tiles read"
    return rectangular(
        "skipped_glass", source, bound_px * pixel_area_mm2, bound_px * pixel_area_mm2, "mm²", remedy
    )  # fmt: skip


def threshold_row(area_mm2: float, moved: ThresholdOnRecord | None, is_tissue: bool) -> BudgetRow | None:
    """Return the row of the threshold that tells tissue: the area counted again with it 5 % lower and higher.

    The counts went through the exclusions and filters by size. None where no threshold tells the area.
    """
    if moved is None:
        return None
    if not is_tissue:
        return unknown("threshold", "not assessed: only all of the tissue is counted at other thresholds")
    shares = [share for share in moved.share_by_shift.values() if share is not None]
    if not shares:
        return unknown("threshold", f"not assessed: no tissue in {moved.counted_on}")
    change = max(abs(share - 1) for share in shares)
    source = f"counted again with the threshold ± 5 %, on {moved.counted_on}"
    return rectangular(
        "threshold", source, change * area_mm2, 100 * change, "%", "look at the class map, and set segmenter.threshold"
    )
