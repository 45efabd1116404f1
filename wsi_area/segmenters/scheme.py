"""segmenters: class schemes as a configuration writes them."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from wsi_area.errors import SettingsError
from wsi_area.model.classes import ClassScheme, Role, TissueClass


class ClassSetting(BaseModel):
    """One entry of ``classes`` in a configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(description="class id in the class map (no unit)")
    name: str = Field(description="name in the columns: a-z, 0-9 and _ (no unit)")
    color: str = Field(pattern="^#[0-9a-fA-F]{6}$", description="colour in the pictures, #rrggbb (no unit)")
    is_tissue: bool = Field(False, description="counts as tissue (yes or no)")
    is_tumor: bool = Field(False, description="counts as tumour (yes or no)")
    is_excluded: bool = Field(False, description="reported apart: pen, fold, out of focus (yes or no)")

    role: Role | None = Field(
        None,
        description="what it is in a tumour bed, for the ratios of it: 'tumor' (as is every class with is_tumor and "
        "without a role), 'necrosis', 'stroma' (no unit)",
    )
    weight: float | None = Field(
        None, ge=0, description="weight of its area in the weighted positive area, such as 1, 2, 3 (no unit)"
    )

    def tissue_class(self) -> TissueClass:
        """Return the class that this entry describes.

        >>> ClassSetting(id=1, name="tissue", color="#ff0080").tissue_class().color_rgb
        (255, 0, 128)
        """
        red, green, blue = bytes.fromhex(self.color[1:])
        flags = {"is_tissue": self.is_tissue, "is_tumor": self.is_tumor, "is_excluded": self.is_excluded}
        return TissueClass(self.id, self.name, (red, green, blue), role=self.role, weight=self.weight, **flags)


def chosen_scheme(classes: Sequence[ClassSetting] | None, default: ClassScheme) -> ClassScheme:
    """Return the configured scheme, or the default where none is given.

    Raises
    ------
    SettingsError
        If the configured ids are not exactly the ids that the segmenter writes.

    >>> chosen_scheme(None, ClassScheme((TissueClass(0, "background", (255, 255, 255)),))).classes[0].name
    'background'
    """
    if classes is None:
        return default
    given, emitted = sorted(c.id for c in classes), [c.class_id for c in default.classes]
    if given != emitted:
        named = ", ".join(f"{c.class_id} {c.name}" for c in default.classes)
        raise SettingsError(
            f"classes lists the ids {given}, but this segmenter writes {emitted}; describe exactly these: {named}"
        )
    return ClassScheme(tuple(c.tissue_class() for c in sorted(classes, key=lambda c: c.id)))
