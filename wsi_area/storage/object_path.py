"""storage: a place in a bucket, spoken to in the verbs of `pathlib.Path` that a run directory needs.

There are no folders in a bucket: one "is there" while an object lies below it. An object is put whole or not at all,
by the server; nothing is ever renamed.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from wsi_area.errors import MissingExtraError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.storage.access import Access
from wsi_area.storage.object_key import SCHEME, ObjectKey

if TYPE_CHECKING:  # an extra: loaded when a bucket is first spoken to
    from obstore.store import S3Store

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")


class ObjectStatus(NamedTuple):
    """What a server knows of an object, by the names that `os.stat` uses."""

    st_size: int
    st_mtime_ns: int  # when it was put, by the server's clock; S3 tells whole seconds
    st_atime_ns: int
    etag: str | None


@frozen_value
class ObjectPath(ObjectKey):
    """An object, or the prefix of many; it holds no connection, so it can be sent to a worker."""

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Make nothing: there are no folders; that the bucket is there is seen."""
        self._store()

    def exists(self) -> bool:
        """Return True if there is such an object, or one below it."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Return True if there is such an object."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self) -> bool:
        """Return True if an object lies below this prefix."""
        return next(self._listed(), None) is not None

    def stat(self) -> ObjectStatus:
        """Return size, time and tag of an object.

        Raises
        ------
        OSError
        """
        obstore = _obstore()

        with _os_errors():
            return _status(obstore.head(self._store(), self.key))

    def read_bytes(self) -> bytes:
        """Return the content of an object."""
        obstore = _obstore()

        with _os_errors():
            return bytes(obstore.get(self._store(), self.key).bytes())

    def first_bytes(self, count: int) -> bytes:
        """Return the beginning of an object."""
        obstore = _obstore()

        with _os_errors():
            return bytes(obstore.get_range(self._store(), self.key, start=0, length=count))

    def open(self, *, newline: str | None = None, encoding: str = "utf-8") -> io.StringIO:
        """Return a text opened for reading, all of it in memory."""
        return io.StringIO(self.read_bytes().decode(encoding), newline=newline)

    def blocks(self, block_bytes: int, etag: str | None) -> Iterator[bytes]:
        """Yield an object piece by piece, all of the version that has this tag.

        Raises
        ------
        OSError
            Also where the object is another one by now.
        """
        obstore = _obstore()

        with _os_errors():
            options: dict[str, Any] = {} if etag is None else {"if_match": etag}
            answer = obstore.get(self._store(), self.key, options=cast(Any, options))
            for block in answer.stream(min_chunk_size=block_bytes):
                yield bytes(block)

    def write_bytes(self, content: bytes, *, only_new: bool = False, over: str | None = None) -> str | None:
        """Put an object, whole or not at all, and return its tag.

        Parameters
        ----------
        content : bytes
        only_new : bool
            Refuse if there is one.
        over : str or None
            Refuse unless the one that is there has this tag.

        Raises
        ------
        OSError
            FileExistsError where it was refused.
        """
        obstore = _obstore()
        from obstore.exceptions import PreconditionError

        mode: Any = "create" if only_new else "overwrite" if over is None else {"e_tag": over}
        try:
            with _os_errors(PreconditionError):
                tag: str | None = obstore.put(self._store(), self.key, content, mode=mode)["e_tag"]
        except PreconditionError as error:
            raise FileExistsError(f"{self} is another one by now") from error
        return tag

    def upload(self, file: Any) -> None:
        """Put the content of a local file, in parts where it is large."""
        obstore = _obstore()

        with _os_errors():
            obstore.put(self._store(), self.key, file)

    def unlink(self, missing_ok: bool = False) -> None:
        """Delete an object; one that is not there is no error to a server, so neither to ``missing_ok``."""
        obstore = _obstore()

        if not missing_ok:
            self.stat()
        with _os_errors():
            obstore.delete(self._store(), self.key)

    def rmtree(self) -> None:
        """Delete every object below this prefix."""
        obstore = _obstore()

        keys = [found.key for found, _ in self._listed()]
        if keys:
            with _os_errors():
                obstore.delete(self._store(), keys)

    def iterdir(self) -> Iterator["ObjectPath"]:
        """Yield what lies in this prefix: objects, and prefixes of further ones."""
        obstore = _obstore()

        with _os_errors():
            found = obstore.list_with_delimiter(self._store(), self.key or None)
        keys = [*found["common_prefixes"], *(entry["path"] for entry in found["objects"])]
        yield from (replace(self, key=str(key).rstrip("/")) for key in keys if str(key) != self.key)

    def rglob(self, pattern: str) -> Iterator["ObjectPath"]:
        """Yield every object below this prefix whose name fits."""
        yield from (found for found, _ in self._listed() if fnmatchcase(found.name, pattern))

    def glob(self, pattern: str) -> Iterator["ObjectPath"]:
        """Yield the objects whose key below this prefix fits, part by part."""
        wanted = pattern.split("/")
        if len(wanted) == 1:
            yield from (found for found in self.iterdir() if fnmatchcase(found.name, pattern))
            return
        for folder in self.iterdir():
            if fnmatchcase(folder.name, wanted[0]):
                rest = "/".join(wanted[1:])
                if any(letter in rest for letter in "*?["):
                    yield from folder.glob(rest)
                elif (folder / rest).is_file():
                    yield folder / rest

    def sizes(self) -> Iterator[tuple["ObjectPath", int]]:
        """Yield every object below this prefix with its size."""
        yield from self._listed()

    def zarr_store(self) -> Any:
        """Return this prefix as zarr takes it."""
        self._store()  # that the bucket is there is seen
        return _bucket().zarr_bucket(self.bucket, self.key, self.access)

    def _listed(self) -> Iterator[tuple["ObjectPath", int]]:
        obstore = _obstore()

        with _os_errors():
            for batch in obstore.list(self._store(), f"{self.key}/" if self.key else None):
                yield from ((replace(self, key=str(found["path"])), int(found["size"])) for found in batch)

    def _store(self) -> "S3Store":
        store: S3Store = _bucket().bucket_store(self.bucket, self.access, self.key)
        return store


def parse_object_path(text: str, access: Access) -> ObjectPath:
    """Return the place that ``s3://bucket/prefix`` names.

    >>> parse_object_path("s3://lab/runs/7/", Access()).key
    'runs/7'

    Raises
    ------
    SettingsError
        It is not a bucket's name and a key. The text is not repeated: some people write secrets into it.
    """
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    parts = key.rstrip("/").split("/")
    if _BUCKET.fullmatch(bucket) is None:
        raise SettingsError(
            "s3://…: what follows is not the name of a bucket (3 to 63 of a-z, 0-9, dot and dash); give "
            "s3://bucket/prefix, and keys only by AWS_ACCESS_KEY_ID or a profile"
        )
    if key and any(part in {"", ".", ".."} for part in parts):
        raise SettingsError(f"{SCHEME}{bucket}/{key}: an empty part, . or .. in a key; give s3://bucket/prefix")
    return ObjectPath(bucket, "/".join(parts), access)


def _status(found: Any) -> ObjectStatus:
    put_ns = int(found["last_modified"].timestamp()) * 10**9
    return ObjectStatus(int(found["size"]), put_ns, put_ns, found["e_tag"])


def _bucket() -> Any:
    try:
        from wsi_area.storage import bucket
    except ImportError as error:
        raise MissingExtraError.of("s3://", "s3", error) from error
    return bucket


def _obstore() -> Any:
    _bucket()  # or it says what is missing
    import obstore

    return obstore


def _os_errors(*passed_on: type[Exception]) -> Any:
    return _bucket().as_os_errors(passed_on)
