"""compute: how sure the number is, as far as the pixel size goes."""

from wsi_area.model.calibration import MppCandidate, Quality

RELATIVE_U_MPP: dict[Quality, float] = {"A": 0.005, "B": 0.01, "C": 0.03, "given": 0.03}
"""Standard uncertainty u(p)/p of a pixel size by where it came from: 0.5 % for a scanner's own metadata
(stage micrometer checks agree to better than that), 1 % for a TIFF tag, 3 % for a print density, which is also
the spread of the pitches that scanners of one make write; and 3 % for a size that somebody typed without saying how
sure it is: nobody knows whether it was measured, or remembered."""


def relative_u_area(claim: MppCandidate) -> float:
    """Return u(A)/A from the pixel size: one calibration serves both axes, so ``u(p)/x + u(p)/y``, or ``2·u(p)/p``.

    A stated uncertainty counts, else the one of the claim's quality.

    GUM (JCGM 100:2008) 5.2.2, fully correlated inputs.

    >>> from wsi_area.model.calibration import Mpp
    >>> relative_u_area(MppCandidate(Mpp(0.5, 0.5), "aperio.MPP", "vendor", "A"))
    0.01
    >>> relative_u_area(MppCandidate(Mpp(0.5, 0.25), "--mpp", "override", "given", u_um=0.001))
    0.006
    """
    if claim.u_um is not None:
        return claim.u_um / claim.mpp.x + claim.u_um / claim.mpp.y
    return 2 * RELATIVE_U_MPP[claim.quality]


def uncertainty_from(claim: MppCandidate) -> str:
    """Return in words what sets the uncertainty of a pixel size.

    >>> from wsi_area.model.calibration import Mpp
    >>> uncertainty_from(MppCandidate(Mpp(0.5, 0.5), "aperio.MPP", "vendor", "A"))
    'its quality, A: 0.5 % of the size of a pixel'
    >>> uncertainty_from(MppCandidate(Mpp(0.5, 0.5), "--mpp", "override", "given", u_um=0.001, traced_to="SM-1"))
    'stated: 0.001 µm, SM-1'
    """
    if claim.u_um is None:
        return f"its quality, {claim.quality}: {100 * RELATIVE_U_MPP[claim.quality]:g} % of the size of a pixel"
    return f"stated: {claim.u_um:g} µm" + (f", {claim.traced_to}" if claim.traced_to else "")
