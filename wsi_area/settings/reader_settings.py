"""settings: how pixels are read, and which of the pictures of a file."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from wsi_area.model.picture import PictureChoice
from wsi_area.settings.effect import Effect

Lane = Literal["auto", "openslide", "direct"]


class ReaderSettings(BaseModel):
    """How pixels are read."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    lane: Annotated[Lane, Effect.WORK] = Field(
        "auto", description="auto: the direct lane where it is proven for the slide"
    )
    picture: int | str | None = Field(None, description="which picture of a file: its number as listed, or its name")
    channel: int | str | None = Field(None, description="which channel: its number from 0, or its name")
    plane: int | str | None = Field(
        None, description="which focal plane, slice or time: its number from 0, or its name"
    )

    @property
    def choice(self) -> PictureChoice:
        """Return the picture of a file that is meant."""
        return PictureChoice(self.picture, self.channel, self.plane)
