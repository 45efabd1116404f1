"""exports: what the outlines of one class came to."""

from dataclasses import dataclass


@dataclass(slots=True)
class ClassOutlines:
    """Regions and areas of one class, in level-0 pixels."""

    name: str
    regions: int = 0
    area_px: int = 0  # level-0 px inside exact outlines: what was counted
    outline_area_px: float = 0.0  # level-0 px² inside the outlines as written; differs where they were simplified
    kept_exact: int = 0  # regions that could not be simplified without breaking, and were left exact

    @property
    def change_pct(self) -> float:
        """Return by how much simplifying changed the area, in percent of what was counted."""
        return 100 * (self.outline_area_px - self.area_px) / self.area_px if self.area_px else 0.0

    def add(self, more: "ClassOutlines") -> None:
        """Add further regions of the class."""
        self.regions += more.regions
        self.area_px += more.area_px
        self.outline_area_px += more.outline_area_px
        self.kept_exact += more.kept_exact
