"""model: the certificate of a slide: what its numbers rest on, what is there of it, and what nobody looked at."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from wsi_area.model.documented import Byte, Count, Flag, Hash, Name, Number, Part, Says
from wsi_area.model.finding import Code
from wsi_area.model.json_tree import json_digest
from wsi_area.model.record.slide_origin import CalibrationOnRecord, LightOnRecord
from wsi_area.model.record.slide_pictures import PicturesOnRecord

Letter = Literal["A", "B", "C"]

NOT_COUNTED = "its pixels were not counted"
NO_GLASS = "it was not looked at, or the segmenter looks for no glass"


class Grade(Part):
    """How far a part of the certificate is to be relied on, and the findings that say so."""

    comes_from: ClassVar = "the findings on the slide"

    grade: Annotated[Letter, Says("A: nothing is said against it; B: something is on record; C: a warning is")]
    because: Annotated[tuple[Code, ...], Says("codes of the findings that it follows from")]


class CertifiedPictures(PicturesOnRecord):
    """Which picture was measured, and every picture of the file, with a grade."""

    grade: Annotated[Grade, Says("C where OpenSlide refuses the file; B where a picture was taken unasked")]


class CertifiedLight(Part):
    """The light that the slide was scanned by, and what parts tissue from glass."""

    comes_from: ClassVar = "the overview, and the segmenter that was fitted to it"

    was_looked_at: Annotated[Flag, Says("whether anything of the slide was decoded for it")]
    glass: Annotated[LightOnRecord | None, Says(LightOnRecord.__doc__ or "", empty=NO_GLASS)]
    glass_level: Annotated[Byte | None, Says("the darkest channel of the glass", "grey levels", NO_GLASS)]
    threshold: Annotated[Number | None, Says("what parts tissue from background", "as its method", NO_GLASS)]
    threshold_method: Annotated[str | None, Says("how it was found", empty=NO_GLASS)]
    grade: Annotated[
        Grade | None,
        Says("how far the light is to be relied on", empty=f"{NOT_COUNTED}, or no number leans on the glass"),
    ]


class StoredTiles(Part):
    """The stored tiles, or strips, of the picture that was measured and of its reduced levels."""

    comes_from: ClassVar = "the directories of the slide's file (slides.stored)"

    listed: Annotated[Count, Says("tiles that the directories list")]
    missing: Annotated[Count, Says("of them without a byte: the scanner left them out")]
    without_place: Annotated[Count, Says("of them with bytes and no place in the file: damage")]
    beyond_end: Annotated[Count, Says("of them that lie beyond the end of the file")]


class Completeness(Part):
    """How much of the slide is there."""

    comes_from: ClassVar = "the slide's file"

    file_bytes: Annotated[Count, Says("size of the file", "bytes")]
    is_cut_short: Annotated[Flag | None, Says("whether it ends before its pixels do", empty="its format does not say")]
    tiles: Annotated[StoredTiles | None, Says(StoredTiles.__doc__ or "", empty="the format lists none that are read")]
    n_px_unscanned: Annotated[
        Count | None, Says("pixels that the scanner never looked at", "level-0 px", NOT_COUNTED, "the ledger")
    ]
    n_px_unreadable: Annotated[
        Count | None, Says("pixels that could not be decoded", "level-0 px", NOT_COUNTED, "the ledger")
    ]


class Orientation(Part):
    """How the picture lies."""

    comes_from: ClassVar = "the slide's file"

    on_record: Annotated[int, Field(ge=1, le=8), Says("how it is turned when it is shown, as EXIF numbers it; 1: not")]
    is_as_shown: Annotated[Flag, Says("it is measured as it is shown; else as it is stored")]


class CertifiedFacts(Part):
    """What a certificate says, before its hash."""

    content_digest: Annotated[Hash, Says("SHA-256 over the file's size and samples of its bytes")]
    pictures: CertifiedPictures
    pixel_size: CalibrationOnRecord
    light: CertifiedLight
    completeness: Completeness
    orientation: Orientation
    not_assessed: Annotated[tuple[Name, ...], Field(min_length=1), Says("what nobody looked at, a sentence each")]


class Certificate(CertifiedFacts):
    """What the numbers of a slide rest on: equal for copies of its file, whoever reads and counts it."""

    sha256: Annotated[
        Hash,
        Says(
            "SHA-256 over the slide's certificate: which picture, whose pixel size, what light, how much is there",
            "", "it was not counted", "the rest of the block", "certificate_sha256",
        ),
    ]  # fmt: skip

    @classmethod
    def over(cls, facts: CertifiedFacts) -> Self:
        """Return the certificate that says these facts, with their hash."""
        return cls(**{name: getattr(facts, name) for name in CertifiedFacts.model_fields}, sha256=_digest(facts))

    @property
    def is_sound(self) -> bool:
        """Return False where the hash is not that of the rest."""
        return _digest(self) == self.sha256


def _digest(facts: CertifiedFacts) -> str:
    """Return the SHA-256 over the canonical JSON of a certificate without its hash."""
    told: dict[str, Any] = facts.model_dump(mode="json", exclude={"sha256"})
    return json_digest(told)
