"""results: the areas of one slide as they are shown: by the report, the notebook and the terminal alike; pure."""

from typing import Literal

from wsi_area.compute.quantity_text import with_mm2
from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_areas import ClassOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import NONE, area_text, grouped, share_text
from wsi_area.results.tables.tissue_name import tissue_name

Kind = Literal["class", "headline", "tissue", "envelope"]


@frozen_value
class ShownArea:
    """An area with its name, its pixels, its error bar and its share of the tissue."""

    kind: Kind
    name: str
    n_px: int
    area_mm2: float | None
    u_mm2: float | None  # standard uncertainty
    share: str = NONE  # of the tissue

    @property
    def px_text(self) -> str:
        """Return its level-0 pixels, grouped by thousands."""
        return grouped(self.n_px)

    @property
    def area_text(self) -> str:
        """Return its mm² ± 95 %, without the unit."""
        return area_text(self.area_mm2, self.u_mm2)

    @property
    def text(self) -> str:
        """Return its mm² ± 95 % with the unit; its pixels where no pixel size is known."""
        return f"{self.px_text} px" if self.area_mm2 is None else with_mm2(self.area_text)


def class_area(slide: CountedSlide, c: ClassOnRecord) -> ShownArea:
    """Return the area of one class of a slide."""
    pct = slide.pct_tissue(c)
    share = NONE if pct is None else share_text(pct, 100)
    return ShownArea("class", c.name, c.n_px, c.area_mm2, c.area_u_mm2, share)


def total_areas(slide: CountedSlide) -> tuple[ShownArea, ...]:
    """Return the totals of a slide that say something of their own: tumour or positive, tissue, its envelope."""
    headline, tissue, name = slide.headline, slide.tissue, tissue_name([slide])
    found = []
    if headline.n_px is not None:
        pct = headline.pct_tissue
        share = NONE if pct is None else share_text(pct, 100)
        found.append(
            ShownArea("headline", headline.title, headline.n_px, headline.area_mm2, headline.area_u_mm2, share)
        )
    if name is not None and tissue.n_px is not None:
        found.append(ShownArea("tissue", name, tissue.n_px, tissue.area_mm2, u_mm2(slide, tissue.area_mm2)))
        around = slide.tissue_envelope
        if around is not None and around.enclosed_px:
            u = u_mm2(slide, around.area_mm2)
            found.append(ShownArea("envelope", f"envelope of {name}", around.n_px, around.area_mm2, u))
    return tuple(found)


def u_mm2(slide: CountedSlide, area_mm2: float | None) -> float | None:
    """Return the standard uncertainty of an area of this slide that is due to its pixel size, in mm²."""
    relative = slide.calibration.relative_u_area
    return None if relative is None or area_mm2 is None else area_mm2 * relative
