"""model: the light that a slide was scanned by, as its own glass shows it."""

from typing import Literal

from wsi_area.frozen_value import frozen_value

GlassRgb = tuple[int, int, int]
GlassSource = Literal["seen", "given", "nominal"]
"""Where the colour of the glass is from: found on the overview, told in the settings, or taken for want of both."""


@frozen_value
class Glass:
    """The bare glass of one slide: what areas and optical densities are taken against.

    ``share`` and ``fall`` are None where no glass was seen.
    """

    rgb: GlassRgb  # grey levels, 0 to 255
    source: GlassSource
    share: float | None = None  # of the scanned pixels of the overview that have this colour
    fall: float | None = None  # 1 - least / most of a surface laid through the levels of the glass all over the field

    @property
    def level(self) -> int:
        """Return the grey level of its darkest channel.

        >>> Glass((225, 175, 148), "seen").level
        148
        """
        return min(self.rgb)


@frozen_value
class Light:
    """What a segmenter made of the light of one slide."""

    glass: Glass
    leans_on_glass: bool  # its threshold or its densities are taken from the glass
    tissue_like: float | None = None  # share of the overview with the colours of stained tissue; None: not looked at
    shade: float | None = (
        None  # share of what is tissue on the overview that is glass, only darker; None: not looked at
    )
