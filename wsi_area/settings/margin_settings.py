"""settings: what is measured round the border of a class, and in windows of a stated area; off unless asked for."""

from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.model.classes import ClassScheme

FARTHEST_UM = 5000.0
SMALLEST_MM2, LARGEST_MM2 = 0.001, 100.0


class BandSettings(BaseModel):
    """Bands round the border of a class, clipped to tissue."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    edges_um: tuple[float, ...] = Field(
        (), description="µm from the border, ascending, negative inside: [-500, -250, 0, 250]; empty: no bands"
    )
    classes: tuple[str, ...] = Field(
        (), description="borders of which classes, one by one; tumor, positive, tissue: all such classes; empty: tumor"
    )

    @model_validator(mode="after")
    def _are_bands(self) -> "BandSettings":
        edges = self.edges_um
        if len(edges) == 1 or any(a >= b for a, b in pairwise(edges)):
            raise ValueError(f"bands.edges_um is {list(edges)}; give at least two edges in ascending order")
        if any(abs(edge) > FARTHEST_UM for edge in edges):
            raise ValueError(f"bands.edges_um is {list(edges)}; no edge may be farther than {FARTHEST_UM:g} µm")
        return self

    def require_classes(self, scheme: ClassScheme) -> None:
        """Refuse classes that a slide does not have; for errors as `border_sets`."""
        from wsi_area.results.margins.named_classes import border_sets

        if self.edges_um:
            border_sets(scheme, self.classes)


class HotspotSettings(BaseModel):
    """Windows of a stated area that hold the most of what is positive."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    areas_mm2: tuple[float, ...] = Field((), description="mm² of a window: [0.2, 1, 2]; empty: none")
    hpf_count: int = Field(0, ge=0, description="a further window as large as so many high-power fields; 0: none")
    field_number_mm: float | None = Field(None, gt=0, description="mm: field number of the eyepiece, for hpf_count")
    objective: float = Field(40.0, gt=0, description="magnification of the objective, for hpf_count")
    shape: Literal["round", "square"] = Field("round", description="shape of a window: round or square")
    step_um: float = Field(50.0, gt=0, description="µm from one centre that is tried to the next")
    best: int = Field(5, ge=1, le=1000, description="how many windows of each area, none over another")
    tissue_share: float = Field(0.5, ge=0, le=1, description="least share of a window that is tissue")
    classes: tuple[str, ...] = Field((), description="classes that count; empty: the positive ones, else the tumour")

    @model_validator(mode="after")
    def _are_windows(self) -> "HotspotSettings":
        if self.hpf_count and self.field_number_mm is None:
            raise ValueError(
                f"hotspots.hpf_count is {self.hpf_count}, and how large a field is depends on the eyepiece; give "
                "hotspots.field_number_mm, which is written on it (18 to 26.5)"
            )
        wrong = [area for area in self.windows_mm2 if not SMALLEST_MM2 <= area <= LARGEST_MM2]
        if wrong:
            raise ValueError(
                f"a window of hotspots would have {wrong[0]:g} mm²; give {SMALLEST_MM2:g} to {LARGEST_MM2:g} mm²"
            )
        if len(set(self.windows_mm2)) < len(self.windows_mm2):
            raise ValueError(f"windows of hotspots repeat: {list(self.windows_mm2)} mm²; give each once")
        return self

    @property
    def windows_mm2(self) -> tuple[float, ...]:
        """Return the areas of all windows asked for, that of the high-power fields last."""
        if not self.hpf_count or self.field_number_mm is None:
            return self.areas_mm2
        from wsi_area.compute.hotspots.window import hpf_area_mm2

        return (*self.areas_mm2, hpf_area_mm2(self.hpf_count, self.field_number_mm, self.objective))

    def require_classes(self, scheme: ClassScheme) -> None:
        """Refuse classes that a slide does not have; for errors as `positive_names`."""
        from wsi_area.results.margins.named_classes import positive_names

        if self.windows_mm2:
            positive_names(scheme, self.classes)
