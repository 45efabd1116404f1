"""model: which picture of a file was measured, as its result says it, among all that the file holds."""

from typing import Annotated, ClassVar

from pydantic import Field

from wsi_area.model.documented import Count, Flag, Part, Says
from wsi_area.model.picture import Named, Picture, PictureChoice
from wsi_area.model.slide import SlideInfo

LISTED_MOST = 200


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

    @property
    def choice(self) -> PictureChoice:
        """Return which picture was asked for."""
        return PictureChoice(self.asked_picture, self.asked_channel, self.asked_plane)

    @property
    def taken(self) -> tuple[Picture, ...]:
        """Return the pictures that were measured: one, or red, green and blue; without their reduced levels."""
        return tuple(p for p in self.listed if p.taken and p.role != "reduced level")


def pictures_on_record(info: SlideInfo) -> PicturesOnRecord:
    """Return what a result says of the pictures of a slide's file; what was measured is always in the list."""
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
    )
