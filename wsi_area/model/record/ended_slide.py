"""model: how a planned slide ended, and what is said of one that was not counted."""

from typing import Annotated, ClassVar

from pydantic import Field

from wsi_area.model.burden import FINAL, Status
from wsi_area.model.documented import Hash, Name, Part, Says, Table, Whole
from wsi_area.model.finding import SLIDE_ID

_NOT_STARTED = "it failed before anything of it was looked at"
_ALL: tuple[Table, ...] = ("summary", "areas", "failed", "objects", "ratios", "regions", "bands", "hotspots")
_OF_FAILED: tuple[Table, ...] = ("summary", "failed")

Version = Annotated[Name, Says("version that measured the slide", empty=_NOT_STARTED, column="wsi_area_version")]
MeasurementVersion = Annotated[Whole, Field(ge=1), Says("version of the rules of counting")]
ConfigHash = Annotated[
    Hash,
    Says("SHA-256 over the settings that the measurement depends on", empty=_NOT_STARTED, column="config_hash"),
]


class EndedSlide(Part):
    """How a planned slide ended; the base of all, and all there is of a slide of which no document is at hand."""

    comes_from: ClassVar[str] = "the run"

    slide_id: Annotated[Name, Says(SLIDE_ID, column="slide_id", tables=_ALL)]
    status: Annotated[
        Status,
        Says(
            "complete; estimated: from a random sample, as exact as was asked; incomplete: tiles could not be read, or "
            "an estimate is less exact than was asked; needs_calibration: no mm², for want of a pixel size; failed",
            column="status", tables=("summary", "areas", "failed"),
        ),
    ]  # fmt: skip
    reason: Annotated[
        str,
        Says("why it is not complete", empty="the slide is complete", column="reason"),
        Says("why it was not measured whole", column="reason", tables=("failed",)),
    ]
    path: Annotated[str, Says("the slide's file, absolute, as it was found", column="path", tables=_OF_FAILED)]

    @property
    def is_final(self) -> bool:
        """Return True where all that was asked of the slide was done: it is complete, or estimated as was asked."""
        return self.status in FINAL


class FailedSlide(EndedSlide):
    """A slide that failed, or was not reached, before anything of it was looked at; it is in no document of its own."""

    error: Annotated[Name, Says("the class of the error, or Interrupted")]


class UncountedSlide(EndedSlide):
    """A slide that could not be counted: it failed, or its segmenter needs a pixel size and none is known."""

    wsi_area_version: Version
    measurement_version: MeasurementVersion
    config_hash: ConfigHash
    error: Annotated[Name, Says("the class of the error")]
