"""settings: whether areas are estimated from random spots instead of measured whole, and how exact they must be."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class EstimateSettings(BaseModel):
    """Areas from random spots of a slide, which are all that is read closely; off unless one of the first is given."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    half_width_pct: float | None = Field(
        None, gt=0, le=50, description="%: spots are drawn until half the 95 % interval is so much of the area"
    )
    budget_pct: float | None = Field(
        None, gt=0, le=100, description="% of the pixels of the level that is read; no more are decoded"
    )
    seed: int = Field(
        1, ge=0, le=2**63 - 1, description="of the random numbers: the same one draws the same spots of a slide"
    )
    spot_um: float | Literal["auto"] = Field(
        "auto", description="µm: edge of a spot; auto: the stored tiles that come nearest to 120 µm"
    )

    @property
    def is_asked(self) -> bool:
        """Return True if areas are to be estimated."""
        return self.half_width_pct is not None or self.budget_pct is not None
