"""segmenters: the description of pixel features: which kinds, at which scales in µm, and how far round they look."""

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value

FEATURE_VERSION = 1
"""Another number means that the same names stand for other values; a model of another version is refused."""

STAINS = ("hematoxylin", "eosin", "dab")
KINDS = (*STAINS, "od", "deviation", "texture", "gradient", "bump", "ridge", "edges", "coherence")
_TENSOR_KINDS = ("edges", "coherence")  # the last of them; they look twice as far
_TENSOR_MAX_UM = 20.0  # a structure tensor of a larger scale is not worth a halo twice as wide
_SIGMA_CELLS = 2.0  # a scale is computed where its Gaussian is at least this many cells wide, if there is such a level
_REACH_SIGMAS = 2.0  # a Gaussian is cut here; the weights are made to add up to 1 again
_MAX_SCALES, _MAX_SCALE_UM = 16, 5000.0


@frozen_value
class FeatureSet:
    """Which features, at which scales; equal sets of the same version mean equal numbers."""

    scales_um: tuple[float, ...] = (3.0, 6.0, 12.0, 25.0, 50.0)  # standard deviations of the Gaussians, µm
    work_mpp_um: float = 1.24  # µm per work pixel
    pitch_um: float = 2.5  # edge of a cell, µm; as many whole work pixels as come nearest
    balanced: bool = False  # each slide's stain strength is taken out first, by its ``ColourBalance``
    version: int = FEATURE_VERSION

    def __post_init__(self) -> None:
        """Refuse scales that no kernel could be made of."""
        scales = self.scales_um
        if not 1 <= len(scales) <= _MAX_SCALES or any(not 0 < s <= _MAX_SCALE_UM for s in scales):
            raise SettingsError(
                f"scales_um {scales} must be 1 to {_MAX_SCALES} numbers above 0, at most {_MAX_SCALE_UM} µm"
            )
        if list(scales) != sorted(set(scales)):
            raise SettingsError(f"scales_um {scales} must ascend; put them in order, each once")
        if not (0 < self.work_mpp_um < math.inf and 0 < self.pitch_um < math.inf):
            raise SettingsError(f"work_mpp_um {self.work_mpp_um} and pitch_um {self.pitch_um} must be above 0")
        if self.pitch_px > 64:
            raise SettingsError(
                f"a pitch of {self.pitch_um} µm is {self.pitch_px} px of {self.work_mpp_um} µm; 64 at most"
            )
        if self.version != FEATURE_VERSION:
            raise SettingsError(
                f"features of version {self.version} are asked for, this wsi_area computes version {FEATURE_VERSION}; "
                "train the model again or use the wsi_area it was trained with"
            )

    @property
    def pitch_px(self) -> int:
        """Return the edge of a cell in work pixels.

        >>> FeatureSet(work_mpp_um=1.24, pitch_um=2.5).pitch_px
        2
        """
        return max(1, round(self.pitch_um / self.work_mpp_um))

    @property
    def cell_um(self) -> float:
        """Return the edge of a cell in µm."""
        return self.work_mpp_um * self.pitch_px

    @property
    def names(self) -> tuple[str, ...]:
        """Return the name of each feature, in order.

        >>> FeatureSet(scales_um=(3.0,)).names[:2]
        ('hematoxylin_3um', 'eosin_3um')
        """
        return tuple(f"{kind}_{scale:g}um" for scale in self.scales_um for kind in kinds_of(scale))

    @property
    def context_um(self) -> float:
        """Return the distance that its features look round a pixel, in µm, alignment to the cells included."""
        return self.context_px * self.work_mpp_um

    @property
    def context_px(self) -> int:
        """Return the same in work pixels."""
        return max(_reach_px(self, scale) for scale in self.scales_um)

    def at_work_mpp(self, work_mpp_um: float) -> "FeatureSet":
        """Return the same features, in µm, for work pixels of another size."""
        return replace(self, work_mpp_um=work_mpp_um)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "scales_um": list(self.scales_um)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "FeatureSet":
        """Return the set that ``to_json`` wrote.

        Raises
        ------
        SettingsError
            If a key is missing, unknown or of another type.

        >>> FeatureSet.from_json(FeatureSet().to_json()) == FeatureSet()
        True
        """
        known = {"scales_um", "work_mpp_um", "pitch_um", "balanced", "version"}
        if not isinstance(values, Mapping) or set(values) != known:
            raise SettingsError(f"features must have exactly the keys {sorted(known)}; got {values!r:.200}")
        scales = values["scales_um"]
        numbers = [*scales, values["work_mpp_um"], values["pitch_um"]] if isinstance(scales, list) else [None]
        sound = all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers)
        if not sound or not isinstance(values["balanced"], bool) or not isinstance(values["version"], int):
            raise SettingsError(f"features must hold numbers, and balanced true or false; got {values!r:.200}")
        sizes = float(values["work_mpp_um"]), float(values["pitch_um"])
        return cls(tuple(map(float, scales)), *sizes, values["balanced"], values["version"])


def reach_cells(sigma: float) -> int:
    """Return the number of cells that the Gaussian of a scale takes in to each side."""
    return max(1, math.ceil(_REACH_SIGMAS * sigma))


def kinds_of(scale_um: float) -> tuple[str, ...]:
    """Return the kinds of features of a scale."""
    return KINDS if scale_um <= _TENSOR_MAX_UM else KINDS[: -len(_TENSOR_KINDS)]


def _cell_um(features: FeatureSet, level: int) -> float:
    return features.cell_um * (1 << level)


def level_of(features: FeatureSet, scale_um: float) -> int:
    """Return the coarsest level on which the scale is still ``_SIGMA_CELLS`` cells."""
    cells = scale_um / (_SIGMA_CELLS * _cell_um(features, 0))
    return max(0, math.floor(math.log2(cells))) if cells >= 1 else 0


def sigma_cells(features: FeatureSet, scale_um: float, level: int) -> float:
    """Return the standard deviation of a scale in cells of a level; never so small that nothing is smoothed."""
    return max(scale_um / _cell_um(features, level), 0.4)


def _reach_px(features: FeatureSet, scale_um: float) -> int:
    """Return the reach of a feature of a scale, in work px: Gaussian, gradient, Gaussian again, interpolation, cut."""
    level = level_of(features, scale_um)
    passes = 2 if kinds_of(scale_um) == KINDS else 1
    cells = passes * reach_cells(sigma_cells(features, scale_um, level)) + 1
    return (cells + 3) * features.pitch_px * (1 << level) + 1
