"""audit: one thing in a run that contradicts another."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing in a run that contradicts another."""

    slide_id: str  # "" where it concerns the run as a whole
    what: str  # a file, a tile, or a part of a document
    message: str
