"""slides: a picture as it was found in a file, before it is known which one is meant."""

from dataclasses import field, replace

from wsi_area.frozen_value import frozen_value
from wsi_area.model.geometry import Size
from wsi_area.model.picture import Picture, StoredPart


@frozen_value
class FoundPicture:
    """One picture of a file, and what the law of one picture needs to know of it."""

    picture: Picture
    image: int  # pictures of one number show the same field: the channels, planes and times of one image
    may_be_meant: bool  # it is a full picture, no label, macro, thumbnail or reduced level
    part: StoredPart | None = None  # None where only OpenSlide knows, or it lies in another file
    levels: tuple[tuple[Size, StoredPart], ...] = field(default=())  # its reduced levels, the finest first
    is_default: bool = False  # its format says that it is the one to be shown first
    glows: bool = False  # it is fluorescence, by its own words
    obstacle: str = ""  # why it cannot be measured although it may be meant

    def numbered(self, index: int) -> "FoundPicture":
        """Return it with its number in the list."""
        return replace(self, picture=replace(self.picture, index=index))
