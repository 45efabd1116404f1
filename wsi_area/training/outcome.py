"""training: what a training came to: a model on disk, and what is known of it."""

from pathlib import Path

from wsi_area.audit.accuracy import Accuracy
from wsi_area.frozen_value import frozen_value
from wsi_area.segmenters.pixels.model import PixelModel
from wsi_area.training.importance import Importance


@frozen_value(eq=False)
class TrainOutcome:
    """A model on disk and what is known of it."""

    model: PixelModel
    model_hash: str
    out: Path
    accuracy: Accuracy | None
    reason: str  # why there is no accuracy, "" where there is
    importances: dict[str, list[Importance]]  # by "kind", "scale" and "feature"
