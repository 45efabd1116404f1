"""model: which picture of a file was measured, as its result says it, among all that the file holds."""

from typing import Annotated, ClassVar

from pydantic import Field

from wsi_area.model.calibration import UnreadClaim
from wsi_area.model.documented import Count, Flag, Name, Number, Part, Says
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Named, Picture, PictureChoice
from wsi_area.model.slide import SlideInfo

LISTED_MOST = 200


class ClaimOfPicture(Part):
    """Which picture a claim about the pixel size is of."""

    comes_from: ClassVar = "the slide's file"

    source: Annotated[Name, Says("the tag that claims it, as among the candidates of the calibration")]
    mpp_x_um: Annotated[Number, Says("width of a pixel of that picture, as claimed", "µm/px")]
    picture: Annotated[Count | None, Says("number of the picture that it is of", empty="it does not say")]
    describes_px: Annotated[Size | None, Says("size of the picture that it describes", "px", "it does not say")]


class PicturesOnRecord(Part):
    """Which picture was measured, what was asked for, and every picture of the file."""

    comes_from: ClassVar = "the structure of the slide's file (slides.header)"

    count: Annotated[Count, Says("pictures of the file, reduced levels among them")]
    listed: Annotated[tuple[Picture, ...], Says(f"the first {LISTED_MOST} of them, as wsi-area check numbers them")]
    asked_picture: Annotated[Named, Says("reader.picture", empty="nothing was asked for", source="the settings")]
    asked_channel: Annotated[Named, Says("reader.channel", empty="nothing was asked for", source="the settings")]
    asked_plane: Annotated[Named, Says("reader.plane", empty="nothing was asked for", source="the settings")]
    note: Annotated[str, Says("what was decided among them", empty="there was nothing to decide")]
    orientation: Annotated[
        int, Field(ge=1, le=8), Says("how it is turned when it is shown, as EXIF numbers it; 1: not")
    ]
    is_turned: Annotated[Flag, Says("it was measured as it is shown; else as it is stored")]

    claims: Annotated[tuple[ClaimOfPicture, ...], Says("which picture each claim about the pixel size is of")]
    unread_claims: Annotated[
        tuple[UnreadClaim, ...], Says("what else the file says of its pixel size, in words that nobody can read")
    ]

    @property
    def choice(self) -> PictureChoice:
        """Return the picture that was asked for."""
        return PictureChoice(self.asked_picture, self.asked_channel, self.asked_plane)

    @property
    def taken(self) -> tuple[Picture, ...]:
        """Return the pictures that were measured: one, or red, green and blue; without their reduced levels."""
        return tuple(p for p in self.listed if p.taken and p.role != "reduced level")


def pictures_on_record(info: SlideInfo) -> PicturesOnRecord:
    """Return the pictures that a result lists of a slide's file; what was measured is always in the list."""
    taken = [picture for picture in info.pictures if picture.taken][:LISTED_MOST]
    others = [picture for picture in info.pictures if not picture.taken][: LISTED_MOST - len(taken)]
    return PicturesOnRecord(
        count=len(info.pictures),
        listed=tuple(sorted([*taken, *others], key=lambda picture: picture.index)),
        asked_picture=info.choice.picture,
        asked_channel=info.choice.channel,
        asked_plane=info.choice.plane,
        note=info.picture_note,
        orientation=info.orientation,
        is_turned=info.is_turned,
        claims=tuple(
            ClaimOfPicture(source=c.source, mpp_x_um=c.mpp.x, picture=c.picture, describes_px=c.describes_px)
            for c in info.mpp_candidates
        ),
        unread_claims=info.unread_claims,
    )
