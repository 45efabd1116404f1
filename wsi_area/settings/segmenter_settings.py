"""settings: which segmenter finds the classes, and which one, beside it, the tissue."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

NO_TISSUE = "none"
"""The name of the tissue's segmenter where the tissue is no layer of its own."""


class SegmenterSettings(BaseModel):
    """Which segmenter; every further key is the segmenter's own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str = Field("tissue", description="an entry of the group wsi_area.segmenters")

    @property
    def own(self) -> dict[str, Any]:
        """Return the keys that belong to the segmenter itself."""
        return dict(self.model_extra or {})


class TissueSettings(BaseModel):
    """What finds the tissue as a layer of its own, beside the classes; every further key is its segmenter's own."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str = Field(
        NO_TISSUE,
        description="an entry of the group wsi_area.segmenters whose tissue is what the classes are a share of; "
        "none: the tissue classes of [segmenter] are the tissue. Never measured with calibration.profile = plain",
    )
    work_mpp: float = Field(2.0, gt=0, description="µm per pixel at which the tissue is measured")
    drawing: Path | None = Field(
        None,
        description="for name = regions: a mask or an outline of the tissue, or a folder with one file a slide; left "
        "out: the drawing that the classes are taken from",
    )

    @property
    def own(self) -> dict[str, Any]:
        """Return the keys that belong to the segmenter itself."""
        return dict(self.model_extra or {})
