"""settings: what is known of the error of areas besides what a slide itself says."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.errors import ResultError, SettingsError
from wsi_area.results.uncertainty.repeat_file import read_repeat


class UncertaintySettings(BaseModel):
    """What else makes areas uncertain; changes no area, and every budget."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    rescan: Path | None = Field(None, description="repeat.json of wsi-area repeat: how far a second scan lies apart")
    rescan_seal: str | None = Field(
        None, description="the seal that this file has to bear; left out: the one that it bears when the run begins"
    )

    @model_validator(mode="after")
    def _seal_is_of_a_file(self) -> "UncertaintySettings":
        if self.rescan_seal is not None and self.rescan is None:
            raise ValueError("uncertainty.rescan_seal is the seal of a file; name the file with uncertainty.rescan")
        return self

    def with_seal(self) -> "UncertaintySettings":
        """Return them with the seal of the file, which is read and found whole.

        Raises
        ------
        SettingsError
            The file cannot be read, was changed, or is another one than the seal says.
        """
        if self.rescan is None:
            return self
        try:
            seal = read_repeat(self.rescan).seal
        except ResultError as error:
            raise SettingsError(f"uncertainty.rescan: {error}") from error
        if self.rescan_seal is not None and self.rescan_seal != seal:
            raise SettingsError(
                f"uncertainty.rescan: {self.rescan} bears the seal {seal[:12]}…, and uncertainty.rescan_seal asks for "
                f"{self.rescan_seal[:12]}…: it is another study; name the right file, or leave the seal out"
            )
        return self.model_copy(update={"rescan_seal": seal})
