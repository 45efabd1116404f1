"""notebook: the pixel size of a slide with every claim it was chosen from."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.calibration import Calibration, Mpp, MppCandidate
from wsi_area.model.finding import QaFinding
from wsi_area.model.record.slide_origin import CalibrationOnRecord, Candidate
from wsi_area.model.slide_result import CountedSlide
from wsi_area.notebook.html import calibration_html
from wsi_area.results.opened_slide import OpenedSlide

if TYPE_CHECKING:  # pandas takes longer to load than a slide's header: only who asks for a frame pays
    import pandas as pd

_KEYS = ("mpp_x_um", "mpp_y_um", "source", "rung", "quality", "note")


@frozen_value(repr=False)
class SlideCalibration:
    """The decision about a slide's pixel size, as it is on record."""

    slide_id: str
    decision: Calibration
    relative_u_area: float | None  # standard uncertainty of every area of the slide, as a share of it

    @property
    def mpp(self) -> Mpp | None:
        """Return the pixel size that was chosen, or None for pixels only."""
        return self.decision.mpp

    @property
    def candidates(self) -> tuple[MppCandidate, ...]:
        """Return every claim that was found, the best rung first."""
        return self.decision.candidates

    @property
    def table(self) -> "pd.DataFrame":
        """Return one row for each claim; ``chosen`` says which one was taken."""
        import pandas as pd

        chosen = self.decision.chosen
        rows = [
            (c.mpp.x, c.mpp.y, c.source, c.rung, c.quality, c.note, chosen is not None and is_same_claim(c, chosen))
            for c in self.candidates
        ]
        return pd.DataFrame(rows, columns=[*_KEYS, "chosen"])

    def __repr__(self) -> str:
        return f"<calibration of {self.slide_id}: {self.decision.reason}>"

    def _repr_html_(self) -> str:
        """Return the decision and the claims as a table; every text is escaped."""
        return calibration_html(self.slide_id, self.decision, self.relative_u_area)


def calibration_of(slide: OpenedSlide) -> SlideCalibration:
    """Return the calibration of a slide from its result."""
    result = slide.result
    if not isinstance(result, CountedSlide):
        raise ResultError(f"{slide.slide_id} ended as {slide.status}, without a calibration: {result.reason}")
    part = result.calibration
    candidates = tuple(_candidate(claim) for claim in part.candidates)
    findings = tuple(f for f in result.findings if _is_of_mpp(f))
    decision = Calibration(_chosen(part, candidates), candidates, findings, part.reason)
    return SlideCalibration(slide.slide_id, decision, part.relative_u_area)


def _candidate(claim: Candidate) -> MppCandidate:
    return MppCandidate(
        Mpp(claim.mpp_x_um, claim.mpp_y_um), claim.source, claim.rung, claim.quality, claim.note, u_um=claim.u_um,
        traced_to=claim.traced_to or "", is_confirmed=bool(claim.is_confirmed),
    )  # fmt: skip


def _chosen(part: CalibrationOnRecord, candidates: Iterable[MppCandidate]) -> MppCandidate | None:
    if part.mpp is None:
        return None
    for candidate in candidates:
        if (candidate.mpp, candidate.source) == (part.mpp, part.source):
            return replace(candidate, quality=part.quality or candidate.quality)  # what speaks against it may lower it
    raise ResultError(f"the pixel size on record, from {part.source}, is none of its claims; run the slide again")


def is_same_claim(one: MppCandidate, other: MppCandidate) -> bool:
    """Return True if two claims are the same words, whatever was made of their quality."""
    return (one.mpp, one.source) == (other.mpp, other.source)


def _is_of_mpp(finding: QaFinding) -> bool:
    return finding.code.startswith(("MPP_", "POWER_", "SCANNER_PITCH_", "VOLUME_", "LEVEL_"))
