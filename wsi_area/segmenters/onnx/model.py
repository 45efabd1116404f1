"""segmenters: ``onnx``, a segmentation network of one's own, described by a card and run with onnxruntime."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.errors import MissingMppError, PlanError, SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.appearance import appearance_facts
from wsi_area.segmenters.colour.foreground import fit_foreground
from wsi_area.segmenters.onnx.card import OnnxCard, card_path_beside, read_card
from wsi_area.segmenters.onnx.ends import check_ends
from wsi_area.segmenters.onnx.file import sha256_of
from wsi_area.segmenters.onnx.fitted import LARGEST_UPSAMPLING, FittedOnnx
from wsi_area.segmenters.onnx.grid import SAME_MPP
from wsi_area.segmenters.onnx.session import imported_onnxruntime, network_on
from wsi_area.segmenters.onnx.trial import try_network
from wsi_area.segmenters.scheme import ClassSetting, chosen_scheme


class OnnxSegmenter(BaseModel):
    """Settings of the ONNX segmenter; what is true of the network itself stands in its card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path = Field(description="the network, a .onnx file; every worker must find it there")
    card: Path | None = Field(None, description="its card, a JSON file; left out: the model's path with .json added")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto: an NVIDIA card where onnxruntime finds one, else the CPU"
    )
    batch: int = Field(1, ge=1, le=256, description="windows shown at once; more than 1 pays on a GPU only")
    threads: int = Field(1, ge=1, le=64, description="threads of one session; 1: the worker's own")
    glass_margin: float = Field(
        0.2, ge=0, le=1, description="share of the way from glass to tissue at which glass is read (0..1)"
    )
    classes: tuple[ClassSetting, ...] | None = Field(
        None, description="other names, colours and flags for the card's classes (no unit)"
    )

    @property
    def card_path(self) -> Path:
        """Return the path of the card."""
        return self.card if self.card is not None else card_path_beside(self.model)

    @property
    def files_read(self) -> tuple[Path, ...]:
        """Return the network, its card, and the examples that the card names."""
        examples = (self.card_path.parent / example.file for example in read_card(self.card_path).examples)
        return self.model, self.card_path, *examples

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        """Refuse before a run starts what ``fit`` would refuse for its first slide."""
        imported_onnxruntime()
        check_ends(self.model, self._checked_card())
        return self

    def _checked_card(self) -> OnnxCard:
        found, card = sha256_of(self.model), read_card(self.card_path)
        if found != card.model_sha256:
            raise SettingsError(
                f"the network {self.model} has the SHA-256 {found[:12]}…, its card {self.card_path} is for "
                f"{card.model_sha256[:12]}…; give the card that was made with it"
            )
        return card

    def fit(self, overview: Overview) -> FittedOnnx:
        """Return the segmenter for one slide; the network is opened and tried here, once in a process.

        Raises
        ------
        SettingsError
            If onnxruntime is missing, or the network is not what its card says.
        MissingMppError, PlanError
            If the slide has no pixel size, or none as fine as the network needs.
        """
        card = self._checked_card()
        runtime = imported_onnxruntime()
        slide_mpp = _slide_mpp(overview, card)
        network = network_on(self.device, str(self.model), card.model_sha256, self.threads)
        answered = try_network(network, card, self.card_path.parent, self.batch)
        foreground = fit_foreground(overview, "auto", "otsu")
        lowered = foreground.lowered_rule(self.glass_margin)
        facts: dict[str, object] = {
            "network": card.name,
            "model_sha256": card.model_sha256,
            "card": card.model_dump(mode="json"),
            "provider": network.provider,
            "onnxruntime": runtime.__version__,
            "batch": self.batch,
            "resampled_beyond": SAME_MPP,
            "trial": answered,
            "trained_model": {
                "has_accuracy": card.accuracy is not None,
                "glass_as_background": answered["glass_as_background"] if card.background_is_glass else None,
                "appearance": appearance_facts(card.appearance, overview, foreground.light.glass),
            },
            "glass": foreground.facts if card.background_is_glass else None,
        }
        return FittedOnnx(
            scheme=chosen_scheme(self.classes, card.scheme),
            card=card,
            network=network,
            batch=self.batch,
            slide_mpp=slide_mpp,
            slide_size_l0_px=overview.size_l0_px,
            lowered_rule=lowered if card.background_is_glass else None,
            facts=facts,
        )


def _slide_mpp(overview: Overview, card: OnnxCard) -> Mpp:
    """Return µm per level-0 pixel; refuse a slide that cannot be shown to the network as it was trained."""
    if overview.mpp is None:
        raise MissingMppError(
            f"the network {card.name!r} was trained at {card.input.mpp_um} µm/px and this slide has no pixel size; "
            "give one with --mpp or in the manifest"
        )
    (height, width), size = overview.valid.shape, overview.size_l0_px
    mpp = Mpp(overview.mpp.x * width / size.width_px, overview.mpp.y * height / size.height_px)
    if max(mpp.x, mpp.y) > card.input.mpp_um * LARGEST_UPSAMPLING:
        raise PlanError(
            f"the finest pixels of this slide are {mpp.x:.4g} × {mpp.y:.4g} µm, the network {card.name!r} was trained "
            f"at {card.input.mpp_um} µm/px; use one that was trained at this pixel size"
        )
    return mpp
