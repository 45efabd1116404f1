"""compute: claims about another picture: of another one in the file, or of one that this was made from."""

from collections.abc import Sequence

from wsi_area.compute.calibration.claims import GIVE_MPP
from wsi_area.compute.calibration.extent import axis_ratio
from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.quantity_text import number_text, pair_text
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.finding import QaFinding, Severity
from wsi_area.model.slide import SlideInfo

_SAME_SIZE = 1.02
"""A picture padded to whole tiles, or without its last row, is the same picture; a size off by as much is within the
tolerance of two claims."""


def belongs_to_another(info: SlideInfo, claim: MppCandidate) -> bool:
    """Return True if a claim is of a picture in the list of the file that is not the one that is measured."""
    number = claim.picture
    return number is not None and number < len(info.pictures) and not info.pictures[number].taken


def describes_another(info: SlideInfo, claim: MppCandidate) -> bool:
    """Return True if a claim states a size of its picture, and the one that is measured is of another size."""
    stated, size = claim.describes_px, info.size_l0_px
    if stated is None or not stated.area_px:
        return False
    return max(axis_ratio(stated.width_px, size.width_px), axis_ratio(stated.height_px, size.height_px)) > _SAME_SIZE


def left_over_findings(
    info: SlideInfo, left_over: Sequence[MppCandidate], usable: Sequence[MppCandidate], policy: CalibrationPolicy
) -> list[QaFinding]:
    """Return MPP_OF_ANOTHER_PICTURE for claims left over from a picture of another size.

    They are never chosen. Where another claim is what they come to once the picture was reduced, it stands and this is
    on record; else nothing says which of them is true, and the mm² are withheld.
    """
    if not left_over:
        return []
    claim = left_over[0]
    expected = _scaled(info, claim)
    agrees = bool(usable) and all(_agree(usable[0].mpp, _scaled(info, one), policy) for one in left_over)
    size, stated = info.size_l0_px, claim.describes_px or info.size_l0_px
    sources = " and ".join(dict.fromkeys(one.source for one in left_over))
    message = (
        f"{sources} says {pair_text(claim.mpp.x, claim.mpp.y)} µm/px of a picture of {number_text(stated.width_px)} × "
        f"{number_text(stated.height_px)} px, and this one has {number_text(size.width_px)} × "
        f"{number_text(size.height_px)}; it is not used"
    )
    if agrees:
        return [_finding(info, claim, "info", f"{message}, and {usable[0].source} is what it comes to here", "")]
    if usable:
        message += f", and {usable[0].source} ({pair_text(usable[0].mpp.x, usable[0].mpp.y)} µm/px) does not settle it"
    message += (
        f": a tool that reduced or cut the picture kept the description. If it was reduced, a pixel would be "
        f"{pair_text(expected.x, expected.y)} µm"
    )
    return [_finding(info, claim, "refusal", message, GIVE_MPP)]


def _finding(info: SlideInfo, claim: MppCandidate, severity: Severity, message: str, remedy: str) -> QaFinding:
    stated_px = (claim.describes_px or info.size_l0_px).width_px
    width_px = info.size_l0_px.width_px
    return QaFinding(info.slide_id, "MPP_OF_ANOTHER_PICTURE", severity, width_px, stated_px, "px", message, remedy)


def _scaled(info: SlideInfo, claim: MppCandidate) -> Mpp:
    """Return the pixel size that a claim comes to if its picture was reduced to this one."""
    stated, size = claim.describes_px or info.size_l0_px, info.size_l0_px
    return Mpp(
        claim.mpp.x * stated.width_px / max(1, size.width_px), claim.mpp.y * stated.height_px / max(1, size.height_px)
    )


def _agree(one: Mpp, other: Mpp, policy: CalibrationPolicy) -> bool:
    return max(axis_ratio(one.x, other.x), axis_ratio(one.y, other.y)) - 1 <= policy.conflict_tolerance
