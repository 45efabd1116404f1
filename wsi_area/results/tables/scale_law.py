"""results: how a number follows the size of a pixel, which its unit says; pure."""

_POWERS = {"level-0 px": 0, "%": 0, "×": 0, "": 0, "<signal>": 0, "µm/px": 1, "µm": 1, "mm": 1, "µm²": 2, "mm²": 2}
_NONE = ("as its method", "see unit")


def scale_power(unit: str) -> int | None:
    """Return with which power of the size of a pixel a number of a unit grows; None for a unit that may be any.

    The same picture, twice as coarse, has the same counts, shares and means of a signal; lengths twice, areas four
    times, and numbers per mm² a quarter.

    Parameters
    ----------
    unit : str
        Of a column: one unit, a product ``a·b`` or a quotient ``a/b`` of two.

    Raises
    ------
    KeyError
        If the unit is none that a column may have.

    >>> scale_power("mm²"), scale_power("<signal>·mm²"), scale_power("<signal>/mm²"), scale_power("%")
    (2, 2, -2, 0)
    """
    if unit in _NONE:
        return None
    if unit in _POWERS:
        return _POWERS[unit]
    for sign, power in (("·", 1), ("/", -1)):
        first, found, second = unit.partition(sign)
        if found:
            return _POWERS[first] + power * _POWERS[second]
    raise KeyError(unit)


def scale_text(unit: str) -> str:
    """Return the law by which a number of a unit changes when the same picture has pixels of twice the size.

    >>> scale_text("mm²"), scale_text("µm"), scale_text("level-0 px"), scale_text("<signal>/mm²")
    ('× 4', '× 2', '× 1', '÷ 4')
    """
    power = scale_power(unit)
    if power is None:
        return "–"
    return f"× {2**power}" if power >= 0 else f"÷ {2**-power}"
