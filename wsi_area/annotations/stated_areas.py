"""annotations: areas that a vendor wrote into a file, held against the geometry beside them; never believed."""

import math
from collections.abc import Iterator, Sequence

from wsi_area.annotations.raw import SHOWN, noted
from wsi_area.annotations.validity import OutlinedRegion
from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding

OWN_TOLERANCE = 1e-3
"""Relative, where the file states its pixel size too. ImageScope's own areas agree with their points within a
millionth; a copied one does not at all."""
TOLERANCE = 0.02
"""Relative, where the slide's pixel size is used: as far apart as two claims about it may be."""


@frozen_value
class _Compared:
    """A stated area beside that of the points, both in ``unit``."""

    region: OutlinedRegion
    stated: float
    by_points: float
    unit: str

    @property
    def difference(self) -> float:
        return abs(self.stated - self.by_points) / max(self.stated, self.by_points)


def stated_area_findings(
    regions: Sequence[OutlinedRegion], unit_um2: float | None, tolerance: float, mpp_um: float | None = None
) -> tuple[QaFinding, ...]:
    """Return the findings on regions whose stated area is not that of their outline, and one on those that agree.

    Parameters
    ----------
    regions
        In the units of their file.
    unit_um2
        µm² that a square unit of the file stands for, None where nobody knows: areas in px² are compared then.
    tolerance
        Relative.
    mpp_um
        µm per level-0 pixel of the slide, where the file meets one: a file in µm is told by it.
    """
    compared = list(_compared(regions, unit_um2))
    apart = [entry for entry in compared if entry.difference > tolerance]
    findings = [_disagreement(entry, mpp_um) for entry in apart[:SHOWN]]
    if len(apart) > SHOWN:
        worst = max(apart, key=lambda entry: entry.difference)
        message = (
            f"{len(apart)} of {len(compared)} stated areas are not those of their outlines, the first {SHOWN} are told "
            f"one by one; farthest apart is outline {worst.region.index}: {worst.stated:.8g} {worst.unit} stated, "
            f"{worst.by_points:.8g} {worst.unit} by its points"
        )
        findings.append(noted("STATED_AREA_DISAGREES", "warning", message, float(len(apart)), 0.0, "outlines", _ASK))
    agreeing = [entry.difference for entry in compared if entry.difference <= tolerance]
    if agreeing:
        worst_agreeing = max(agreeing)
        message = f"the areas stated for {len(agreeing)} outlines agree with their points within {worst_agreeing:.2g}"
        findings.append(noted("STATED_AREA_AGREES", "info", message, worst_agreeing, tolerance, "relative"))
    return tuple(findings)


def stated_um2(region: OutlinedRegion, mpp_um: float | None) -> float | None:
    """Return the area that the file states for a region in µm², None where it states none."""
    if region.stated_area_um2 is not None:
        return region.stated_area_um2
    if region.stated_area_px2 is None or mpp_um is None:
        return None
    return region.stated_area_px2 * mpp_um**2


_ASK = "ask who wrote the file which of the two was meant"


def _compared(regions: Sequence[OutlinedRegion], unit_um2: float | None) -> Iterator[_Compared]:
    """Yield what can be compared: µm² where the pixel size is known, else px²; areas by points, as vendors compute."""
    for region in regions:
        if region.stated_area_um2 is not None and unit_um2 is not None:
            yield _Compared(region, region.stated_area_um2, region.points_area * unit_um2, "µm²")
        elif region.stated_area_px2 is not None and region.points_area > 0:
            yield _Compared(region, region.stated_area_px2, region.points_area, "px²")


def _disagreement(entry: _Compared, mpp_um: float | None) -> QaFinding:
    region = entry.region
    message = (
        f"outline {region.index} ({region.name!r}): the file states {entry.stated:.8g} {entry.unit}, its points "
        f"enclose {entry.by_points:.8g} {entry.unit}; the outline is measured"
    )
    remedy = _ASK
    if mpp_um is not None and _in_um(entry, mpp_um):
        message += f". The ratio is that of the pixel size, {mpp_um:.6g} µm: was it drawn in µm?"
        remedy = f"if its points are in µm, state --annotation-scale {1 / mpp_um:.8g}"
    elif mpp_um is not None and entry.by_points > 0:
        scale = math.sqrt(entry.stated / entry.by_points)
        remedy = f"{_ASK}; the stated area would ask for --annotation-scale {scale:.6g} times the one in use"
    return noted("STATED_AREA_DISAGREES", "warning", message, entry.stated, entry.by_points, entry.unit, remedy)


def _in_um(entry: _Compared, mpp_um: float) -> bool:
    """Return True if the points enclose, in µm², just what is stated for them."""
    ratio = entry.by_points / entry.stated
    return abs(ratio / mpp_um**2 - 1) <= 2 * TOLERANCE
