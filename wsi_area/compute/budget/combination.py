"""compute: standard uncertainties put together, with the coverage factor of what they come to (GUM, JCGM 100:2008)."""

import math
from collections.abc import Iterable

from wsi_area.frozen_value import frozen_value

NORMAL_COVERAGE = 0.9545
"""Share that two standard uncertainties on either side of a normal value hold: k is 2 then."""

_ROUND_OFF = 1e-9


@frozen_value
class Component:
    """A standard uncertainty, and how well it is known itself."""

    u: float
    degrees_of_freedom: float | None = None  # None: no end of them


@frozen_value
class Combined:
    """What several come to."""

    u: float
    degrees_of_freedom: int | None  # effective; None: no end of them
    k: float

    @property
    def expanded(self) -> float:
        """Return the expanded uncertainty, k times the standard one."""
        return self.k * self.u


def combined(components: Iterable[Component], coverage: float = NORMAL_COVERAGE) -> Combined:
    """Return the sum of uncorrelated components: the root of the sum of their squares, and k.

    The effective degrees of freedom follow Welch and Satterthwaite (GUM G.4.1, equation G.2b), cut down to a whole
    number; k is Student's t for them.

    Parameters
    ----------
    components
        Each with its sensitivity taken in.
    coverage : float
        Share of values that the expanded uncertainty is to hold.

    >>> combined([Component(3.0), Component(4.0)])
    Combined(u=5.0, degrees_of_freedom=None, k=2.0)
    """
    known = list(components)
    u = math.hypot(*(c.u for c in known))
    # relative to u: the fourth power of a very small area is 0
    finite = [(c.u / u) ** 4 / c.degrees_of_freedom for c in known if c.degrees_of_freedom is not None and c.u]
    effective = max(1, math.floor(1 / sum(finite) + _ROUND_OFF)) if finite and u else None
    return Combined(u, effective, _factor(effective, coverage))


def _factor(degrees_of_freedom: int | None, coverage: float) -> float:
    """Return Student's t that holds a share of values on both sides; two where nothing limits a 95 % statement."""
    if degrees_of_freedom is None and coverage == NORMAL_COVERAGE:
        return 2.0
    # imported here: scipy.special takes longer to load than most commands take
    from scipy.special import ndtri, stdtrit

    upper = (1 + coverage) / 2
    return float(ndtri(upper) if degrees_of_freedom is None else stdtrit(degrees_of_freedom, upper))
