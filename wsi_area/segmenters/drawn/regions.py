"""segmenters: ``regions``, whose classes are what somebody drew or another tool computed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wsi_area.errors import AnnotationError, SettingsError
from wsi_area.model.classes import ClassScheme
from wsi_area.model.drawn import Drawn
from wsi_area.model.pixels import Overview
from wsi_area.segmenters.drawn.regions_fitted import FittedRegions, fit_mask, fit_outlines
from wsi_area.segmenters.drawn.sorted_regions import sort_regions
from wsi_area.segmenters.scheme import ClassSetting

ObjectType = Literal["annotation", "detection", "cell", "tile", "tmaCore", "root"]


class RegionClass(ClassSetting):
    """One class and the names that a file may give it."""

    match: tuple[str, ...] | None = Field(
        None,
        description="names in the file that belong to this class, upper and lower case are one, QuPath's trailing * is "
        "left aside; left out: the class's own name (no unit)",
    )

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names it answers to, as they are compared."""
        return tuple(key_of(name) for name in (self.match if self.match is not None else (self.name,)))


_TUMOR_NAMES = ("tumor", "tumour", "positive", "metastasis", "metastases", "_0", "_1")
_NOT_TUMOR_NAMES = ("background", "normal", "_2")
_DEFAULT_CLASSES = (
    RegionClass(id=1, name="tumor", color="#d62728", is_tissue=True, is_tumor=True, match=_TUMOR_NAMES),
    RegionClass(id=0, name="background", color="#ffffff", match=_NOT_TUMOR_NAMES),
)
"""CAMELYON's groups _0 and _1 are tumour, _2 and normal are cut out of it: listed later, background wins there."""


class RegionsSegmenter(BaseModel):
    """Settings of the segmenter that takes its classes from a drawing or a mask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[RegionClass, ...] = Field(
        _DEFAULT_CLASSES,
        description="names, colours, flags and matching names of the classes; where two overlap, the one listed later "
        "has the pixel (no unit)",
    )
    unmatched: Literal["error", "ignore", "background"] = Field(
        "error",
        description="what becomes of a region whose name matches no class: 'error' stops the slide, 'ignore' leaves it "
        "out of the class map and keeps it on record, 'background' counts it to the background, under all that "
        "matches (no unit)",
    )
    object_types: tuple[ObjectType, ...] = Field(
        ("annotation",),
        min_length=1,
        description="which of QuPath's objects may be classes: 'annotation', 'detection', 'cell', 'tile', 'tmaCore', "
        "'root'; the others are left out of the class map and kept on record (no unit)",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        self.scheme  # noqa: B018  refuses gaps and repeats now, not at the first slide
        owner: dict[str, str] = {}
        for entry in self.classes:
            for key in entry.keys:
                if owner.setdefault(key, entry.name) != entry.name:
                    raise ValueError(f"the name {key!r} matches {owner[key]!r} and {entry.name!r}; keep it in one")
        return self

    @property
    def scheme(self) -> ClassScheme:
        """Return the classes by their ids."""
        return ClassScheme(tuple(c.tissue_class() for c in sorted(self.classes, key=lambda c: c.id)))

    @property
    def drawn_classes(self) -> tuple[str, ...]:
        """Return the names of the classes that a drawing may hold."""
        return tuple(entry.name for entry in self.classes)

    @property
    def files_read(self) -> tuple[Path, ...]:
        """Return the files that the answer depends on besides the drawing: none."""
        return ()

    def fit(self, overview: Overview) -> FittedRegions:
        """Return the segmenter with the regions of this slide.

        Raises
        ------
        SettingsError
            Nothing was drawn on this slide.
        AnnotationError
            The drawing holds names that match no class, and ``unmatched`` is "error"; or what is named like a class
            is all of objects that ``object_types`` leaves out.
        """
        drawn = overview.drawn
        if drawn is None:
            raise SettingsError(
                'segmenter "regions" measures what was drawn, but this slide has no drawing; give --annotations '
                "FILE_OR_FOLDER, or choose another segmenter.name"
            )
        ids = {key: entry.id for entry in self.classes for key in entry.keys}
        self._refuse_unmatched(drawn, ids)
        if drawn.mask is not None:
            by_name = {name: ids.get(key_of(name)) for name in _names_in(drawn)}
            return fit_mask(drawn, self.scheme, by_name, under=self.unmatched == "background")
        sorted_out = sort_regions(drawn, {name: ids.get(key_of(name)) for name in _names_in(drawn)}, self.object_types)
        painted = tuple(entry.id for entry in self.classes)
        return fit_outlines(drawn, self.scheme, sorted_out, painted, under=self.unmatched == "background")

    def _refuse_unmatched(self, drawn: Drawn, ids: Mapping[str, int]) -> None:
        unmatched = sorted(name for name in _names_in(drawn) if key_of(name) not in ids)
        if unmatched and self.unmatched == "error":
            shown = ", ".join(repr(name) for name in unmatched[:8]) + (" …" if len(unmatched) > 8 else "")
            raise AnnotationError(
                f'{drawn.path}: {len(unmatched)} names match no class: {shown}; set segmenter.unmatched = "ignore" to '
                "leave them out of the class map, or add them to the match list of a class in [[segmenter.classes]]"
            )


def key_of(name: str) -> str:
    """Return a class name as names are compared.

    >>> key_of(" Ignore* "), key_of("TUMOR")
    ('ignore', 'tumor')
    """
    return name.strip().rstrip("*").rstrip().casefold()


def _names_in(drawn: Drawn) -> Iterable[str]:
    if drawn.mask is not None:
        return dict.fromkeys(name for code, name in sorted(drawn.mask.names.items()) if code != 0)
    return dict.fromkeys(region.name for region in drawn.regions)
