"""training: the classes that a model learns, from the names in the drawings or from the settings."""

from collections.abc import Collection, Sequence

from wsi_area.errors import SettingsError
from wsi_area.model.classes import BACKGROUND_ID, ClassScheme, TissueClass
from wsi_area.segmenters.scheme import ClassSetting

_BACKGROUND_NAMES = ("background", "glass")
_TUMOR_WORDS = ("tumor", "tumour", "metastasis", "carcinoma")
_EXCLUDED_NAMES = ("pen", "fold", "blur", "bubble", "artefact", "artifact")
_COLORS = ((200, 30, 60), (70, 130, 200), (90, 170, 90), (230, 160, 50), (140, 90, 170), (90, 90, 90), (60, 180, 180))


def scheme_of(names: Collection[str], settings: Sequence[ClassSetting] | None) -> ClassScheme:
    """Return the scheme of the classes that were drawn; class 0 is the background, drawn or not.

    Without settings a class is tissue, is tumour if its name says so, and is excluded if it names a pen, a fold and
    the like; the order is that of the alphabet, tumour first.

    Raises
    ------
    SettingsError
        If the settings describe other classes than were drawn, or there are fewer than two to tell apart.

    >>> [c.name for c in scheme_of({"stroma", "tumor"}, None).classes]
    ['background', 'tumor', 'stroma']
    """
    if len(names) < 2:
        raise SettingsError(
            f"only one class was found to learn ({', '.join(sorted(names)) or 'none'}); a classifier needs two: draw a "
            "second one, or say with --rest-is NAME what the tissue is that was not drawn"
        )
    if settings is not None:
        return _from_settings(names, settings)
    background = next((name for name in _BACKGROUND_NAMES if name in names), _BACKGROUND_NAMES[0])
    others = sorted(set(names) - {background}, key=lambda name: (not _is_tumor(name), name))
    classes = [TissueClass(BACKGROUND_ID, background, (255, 255, 255))]
    for number, name in enumerate(others):
        excluded = name in _EXCLUDED_NAMES
        color = _COLORS[number % len(_COLORS)]
        classes.append(
            TissueClass(number + 1, name, color, is_tissue=not excluded, is_tumor=_is_tumor(name), is_excluded=excluded)
        )
    return ClassScheme(tuple(classes))


def _is_tumor(name: str) -> bool:
    return any(word in name.split("_") for word in _TUMOR_WORDS)


def _from_settings(names: Collection[str], settings: Sequence[ClassSetting]) -> ClassScheme:
    scheme = ClassScheme(tuple(c.tissue_class() for c in sorted(settings, key=lambda c: c.id)))
    known = {c.name for c in scheme.classes}
    strange = sorted(set(names) - known)
    if strange:
        raise SettingsError(
            f"{', '.join(strange)} was drawn, but train.classes lists {', '.join(sorted(known))}; add it, or rename it "
            "with --map NAME=CLASS"
        )
    return scheme
