"""annotations: areas that a vendor wrote into a file, held against the geometry beside them; never believed."""

from collections.abc import Sequence

from wsi_area.annotations.raw import noted
from wsi_area.annotations.validity import OutlinedRegion
from wsi_area.model.finding import QaFinding

TOLERANCE = 1e-3
"""Relative. ImageScope's own areas agree with their points within a millionth; a copied one does not at all."""


def stated_area_findings(regions: Sequence[OutlinedRegion], mpp_um: float | None) -> tuple[QaFinding, ...]:
    """Return a finding for each region whose stated area is not that of its outline, and one on those that agree.

    Parameters
    ----------
    regions
        In the units of their file.
    mpp_um
        µm per unit as the file states it, None where it does not: areas in px are compared then.
    """
    findings: list[QaFinding] = []
    agreeing: list[float] = []
    for region in regions:
        stated, computed, unit = _pair(region, mpp_um)
        if stated is None:
            continue
        difference = abs(stated - computed) / max(stated, computed)
        if difference <= TOLERANCE:
            agreeing.append(difference)
            continue
        findings.append(
            noted(
                "STATED_AREA_DISAGREES",
                "warning",
                f"outline {region.index} ({region.name!r}): the file states {stated:.8g} {unit}, its points enclose "
                f"{computed:.8g} {unit}; the outline is measured",
                stated,
                computed,
                unit,
                "ask who wrote the file which of the two was meant",
            )
        )
    if agreeing:
        worst = max(agreeing)
        message = f"the areas stated for {len(agreeing)} outlines agree with their points within {worst:.2g}"
        findings.append(noted("STATED_AREA_AGREES", "info", message, worst, TOLERANCE, "relative"))
    return tuple(findings)


def stated_um2(region: OutlinedRegion, mpp_um: float | None) -> float | None:
    """Return the area that the file states for a region in µm², None where it states none."""
    if region.stated_area_um2 is not None:
        return region.stated_area_um2
    if region.stated_area_px2 is None or mpp_um is None:
        return None
    return region.stated_area_px2 * mpp_um**2


def _pair(region: OutlinedRegion, mpp_um: float | None) -> tuple[float | None, float, str]:
    """Return the stated area of a region's outline, its area by its points as vendors compute it, and their unit."""
    if region.stated_area_um2 is not None and mpp_um is not None:
        return region.stated_area_um2, region.points_area * mpp_um**2, "µm²"
    return region.stated_area_px2, region.points_area, "px²"
