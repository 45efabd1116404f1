"""compute: what the claims about a pixel size say against each other, as findings with a remedy; pure."""

import math
from collections.abc import Sequence
from itertools import combinations

from wsi_area.compute.calibration.extent import axis_ratio, extent_mm
from wsi_area.compute.calibration.policy import FAR_FACTOR, GIVEN_FOR_SEVERAL, CalibrationPolicy
from wsi_area.compute.calibration.unit_slips import slip_name
from wsi_area.compute.quantity_text import number_text, pair_text, percent_text
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.finding import QaFinding, Severity
from wsi_area.model.slide import SlideInfo

GIVE_MPP = (
    "give the true pixel size, from the scanner's log or a scale bar, for this slide alone: wsi-area run PATH … "
    "--mpp X[,Y] --mpp-reason TEXT (e.g. --mpp 0.25), PATH being its file and … the other options as they were; "
    "or for it among others, in a row of --manifest: path, mpp_x, mpp_y, mpp_reason"
)
SCREEN_DPI_MEANT = "--set calibration.screen_dpi_meant=true"
CORRECT_OVERRIDE = "correct the override: --mpp X[,Y], or mpp_x and mpp_y in the manifest, in µm per pixel"
_ONE_PX_PER_UNIT = (("1 px per mm", 1000.0), ("1 px per cm", 10_000.0), ("1 px per inch", 25_400.0))
_ROUND_OFF = 1e-9  # two decimals that differ by exactly 2 % still agree


def is_size(mpp: Mpp) -> bool:
    """Return True if both axes are positive, finite numbers.

    >>> is_size(Mpp(0.5, 0.0))
    False
    """
    return all(math.isfinite(um) and um > 0 for um in (mpp.x, mpp.y))


def no_size(info: SlideInfo, claim: MppCandidate) -> QaFinding:
    """Return MPP_OUT_OF_BAND for a claim that is no positive number."""
    message = f"{claim.source} says {claim.mpp.x} × {claim.mpp.y} µm/px, which is no pixel size; it is not used"
    remedy = CORRECT_OVERRIDE if claim.rung == "override" else GIVE_MPP
    return QaFinding(info.slide_id, "MPP_OUT_OF_BAND", "refusal", None, 0.0, "µm/px", message, remedy)


def no_claim(info: SlideInfo) -> QaFinding:
    """Return MPP_MISSING, with what the file says in words that cannot be read as a size."""
    message = "nothing in the file says how large a pixel is, so it can only be counted in pixels"
    if info.unread_claims:
        message = f"what the file says of its pixel size cannot be read as one: {_unread_text(info)}; it is not used"
    elif info.mpp_candidates:
        message = "what the file says of a pixel size is of other pictures in it, so it can only be counted in pixels"
    return QaFinding(info.slide_id, "MPP_MISSING", "refusal", None, None, "", message, GIVE_MPP)


def unread(info: SlideInfo) -> QaFinding:
    """Return MPP_UNREADABLE: what else the file says of its pixel size, in words that cannot be read as one."""
    message = f"part of what the file says of its pixel size cannot be read: {_unread_text(info)}; it is not used"
    return QaFinding(info.slide_id, "MPP_UNREADABLE", "info", None, None, "", message, "")


def _unread_text(info: SlideInfo) -> str:
    return "; ".join(f"{claim.source} says {claim.text!r}" for claim in info.unread_claims)


def print_density(mpp: Mpp, policy: CalibrationPolicy) -> tuple[str, float] | None:
    """Return the editor's default that a pixel size is made of, as its name and its µm/px, or None.

    >>> print_density(Mpp(352.7778, 352.7778), CalibrationPolicy())[0]
    '72 dpi'
    """
    named = [(f"{number_text(dpi)} dpi", 25_400 / dpi) for dpi in policy.default_dpi]
    for name, um in (*named, *_ONE_PX_PER_UNIT):
        if any(abs(axis / um - 1) <= policy.default_dpi_tolerance for axis in (mpp.x, mpp.y)):
            return name, um
    return None


def default_density(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> QaFinding | None:
    """Return MPP_DPI_DEFAULT where a claim is an editor's default, not a measurement; else None.

    A refusal on a microscope slide. On a plain image nothing from 150 dpi up, which scanners use; a screen's density is
    refused until somebody says that it is meant, one pixel per unit is warned of.
    """
    density = print_density(claim.mpp, policy)
    if density is None:
        return None
    name, um = density
    message = f"{claim.source} gives {pair_text(claim.mpp.x, claim.mpp.y)} µm/px, which is {name}: "
    severity: Severity = "refusal"
    if policy.profile == "glass":
        message += "a default that software writes, not a pixel size of a microscope slide; it is not used"
        remedy = f"{GIVE_MPP}; if this is no microscope slide: --set calibration.profile=plain (check: --profile plain)"
    else:
        if um <= 25_400 / policy.plain_dpi_meant_from * (1 + policy.default_dpi_tolerance):
            return None
        message += "many programs write this when nobody measured"
        remedy = f"if it was not meant, {GIVE_MPP}"
        if name.endswith("dpi") and not policy.screen_dpi_meant:
            message += "; it is not used until somebody says that it is meant"
            remedy = (
                f"if it is meant: --dpi {name.removesuffix(' dpi')}, or {SCREEN_DPI_MEANT} for all; else {GIVE_MPP}"
            )
        else:
            severity = "warning"
    return QaFinding(info.slide_id, "MPP_DPI_DEFAULT", severity, claim.mpp.x, um, "µm/px", message, remedy)


def conflicts(info: SlideInfo, claims: Sequence[MppCandidate], policy: CalibrationPolicy) -> list[QaFinding]:
    """Return MPP_CONFLICT for the two claims that differ most, if by more than the tolerance on an axis."""
    pairs = [
        (axis_ratio(getattr(a.mpp, axis), getattr(b.mpp, axis)), axis, a, b)
        for a, b in combinations(claims, 2)
        for axis in ("x", "y")
    ]
    if not pairs:
        return []
    ratio, axis, one, other = max(pairs, key=lambda pair: pair[0])
    limit = policy.conflict_tolerance
    if ratio - 1 <= limit + _ROUND_OFF:
        return []
    slip = slip_name(ratio)
    message = (
        f"{one.source} and {other.source} differ by {percent_text(ratio - 1)} in {axis} "
        f"(limit {percent_text(limit)}){f', {slip}' if slip else ''}; on record in µm/px: "
        + "; ".join(f"{c.source} {pair_text(c.mpp.x, c.mpp.y)}" for c in claims)
    )
    remedy = f"find out which is true, then {GIVE_MPP}"
    return [QaFinding(info.slide_id, "MPP_CONFLICT", "refusal", ratio - 1, limit, "fraction", message, remedy)]


def volume_mismatch(info: SlideInfo, claim: MppCandidate, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return VOLUME_MISMATCH where the DICOM ImagedVolume is not matrix × spacing."""
    stated = info.imaged_volume_mm
    if stated is None or not all(math.isfinite(side) and side > 0 for side in stated):
        return []
    spanned = extent_mm(info, claim.mpp)
    ratio = _worst_ratio(stated, spanned)
    limit = policy.volume_tolerance
    if ratio - 1 <= limit + _ROUND_OFF:
        return []
    if _worst_ratio(stated, extent_mm(info, Mpp(claim.mpp.y, claim.mpp.x))) - 1 <= limit:
        hint = "; with the axes of the spacing swapped it would fit: DICOM lists [row, column]"
    else:
        hint = f", {slip}" if (slip := slip_name(ratio)) else ""
    message = (
        f"the DICOM header states {number_text(stated[0])} × {number_text(stated[1])} mm imaged, but its "
        f"matrix × spacing is {number_text(spanned[0])} × {number_text(spanned[1])} mm, "
        f"{percent_text(ratio - 1)} apart (limit {percent_text(limit)}){hint}"
    )
    remedy = f"find out which is true, then {GIVE_MPP}"
    return [QaFinding(info.slide_id, "VOLUME_MISMATCH", "refusal", ratio - 1, limit, "fraction", message, remedy)]


def far_from_own(info: SlideInfo, override: MppCandidate, claims: Sequence[MppCandidate]) -> QaFinding | None:
    """Return MPP_CONFLICT where a typed size is grossly not what the file states, and nobody confirms it with a reason.

    What the file states is its best claim of quality A or B; a print density is held against nobody.
    """
    own = next((claim for claim in claims if claim.quality in {"A", "B"}), None)
    if own is None or not is_size(override.mpp):
        return None
    times = max(axis_ratio(override.mpp.x, own.mpp.x), axis_ratio(override.mpp.y, own.mpp.y))
    is_meant = override.is_confirmed and override.note.strip() != ""
    if is_meant or times <= FAR_FACTOR * (1 + _ROUND_OFF):
        return None
    slip = slip_name(times)
    message = (
        f"{pair_text(override.mpp.x, override.mpp.y)} µm/px was given by {override.source}, but this slide's own "
        f"{own.source} says {pair_text(own.mpp.x, own.mpp.y)}, {number_text(times)} times apart "
        f"(limit {number_text(FAR_FACTOR)}){f', {slip}' if slip else ''}; neither is used"
    )
    several = "leave --mpp out for the slides that state their own; " if override.source == GIVEN_FOR_SEVERAL else ""
    remedy = (
        f"{several}a size that is meant in spite of it needs a reason and to be confirmed: --mpp X[,Y] --mpp-reason "
        "TEXT --mpp-confirmed, or mpp_reason and mpp_confirmed=yes in its row of --manifest"
    )
    return QaFinding(info.slide_id, "MPP_CONFLICT", "refusal", times, FAR_FACTOR, "factor", message, remedy)


def override_used(
    info: SlideInfo, override: MppCandidate, file_claim: MppCandidate | None, policy: CalibrationPolicy
) -> QaFinding:
    """Return MPP_OVERRIDE with its reason, and what the file itself says.

    It is a warning where the two contradict, and where nobody said where the number comes from.
    """
    says = "the file states no usable pixel size"
    reason = override.note.strip()
    severity: Severity = "info" if reason else "warning"
    if file_claim is not None and is_size(override.mpp):
        times = override.mpp.pixel_area_mm2 / file_claim.mpp.pixel_area_mm2
        pairs = ((override.mpp.x, file_claim.mpp.x), (override.mpp.y, file_claim.mpp.y))
        if any(abs(given / stated - 1) > policy.conflict_tolerance for given, stated in pairs):
            severity = "warning"
        says = (
            f"the file's {file_claim.source} says {pair_text(file_claim.mpp.x, file_claim.mpp.y)}, "
            f"so areas become {number_text(times)} times what the file's claim would give"
        )
    message = (
        f"{pair_text(override.mpp.x, override.mpp.y)} µm/px was given by {override.source} "
        f"({reason or 'no reason given'}); {says}"
    )
    remedy = "" if reason else "say where the number comes from: --mpp-reason TEXT, or mpp_reason in the manifest"
    return QaFinding(info.slide_id, "MPP_OVERRIDE", severity, override.mpp.x, None, "µm/px", message, remedy)


def _worst_ratio(sides: tuple[float, float], others: tuple[float, float]) -> float:
    return max(axis_ratio(one, other) for one, other in zip(sides, others, strict=True))
