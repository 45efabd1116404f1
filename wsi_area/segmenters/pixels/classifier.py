"""segmenters: ``pixel_classifier``, trained from annotations by ``wsi-area train``; judges colour and texture."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.errors import PlanError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import ClassMap, MaskArray, Overview, TilePixels, TilePlace
from wsi_area.segmenters.appearance import TrainedOn, appearance_facts, read_trained_on
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.foreground import fit_foreground
from wsi_area.segmenters.pixels.balance import ColourBalance, colour_balance
from wsi_area.segmenters.pixels.model import ARRAYS_NAME, CARD_NAME, PixelModel, load_model, model_hash
from wsi_area.segmenters.scheme import ClassSetting, chosen_scheme

_FINEST = 0.45  # of the model's pixel size: a slide whose levels would make work pixels finer than that is refused
_COARSEST = 1.02  # what the plan lets a work pixel be coarser


class PixelClassifierSegmenter(BaseModel):
    """Settings of the pixel classifier; classes, pixel size and features stand in the model's card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path = Field(description="the folder that `wsi-area train` wrote; every worker's coordinator reads it once")
    model_sha256: str | None = Field(
        None, description="the model's hash, as `train` prints it; another model in that folder is refused (no unit)"
    )
    glass_margin: float = Field(
        0.2, ge=0, le=1, description="share of the way from glass to tissue at which glass is read (0..1)"
    )
    classes: tuple[ClassSetting, ...] | None = Field(
        None, description="other names, colours and flags for the card's classes (no unit)"
    )

    @property
    def files_read(self) -> tuple[Path, ...]:
        """Return the files of the model."""
        return self.model / CARD_NAME, self.model / ARRAYS_NAME

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        """Refuse before a run starts what ``fit`` would refuse for its first slide."""
        if self.model_sha256 is not None and not re.fullmatch("[0-9a-f]{8,64}", self.model_sha256):
            raise SettingsError(f"model_sha256 is {self.model_sha256!r}; give 8 to 64 hexadecimal digits of the hash")
        self._loaded()
        return self

    def _loaded(self) -> tuple[PixelModel, ClassScheme, str]:
        found = model_hash(self.model)
        if self.model_sha256 is not None and not found.startswith(self.model_sha256):
            raise SettingsError(
                f"the model in {self.model} has the hash {found[:16]}…, model_sha256 asks for "
                f"{self.model_sha256[:16]}…; give the folder of that model, or leave the hash out"
            )
        model = load_model(self.model)
        _trained_on(model, self.model)
        return model, chosen_scheme(self.classes, model.scheme), found

    def fit(self, overview: Overview) -> "FittedPixelClassifier":
        """Return the classifier with the colour balance of this slide, if its features want one."""
        model, scheme, found = self._loaded()
        # a stain needs light behind the tissue, so the background is bright whatever the picture shows
        foreground = fit_foreground(overview, "bright", "otsu")
        balance = colour_balance(overview) if model.features.balanced else None
        facts: dict[str, object] = {
            "model_sha256": found,
            "model_classes": [c.name for c in model.classes],
            "model_work_mpp_um": model.features.work_mpp_um,
            "features": model.features.to_json(),
            "colour_gain": None if balance is None else list(balance.gain),
            "about": dict(model.card),
            "trained_model": {
                "has_accuracy": model.card.get("accuracy") is not None,
                "appearance": appearance_facts(_trained_on(model, self.model), overview, foreground.light.glass),
            },
        }
        lowered = foreground.lowered_rule(self.glass_margin)
        return FittedPixelClassifier(
            scheme, model, balance, lowered, facts, widest_context_um(model), model.features.work_mpp_um
        )


def _trained_on(model: PixelModel, folder: Path) -> TrainedOn | None:
    return read_trained_on(model.card.get("appearance"), f"the card of the model in {folder}")


def widest_context_um(model: PixelModel) -> float:
    """Return the largest context of a model among the work pixel sizes that a plan may come to, in µm.

    Levels and pitch change in steps with the pixel size, so it is tried out; ``at_work_mpp`` holds the bound.
    """
    shares = np.linspace(_FINEST, _COARSEST, 58)
    asked_um = model.features.work_mpp_um
    widest = max(model.at_work_mpp(asked_um * float(share)).context_um for share in shares)
    return round(widest * 1.02, 3)


@frozen_value
class FittedPixelClassifier:
    """A pixel classifier ready for one slide."""

    scheme: ClassScheme
    model: PixelModel
    balance: ColourBalance | None
    lowered_rule: ColourRule  # whatever it does not call background is read
    facts: dict[str, object]
    context_um: float
    work_mpp: float | None
    signal: None = None

    @property
    def preferred_tile_px(self) -> int:
        """Return the tile edge at which the halo, up to 240 µm wide, is no longer most of the work."""
        return 1024

    def at_work_mpp(self, work_mpp: Mpp) -> "FittedPixelClassifier":
        """Return the classifier for the work pixels that a plan came to; its scales stay what they are in µm.

        Raises
        ------
        PlanError
            If work pixels are so far from the model's that its features would mean something else.
        """
        size_um = (work_mpp.x + work_mpp.y) / 2
        asked_um = self.model.features.work_mpp_um
        if not _FINEST * asked_um <= size_um <= _COARSEST * asked_um:
            raise PlanError(
                f"the pixel classifier was trained at {asked_um:g} µm/px and the plan came to {size_um:g}; it serves "
                f"{_FINEST * asked_um:.3g} to {_COARSEST * asked_um:.3g} µm/px: leave tiling.work_mpp out"
            )
        model = self.model.at_work_mpp(size_um)
        if model.context_um > self.context_um * min(work_mpp.x, work_mpp.y) / size_um:
            raise PlanError(
                f"at {size_um:g} µm/px the pixel classifier looks {model.context_um:.0f} µm far, beyond the halo "
                f"of {self.context_um:.0f} µm; leave tiling.work_mpp out so that the model's own pixel size is used"
            )
        return replace(self, model=model)

    def class_map(self, pixels: TilePixels) -> ClassMap:
        """Return uint8 (h, w) of class ids for a box whose first pixel is the slide's first."""
        return self.model.class_map(pixels, (0, 0), self.balance)

    def class_map_at(self, pixels: TilePixels, place: TilePlace) -> ClassMap:
        """Return uint8 (h, w) of class ids, ``UNSCANNED_CODE`` where not valid, for a box that lies there."""
        return self.model.class_map(pixels, (place.work_px.x_px, place.work_px.y_px), self.balance)

    def core_class_map_at(self, pixels: TilePixels, place: TilePlace, core_work_px: Region) -> ClassMap:
        """Return uint8 (h, w) of class ids, the shape of the core alone; its halo is looked at but not classified.

        The same classes as ``class_map_at`` gives the core, for less work.
        """
        box = place.work_px
        top, left = core_work_px.y_px - box.y_px, core_work_px.x_px - box.x_px
        wanted = (top, top + core_work_px.height_px), (left, left + core_work_px.width_px)
        return self.model.class_map(pixels, (box.x_px, box.y_px), self.balance, wanted)

    def may_hold_foreground(self, overview: Overview) -> MaskArray:
        """Return bool (h, w), True where the overview is more than glass by the lowered threshold, or not all seen."""
        return self.lowered_rule.is_foreground(overview.rgb) | ~overview.valid
