"""compute: the factors by which a pixel size is wrong when somebody mixed up units; pure."""

from wsi_area.compute.quantity_text import number_text

# Ratio of two claims -> the usual reason for it. Ten: cm and mm, px/cm and px/mm; 1000: mm, µm and nm;
# 25.4 and 2.54: inch and mm or cm; 25 400: dots per inch taken for µm. Powers of two are no unit slip but a
# claim that belongs to another level or objective.
_POWERS_OF_TEN = tuple(10.0**k for k in range(1, 10))
_INCHES = (2.54, 25.4, 254.0, 2540.0, 25400.0)
_LEVELS = tuple(2.0**k for k in range(1, 8))


def slip_name(ratio: float, tolerance: float = 0.02) -> str:
    """Return the slip that a ratio between two pixel sizes looks like, "" if like none that is known.

    >>> slip_name(0.274 / 0.0274)
    'a factor of 10: unit slip?'
    >>> slip_name(1 / 25.4)
    'a factor of 25.4, inch for mm: unit slip?'
    >>> slip_name(1.37)
    ''
    """
    ratio = max(ratio, 1 / ratio)
    factor = min(_POWERS_OF_TEN + _INCHES + _LEVELS, key=lambda known: max(known / ratio, ratio / known))
    if max(factor / ratio, ratio / factor) - 1 > tolerance:
        return ""
    if factor in _LEVELS:
        return f"a factor of {number_text(factor)}: a claim for another level or objective?"
    inch = {2.54: ", inch for cm", 25.4: ", inch for mm"}.get(factor, "")
    return f"a factor of {number_text(factor)}{inch}: unit slip?"


def slip_towards(um: float, low_um: float, high_um: float) -> str:
    """Return the unit slip that would bring a pixel size into a band, "" if none would.

    >>> slip_towards(250_000, 0.11, 0.28)
    '1 000 000 times smaller it would be 0.25 µm: unit slip?'
    """
    for factor in (1e3, 10.0, 1e6, 25.4, 100.0, 2.54, 1e4, 25400.0):
        for word, true_um in (("smaller", um / factor), ("larger", um * factor)):
            if low_um <= true_um <= high_um:
                return f"{number_text(factor)} times {word} it would be {number_text(true_um)} µm: unit slip?"
    return ""
