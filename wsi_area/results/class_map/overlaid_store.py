"""results: the class map of a slide as zarr opens it; of an amended version with the one below it.

Loaded where zarr reads: tile by tile a class map of ours is read without it (`class_map.sparse_class_map`).
"""

from collections.abc import Iterable
from typing import Any

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import LocalStore, WrapperStore

from wsi_area.results.class_map.overlaid import require_same_base
from wsi_area.results.layout import SlideLayout
from wsi_area.storage.place import Place, zarr_store


class OverlaidStore(WrapperStore[Store]):
    """The store of an amended class map, read only: what it lacks is read from the store below."""

    def __init__(self, store: Store, below: Store) -> None:
        super().__init__(store)
        self._below = below

    def with_read_only(self, read_only: bool = False) -> "OverlaidStore":
        """Return the same store; it is never written."""
        return self

    async def _open(self) -> None:
        await self._store._ensure_open()
        await self._below._ensure_open()

    async def get(self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None) -> Buffer | None:
        """Return the bytes that lie under a key, here or below."""
        found = await self._store.get(key, prototype, byte_range)
        return await self._below.get(key, prototype, byte_range) if found is None else found

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of what lies under some keys, here or below."""
        return [await self.get(key, prototype, byte_range) for key, byte_range in key_ranges]

    async def exists(self, key: str) -> bool:
        """Return True if something lies under a key, here or below."""
        return await self._store.exists(key) or await self._below.exists(key)


def class_map_store(layout: SlideLayout) -> Any:
    """Return the store of a slide's class map as zarr takes it.

    Raises
    ------
    ResultError
        If an amended version was laid over another class map than the one that lies below it now.
    """
    below = layout.base
    if below is None:
        return zarr_store(layout.class_map)
    require_same_base(layout, below)
    return OverlaidStore(_store(layout.class_map), _store(below.class_map))


def _store(place: Place) -> Store:
    found = zarr_store(place)
    return found if isinstance(found, Store) else LocalStore(found, read_only=True)
