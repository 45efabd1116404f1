"""compute: what physics, the objective and the scanner say against one pixel size, as findings; pure."""

import math

from wsi_area.compute.calibration.claims import CORRECT_OVERRIDE, GIVE_MPP
from wsi_area.compute.calibration.extent import axis_ratio, extent_mm
from wsi_area.compute.calibration.policy import CalibrationPolicy, PowerBand
from wsi_area.compute.calibration.unit_slips import slip_towards
from wsi_area.compute.quantity_text import number_text, pair_text, percent_text
from wsi_area.model.calibration import MppCandidate
from wsi_area.model.finding import QaFinding, Severity
from wsi_area.model.slide import SlideInfo

_FAR_ABOVE = 3.0  # times the band: from here on, what a row of such pixels would span is the plainest argument


def implausible(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return everything that speaks against one claim; an override is judged like any other."""
    found = anisotropy(info, claim, policy)
    if policy.profile == "glass":
        found += extent(info, claim, policy) + out_of_band(info, claim, policy) + power(info, claim, policy)
        if not any(finding.severity == "refusal" for finding in found):  # else it would only repeat them
            found += scanner_pitch(info, claim, policy)
    return found


def extent(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return MPP_IMPLAUSIBLE_EXTENT where the image would not fit on a glass slide, either way round."""
    sides_mm = sorted(extent_mm(info, claim.mpp))
    limits_mm = sorted(policy.max_extent_mm)
    over, side_mm, limit_mm = max((s / limit, s, limit) for s, limit in zip(sides_mm, limits_mm, strict=True))
    if over <= 1:
        return []
    width_mm, height_mm = extent_mm(info, claim.mpp)
    message = (
        f"at {pair_text(claim.mpp.x, claim.mpp.y)} µm/px ({claim.source}) the image would be "
        f"{number_text(width_mm)} × {number_text(height_mm)} mm, larger than a slide of "
        f"{number_text(limits_mm[0])} × {number_text(limits_mm[1])} mm"
        + _slip_hint(info, max(claim.mpp.x, claim.mpp.y), policy)
    )
    remedy = (
        f"{_remedy(claim)}; for a large-format slide allow 52 × 76 mm: "
        "--large-format, or calibration.max_extent_mm = [52, 76] in the settings"
    )
    return [QaFinding(info.slide_id, "MPP_IMPLAUSIBLE_EXTENT", "refusal", side_mm, limit_mm, "mm", message, remedy)]


def out_of_band(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return MPP_OUT_OF_BAND where level 0 of no slide has such pixels."""
    low_um, high_um = policy.band_um
    band = PowerBand(1, low_um, high_um)
    worst_um = max((claim.mpp.x, claim.mpp.y), key=lambda um: outside_band(um, band))
    if outside_band(worst_um, band) <= 1:
        return too_fine(info, claim, policy)
    message = (
        f"{claim.source} says {pair_text(claim.mpp.x, claim.mpp.y)} µm/px, outside the {number_text(low_um)} "
        f"to {number_text(high_um)} µm that level 0 of a slide can have{_slip_hint(info, worst_um, policy)}"
    )
    limit_um = low_um if worst_um < low_um else high_um
    return [
        QaFinding(info.slide_id, "MPP_OUT_OF_BAND", "refusal", worst_um, limit_um, "µm/px", message, _remedy(claim))
    ]


def too_fine(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return MPP_OUT_OF_BAND where pixels are finer than light allows behind the objective that is on record."""
    um = min(claim.mpp.x, claim.mpp.y)
    is_known = info.objective_power is not None and info.objective_power >= policy.fine_power
    is_meant = claim.rung == "override" and claim.note.strip() != ""
    if um >= policy.fine_um or is_known or is_meant:
        return []
    at = f"×{number_text(info.objective_power)}" if info.objective_power else "no objective"
    message = (
        f"{claim.source} says {pair_text(claim.mpp.x, claim.mpp.y)} µm/px, finer than {number_text(policy.fine_um)} "
        f"µm, which takes ×{number_text(policy.fine_power)} or more, and {at} is on record"
        + _slip_hint(info, um, policy)
    )
    remedy = f"{_remedy(claim)}; if it is true, give it with a reason: --mpp {um:g} --mpp-reason TEXT"
    return [QaFinding(info.slide_id, "MPP_OUT_OF_BAND", "refusal", um, policy.fine_um, "µm/px", message, remedy)]


def power(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return POWER_MISMATCH where the objective on record hardly has such pixels; refused beyond a factor."""
    band = _objective_band(info, policy)
    if band is None:
        return []
    um = max((claim.mpp.x, claim.mpp.y), key=lambda axis_um: outside_band(axis_um, band))
    factor = outside_band(um, band)
    if factor <= 1:
        return []
    message = f"{claim.source} says {number_text(um)} µm/px, but the objective is {power_argument(um, band)}"
    limit_um = band.low_um if um < band.low_um else band.high_um
    severity: Severity = "warning"
    remedy = "compare the pixel size with the scanner's log; the objective power is often inaccurate"
    if factor > policy.power_refusal_factor:
        severity = "refusal"
        remedy = (
            f"{_remedy(claim)}; where the objective power is what is wrong, raise calibration.power_refusal_factor "
            f"(now {number_text(policy.power_refusal_factor)}) in the settings"
        )
    return [QaFinding(info.slide_id, "POWER_MISMATCH", severity, um, limit_um, "µm/px", message, remedy)]


def power_argument(um: float, band: PowerBand) -> str:
    """Return the reason, in numbers, why a pixel of this size does not belong to an objective.

    >>> power_argument(50, CalibrationPolicy().power_band(20)).split("; ")[1]
    'at 50 µm, 2 001 such pixels in a row would be 100 mm'
    """
    typical_um = min(max(10 / band.power, band.low_um), band.high_um)  # for the sentence, never for an area
    argument = (
        f"×{number_text(band.power)}, which is about {number_text(typical_um)} µm "
        f"({number_text(band.low_um)} to {number_text(band.high_um)}), i.e. {number_text(typical_um**2)} µm² = "
        f"{number_text(typical_um**2 * 1e-6)} mm² a pixel"
    )
    if um < _FAR_ABOVE * band.high_um:
        return argument
    row_px = math.floor(100_000 / um) + 1
    row_mm = number_text(round(row_px * um / 1000))
    return f"{argument}; at {number_text(um)} µm, {number_text(row_px)} such pixels in a row would be {row_mm} mm"


def outside_band(um: float, band: PowerBand) -> float:
    """Return by what factor a pixel size lies outside a band; 1 or less where it lies within.

    >>> outside_band(1.12, PowerBand(20, 0.22, 0.56))
    2.0
    """
    return max(band.low_um / um, um / band.high_um)


def anisotropy(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return MPP_ANISOTROPIC where the axes differ; far apart they need somebody's word and reason."""
    difference = axis_ratio(claim.mpp.x, claim.mpp.y) - 1
    if difference <= policy.anisotropy_warning:
        return []
    confirmed = claim.rung == "override" and claim.note.strip() != ""
    refused = difference > policy.anisotropy_confirmation and not confirmed
    limit = policy.anisotropy_confirmation if refused else policy.anisotropy_warning
    message = (
        f"{claim.source} says {number_text(claim.mpp.x)} µm in x and {number_text(claim.mpp.y)} µm in y, "
        f"{percent_text(difference)} apart (limit {percent_text(limit)})"
    )
    remedy = "check that the scanner's pixels are not square; the area uses both axes as they are"
    severity: Severity = "warning"
    if refused:
        severity = "refusal"
        remedy = (
            f"confirm both axes with a reason: --mpp {claim.mpp.x:g},{claim.mpp.y:g} --mpp-reason TEXT, "
            "or mpp_x, mpp_y and mpp_reason in the manifest"
        )
    return [QaFinding(info.slide_id, "MPP_ANISOTROPIC", severity, difference, limit, "fraction", message, remedy)]


def scanner_pitch(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return SCANNER_PITCH_MISMATCH where this make of scanner is known for other pixels."""
    known = [
        prior
        for prior in policy.pitch_priors
        if prior.vendor == info.vendor and (prior.power is None or prior.power == info.objective_power)
    ]
    bands = [PowerBand(1, p.low_um, p.high_um) for p in known]
    furthest = [max(outside_band(um, band) for um in (claim.mpp.x, claim.mpp.y)) for band in bands]
    if not known or min(furthest) - 1 <= policy.pitch_tolerance:
        return []
    listed = "; ".join(f"{p.scanner} {_span_text(p.low_um, p.high_um)}" for p in known)
    nearest = bands[furthest.index(min(furthest))]
    limit_um = nearest.low_um if claim.mpp.x < nearest.low_um else nearest.high_um
    objective = f" at ×{number_text(info.objective_power)}" if info.objective_power else ""
    message = (
        f"{claim.source} says {pair_text(claim.mpp.x, claim.mpp.y)} µm/px, {percent_text(min(furthest) - 1)} "
        f"away from what {info.vendor} scanners{objective} are known for in µm/px: {listed}"
    )
    remedy = "compare with the scanner's log; an export at another resolution explains it"
    return [
        QaFinding(
            info.slide_id,
            "SCANNER_PITCH_MISMATCH",
            "warning",
            claim.mpp.x,
            limit_um,
            "µm/px",
            message,
            remedy,
        )
    ]


def _slip_hint(info: SlideInfo, um: float, policy: CalibrationPolicy) -> str:
    """Return the unit slip that would make the size one of the objective on record, else of ×40 to ×5."""
    low_um, high_um = policy.power_band(40).low_um, policy.power_band(5).high_um
    if (band := _objective_band(info, policy)) is not None:
        low_um, high_um = band.low_um, band.high_um
    slip = slip_towards(um, low_um, high_um)
    return f"; {slip}" if slip else ""


def _objective_band(info: SlideInfo, policy: CalibrationPolicy) -> PowerBand | None:
    """Return the believable sizes behind the objective on record; None where none is."""
    if info.objective_power is None or not 0 < info.objective_power < math.inf:
        return None
    return policy.power_band(info.objective_power)


def _remedy(claim: MppCandidate) -> str:
    return CORRECT_OVERRIDE if claim.rung == "override" else GIVE_MPP


def _span_text(low_um: float, high_um: float) -> str:
    return number_text(low_um) if low_um == high_um else f"{number_text(low_um)} to {number_text(high_um)}"
