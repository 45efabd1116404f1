"""compute: corrections as strokes on one layer of a slide: where each is laid, and what becomes of each code there.

Unscanned pixels, those outside the region of interest and those that could not be read stay what they are: their codes
become themselves in every table.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wsi_area.compute.corrections.component import Component
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme, TissueClass
from wsi_area.model.corrections.correction import BY_HAND, Correction
from wsi_area.model.drawn import names_exclusion

_BY_HAND_RGB = (120, 94, 240)
_CODES = 256


@frozen_value(eq=False)
class Stroke:
    """One table of codes, laid over an outline, over a component, or over the whole layer."""

    correction: int  # its place in the list
    becomes: NDArray[np.uint8]  # (256,): what each code is after it
    takes: NDArray[np.bool_]  # (256,): the codes that it decides on, those that it leaves as they are among them
    wkb_l0_px: bytes | None = None
    component: Component | None = None

    @property
    def is_everywhere(self) -> bool:
        """Return True if it is laid over the whole layer."""
        return self.wkb_l0_px is None and self.component is None


def corrected_scheme(scheme: ClassScheme, listed: Sequence[Correction]) -> ClassScheme:
    """Return the classes of a layer with those that corrections bring: what is excluded by hand, where anything is."""
    if any(_excludes_by_hand(scheme, one) for one in listed) and _known_id(scheme, BY_HAND) is None:
        return ClassScheme((*scheme.classes, TissueClass(len(scheme.classes), BY_HAND, _BY_HAND_RGB, is_excluded=True)))
    return scheme


def class_strokes(
    listed: Sequence[Correction], scheme: ClassScheme, filled: Mapping[int, Component], *, has_layer: bool
) -> list[Stroke]:
    """Return the strokes that corrections make on the classes.

    Parameters
    ----------
    listed
        The corrections, in their order.
    scheme
        The classes, with those that corrections bring.
    filled
        The component of each fill, by its place in the list; a fill that has none yet makes no stroke.
    has_layer
        Whether the tissue is a layer of its own: then tissue and not_tissue leave the classes as they are.

    Raises
    ------
    AnnotationError
        If a correction names a class that is none, or none that it can mean.
    """
    strokes: list[Stroke] = []
    for number, one in enumerate(listed):
        if one.kind in {"tissue", "not_tissue"} and has_layer:
            continue
        if one.kind == "replace":
            strokes += _replacing(number, one, scheme)
        elif one.kind == "fill":
            _class_id(scheme, number, one)
            if number in filled:
                strokes.append(replace(_stroke(number, one, scheme), wkb_l0_px=None, component=filled[number]))
        else:
            strokes.append(_stroke(number, one, scheme))
    return strokes


def tissue_strokes(listed: Sequence[Correction], scheme: ClassScheme) -> list[Stroke]:
    """Return the strokes that corrections make on a tissue layer of some classes; for errors as `class_strokes`."""
    ours, ids = (
        {"tissue", "not_tissue", "exclude"},
        {c.class_id for c in scheme.classes if c.is_tissue or c.is_excluded},
    )
    return [
        # a class of the slide's other layer says nothing here
        _stroke(number, one if _named_id(scheme, one.class_name) in ids else replace(one, class_name=""), scheme)
        for number, one in enumerate(listed)
        if one.kind in ours
    ]


def _stroke(number: int, one: Correction, scheme: ClassScheme) -> Stroke:
    every = range(len(scheme.classes))
    tissue = [c.class_id for c in scheme.classes if c.is_tissue]
    if one.kind in {"add", "fill"}:
        return _to(number, every, _class_id(scheme, number, one), one.wkb_l0_px)
    if one.kind == "erase":
        taken = [_class_id(scheme, number, one)] if one.class_name else list(every)
        return _to(number, taken, BACKGROUND_ID, one.wkb_l0_px)
    if one.kind == "exclude":
        return _to(number, every, _excluding_id(scheme, one), one.wkb_l0_px)
    if one.kind == "tissue":
        others = [i for i in every if i not in tissue]
        return _to(number, others, _tissue_id(scheme, number, one), one.wkb_l0_px)
    return _to(number, _no_tissue_ids(scheme, number, one, tissue), BACKGROUND_ID, one.wkb_l0_px)


def _no_tissue_ids(scheme: ClassScheme, number: int, one: Correction, tissue: Sequence[int]) -> Sequence[int]:
    """Return the classes that a drawing says are no tissue: the one that it names, else all that are tissue."""
    if not one.class_name or _known_id(scheme, one.class_name) == BACKGROUND_ID:
        return tissue
    class_id = _class_id(scheme, number, one)
    if class_id not in tissue:
        raise AnnotationError(f"{_told(number, one)}: {one.class_name!r} is no tissue already; leave the class out")
    return [class_id]


def _to(number: int, taken: Collection[int], class_id: int, wkb: bytes | None) -> Stroke:
    becomes, takes = np.arange(_CODES, dtype=np.uint8), np.zeros(_CODES, np.bool_)
    becomes[list(taken)] = class_id
    takes[list(taken)] = True
    return Stroke(number, becomes, takes, wkb)


def _replacing(number: int, one: Correction, scheme: ClassScheme) -> list[Stroke]:
    """Return the strokes of a drawing that takes the place of classes: those it names go, then each outline is laid."""
    unknown = sorted({name for name, _ in one.outlines if _named_id(scheme, name) is None})
    if unknown:
        raise AnnotationError(
            f"{_told(number, one)}: no class is called {', '.join(map(repr, unknown))}; give each outline one of "
            f"{_names(scheme)}, or a class that begins with Ignore or Exclude"
        )
    ids = [_named_id(scheme, name) or BACKGROUND_ID for name, _ in one.outlines]
    every = range(len(scheme.classes))
    cleared = _to(number, sorted(set(ids)), BACKGROUND_ID, None)
    return [cleared, *(_to(number, every, i, wkb) for i, (_, wkb) in zip(ids, one.outlines, strict=True))]


def _named_id(scheme: ClassScheme, name: str) -> int | None:
    """Return the class that a drawing's class means, whatever its case and the spaces around it; None where none does.

    A class that begins with Ignore or Exclude, and is none of the slide, means what is excluded by hand.
    """
    found = _known_id(scheme, name)
    return _known_id(scheme, BY_HAND) if found is None and names_exclusion(name) else found


def _known_id(scheme: ClassScheme, name: str) -> int | None:
    plain = name.strip().casefold()
    return next((c.class_id for c in scheme.classes if c.name == plain), None)


def _excludes_by_hand(scheme: ClassScheme, one: Correction) -> bool:
    if one.kind == "replace":
        return any(names_exclusion(name) and _named_id(scheme, name) is None for name, _ in one.outlines)
    return one.kind == "exclude" and not _is_excluded(scheme, one.class_name)


def _is_excluded(scheme: ClassScheme, name: str) -> bool:
    found = _named_id(scheme, name)
    return found is not None and scheme.classes[found].is_excluded


def _excluding_id(scheme: ClassScheme, one: Correction) -> int:
    name = one.class_name if _is_excluded(scheme, one.class_name) else BY_HAND
    found = _named_id(scheme, name)
    assert found is not None, "corrected_scheme has the class that excludes by hand"
    return found


def _class_id(scheme: ClassScheme, number: int, one: Correction) -> int:
    found = _known_id(scheme, one.class_name)
    if found is not None:
        return found
    raise AnnotationError(
        f"{_told(number, one)}: {repr(one.class_name) + ' is no class' if one.class_name else 'it names no class'} of "
        f"this slide; give one of {_names(scheme)}"
    )


def _tissue_id(scheme: ClassScheme, number: int, one: Correction) -> int:
    """Return the class that pixels become which a person calls tissue."""
    named = _known_id(scheme, one.class_name)
    if named is not None and scheme.classes[named].is_tissue:
        return named
    plain = [c for c in scheme.classes if c.is_tissue and not c.is_tumor and not c.is_positive]
    if len(plain) == 1:
        return plain[0].class_id
    of = ", ".join(c.name for c in scheme.classes if c.is_tissue) or "none of its classes is tissue: add a class"
    raise AnnotationError(
        f"{_told(number, one)}: {len(plain)} classes of this slide are tissue and neither tumour nor positive, so the "
        f"drawing has to say which it means; give its class ({of})"
    )


def refuse_unknown_exclusion(listed: Sequence[Correction], scheme: ClassScheme) -> None:
    """Refuse a drawing that excludes by a class which excludes nothing.

    Raises
    ------
    AnnotationError
    """
    for number, one in enumerate(listed):
        is_by_hand = not one.class_name or names_exclusion(one.class_name) or one.class_name.casefold() == BY_HAND
        if one.kind == "exclude" and not is_by_hand and not _is_excluded(scheme, one.class_name):
            known = ", ".join(c.name for c in scheme.classes if c.is_excluded) or "none"
            raise AnnotationError(
                f"{_told(number, one)}: {one.class_name!r} is no excluded class of this slide (there are: {known}); "
                f"leave the class out, then the pixels become {BY_HAND}"
            )


def _told(number: int, one: Correction) -> str:
    return f"correction {number + 1} ({one.kind})"


def _names(scheme: ClassScheme) -> str:
    return ", ".join(c.name for c in scheme.classes)
