"""storage: the name of a place in a bucket, in the words of `pathlib.PurePath`; no server is asked."""

from dataclasses import field, replace
from typing import Self

from wsi_area.frozen_value import frozen_value
from wsi_area.storage.access import Access

SCHEME = "s3://"


@frozen_value
class ObjectKey:
    """A bucket and a key in it; two places are the same if these are, and who asks.

    >>> run = ObjectKey("lab", "runs/7")
    >>> str(run / "run.json"), (run / "slides/a").name, (run / "run.json").parent == run
    ('s3://lab/runs/7/run.json', 'a', True)
    """

    bucket: str
    key: str = ""  # without a slash at either end
    access: Access = field(default=Access(), repr=False)

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}" if self.key else f"{SCHEME}{self.bucket}"

    def __truediv__(self, name: str) -> Self:
        return replace(self, key=f"{self.key}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """Return the last part of the key; of a whole bucket its name."""
        return self.key.rpartition("/")[2] or self.bucket

    @property
    def suffix(self) -> str:
        """Return the last dot of the name and what follows; empty where there is none."""
        stem, dot, last = self.name.rpartition(".")
        return dot + last if stem and last else ""

    @property
    def stem(self) -> str:
        """Return the name without its suffix."""
        return self.name.removesuffix(self.suffix) if self.suffix else self.name

    @property
    def parent(self) -> Self:
        """Return the prefix that this one lies in."""
        return replace(self, key=self.key.rpartition("/")[0])

    def with_name(self, name: str) -> Self:
        """Return the place of that name beside this one."""
        return self.parent / name

    def with_suffix(self, suffix: str) -> Self:
        """Return the place beside this one whose name ends otherwise."""
        return self.with_name(self.stem + suffix)

    def relative_to(self, other: "ObjectKey") -> str:
        """Return the part of a key that follows that of a prefix that this lies in."""
        prefix = f"{other.key}/" if other.key else ""
        if self.bucket != other.bucket or not self.key.startswith(prefix):
            raise ValueError(f"{self} does not lie in {other}")
        return self.key.removeprefix(prefix)

    def absolute(self) -> Self:
        """Return itself: a key is always whole."""
        return self

    resolve = absolute
