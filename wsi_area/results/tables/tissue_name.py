"""results: by what name the total of the tissue classes is shown; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

TISSUE = "tissue"


def tissue_name(records: Iterable[Mapping[str, Any]]) -> str | None:
    """Return what to call the tissue of some slides' documents: None where its total says nothing of its own.

    That is so where no class is tissue, and where every class that is tissue is tumour, too: the tumour has its own
    line. Where one class alone is tissue, its name says what was measured: a model of glands has found glands, and
    not all the tissue there is.

    >>> def slides(**tissue):
    ...     kinds = {"tumor": {"is_tumor": True}}
    ...     return [{"classes": [{"name": n, "is_tissue": is_it} | kinds.get(n, {}) for n, is_it in tissue.items()]}]
    >>> tissue_name(slides(glass=False, gland=True)), tissue_name(slides(glass=False, gland=True, stroma=True))
    ('gland', 'tissue')
    >>> tissue_name(slides(glass=False, tumor=True, stroma=True))
    'tissue'
    >>> tissue_name(slides(glass=False, metal=False)), tissue_name(slides(glass=False, tumor=True))
    (None, None)
    """
    counted = [record["classes"] for record in records if "classes" in record]
    if not counted:
        return TISSUE
    tissue = [entry for classes in counted for entry in classes if entry["is_tissue"]]
    if all(entry.get("is_tumor", False) for entry in tissue):
        return None
    names = {entry["name"] for entry in tissue}
    return TISSUE if len(names) > 1 else str(names.pop())
