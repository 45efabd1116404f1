"""compute: the bar that says how long a millimetre is on a picture, from the pixel size of the areas; pure."""

import math

from wsi_area.compute.quantity_text import number_text
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp

_LARGEST_SHARE = 0.3  # of the picture's width


@frozen_value
class ScaleBar:
    """A bar as a share of the width of the picture it belongs to."""

    length_um: float
    share: float
    text: str


def scale_bar(width_l0_px: float, mpp: Mpp) -> ScaleBar:
    """Return the longest bar of 1, 2 or 5 times a power of ten µm that fills at most 30 % of a picture.

    Parameters
    ----------
    width_l0_px : float
        What the picture shows from its left edge to its right.
    mpp : Mpp
        Of level 0; the bar is horizontal, so only ``x`` enters.

    >>> scale_bar(2000, Mpp(0.5, 0.5))
    ScaleBar(length_um=200.0, share=0.2, text='200 µm')
    """
    width_um = width_l0_px * mpp.x
    power = 10.0 ** math.floor(math.log10(width_um * _LARGEST_SHARE))
    fitting = [step * power for step in (1, 2, 5) if step * power <= width_um * _LARGEST_SHARE]
    length_um = max(fitting, default=power)  # empty where the logarithm was rounded up
    return ScaleBar(length_um, length_um / width_um, length_text(length_um))


def length_text(length_um: float) -> str:
    """Return a length in the unit that a person would choose.

    >>> length_text(500), length_text(2000), length_text(0.5)
    ('500 µm', '2 mm', '0.5 µm')
    """
    return f"{number_text(length_um / 1000)} mm" if length_um >= 1000 else f"{number_text(length_um)} µm"
