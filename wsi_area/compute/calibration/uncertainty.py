"""compute: how sure the number is, as far as the pixel size goes."""

from wsi_area.model.calibration import Quality

RELATIVE_U_MPP: dict[Quality, float] = {"A": 0.005, "B": 0.01, "C": 0.03}
"""Standard uncertainty u(p)/p of a pixel size by where it came from: 0.5 % for a scanner's own metadata
(stage micrometer checks agree to better than that), 1 % for a TIFF tag, 3 % for a print density, which is also
the spread of the pitches that scanners of one make write."""


def relative_u_area(quality: Quality) -> float:
    """Return u(A)/A from the pixel size: one calibration serves both axes, so ``2·u(p)/p``.

    GUM (JCGM 100:2008) 5.2.2, fully correlated inputs.

    >>> relative_u_area("A")
    0.01
    """
    return 2 * RELATIVE_U_MPP[quality]
