"""model: how an amended version of a slide came about, as its result says it: what it corrects, drawing by drawing."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from wsi_area.model.corrections.correction import CorrectionKind
from wsi_area.model.documented import Area, Count, Flag, Hash, Name, Number, Part, Says, Whole
from wsi_area.model.json_tree import json_digest
from wsi_area.model.record.run_seal import SealedSlide
from wsi_area.model.record.slide_origin import NO_PIXEL_SIZE

_PX = "level-0 px"
ContentHash = Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]


class CorrectionOnRecord(Part):
    """One correction, and what it did to the pixels under it; the corrections before it are done by then."""

    comes_from: ClassVar = "the drawing laid over the class maps (compute.corrections)"

    kind: Annotated[CorrectionKind, Says("add, erase, exclude, tissue, not_tissue, fill or replace")]
    class_name: Annotated[str, Says("the class that it gives, or takes away", empty="it names none")]
    reviewer: Annotated[str, Says("who drew it, as typed", empty="the drawing does not say")]
    utc: Annotated[str, Says("when it was drawn, ISO 8601", empty="the drawing does not say")]
    version: Annotated[Whole, Field(ge=1), Says("the amended version that it came with")]
    n_px_drawn: Annotated[Count, Says("pixels whose centres lie inside it, on the class map", _PX)]
    n_px_changed: Annotated[Count, Says("pixels that have another class by it", _PX)]
    n_px_unscanned: Annotated[Count, Says("pixels inside it that were never scanned: not painted", _PX)]
    n_px_outside_roi: Annotated[Count, Says("pixels inside it beyond the region of interest: not painted", _PX)]
    n_px_unreadable: Annotated[Count, Says("pixels inside it that could not be read: not painted", _PX)]
    n_px_tissue_changed: Annotated[Count, Says("pixels of the tissue layer that are another tissue by it", _PX)]
    clipped_mm2: Annotated[Area | None, Says("what of it was not painted, as an area", "mm²", NO_PIXEL_SIZE)]
    beyond_mm2: Annotated[Area | None, Says("what of it lies beyond the slide", "mm²", NO_PIXEL_SIZE)]
    changed_mm2: Annotated[Area | None, Says("the changed pixels as an area", "mm²", NO_PIXEL_SIZE)]
    seed_x_l0_px: Annotated[Number | None, Says("the seed of a fill", _PX, "it is no fill")] = None
    seed_y_l0_px: Annotated[Number | None, Says("the seed of a fill", _PX, "it is no fill")] = None
    most_mm2: Annotated[Area | None, Says("what a fill may take at most", "mm²", "it is no fill")] = None

    @property
    def n_px_not_painted(self) -> int:
        """Return the pixels inside it that are never painted, level-0 px."""
        return self.n_px_unscanned + self.n_px_outside_roi + self.n_px_unreadable


class Amendment(Part):
    """What makes a result an amended version: a measured slide, and corrections laid over it."""

    comes_from: ClassVar = "the corrections (wsi-area amend)"

    number: Annotated[Whole, Field(ge=1), Says("the version's number, from 1")]
    corrects: Annotated[
        Whole | None, Field(ge=1), Says("the amended version that it corrects", empty="it corrects what was measured")
    ]
    base: Annotated[ContentHash, Says("content hash of the result that it corrects")]
    measured: Annotated[ContentHash, Says("content hash of the measured result below all corrections")]
    measured_seal: Annotated[Hash | None, Says("seal of the run when the version was made", empty="the run had none")]
    measured_ledger: Annotated[Hash, Says("digest of the rows of the measured ledger")]
    class_map: Annotated[Hash, Says("digest of the pixels of the corrected class map")]
    tissue_map: Annotated[
        Hash | None, Says("digest of the pixels of the corrected tissue layer", empty="the tissue is no layer")
    ]
    file_sha256: Annotated[Hash, Says("SHA-256 of the corrections as they lie beside the result")]
    given_sha256: Annotated[
        Hash, Says("SHA-256 of the file as it was given, before reviewer and time were written into it")
    ]
    drawn_are_filtered: Annotated[
        Flag, Says("whether the filters by size act on what was drawn; else drawn pixels keep what they were given")
    ]
    n_px_kept_from_filters: Annotated[
        Count, Says("drawn pixels that a filter by size would have changed, and did not", _PX)
    ]
    listed: Annotated[tuple[CorrectionOnRecord, ...], Says("each correction, in the order in which they were laid")]


class AmendedSeal(Part):
    """The seal of one amended version, which names the measurement that it corrects."""

    rules: Literal[1] = 1
    wsi_area_version: Annotated[Name, Says("version that made it")]
    measured: Annotated[ContentHash, Says("content hash of the measured result")]
    measured_seal: Annotated[Hash | None, Says("seal of the run when the version was made", empty="it had none")]
    slide: Annotated[SealedSlide, Says("digests of the version: result, ledger, class map, objects, tissue")]
    files: Annotated[dict[Name, Hash], Says("SHA-256 of each file that somebody reads, by its name in the folder")]
    seal: Annotated[Hash, Says("SHA-256 over all of that")]

    @property
    def expected_seal(self) -> str:
        """Return the seal that its digests make."""
        return json_digest(self.model_dump(mode="json", exclude={"seal", "wsi_area_version"}))
