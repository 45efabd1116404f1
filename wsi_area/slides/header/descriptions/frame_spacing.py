"""slides: the pixel size of a DICOM slide that states it frame by frame, and not once for all of them."""

from pathlib import Path
from typing import Any

from wsi_area.compute.units import UM_PER_MM, positive_number
from wsi_area.model.calibration import UnreadClaim
from wsi_area.slides.header.mpp_sources import Claim, claim_of

SOURCE = "dicom.PixelSpacing of each frame"
_FRAMES = "PerFrameFunctionalGroupsSequence"


def frame_spacings(file: Path, vendor: str) -> tuple[Claim, ...]:
    """Return the one spacing that all frames of a DICOM file state; none of another file, or where none does.

    It is asked for where nothing is stated for all frames together, since a header has an item for each.
    """
    if vendor != "dicom":
        return ()
    found = _spacings(file)
    if len(found) > 1:
        return (UnreadClaim(SOURCE, f"{len(found)} sizes, such as {' and '.join(sorted(found)[:2])} mm"),)
    for text in found:
        row, column = (positive_number(part) for part in (*text.split(" × "), "")[:2])
        x, y = (None if mm is None else UM_PER_MM * mm for mm in (column, row))
        return tuple(claim_of(x or "?", y or "?", SOURCE, "vendor", "A", f"{text} mm, row first"))
    return ()


def _spacings(file: Path) -> set[str]:
    """Return each spacing that a frame states, in mm, the one between rows first."""
    from pydicom import config, dcmread  # takes 0.2 s, which only DICOM need pay
    from pydicom.errors import InvalidDicomError

    try:
        with config.disable_value_validation():
            header = dcmread(file, stop_before_pixels=True, specific_tags=[_FRAMES])
            groups: Any = header.get(_FRAMES) or ()
            measures = [group.get("PixelMeasuresSequence") for group in groups]
            stated = [one[0].get("PixelSpacing") for one in measures if one]
            return {" × ".join(str(mm) for mm in spacing) for spacing in stated if spacing}
    except (InvalidDicomError, OSError, ValueError, AttributeError, KeyError, TypeError, IndexError, EOFError):
        return set()
