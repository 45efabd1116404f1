"""results: the class map of an amended version: its own shards, and below them those of what it corrects.

An amended version keeps the shards that a correction changed, and no other. A shard that it keeps takes the place of
the one below, though it may hold background alone. So a reader asks for the own shard first, then for the one below.
"""

from collections.abc import Mapping

from wsi_area.errors import ResultError
from wsi_area.results.class_map.shard import shard_pieces, write_shard
from wsi_area.results.layout import LEDGER_ARRAY, SlideLayout, read_json
from wsi_area.storage.place import Place, commit

OVER_KEY = "over_key"
"""Attribute of an amended version's ledger: the key of the ledger below, so that no other map is taken for that one."""


def require_same_base(layout: SlideLayout, below: SlideLayout) -> None:
    """Refuse an amended version whose class map was laid over another one than lies there now.

    Raises
    ------
    ResultError
    """
    told, found = ledger_attribute(layout, OVER_KEY), ledger_attribute(below, "key")
    if told != found:
        raise ResultError(
            f"{layout.root}: what this amended version was laid over is gone, since the slide was measured again "
            f"(its ledger has the key {str(found)[:12]}, not {str(told)[:12]}); its numbers stay on record, its class "
            "map cannot be shown. Amend the slide again"
        )


def ledger_attribute(layout: SlideLayout, name: str) -> str | None:
    """Return an attribute of a slide's ledger that is a text; None where it has none.

    Raises
    ------
    ResultError
        If there is no ledger that can be read.
    """
    attributes = read_json(layout.ledger / LEDGER_ARRAY / "zarr.json").get("attributes")
    found = attributes.get(name) if isinstance(attributes, dict) else None
    return found if isinstance(found, str) else None


def stored_shard(layout: SlideLayout, row: int, col: int) -> Place:
    """Return the file that a shard of a class map is read from: the own one, or that of what lies below."""
    own, below = layout.shard_place(row, col), layout.base
    return own if below is None or own.exists() else below.shard_place(row, col)


def write_stored_shard(
    layout: SlideLayout, row: int, col: int, tiles: Mapping[tuple[int, int], bytes], tiles_per_side: int
) -> None:
    """Write a shard of a class map whole; of an amended version only where it is not the one below.

    Parameters
    ----------
    layout, row, col
        The slide, and the place of the shard among the batches.
    tiles : mapping of (row, col) within the shard to bytes
        From `shard.encoded_tiles`.
    tiles_per_side : int
    """
    own, below = layout.shard_place(row, col), layout.base
    if below is None:
        write_shard(own, tiles, tiles_per_side)
        return
    pieces = shard_pieces(tiles, tiles_per_side)
    try:
        beneath = below.shard_place(row, col).read_bytes()
    except FileNotFoundError:
        beneath = None
    if beneath == b"".join(pieces) or (beneath is None and not tiles):
        own.unlink(missing_ok=True)
    else:
        commit(own, pieces, flushed=False)
