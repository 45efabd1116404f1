"""results: numbers of a result as a person reads them, rounded by their uncertainty; no file is touched."""

import math
from collections.abc import Mapping
from typing import Any

from wsi_area.compute.quantity_text import area_unit, number_text, percent_text
from wsi_area.model.record.slide_areas import COVERAGE_95

NONE = "–"
_MOST_DECIMALS = 9


def grouped(value: float) -> str:
    r"""Return a number to six significant digits, thousands set apart by a space that does not break.

    >>> ascii(grouped(1_640_100))
    "'1\\u202f640\\u202f100'"
    """
    return number_text(value).replace(" ", "\u202f")


def area_text(area_mm2: float | None, u_mm2: float | None) -> str:
    """Return an area as ``value ± 95 %``, two digits of the error bar, without its unit; with it from 1 m² on.

    >>> area_text(177.967, 1.7797), area_text(0.5765, 0.005765), area_text(0.0, 0.0), area_text(None, None)
    ('178.0 ± 3.5', '0.577 ± 0.011', '0', '–')
    >>> area_text(3.1826e13, 3.1826e11)
    '31.83 ± 0.62 km²'
    """
    if area_mm2 is None:
        return NONE
    factor, unit = area_unit(area_mm2)
    if factor != 1:
        return f"{area_text(area_mm2 * factor, None if u_mm2 is None else u_mm2 * factor)} {unit}"
    half_mm2 = COVERAGE_95 * (u_mm2 or 0.0)
    if not half_mm2:
        return grouped(area_mm2)
    decimals = max(0, 1 - math.floor(math.log10(half_mm2)))
    if decimals > _MOST_DECIMALS:
        return f"{grouped(area_mm2)} ± {number_text(float(f'{half_mm2:.2g}'))}"
    return " ± ".join(f"{value:,.{decimals}f}".replace(",", "\u202f") for value in (area_mm2, half_mm2))


def mm2_text(area_mm2: float | None) -> str:
    """Return an area to four significant digits, without its unit; with it from 1 m² on.

    >>> mm2_text(676.7099), mm2_text(None), mm2_text(5.12e9)
    ('676.7', '–', '5\u202f120 m²')
    """
    if area_mm2 is None:
        return NONE
    factor, unit = area_unit(area_mm2)
    text = grouped(float(f"{area_mm2 * factor:.4g}"))
    return text if factor == 1 else f"{text} {unit}"


def signal_text(value: float | None) -> str:
    """Return a mean of a signal to four significant digits, in its own unit.

    >>> signal_text(0.312345), signal_text(None)
    ('0.3123', '–')
    """
    return NONE if value is None else grouped(float(f"{value:.4g}"))


def share_text(part: float, whole: float) -> str:
    r"""Return a part as a percentage of its whole, to three significant digits.

    >>> share_text(1, 8), share_text(1, 0)
    ('12.5\u202f%', '–')
    """
    return percent(part / whole) if whole else NONE


def percent(share: float) -> str:
    r"""Return a share as a percentage that does not break in two.

    >>> percent(0.5)
    '50\u202f%'
    """
    return percent_text(share).replace(" ", "\u202f")


def plain_facts(facts: Mapping[str, Any], most_items: int = 12) -> list[tuple[str, str]]:
    """Return the facts that are short enough to read, dotted names first; long lists are left out.

    >>> plain_facts({"a": {"b": 1.0}, "c": [0] * 256, "d": [1, 2], "e": None, "f": True})
    [('a.b', '1'), ('d', '1, 2'), ('f', 'yes')]
    """
    found: list[tuple[str, str]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{inner}", text) for inner, text in plain_facts(value, most_items)]
        elif isinstance(value, list | tuple):
            if len(value) <= most_items and not any(isinstance(item, Mapping | list) for item in value):
                found.append((name, ", ".join(_plain(item) for item in value)))
        elif value is not None:
            found.append((name, _plain(value)))
    return found


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return grouped(value) if isinstance(value, int | float) else str(value)
