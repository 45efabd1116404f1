"""model: how far the tissue of a slide hangs on the threshold that tells it, as the result keeps it."""

from typing import Annotated, ClassVar

from wsi_area.model.documented import Area, Count, Name, Part, Says

NONE_READ = "none of the tiles that were counted holds tissue at the threshold used"


class MovedThreshold(Part):
    """The tissue at one threshold, in the tiles that were counted at all of them."""

    comes_from: ClassVar[str] = "the ledger (compute.judge.threshold_stability)"

    shift: Annotated[Name, Says("by how much the threshold is moved, or used")]
    threshold: Annotated[Count, Says("it", "grey levels of the feature")]
    n_px: Annotated[Count, Says("tissue, as exclusions and filters by size leave it", "level-0 px")]
    share_of_used: Annotated[Area | None, Says("the same over that at the threshold used", empty=NONE_READ)]
    share_u: Annotated[
        Area | None,
        Says(
            "standard uncertainty of the share, from the spread over the tiles; 0 where each was counted",
            empty=f"{NONE_READ}, or only one was counted of several",
        ),
    ]


class ThresholdOnRecord(Part):
    """How far the tissue hangs on the threshold: counted at three of them, in tiles that were read anyway."""

    comes_from: ClassVar[str] = "the ledger (compute.judge.threshold_stability)"

    tiles: Annotated[Count, Says("tiles counted at each threshold, evenly spread over those that were read")]
    of_tiles: Annotated[Count, Says("tiles that were read")]
    moved: Annotated[tuple[MovedThreshold, ...], Says("the tissue at each threshold")]

    @property
    def share_by_shift(self) -> dict[str, float | None]:
        """Return the tissue at each threshold as a share of that at the one used."""
        return {moved.shift: moved.share_of_used for moved in self.moved}

    def mm2_by_shift(self, area_mm2: float | None) -> dict[str, float | None]:
        """Return the tissue area in mm² at each threshold: that at the one used, times the share that was counted."""
        shares = self.share_by_shift.items()
        return {shift: None if share is None or area_mm2 is None else share * area_mm2 for shift, share in shares}

    @property
    def counted_on(self) -> str:
        """Return in words what was counted.

        >>> ThresholdOnRecord(tiles=16, of_tiles=40, moved=()).counted_on
        '16 of the 40 tiles that were read'
        >>> ThresholdOnRecord(tiles=1, of_tiles=1, moved=()).counted_on
        'the one tile that was read'
        """
        if self.of_tiles == 1:
            return "the one tile that was read"
        counted = f"all {self.tiles}" if self.tiles == self.of_tiles else f"{self.tiles} of the {self.of_tiles}"
        return f"{counted} tiles that were read"


Mm2ByThreshold = Annotated[
    dict[str, Area | None] | None,
    Says(
        "the tissue at the threshold and 5 % beside it: as measured, times its share in tiles counted at each", "mm²",
        "the segmenter has no threshold",
    ),
]  # fmt: skip
ByThreshold = Annotated[
    ThresholdOnRecord | None,
    Says(ThresholdOnRecord.__doc__ or "", empty="no threshold tells tissue, or its version did not count it"),
]
