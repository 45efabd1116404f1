"""review: the pixel size of a slide with every claim it was chosen from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wsi_area.errors import ResultError
from wsi_area.model.calibration import Calibration, Mpp, MppCandidate
from wsi_area.model.finding import QaFinding
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.review.html import calibration_html

if TYPE_CHECKING:  # pandas takes longer to load than a slide's header: only who asks for a frame pays
    import pandas as pd

_KEYS = ("mpp_x_um", "mpp_y_um", "source", "rung", "quality", "note")


@dataclass(frozen=True, slots=True, repr=False)
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
    """Return the calibration of a slide from its document."""
    part = slide.record.get("calibration")
    if part is None:
        raise ResultError(f"{slide.slide_id} ended as {slide.status}, without a calibration: {slide.record['reason']}")
    candidates = tuple(_candidate(entry) for entry in part["candidates"])
    findings = tuple(QaFinding(**entry) for entry in slide.record.get("findings", ()))
    return SlideCalibration(
        slide.slide_id,
        Calibration(_chosen(part), candidates, tuple(f for f in findings if _is_of_mpp(f)), part["reason"]),
        part["relative_u_area"],
    )


def _candidate(entry: Mapping[str, Any]) -> MppCandidate:
    mpp = Mpp(entry["mpp_x_um"], entry["mpp_y_um"])
    return MppCandidate(mpp, entry["source"], entry["rung"], entry["quality"], entry["note"])


def _chosen(part: Mapping[str, Any]) -> MppCandidate | None:
    if part["mpp_x_um"] is None:
        return None
    chosen = Mpp(part["mpp_x_um"], part["mpp_y_um"])
    for entry in part["candidates"]:
        candidate = _candidate(entry)
        if (candidate.mpp, candidate.source) == (chosen, part["source"]):
            return replace(candidate, quality=part["quality"])  # which what speaks against it may have taken away
    raise ResultError(f"the pixel size on record, from {part['source']}, is none of its claims; run the slide again")


def is_same_claim(one: MppCandidate, other: MppCandidate) -> bool:
    """Return whether two claims are the same words, whatever was made of their quality."""
    return (one.mpp, one.source) == (other.mpp, other.source)


def _is_of_mpp(finding: QaFinding) -> bool:
    return finding.code.startswith(("MPP_", "POWER_", "SCANNER_PITCH_", "VOLUME_", "LEVEL_"))
