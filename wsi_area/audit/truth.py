"""audit: what was drawn, as the true class of each work pixel; the pixel's centre decides."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.cut.rasterise import mask_codes_at
from wsi_area.compute.regions.painted import RegionRows, Regions, painted_regions
from wsi_area.errors import AnnotationError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import MAX_CLASS_ID
from wsi_area.model.drawn import Drawn
from wsi_area.model.drawn_mask import DrawnMask
from wsi_area.model.pixels import ClassMap

Floats = NDArray[np.float64]

NO_TRUTH = 255
"""Nothing is known of this pixel: it was not drawn, and nothing was said of the rest."""

ANY = "*"
_TUMOR_GROUPS = ("positive", "_0", "_1")  # what the two formats of CAMELYON call it
_ODD = re.compile(r"[^a-z0-9_]+")
_CLASS = re.compile(r"[a-z0-9_]+")


@frozen_value
class Naming:
    """How the names and codes of a file become class names."""

    renamed: Mapping[str, str] = field(default_factory=dict)  # name in the file → class; "*" stands for any other name
    codes: Mapping[int, str] = field(default_factory=dict)  # code of a mask → class, before the file's own names
    any_nonzero: str | None = None  # the class of every code above 0, for masks that number objects
    rest: str | None = None  # the class of what was not drawn; None: it is not known

    def class_of(self, name: str) -> str:
        """Return the class of a name in the file.

        >>> Naming({"Tumor1": "tumor"}).class_of("Tumor1"), Naming({"*": "tumor"}).class_of("x")
        ('tumor', 'tumor')
        >>> Naming().class_of("Tumour  bed")
        'tumour_bed'
        """
        chosen = self.renamed.get(name, self.renamed.get(ANY))
        if chosen is None:
            chosen = "tumor" if name in _TUMOR_GROUPS else column_name(name)
        return chosen

    def code_classes(self, mask: DrawnMask) -> dict[int, str]:
        """Return the class of each code that a mask holds, apart from those of which nothing is said."""
        present = mask.codes_present
        if self.any_nonzero is not None:
            return {code: self.any_nonzero for code in present if code}
        nameless = [code for code in present if code and mask.names.get(code) == f"class_{code}"]
        untold = [code for code in nameless if code not in self.codes]
        if self.codes and untold:
            listed = ", ".join(map(str, untold[:10])) + (" …" if len(untold) > 10 else "")
            raise SettingsError(
                f"a mask holds the codes {listed} of which --class says nothing; name each, or give --any-nonzero "
                "CLASS where the codes number objects"
            )
        named = {code: self.class_of(mask.names[code]) for code in present if mask.names.get(code)}
        return {**named, **{code: self.codes[code] for code in present if code in self.codes}}

    def classes_in(self, drawn: Drawn) -> set[str]:
        """Return the classes that a file holds outlines or codes of."""
        outlined = {self.class_of(region.name) for region in drawn.regions}
        return outlined | (set() if drawn.mask is None else set(self.code_classes(drawn.mask).values()))


def column_name(name: str) -> str:
    """Return a name as it can stand in a column: lower case, a-z, 0-9 and _.

    >>> column_name("Región Dudosa 2")
    'region_dudosa_2'

    Raises
    ------
    AnnotationError
        If nothing of it is left.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    text = _ODD.sub("_", plain).strip("_")
    if not text:
        raise AnnotationError(
            f"an outline has the name {name!r}, of which no class can be made; name its class with --map '*=tumor'"
        )
    return text


def parse_naming(
    renamed: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    *,
    any_nonzero: str | None = None,
    rest: str | None = None,
) -> Naming:
    """Return the naming that ``--map name=class``, ``--class code=class`` and their kin state.

    >>> parse_naming(("Tumor1=tumor",), ("1=tumor",)).codes
    {1: 'tumor'}

    Raises
    ------
    SettingsError
        Naming the option that is not of this form.
    """
    by_name = dict(_pair(text, "--map", "NAME=CLASS") for text in renamed)
    by_code: dict[int, str] = {}
    for text in codes:
        code, name = _pair(text, "--class", "CODE=CLASS")
        if not code.isdecimal() or int(code) > MAX_CLASS_ID:
            raise SettingsError(f"--class {text}: {code!r} is no code of a mask; give 0..{MAX_CLASS_ID}=NAME")
        by_code[int(code)] = name
    return Naming(by_name, by_code, any_nonzero, rest)


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    left, equals, right = (part.strip() for part in text.rpartition("="))
    if not equals or not left or not _CLASS.fullmatch(right):
        raise SettingsError(f"{option} {text!r}: write {form}, with a class of a-z, 0-9 and _")
    return left, right


@frozen_value(eq=False)
class Truth:
    """What was drawn on a slide, made ready to be asked for the true class of any pixel."""

    rest: int  # the code of what was not drawn
    mask: DrawnMask | None
    of_mask_code: NDArray[np.uint8]  # (256,): a code of the mask → the id of its class, or NO_TRUTH
    regions: Regions

    def rows(self, x_centres_l0_px: Floats, y_centres_l0_px: Floats) -> "TruthRows":
        """Return the truth of some rows of pixels, float64 (w,) and (h,) of ascending centres, level-0 px."""
        return TruthRows(self, x_centres_l0_px, y_centres_l0_px, self.regions.rows(x_centres_l0_px, y_centres_l0_px))


@frozen_value(eq=False)
class TruthRows:
    """The truth of some rows of pixels."""

    truth: Truth
    x_centres_l0_px: Floats
    y_centres_l0_px: Floats
    regions: RegionRows

    def codes(self, left_px: int = 0, right_px: int | None = None) -> ClassMap:
        """Return uint8 (h, w) of true class ids, ``NO_TRUTH`` where nothing is known.

        Parameters
        ----------
        left_px, right_px : int
            The first of their columns that is asked for and the one behind the last; None for all.
        """
        x, y = self.x_centres_l0_px[left_px:right_px], self.y_centres_l0_px
        if self.truth.mask is None:
            codes = np.full((len(y), len(x)), self.truth.rest, np.uint8)
        else:
            codes = self.truth.of_mask_code[mask_codes_at(self.truth.mask, x, y)]
        self.regions.paint(codes, left_px)
        return codes


def truth_of(drawn: Drawn, naming: Naming, ids: Mapping[str, int]) -> Truth:
    """Return the truth that was drawn on a slide.

    Where outlines overlap, the one that comes later in the file lies on top.

    Parameters
    ----------
    drawn
        The outlines or the mask, in level-0 px.
    naming
        What their names mean.
    ids
        Class name → id; what is drawn as a class without an id is left unknown.
    """
    rest = NO_TRUTH if naming.rest is None else ids[naming.rest]
    of_mask_code = np.full(256, NO_TRUTH, np.uint8)
    of_mask_code[0] = rest
    for code, name in ({} if drawn.mask is None else naming.code_classes(drawn.mask)).items():
        of_mask_code[code] = ids.get(name, NO_TRUTH)
    regions = painted_regions(
        [region.wkb_l0_px for region in drawn.regions],
        [ids.get(naming.class_of(region.name), NO_TRUTH) for region in drawn.regions],
    )
    return Truth(rest, drawn.mask, of_mask_code, regions)
