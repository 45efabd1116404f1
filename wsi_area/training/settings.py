"""training: the settings of `wsi-area train`, read from the section [train] of a TOML file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from wsi_area.errors import SettingsError
from wsi_area.segmenters.scheme import ClassSetting
from wsi_area.settings.settings_tree import read_toml

SECTION = "train"
Classifier = Literal["gradient_boosting", "random_forest"]


class TrainSettings(BaseModel):
    """What is learnt from, how, and how it is held against the truth."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    work_mpp: float | None = Field(
        None, gt=0, le=1000, description="µm per pixel to work at; left out: that of the coarsest image's level 0"
    )
    scales_um: tuple[float, ...] = Field(
        (3.0, 6.0, 12.0, 25.0, 50.0), min_length=1, description="standard deviations of the Gaussians, µm"
    )
    pitch_um: float = Field(2.5, gt=0, description="edge of the cells that features belong to, µm")
    smoothing_um: float = Field(5.0, ge=0, description="standard deviation by which probabilities are smoothed, µm")
    balanced: bool = Field(True, description="take each slide's own stain strength out before any feature (yes or no)")
    stain_jitter: float = Field(
        0.12,
        ge=0,
        le=0.5,
        description="how much stain strength is varied for two of three training pixels: standard deviation of its "
        "natural logarithm (no unit); for balanced features only",
    )
    classifier: Classifier = Field("gradient_boosting", description="gradient_boosting or random_forest")
    trees: int = Field(80, ge=1, le=1000, description="how many trees; of gradient boosting, for each class")
    depth: int = Field(6, ge=1, le=12, description="splits between the root and a leaf, at most")
    leaves: int = Field(16, ge=2, le=4096, description="leaves of a tree, at most; fewer are faster")
    leaf_px: int = Field(40, ge=1, description="training pixels in a leaf, at least")
    learning_rate: float = Field(0.1, gt=0, le=1, description="of gradient boosting (no unit)")
    samples: int = Field(300_000, ge=100, le=20_000_000, description="training pixels in all, at most")
    priors: Literal["as_seen", "equal"] = Field(
        "as_seen",
        description="as_seen: classes weigh as much as their labelled pixels, so that areas come out right on slides "
        "like these; equal: each class weighs the same",
    )
    folds: int = Field(5, ge=2, description="parts of the cross-validation, each of whole slides or groups")
    seed: int = Field(0, ge=0, lt=2**32, description="of every draw")
    classes: tuple[ClassSetting, ...] | None = Field(
        None, description="names, colours and flags of the classes; left out: from the drawing's own names"
    )


def load_train_settings(path: Path | None, assignments: Sequence[tuple[str, Any]] = ()) -> TrainSettings:
    """Return the settings in the section [train] of a file, with some keys set on top; other sections are a run's.

    Raises
    ------
    SettingsError
        Naming the file and the key.

    >>> load_train_settings(None, [("folds", 3)]).folds
    3
    """
    tree: dict[str, Any] = {} if path is None else _section(path)
    tree.update(assignments)
    try:
        return TrainSettings.model_validate(tree)
    except ValidationError as error:
        where = "the settings" if path is None else str(path)
        raise SettingsError(f"{where}: {_first_fault(error)}") from error


def _section(path: Path) -> dict[str, Any]:
    section = read_toml(path).get(SECTION)
    if not isinstance(section, dict):
        raise SettingsError(f"{path} has no section [{SECTION}]; add one, or leave --config out for the defaults")
    return section


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key {SECTION}.{key}; known are {', '.join(TrainSettings.model_fields)}"
    field = TrainSettings.model_fields.get(str(fault["loc"][0])) if fault["loc"] else None
    meaning = f"; it is {field.description}" if field and field.description else ""
    return f"{SECTION}.{key} = {fault['input']!r}: {fault['msg']}{meaning}"
