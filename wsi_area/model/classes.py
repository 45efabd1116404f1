"""model: the classes a pixel can belong to, and the codes a class map may hold beside them."""

import math
from typing import Literal

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value

BACKGROUND_ID = 0  # glass, or whatever lies behind the tissue; also the fill value of a class map
UNREADABLE_CODE = 253  # it could not be decoded, or its tile not be measured
OUTSIDE_ROI_CODE = 254  # a region of interest was given and this pixel is not in it
UNSCANNED_CODE = 255  # the scanner never looked here (alpha 0)
MAX_CLASS_ID = 252
Role = Literal["tumor", "necrosis", "stroma"]
"""What a class is in a tumour bed."""


@frozen_value
class TissueClass:
    """One class: its id in the class map, its name in the columns, its colour in the pictures."""

    class_id: int
    name: str  # lower-case letters, digits and underscores: it becomes part of column names
    color_rgb: tuple[int, int, int]
    is_tissue: bool = False
    is_tumor: bool = False
    is_excluded: bool = False  # pen, fold, out of focus: reported with its own mm²
    is_positive: bool = False  # stained by what the segmenter measures; whether that is tumour, only a user can say
    role: Role | None = None  # what it is in a tumour bed; a name says nothing
    weight: float | None = None  # of its area in the weighted positive area, as 1, 2, 3 for weak, moderate, strong

    @property
    def is_viable_tumor(self) -> bool:
        """Return True if it is tumour that lives: necrosis and stroma of a tumour region are none."""
        return self.is_tumor and self.role in (None, "tumor")

    def __post_init__(self) -> None:
        """Refuse an id or a name that a class map or a column could not hold."""
        if not BACKGROUND_ID <= self.class_id <= MAX_CLASS_ID:
            raise SettingsError(f"class id {self.class_id} is outside 0..{MAX_CLASS_ID}; choose one within")
        if not self.name or not all(c.isascii() and (c.islower() or c.isdigit() or c == "_") for c in self.name):
            raise SettingsError(f"class name {self.name!r} cannot be part of a column name; use a-z, 0-9 and _ only")

        if ((self.is_tumor or self.is_positive) and not self.is_tissue) or (self.is_excluded and self.is_tissue):
            raise SettingsError(
                f"class {self.name!r} is marked is_tumor or is_positive without is_tissue, or is_excluded with it; "
                "both are a part of the tissue, and what is excluded belongs to neither"
            )
        self._refuse_odd_role()

    def _refuse_odd_role(self) -> None:
        nowhere = "excluded" if self.is_excluded else "class 0" if self.class_id == BACKGROUND_ID else ""
        if self.role is not None and nowhere:
            raise SettingsError(
                f"class {self.name!r} has the role {self.role!r}, but is {nowhere}; leave the role out, or give it to "
                "a class that is measured"
            )
        if self.role == "tumor" and not self.is_tumor:
            raise SettingsError(f"class {self.name!r} has the role 'tumor' without is_tumor = true; give both")
        if self.weight is not None and not (self.is_tissue and math.isfinite(self.weight) and self.weight >= 0):
            raise SettingsError(
                f"class {self.name!r} has the weight {self.weight}; give 0 or more, and only to a class that is tissue"
            )


@frozen_value
class ClassScheme:
    """The classes of a run; ``classes[i].class_id == i``, class 0 is background."""

    classes: tuple[TissueClass, ...]

    def __post_init__(self) -> None:
        """Refuse gaps, repeats and a background that claims to be tissue."""
        if [c.class_id for c in self.classes] != list(range(len(self.classes))):
            ids = [c.class_id for c in self.classes]
            raise SettingsError(f"class ids must be 0, 1, 2 … without a gap; got {ids}")
        if len({c.name for c in self.classes}) != len(self.classes):
            raise SettingsError(f"class names repeat: {[c.name for c in self.classes]}; make them distinct")
        if not self.classes or self.classes[BACKGROUND_ID].is_tissue or self.classes[BACKGROUND_ID].is_tumor:
            raise SettingsError("class 0 is the background and can be neither tissue nor tumour")

    @property
    def names_tumor(self) -> bool:
        """Return True if any class is tumour; if none, a tumour area is unknown, not 0."""
        return any(c.is_tumor for c in self.classes)

    @property
    def headline(self) -> tuple[str, tuple[int, ...]]:
        """Return the name of what a slide is looked at for, and its classes: tumour, else positive, else tissue."""
        tumor = tuple(c.class_id for c in self.classes if c.is_tumor)
        positive = tuple(c.class_id for c in self.classes if c.is_positive)
        if tumor or positive:
            return ("tumour", tumor) if tumor else ("positive", positive)
        return "tissue", tuple(c.class_id for c in self.classes if c.is_tissue)
