"""model: what a slide's file is, and what it says of itself, as the result of a counted slide has it."""

from typing import Annotated

from pydantic import Field

from wsi_area.model.documented import Count, Hash, Name, Number, Says
from wsi_area.model.geometry import Region, Size
from wsi_area.model.picture import ANY_PICTURE, PictureChoice
from wsi_area.model.record.ended_slide import EndedSlide
from wsi_area.model.record.slide_origin import NOT_COUNTED
from wsi_area.model.record.slide_pictures import PicturesOnRecord
from wsi_area.model.slide import Level

_FILE = "the slide's file"


class ScannedSlide(EndedSlide):
    """A slide whose file was read."""

    vendor: Annotated[str, Says("the scanner's make or the file's format", "", NOT_COUNTED, _FILE, "vendor")]
    fingerprint: Annotated[
        Name,
        Says(
            "fingerprint of the slide's file: SHA-256 over samples of its bytes", "", NOT_COUNTED, _FILE,
            "sha_sample",
        ),
    ]  # fmt: skip
    content_digest: Annotated[
        Hash, Says("SHA-256 over its size and samples of its bytes: a copy has the same", source=_FILE)
    ]
    file_bytes: Annotated[Count, Says("size of the file", "bytes", source=_FILE)]
    width_px: Annotated[Count, Says("width of the slide", "level-0 px", NOT_COUNTED, _FILE, "width_px")]
    height_px: Annotated[Count, Says("height of the slide", "level-0 px", NOT_COUNTED, _FILE, "height_px")]
    objective_power: Annotated[
        Number | None,
        Says(
            "as the scanner wrote it; used for no area", "×", f"the file states none, or {NOT_COUNTED}", _FILE,
            "objective_power",
        ),
    ]  # fmt: skip
    bounds_l0_px: Annotated[
        Region | None, Says("where the scanner says that there is tissue", "level-0 px", "it says nothing", _FILE)
    ]
    levels: Annotated[tuple[Level, ...], Field(min_length=1), Says("the pyramid, the finest level first", source=_FILE)]
    pictures: Annotated[
        PicturesOnRecord | None,
        Says(PicturesOnRecord.__doc__ or "", empty="it was measured by a version that did not list them"),
    ] = None

    @property
    def choice(self) -> PictureChoice:
        """Return the picture of its file that was asked for."""
        return ANY_PICTURE if self.pictures is None else self.pictures.choice

    @property
    def size_l0_px(self) -> Size:
        """Return the size of the slide in level-0 pixels."""
        return Size(self.width_px, self.height_px)
