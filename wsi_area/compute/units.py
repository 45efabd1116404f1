"""compute: numbers and length units as files and people spell them; pure functions."""

import math
import re

UM_PER_INCH = 25_400.0
UM_PER_CM = 10_000.0
UM_PER_MM = 1_000.0
UM_PER_M = 1_000_000.0
UM_PER_KM = 1_000_000_000.0

_SPELLINGS: dict[float, tuple[str, ...]] = {
    1e-4: ("å", "angstrom", "angstroms", "ångström", "ångströms"),
    1e-3: ("nm", "nanometer", "nanometers", "nanometre", "nanometres"),
    1.0: (
        *("um", "µm", "μm", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres"),
        *("\\u00b5m", "\\u03bcm"),  # ImageJ writes the sign as an escape
    ),
    UM_PER_MM: ("mm", "millimeter", "millimeters", "millimetre", "millimetres"),
    UM_PER_CM: ("cm", "centimeter", "centimeters", "centimetre", "centimetres"),
    UM_PER_M: ("m", "meter", "meters", "metre", "metres"),
    UM_PER_KM: ("km", "kilometer", "kilometers", "kilometre", "kilometres"),
    UM_PER_INCH: ("in", "inch", "inches", '"'),
}
_UM_PER_UNIT = {spelling: um for um, spellings in _SPELLINGS.items() for spelling in spellings}


def um_per_unit(spelling: str) -> float | None:
    """Return the length of a unit in µm, or None for a unit we do not know.

    >>> um_per_unit("centimeter") == um_per_unit(" CM "), um_per_unit("micrometer"), um_per_unit("furlong")
    (True, 1.0, None)
    """
    return _UM_PER_UNIT.get(spelling.strip().casefold().replace("μ", "µ")) or _UM_PER_UNIT.get(
        spelling.strip().casefold()
    )


_LENGTH = r"([^\sA-Za-zµμÅå]+(?:[eE][+-]?\d+)?)\s*([A-Za-zµμÅå]*)"  # compiled by whoever has a length to read


def length_um(text: str) -> float | None:
    """Return a length in µm, of which the text may name the unit; None where it is no length.

    >>> length_um("0.25"), length_um("10m"), length_um("1.5e-3 mm"), length_um("250 nm"), length_um("2 furlongs")
    (0.25, 10000000.0, 1.5, 0.25, None)
    """
    found = re.fullmatch(_LENGTH, text.strip())
    if found is None:
        return None
    number, um = positive_number(found[1]), um_per_unit(found[2] or "µm")
    return None if number is None or um is None else positive_number(number * um)


_TWO_WHOLE = r"\s*[+-]?\d+\s*,\s*\d+(?:[eE][+-]?\d+)?\s*[A-Za-zµμÅå]*\s*"


def two_readings(text: str) -> str:
    """Return both readings of two numbers of which neither has a decimal point, "" where there is but one reading.

    What stands before the comma and behind it may be one number, as half of Europe writes it, or two.

    >>> two_readings("8,5")
    'is that 8.5, or 8 and 5? write 8.5 for one number, 8.0,5.0 for two'
    >>> two_readings("8.0,5.0"), two_readings("10m,20m"), two_readings("8.5")
    ('', '', '')
    """
    if not re.fullmatch(_TWO_WHOLE, text):
        return ""
    one, other = (part.strip() for part in text.split(","))
    whole = other.rstrip("".join(set(other) - set("0123456789")))
    unit = other[len(whole) :]
    return (
        f"is that {one}.{other}, or {one}{unit} and {other}? write {one}.{other} for one number, "
        f"{one}.0{unit},{whole}.0{unit} for two"
    )


def positive_number(text: str | float | None) -> float | None:
    """Return a finite number above 0, or None; a decimal comma is understood.

    >>> positive_number("0,25"), positive_number("abc"), positive_number("0"), positive_number("nan")
    (0.25, None, None, None)
    """
    if text is None:
        return None
    if isinstance(text, str):
        text = text.strip()
        if text.count(",") == 1 and "." not in text:
            text = text.replace(",", ".")
        # float() also reads "1_000" and digits of other scripts, which no scanner means
        if "_" in text or not text.isascii():
            return None
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None
