"""slides: why the files of some vendors are read through OpenSlide alone."""

from collections.abc import Mapping

from wsi_area.model.slide import DIRECT_VENDORS

_REASONS: Mapping[str, str] = {
    "leica": "whose scans lie where they were scanned on the glass, and OpenSlide puts them together",
    "mirax": "whose photographs overlap at places of their own, and OpenSlide lays them over each other",
}


def other_layout(vendor: str) -> str:
    """Return the reason why a vendor's stored tiles are not what OpenSlide shows, "" where they are.

    >>> other_layout("aperio")
    ''
    >>> other_layout("sakura")
    'OpenSlide knows it as sakura, whose layout is not plain tiles'
    """
    if vendor in DIRECT_VENDORS:
        return ""
    return f"OpenSlide knows it as {vendor}, {_REASONS.get(vendor, 'whose layout is not plain tiles')}"
