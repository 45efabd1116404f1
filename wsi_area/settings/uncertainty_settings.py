"""settings: what is known of the error of areas besides what a slide itself says."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.errors import ResultError, SettingsError
from wsi_area.results.uncertainty.given_terms import NamedRepeat, NamedRepeats, RepeatOn


class UncertaintySettings(BaseModel):
    """What else makes areas uncertain; changes no area, and every budget."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    rescan: Path | None = Field(None, description="repeat.json of wsi-area repeat: how far a second scan lies apart")
    rescan_seal: str | None = Field(
        None, description="the seal that this file has to bear; left out: the one that it bears when the run begins"
    )
    rescan_on: RepeatOn = Field(
        "another", description="another: any scanner or day; these: the slides are of one of those in the file"
    )
    observer: Path | None = Field(None, description="repeat.json of readers: how far drawings of one thing lie apart")
    observer_seal: str | None = Field(None, description="the same for that file")
    observer_on: RepeatOn = Field("another", description="another: any reader; these: one of those in the file drew")

    @property
    def named(self) -> NamedRepeats:
        """Return the calibrations by repeats that they name."""
        return NamedRepeats(
            None if self.rescan is None else NamedRepeat(self.rescan, self.rescan_seal, self.rescan_on),
            None if self.observer is None else NamedRepeat(self.observer, self.observer_seal, self.observer_on),
        )

    @model_validator(mode="after")
    def _seals_are_of_files(self) -> "UncertaintySettings":
        for name, file, seal in self._files():
            if seal is not None and file is None:
                raise ValueError(
                    f"uncertainty.{name}_seal is the seal of a file; name the file with uncertainty.{name}"
                )
        return self

    def with_seals(self) -> "UncertaintySettings":
        """Return them with the seal of each file, which is read and found whole.

        Raises
        ------
        SettingsError
            A file cannot be read, was changed, or is another one than its seal says.
        """
        found = {f"{name}_seal": _seal_of(name, file, seal) for name, file, seal in self._files() if file is not None}
        return self.model_copy(update=found)

    def _files(self) -> tuple[tuple[str, Path | None, str | None], ...]:
        return ("rescan", self.rescan, self.rescan_seal), ("observer", self.observer, self.observer_seal)


def _seal_of(name: str, file: Path, wanted: str | None) -> str:
    from wsi_area.results.uncertainty.repeat_file import read_repeat  # few runs name one

    try:
        seal = read_repeat(file).seal
    except ResultError as error:
        raise SettingsError(f"uncertainty.{name}: {error}") from error
    if wanted is not None and wanted != seal:
        raise SettingsError(
            f"uncertainty.{name}: {file} bears the seal {seal[:12]}…, and uncertainty.{name}_seal asks for "
            f"{wanted[:12]}…: it is another study; name the right file, or leave the seal out"
        )
    return seal
