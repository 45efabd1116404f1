"""compute: numbers as a person reads them, with grouped digits and a unit; no arithmetic."""

import math
import re

_M2_FROM_MM2, _KM2_FROM_MM2 = 1e6, 1e11
_EXPONENT = re.compile(r"e\+?(-?)0*")  # 2.5e-07 is read as 2.5e-7


def number_text(value: float) -> str:
    """Return a number to six significant digits, thousands set apart by a space.

    >>> number_text(15_000), number_text(84.66666), number_text(2.5e-07), number_text(1_640_100_000)
    ('15 000', '84.6667', '2.5e-7', '1 640 100 000')
    """
    if not math.isfinite(value) or (value != 0 and abs(value) < 1e-3) or abs(value) >= 1e15:
        return _EXPONENT.sub(r"e\1", f"{value:.6g}")
    if value == int(value) or abs(value) >= 1e6:
        return f"{round(value):,}".replace(",", " ")
    decimals = max(0, 5 - math.floor(math.log10(abs(value))))
    whole, _, fraction = f"{value:,.{decimals}f}".partition(".")
    fraction = fraction.rstrip("0")
    return whole.replace(",", " ") + (f".{fraction}" if fraction else "")


def area_unit(area_mm2: float) -> tuple[float, str]:
    """Return the factor by which an area in mm² is read, and its unit then: mm², m² or km².

    >>> area_unit(12_000.0), area_unit(3.1826e13)
    ((1.0, 'mm²'), (1e-12, 'km²'))
    """
    if not math.isfinite(area_mm2) or abs(area_mm2) < _M2_FROM_MM2:
        return 1.0, "mm²"
    return (1e-12, "km²") if abs(area_mm2) >= _KM2_FROM_MM2 else (1e-6, "m²")


def with_mm2(text: str) -> str:
    """Return an area with its unit: mm², unless the text has one of its own.

    >>> with_mm2("1.2 ± 0.1"), with_mm2("31.8 ± 0.6 km²")
    ('1.2 ± 0.1 mm²', '31.8 ± 0.6 km²')
    """
    return text if text.endswith("²") else f"{text} mm²"


def pair_text(x: float, y: float) -> str:
    """Return one number where both axes agree to six digits, else both as ``x × y``.

    >>> pair_text(0.499, 0.499), pair_text(0.25, 0.5)
    ('0.499', '0.25 × 0.5')
    """
    first, second = number_text(x), number_text(y)
    return first if first == second else f"{first} × {second}"


def percent_text(fraction: float) -> str:
    """Return a fraction as a percentage to three significant digits.

    >>> percent_text(0.02), percent_text(8.123)
    ('2 %', '812 %')
    """
    percent = 100 * fraction
    return f"{percent:.3g} %" if percent < 1000 else f"{number_text(round(percent))} %"
