"""segmenters: how the tissue of a slide looks in colour and strength, held against what a model was trained on."""

import math
from collections.abc import Iterable, Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from wsi_area.compute.count.reduction import box_mean
from wsi_area.errors import SettingsError
from wsi_area.model.light import Glass
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.colour.glass import find_glass

_SEEN_AT_UM = 25.0
"""Pixels of this size are compared: overviews of slides have 10 to 60 µm, images that are trained on less than one."""
_LEAST_BOXES = 200
_LEAST_OD, _LEAST_PX = 0.06, 20  # of tissue: paler than that, hue is noise; fewer than that are no sample
_MEDIAN, _HIGH = 0.5, 0.9

QUANTITIES = ("red_share_median", "red_share_high", "blue_share_median", "blue_share_high", "od_median", "od_high")
"""Of the tissue: red's and blue's share of the absorption (its hue), and the optical density (log10, mean of R, G, B);
the median and the 90th percentile of each."""

Appearance = Mapping[str, float]


class TrainedOn(BaseModel):
    """The appearance of what a model was trained on, as its card says it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    groups: int = Field(ge=1, description="slides or patients that it was trained on")
    ranges: dict[str, tuple[float, float]] = Field(description="least and most of each quantity among its images")

    @field_validator("ranges")
    @classmethod
    def _are_ranges(cls, ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (least, most) in ranges.items():
            if name not in QUANTITIES or not 0 <= least <= most:
                raise ValueError(f"{name!r}: {least} to {most} is no range of {', '.join(QUANTITIES)}")
        return ranges


def appearance_of(overview: Overview, glass: Glass | None = None) -> dict[str, float] | None:
    """Return each of ``QUANTITIES`` of a slide, None where it shows next to no tissue.

    Parameters
    ----------
    overview
        The slide.
    glass
        Its glass, against which densities are taken; None: what the overview says, or shows.
    """
    against = glass or overview.glass or find_glass(overview)
    pixel_um = _SEEN_AT_UM if overview.mpp is None else (overview.mpp.x + overview.mpp.y) / 2
    most = math.isqrt(overview.valid.size // _LEAST_BOXES)  # of a small picture enough must be left
    small = box_mean(overview.rgb, overview.valid, max(1, min(most, round(_SEEN_AT_UM / pixel_um))))
    levels = np.arange(256, dtype=np.float64)
    red, green, blue = (
        np.maximum(np.log10(glass_level / np.maximum(levels, 1)), 0)[small.rgb[..., channel][small.valid]]
        for channel, glass_level in enumerate(np.maximum(against.rgb, 1).tolist())
    )
    density = (red + green + blue) / 3
    is_tissue = density > _LEAST_OD
    if int(is_tissue.sum()) < _LEAST_PX:
        return None
    total = 3 * density[is_tissue]
    kinds = (red[is_tissue] / total, blue[is_tissue] / total, density[is_tissue])
    found = [float(np.quantile(kind, share)) for kind in kinds for share in (_MEDIAN, _HIGH)]
    return {name: round(value, 4) for name, value in zip(QUANTITIES, found, strict=True)}


def trained_on(appearances: Iterable[Appearance | None], groups: int) -> TrainedOn | None:
    """Return the ranges of the images of a training, None where none of them shows tissue."""
    seen = [appearance for appearance in appearances if appearance is not None]
    if not seen:
        return None
    ranges = {name: (min(a[name] for a in seen), max(a[name] for a in seen)) for name in QUANTITIES}
    return TrainedOn(groups=groups, ranges=ranges)


def read_trained_on(value: object, where: str) -> TrainedOn | None:
    """Return the content of a card, None where it holds nothing.

    Raises
    ------
    SettingsError
        If it holds something else.
    """
    if value is None:
        return None
    try:
        return TrainedOn.model_validate(value)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]["msg"]
        raise SettingsError(f"{where} says in no way that can be read what it was trained on: {fault}") from error


def appearance_facts(on: TrainedOn | None, overview: Overview, glass: Glass) -> dict[str, object] | None:
    """Return the looks of a slide beside what a model was trained on, JSON-ready; None where the card does not say."""
    if on is None:
        return None
    return {"found": appearance_of(overview, glass), "trained_on": on.model_dump(mode="json")}
