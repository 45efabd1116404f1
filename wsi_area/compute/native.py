"""compute: a native function by its name; whoever calls one declares it, for whoever builds the package."""

from typing import NamedTuple

SYMBOL = "wsi_area_function"
"""How the function is called in its object file; nothing else there can be seen from outside."""


class Native(NamedTuple):
    """A native function: where it stands, what it takes, and what else is compiled into it.

    Attributes
    ----------
    module, name
        Where the function stands.
    arguments
        The types of its arguments, spelt as numba's: ``"uint8* int64"``.
    frozen
        Other modules whose constants or parts are compiled into it: a change of one makes its code stale.
    """

    module: str
    name: str
    arguments: str
    frozen: tuple[str, ...] = ()

    @property
    def file_stem(self) -> str:
        """How the names of the files begin that hold its code."""
        return f"{self.module.rpartition('.')[2]}.{self.name}"
