"""model: the tissue of a slide, as its result says it: the denominator of each share, and the layer that it is of."""

from typing import Annotated, Any, ClassVar, Literal

from wsi_area.model.documented import Area, Count, Hash, Name, Part, Says, Whole
from wsi_area.model.record.slide_origin import NO_AREA, NOT_COUNTED

TissueSource = Literal["layer", "drawing", "segmenter"]
"""Where the tissue comes from: a layer of its own, outlines or a mask of tissue, or the classes of the segmenter."""

_PX = "level-0 px"
_NO_TISSUE = "the tissue was not measured (tissue.reason says why)"


class Tissue(Part):
    """The tissue, tumour among it, without what is excluded: what shares are shares of."""

    comes_from: ClassVar = "the tissue layer, else the tissue classes (compute.count.area)"

    n_px: Annotated[
        Count | None,
        Says("pixels of tissue, tumour among them", _PX, f"{_NO_TISSUE}, or {NOT_COUNTED}", column="n_px_tissue"),
    ]
    area_mm2: Annotated[
        Area | None,
        Says(
            "area of the tissue, tumour among it, without what is excluded", "mm²", f"{_NO_TISSUE}, {NO_AREA}",
            column="tissue_area_mm2",
        ),
    ]  # fmt: skip
    source: Annotated[
        TissueSource | None,
        Says(
            "layer: measured beside the classes, by [tissue]; drawing: what was drawn as tissue; segmenter: the "
            "tissue classes of the segmenter", "", f"{_NO_TISSUE}, or a version before 0.2.0 measured it",
            column="tissue_source",
        ),
    ] = None  # fmt: skip
    reason: Annotated[str, Says("why that, or why there is none")] = ""


class TissueLayerOnRecord(Part):
    """The tissue as a layer of its own, and how the classes lie on it; its own result lies in the folder tissue."""

    comes_from: ClassVar = "both class maps, laid over one another (run.passes.crossing)"

    segmenter: Annotated[Name, Says("what found the tissue", source="the settings")]
    settings: Annotated[dict[str, Any], Says("the settings of that", source="the settings")]
    key: Annotated[Hash, Says("SHA-256 over all that its counts depend on")]
    level: Annotated[Count, Says("the level of the slide that it was read from")]
    reduce_factor: Annotated[Whole, Says("by which that was reduced")]
    work_mpp_x_um: Annotated[Area, Says("width of its work pixel", "µm")]
    work_mpp_y_um: Annotated[Area, Says("height of its work pixel", "µm")]
    class_names: Annotated[tuple[Name, ...], Says("its classes, by their ids")]
    tissue_ids: Annotated[tuple[Count, ...], Says("those of them that are tissue")]
    n_px_crossed: Annotated[
        tuple[tuple[Count, ...], ...],
        Says(
            "pixels by what they are in the class map (a row for each class, then not scanned, outside the region of "
            "interest, unreadable) and in the layer (a column for each of its classes, then the same three)",
            _PX,
        ),
    ]
    n_px_enclosed: Annotated[
        tuple[Count, ...],
        Says("for each row, those on background of the layer that the envelope of its tissue encloses", _PX),
    ]

    def in_tissue_px(self, rows: tuple[int, ...]) -> int:
        """Return the level-0 pixels of some rows of the table that lie in tissue."""
        return sum(self.n_px_crossed[row][column] for row in rows for column in self.tissue_ids)

    def in_envelope_px(self, rows: tuple[int, ...]) -> int:
        """Return the level-0 pixels of some rows of the table that lie in tissue or in what it encloses."""
        return self.in_tissue_px(rows) + sum(self.n_px_enclosed[row] for row in rows)

    @property
    def tissue_px(self) -> int:
        """Return the level-0 pixels of its tissue."""
        return self.in_tissue_px(tuple(range(len(self.n_px_crossed))))
