"""model: the pictures of a file, which one was asked for, and where its samples lie."""

from typing import ClassVar, Literal

from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Mpp
from wsi_area.model.documented import CLOSED
from wsi_area.model.geometry import Size

Role = Literal["slide", "reduced level", "macro", "label", "thumbnail", "plane", "channel", "unknown"]
"""What a picture is of its slide. ``plane`` is one of several focal planes, times or slices, ``channel`` one of
several grey pictures of the same field, ``unknown`` a full picture of which nothing says what it is."""

Named = int | str | None
"""A number from 0 as listed, a name, or nothing."""


@frozen_value
class PictureChoice:
    """Which picture of a file is meant, where it holds several; nothing said leaves it to the file."""

    picture: Named = None
    channel: Named = None
    plane: Named = None

    @property
    def says_nothing(self) -> bool:
        """Return True where the file alone decides."""
        return self.picture is None and self.channel is None and self.plane is None


ANY_PICTURE = PictureChoice()


@frozen_value
class Picture:
    """One picture of a file, as its structure describes it; no pixel of it was looked at."""

    __pydantic_config__: ClassVar = CLOSED

    index: int  # its number in the list of its file
    name: str  # as the file calls it, "" where it does not
    role: Role
    size_px: Size
    samples: int  # a pixel
    dtype: str  # of a sample: "uint8"
    channel: int | None = None  # its number among the channels of its image, None where there are none
    channel_name: str = ""
    plane: int | None = None  # its number among the focal planes or slices
    plane_name: str = ""
    time: int | None = None
    optical_path: str = ""
    mpp: Mpp | None = None  # what the file claims of this very picture
    taken: bool = False
    why: str = ""  # it was taken, or left out


@frozen_value
class StoredPart:
    """Where the samples of a picture, or of one channel of it, lie: a TIFF directory, and a sample of its pixels."""

    directory_at: int  # byte offset of the directory in the file
    sample: int | None = None  # one of the samples of a pixel; None: all of them
