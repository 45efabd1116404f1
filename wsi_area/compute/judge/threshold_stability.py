"""compute: what the tissue area would be with another threshold, and whether that is worth a look."""

from collections.abc import Mapping

from wsi_area.model.finding import QaFinding

UNSTABLE_LIMIT = 0.05
"""Relative change of the tissue area for a threshold moved by 5 %: beyond it, the threshold makes the number."""


def tissue_area_at_shifts(
    fraction_by_shift: Mapping[str, float | None], tissue_area_mm2: float | None
) -> dict[str, float | None]:
    """Return the tissue area in mm² for each shift of the threshold.

    ``A(shift) = A · f(shift) / f(used)``: the area that was measured on all pixels, times what the histogram of the
    overview says of the change (a ratio estimator: that the overview is coarser than the work pixels cancels in it).

    Parameters
    ----------
    fraction_by_shift
        The segmenter's ``facts["tissue_fraction"]``: share of the overview by ``"-5%"``, ``"used"``, ``"+5%"``.
    tissue_area_mm2
        As measured; None where the slide has no pixel size, and then so is every area.

    >>> tissue_area_at_shifts({"-5%": 0.25, "used": 0.2, "+5%": 0.19}, 10.0)
    {'-5%': 12.5, 'used': 10.0, '+5%': 9.5}
    """
    used = fraction_by_shift.get("used")
    areas: dict[str, float | None] = {}
    for shift, fraction in fraction_by_shift.items():
        if tissue_area_mm2 is None or used is None or fraction is None:
            areas[shift] = None
        elif used == 0:
            areas[shift] = 0.0 if fraction == 0 else None  # from nothing, no ratio leads to something
        else:
            areas[shift] = tissue_area_mm2 if shift == "used" else tissue_area_mm2 * (fraction / used)
    return areas


def relative_change(fraction_by_shift: Mapping[str, float | None]) -> float | None:
    """Return the largest relative change of the tissue over the shifts, or None if there is nothing to compare.

    >>> round(relative_change({"-5%": 0.22, "used": 0.2, "+5%": 0.19}), 9)
    0.1
    """
    used = fraction_by_shift.get("used")
    if not used:
        return None
    return max(abs(f - used) / used for f in fraction_by_shift.values() if f is not None)


def threshold_findings(
    slide_id: str,
    fraction_by_shift: Mapping[str, float | None],
    tissue_area_mm2: float | None,
    limit: float = UNSTABLE_LIMIT,
) -> tuple[QaFinding, ...]:
    """Return ``THRESHOLD_UNSTABLE`` with its numbers if the tissue area hangs on the threshold, else nothing.

    >>> threshold_findings("a", {"-5%": 0.22, "used": 0.2, "+5%": 0.19}, 10.0)[0].code
    'THRESHOLD_UNSTABLE'
    >>> threshold_findings("a", {"-5%": 0.202, "used": 0.2, "+5%": 0.199}, 10.0)
    ()
    """
    change = relative_change(fraction_by_shift)
    if change is None or change <= limit:
        return ()
    areas = tissue_area_at_shifts(fraction_by_shift, tissue_area_mm2)
    texts = [
        f"{shift}: {fraction_by_shift[shift]:.4g} of the overview" if area is None else f"{shift}: {area:.6g} mm²"
        for shift, area in areas.items()
        if fraction_by_shift[shift] is not None
    ]
    message = f"the tissue area changes by {change:.1%} if the threshold moves by 5 % ({', '.join(texts)})"
    remedy = "look at the class map; set segmenter.threshold, or report the area with this range"
    return (QaFinding(slide_id, "THRESHOLD_UNSTABLE", "warning", change, limit, "", message, remedy),)
