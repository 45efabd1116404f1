"""settings: what the report of a run is told that is no number: the title of the study."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from wsi_area.plain_text import title_line


class ReportSettings(BaseModel):
    """What stands on the report; never changes a result."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    title: str | None = Field(None, description="title of the study, on the report and its paper; left out: none")

    @field_validator("title")
    @classmethod
    def _is_one_line(cls, title: str | None) -> str | None:
        return None if title is None else title_line(title)
