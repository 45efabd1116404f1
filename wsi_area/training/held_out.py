"""training: a trained model held against images that it may never have seen."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from wsi_area.audit.accuracy import Accuracy
from wsi_area.audit.truth import Naming
from wsi_area.errors import SettingsError
from wsi_area.segmenters.pixels.model import load_model
from wsi_area.training.blocks import TruthRule, looked_at
from wsi_area.training.material import Source, TrainingImage, prepared
from wsi_area.training.validation import evaluate_model, reach_um


def evaluate_folder(model_folder: Path, sources: Sequence[Source], naming: Naming, seed: int = 0) -> Accuracy:
    """Return the agreement of a folder's model with images and their masks.

    What the masks leave at 0 is ``naming.rest``, or the model's class 0 where that is None.

    Raises
    ------
    SettingsError
        If the folder holds no model, a mask has a class that the model does not know, or the model learnt from one of
        these very images: that would measure its memory.
    """
    model = load_model(model_folder)
    reach = partial(reach_um, model.features, model.smoothing_um)
    found = (prepared(source, model.features.work_mpp_um, reach) for source in sources)
    images = [looked_at(image, model.features) for image in found]
    _refuse_known(images, model.card.get("training_data", ()))
    rest = model.classes[0].name if naming.rest is None else naming.rest
    known = Naming(naming.renamed, naming.codes, naming.any_nonzero, rest)
    ids = {c.name: c.class_id for c in model.classes}
    names: set[str] = {rest}.union(*(known.classes_in(image.drawn) for image in images))
    if strange := sorted(names - set(ids)):
        raise SettingsError(
            f"the masks have {', '.join(strange)}, the model knows {', '.join(ids)}; say which is which with --class "
            "CODE=CLASS, or --any-nonzero CLASS for masks that number objects"
        )
    return evaluate_model(model, images, TruthRule(known, ids, rest_in_tissue=False), seed)


def _refuse_known(images: Sequence[TrainingImage], rows: object) -> None:
    entries = rows if isinstance(rows, list) else []
    learnt = {digest for row in entries if isinstance(row, dict) for digest in dict(row.get("sha256", {})).values()}
    seen = [image.info.slide_id for image in images if learnt & set(image.files().values())]
    if seen:
        raise SettingsError(
            f"the model learnt from {', '.join(seen[:5])}{' …' if len(seen) > 5 else ''}; hold it against others, "
            "its own cross-validation is in its card and report"
        )
