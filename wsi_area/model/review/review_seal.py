"""model: whose review it is, and the seal of a review, which names that of the measurement."""

from typing import Annotated

from wsi_area.model.documented import Hash, Name, Part, Says
from wsi_area.model.json_tree import json_digest
from wsi_area.model.review.event import ReviewId, SeenHead


class ReviewIdentity(Part):
    """The id of a review, by which an event of another run is told."""

    wsi_area_version: Annotated[Name, Says("version that began it")]
    review: Annotated[ReviewId, Says("random id; each event names it")]
    began: Annotated[Name, Says("when it began, ISO 8601")]


class ReviewSeal(Part):
    """What a review holds when its table was last written, chained to the seal of the measurement."""

    wsi_area_version: Annotated[Name, Says("version that wrote it")]
    review: Annotated[ReviewId, Says("id of the review")]
    measurement: Annotated[Hash | None, Says("seal of the run that was reviewed", empty="the run bears none")]
    heads: Annotated[tuple[SeenHead, ...], Says("the last event of each chain, by writer")]
    summary: Annotated[Hash, Says("SHA-256 of summary.csv of the review")]
    workbook: Annotated[
        Hash | None,
        Says("SHA-256 of the workbook with the sheet of the review", empty="it was not given one, see review.tables"),
    ]
    workbook_before: Annotated[
        Hash | None,
        Says("SHA-256 that it had before: it is written last, and a kill may come between", empty="as for workbook"),
    ]
    seal: Annotated[Hash, Says("SHA-256 over all of these but the version")]

    @property
    def expected_seal(self) -> str:
        """Return the seal that all else in it makes."""
        told = self.model_dump(mode="json", exclude={"seal", "wsi_area_version"})
        return json_digest(told)
