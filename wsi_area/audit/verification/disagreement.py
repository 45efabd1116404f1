"""audit: one thing in a run that contradicts another."""

from wsi_area.frozen_value import frozen_value


@frozen_value
class Disagreement:
    """One thing in a run that contradicts another."""

    slide_id: str  # "" where it concerns the run as a whole
    what: str  # a file, a tile, or a part of a document
    message: str
