"""results: the classes that settings name for bands and hot spots, refused where a slide has none of that name."""

from collections.abc import Sequence

from wsi_area.errors import SettingsError
from wsi_area.model.classes import ClassScheme

TUMOR = "tumor"
Sets = dict[str, tuple[int, ...]]


def border_sets(scheme: ClassScheme, names: Sequence[str]) -> Sets:
    """Return the class ids inside each border: of the classes named, or of all tumour classes together.

    ``tumor``, ``positive`` and ``tissue`` are all such classes together, where no single class has that name.

    Raises
    ------
    SettingsError
        If there is no such class; all there are, are named.
    """
    sets = {
        TUMOR: tuple(c.class_id for c in scheme.classes if c.is_tumor),
        "positive": tuple(c.class_id for c in scheme.classes if c.is_positive),
        "tissue": tuple(c.class_id for c in scheme.classes if c.is_tissue),
    }
    if not names and sets[TUMOR]:
        return {TUMOR: sets[TUMOR]}
    known = {name: ids for name, ids in sets.items() if ids} | {c.name: (c.class_id,) for c in scheme.classes}
    asked = tuple(names) or (TUMOR,)
    _refuse_unknown("bands.classes", asked, known, names)
    return {name: known[name] for name in asked}


def positive_names(scheme: ClassScheme, names: Sequence[str]) -> tuple[str, ...]:
    """Return the classes that count in a hot spot: those named, else the positive ones, else the tumour.

    Raises
    ------
    SettingsError
        If there is no such class; all there are, are named.
    """
    positive = tuple(c.name for c in scheme.classes if c.is_positive)
    found = tuple(names) or positive or tuple(c.name for c in scheme.classes if c.is_tumor)
    _refuse_unknown("hotspots.classes", found or ("",), {c.name: () for c in scheme.classes}, names)
    return found


def _refuse_unknown(key: str, asked: Sequence[str], known: Sets, names: Sequence[str]) -> None:
    for name in asked:
        if name not in known:
            told = f"{key} names {name!r}, which is no class" if names else f"{key} names none, and no class is tumour"
            raise SettingsError(f"{told}; the classes are {', '.join(known)}: name one or more of them")
