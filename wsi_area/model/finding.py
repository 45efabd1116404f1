"""model: one thing that quality assurance should know about a slide."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "refusal"]
"""``refusal`` withholds the mm²; ``warning`` asks a person to look; ``info`` is on record."""


@dataclass(frozen=True, slots=True)
class QaFinding:
    """A reason code with its numbers, its sentence and its remedy."""

    slide_id: str
    code: str  # e.g. "MPP_CONFLICT"
    severity: Severity
    measured: float | None
    limit: float | None
    unit: str  # of measured and limit, "" where they have none
    message: str  # what was found, with the number
    remedy: str = ""  # what to do about it
