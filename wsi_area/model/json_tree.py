"""model: plain JSON values as a tree: its leaves by dotted name, and the one digest by which two are held equal."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of each leaf; a list is one, and so is an empty table.

    >>> dict(flat({"tiling": {"work_mpp": 2.0}, "segmenter": {"bands": [1, 2], "map": {}}}))
    {'tiling.work_mpp': 2.0, 'segmenter.bands': [1, 2], 'segmenter.map': {}}
    """
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def apart(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted name and both values of each leaf that is not the same in two trees; None where one has none.

    >>> list(apart({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "d": 3}}))
    [('a.c', 2, None), ('a.d', None, 3)]
    """
    then, now = dict(flat(first)), dict(flat(second))
    for key in sorted({*then, *now}):
        if then.get(key) != now.get(key):
            yield key, then.get(key), now.get(key)


def json_digest(facts: object) -> str:
    """Return the hex SHA-256 of plain JSON values; the order of keys is no part of it.

    >>> json_digest({"a": 1, "b": [2.0, None]}) == json_digest({"b": [2.0, None], "a": 1})
    True

    Raises
    ------
    TypeError, ValueError
        Something in it has no form in JSON: an object, which might be another one each time, or not-a-number.
    """
    return hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode()).hexdigest()


def columns_digest(columns: Mapping[str, Iterable[list[Any]]]) -> str:
    """Return the digest of a table by columns, each given in parts: that of `json_digest`, without holding all of it.

    >>> columns_digest({"b": [[1], [], [2, None]], "a": []}) == json_digest({"a": [], "b": [1, 2, None]})
    True

    Raises
    ------
    TypeError, ValueError
        As `json_digest`.
    """
    digest = hashlib.sha256(b"{")
    for number, name in enumerate(sorted(columns)):
        digest.update(f"{', ' if number else ''}{json.dumps(name)}: [".encode())
        between = ""
        for values in columns[name]:
            if values:
                digest.update((between + json.dumps(values, sort_keys=True, allow_nan=False)[1:-1]).encode())
                between = ", "
        digest.update(b"]")
    digest.update(b"}")
    return digest.hexdigest()
