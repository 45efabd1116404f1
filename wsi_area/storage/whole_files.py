"""storage: how a file or a folder gets into a slide's folder whole or not at all, over what was there before."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from wsi_area.errors import ResultError
from wsi_area.storage.gzip_blocks import BlockWriter, packed_in_blocks
from wsi_area.storage.living import is_nobodys, made_and_held
from wsi_area.storage.place import Place, draft_of, settle


@contextmanager
def gzipped(path: Place) -> Iterator[BlockWriter]:
    """Open a gzip file for writing; it replaces what was there once all is written.

    There is no name and no time in its header: the same content makes the same bytes.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    try:
        with _held_draft(path, is_folder=False) as draft:
            with draft.open("wb") as raw:
                with packed_in_blocks(raw) as packed:
                    yield packed
                raw.flush()
                os.fsync(raw.fileno())
            settle(draft, path)
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def replaced_folder(path: Place) -> Iterator[Path]:
    """Yield a folder to fill; it replaces what was there once all is written.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    try:
        with _held_draft(path, is_folder=True) as draft:
            yield draft
            settle(draft, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Place, error: OSError) -> ResultError:
    return ResultError(
        f"{path} cannot be written ({error.strerror or error}); free some space, mend its permissions, or "
        "choose another folder with --out, and export again"
    )


@contextmanager
def _held_draft(path: Place, *, is_folder: bool) -> Iterator[Path]:
    """Lend an empty draft that is locked while this process lives, so that what a killed one left can be told."""
    if isinstance(path, Path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with draft_of(path) as draft:
        descriptor = made_and_held(draft, is_folder=is_folder)
        try:
            yield draft
        finally:
            os.close(descriptor)


def discard_dead_drafts(folder: Place, names: Sequence[str]) -> None:
    """Remove what processes that were killed left half written of some files; what a living one holds stays.

    Parameters
    ----------
    folder : Place
        A bucket has none.
    names : sequence of str
        Of the files and folders that were to be written.
    """
    if not isinstance(folder, Path):
        return
    for name in names:
        for draft in folder.glob(f".{name}.*.partial"):
            with suppress(OSError):  # gone meanwhile, or not ours to remove: it is in nobody's way
                if is_nobodys(draft):
                    shutil.rmtree(draft) if draft.is_dir() else draft.unlink()
