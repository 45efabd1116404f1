"""compute: the limits by which a pixel size is believed or refused; values only, each of them settable."""

import math

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Profile

GLASS_SLIDE_MM = (26.0, 76.0)
LARGE_FORMAT_SLIDE_MM = (52.0, 76.0)

GIVEN_FOR_SEVERAL = "--mpp for several slides"
"""The source of a pixel size given once for more than one slide; nobody looked at each of them."""

FAR_FACTOR = 2.0
"""So many times may a typed size be what the file itself states, either way, before it must be confirmed. The steps of
objectives: ×20 given for a ×40 scan still is somebody's word; beyond it a digit or a unit slipped, or it was meant for
others."""


@frozen_value
class PowerBand:
    """The pixel sizes that cameras have behind an objective; a cross-check, never a source of area."""

    power: float  # what the scanner writes, e.g. 20
    low_um: float
    high_um: float


@frozen_value
class PitchPrior:
    """The pixel pitch known of one make of scanner; a mismatch is a warning only."""

    vendor: str  # OpenSlide's name
    power: float | None  # None: whatever the objective
    low_um: float
    high_um: float
    scanner: str  # for the message


# Wide on purpose: OpenSlide's own manual calls the power "often inaccurate; sometimes missing".
POWER_BANDS = (
    PowerBand(40, 0.11, 0.28),
    PowerBand(20, 0.22, 0.56),
    PowerBand(10, 0.44, 1.1),
    PowerBand(5, 0.9, 2.2),
    PowerBand(2, 2.0, 5.5),
)

# Pitches that users of the scanners have reported in public.
PITCH_PRIORS = (
    PitchPrior("aperio", 20, 0.499, 0.504, "Aperio AT2/CS2"),
    PitchPrior("aperio", 40, 0.2494, 0.2528, "Aperio AT2/CS2"),
    PitchPrior("aperio", 40, 0.26, 0.26, "Aperio GT450"),
    PitchPrior("hamamatsu", 20, 0.44, 0.46, "Hamamatsu NanoZoomer"),
    PitchPrior("hamamatsu", 40, 0.220, 0.230, "Hamamatsu NanoZoomer"),
    PitchPrior("philips", None, 0.2439, 0.25, "Philips UFS"),
    PitchPrior("mirax", 20, 0.2325, 0.243, "3DHISTECH"),
    PitchPrior("mirax", 40, 0.12, 0.12, "3DHISTECH"),
    PitchPrior("ventana", 20, 0.465, 0.465, "Ventana DP200"),
    PitchPrior("ventana", 40, 0.25, 0.25, "Ventana DP200"),
    PitchPrior("leica", 20, 0.5, 0.5, "Leica SCN400"),
    PitchPrior("leica", 40, 0.25, 0.25, "Leica SCN400"),
    PitchPrior("zeiss", 20, 0.22, 0.22, "Zeiss Axioscan"),
    PitchPrior("zeiss", 10, 0.44, 0.44, "Zeiss Axioscan"),
)


@frozen_value
class CalibrationPolicy:
    """Every limit of the calibration ladder with its default; a fraction of 0.02 is 2 %."""

    profile: Profile = "glass"
    """``plain`` switches off what only holds for a glass slide: extent, band, power, pitch, default dpi."""
    conflict_tolerance: float = 0.02
    """Two claims may differ by this fraction on an axis before they contradict each other."""
    volume_tolerance: float = 0.005
    """DICOM ImagedVolume may differ by this fraction from matrix × spacing."""
    max_extent_mm: tuple[float, float] = GLASS_SLIDE_MM
    """Sides of the largest slide there can be, in mm, in either orientation; (52, 76) for large format."""
    band_um: tuple[float, float] = (0.05, 40.0)
    """Least and largest believable level-0 pixel on a slide, in µm."""
    fine_um: float = 0.08
    """Pixels below this need an objective of ``fine_power`` or more on record, or somebody's word and reason."""
    fine_power: float = 60.0
    """The objective from which on pixels may be finer than ``fine_um``."""
    screen_dpi_meant: bool = False
    """On the plain profile, believe densities below ``plain_dpi_meant_from``: the resolution of a screen."""
    power_bands: tuple[PowerBand, ...] = POWER_BANDS
    """Believable pixel sizes behind an objective; between these powers they scale as 1 / power."""
    power_refusal_factor: float = 3.0
    """Outside a power band warns; outside it by more than this factor refuses."""
    default_dpi: tuple[float, ...] = (72.0, 96.0, 150.0, 300.0)
    """Print densities that editors write without meaning them, in dots per inch."""
    default_dpi_tolerance: float = 0.015
    """A density within this fraction is one of ``default_dpi``: JPEG rounds 72 dpi to 28 dots per cm."""
    plain_dpi_meant_from: float = 150.0
    """On the plain profile a default density from here up is meant: flatbed scanners use 150 and 300. Lower ones are
    the resolution of a screen, withheld until somebody says that they are meant; of one pixel per unit is warned."""
    anisotropy_warning: float = 0.01
    """Axes that differ by more than this fraction are reported."""
    anisotropy_confirmation: float = 0.10
    """Axes that differ by more than this fraction need an override with a reason."""
    level_ratio_tolerance: float = 0.01
    """A level's ratio to level 0 may be off a power of two, or differ by axis, by this fraction."""
    pitch_tolerance: float = 0.03
    """A pixel size further than this fraction from the scanner's known pitch is reported."""
    pitch_priors: tuple[PitchPrior, ...] = PITCH_PRIORS
    """Pixel pitches known of scanners."""

    def __post_init__(self) -> None:
        """Refuse limits that would let everything or nothing pass."""
        for name in (
            "conflict_tolerance", "volume_tolerance", "power_refusal_factor", "default_dpi_tolerance",
            "anisotropy_warning", "anisotropy_confirmation", "level_ratio_tolerance", "pitch_tolerance",
        ):  # fmt: skip
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise SettingsError(f"{name} is {value}; it must be a number above 0")
        if not 0 < self.band_um[0] < self.band_um[1]:
            raise SettingsError(f"band_um is {self.band_um}; give the least and the largest pixel in µm")
        if not all(0 < side < math.inf for side in self.max_extent_mm):
            raise SettingsError(f"max_extent_mm is {self.max_extent_mm}; give two sides in mm, e.g. (26, 76)")
        if not self.power_bands:
            raise SettingsError("power_bands is empty; leave it out for the default")

    def power_band(self, power: float) -> PowerBand:
        """Return the believable pixel sizes at an objective power.

        A power that is not in the table takes the band of the nearest listed one, scaled as 1 / power.

        >>> CalibrationPolicy().power_band(20)
        PowerBand(power=20, low_um=0.22, high_um=0.56)
        >>> CalibrationPolicy().power_band(80).high_um
        0.14
        """
        nearest = min(self.power_bands, key=lambda band: max(band.power / power, power / band.power))
        if nearest.power == power:
            return nearest
        scale = nearest.power / power
        return PowerBand(power, nearest.low_um * scale, nearest.high_um * scale)
