"""results: the tables of a run as pandas frames, in which a column of a former name is refused with its new one."""

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from wsi_area.model.documented import Table
from wsi_area.results.tables.columns import SIGNAL, columns_of


class RunFrame(pd.DataFrame):
    """A table of a run; a pandas frame in all else."""

    @property
    def _constructor(self) -> type["RunFrame"]:
        return RunFrame

    def __getitem__(self, key: Any) -> Any:
        """Return a column, or what else pandas has under a key.

        Raises
        ------
        KeyError
            There is none; the message names the column that has taken the place of a former one.
        """
        try:
            return super().__getitem__(key)
        except KeyError as error:
            told = _renamed(key if isinstance(key, list) else [key])
            if told is None:
                raise
            raise KeyError(told) from error

    def __getattr__(self, name: str) -> Any:  # type: ignore[misc]  # final in pandas' stubs alone
        """Return a column by its name, or what else pandas has; a former name is an AttributeError that says so."""
        try:
            return super().__getattr__(name)
        except AttributeError as error:
            told = _renamed([name])
            if told is None:
                raise
            raise AttributeError(told) from error


def _renamed(names: Iterable[object]) -> str | None:
    """Return the words on columns of former names; None where none of the names is one."""
    found = [f"{name!r} is now {now!r}" for name in names if (now := _now(name)) is not None]
    if not found:
        return None
    told = "; ".join(found)
    if SIGNAL in told:
        told += ", where <signal> is od or grey; beside it stand integrated_<signal> and sum_<signal>_per_mm2"
    return f"{told}: see docs/data_dictionary.md"


def _now(name: object) -> str | None:
    """Return the name that a column has now that had another name in an earlier version; None for any other name."""
    found = (c.name for table in _TABLES for c in columns_of(table) if c.formerly and c.formerly == name)
    return next(found, None)


_TABLES: tuple[Table, ...] = ("summary", "areas")


def with_names_of_today(frame: pd.DataFrame, table: Table, signal: Callable[[], str | None]) -> RunFrame:
    """Return a table with the names that its columns have now, whichever version wrote it.

    Parameters
    ----------
    frame : DataFrame
    table : str
        Which table it is.
    signal : callable
        Says what the segmenter of the run integrates; asked where a former name of its column is there, which stays if
        it is None.
    """
    # a name that another column has taken over is a former one only where the column that had it has no name of its own
    former = {
        c.formerly: c.name for c in columns_of(table) if c.formerly in frame.columns and c.name not in frame.columns
    }
    name = signal() if any(SIGNAL in now for now in former.values()) else None
    known = {old: now.replace(SIGNAL, name or "") for old, now in former.items() if name or SIGNAL not in now}
    return RunFrame(frame.rename(columns=known) if known else frame)
