"""settings: which parts of a slide get rows of their own because they are found on it: pieces of tissue, cores."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SectionSettings(BaseModel):
    """Pieces of tissue, found on the slide, each with a row in the table of regions."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    find: bool = Field(False, description="find the pieces of tissue (yes or no)")
    closing_um: float = Field(
        150.0, ge=0, description="µm: radius of the disc that closes gaps; up to twice as wide, they part no piece"
    )
    min_mm2: float = Field(0.5, ge=0, description="mm² of tissue that a piece has at least; less is in the rest")
    box_um: float = Field(25.0, gt=0, description="µm: width of the boxes they are found on; wider on large slides")


class TmaSettings(BaseModel):
    """Cores of a tissue microarray, found on the slide, each with a row in the table of regions."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
    core_mm: float | None = Field(
        None, gt=0, description="mm: nominal diameter of a core; left out: the slide is no array"
    )
    map: Path | None = Field(None, description="CSV of the cores: row and column, or name; patient")
    rows: int | None = Field(None, gt=0, le=500, description="rows of an array without a map")
    columns: int | None = Field(None, gt=0, le=500, description="columns of an array without a map")
    grid: Path | None = Field(None, description="CSV or GeoJSON with the centre of each core: a corrected grid")
    broken_pct: float = Field(50.0, ge=0, le=100, description="% of the nominal core: with less tissue it is broken")
    missing_pct: float = Field(5.0, ge=0, le=100, description="% of the nominal core: with less tissue it is missing")

    @model_validator(mode="after")
    def _says_one_grid(self) -> "TmaSettings":
        given = [name for name in ("map", "rows", "columns", "grid") if getattr(self, name) is not None]
        if self.core_mm is None and given:
            raise ValueError(f"tma.{given[0]} is given without tma.core_mm; give the nominal diameter of a core in mm")
        if (self.rows is None) != (self.columns is None):
            raise ValueError("tma.rows and tma.columns belong together; give both or neither")
        if self.rows is not None and (self.map is not None or self.grid is not None):
            raise ValueError("tma.rows and tma.columns stand beside a map or a grid, which say it too; leave them out")
        return self
