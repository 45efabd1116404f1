"""model: what lay where slides were looked for and is none of them, reason by reason."""

from typing import Annotated, ClassVar

from pydantic import Field

from wsi_area.model.documented import Count, Flag, Name, Part, Says

MOST_NAMED = 3


class LeftOut(Part):
    """Files or folders that are left out for one reason."""

    comes_from: ClassVar[str] = "the folders, globs and lists that were given"

    why: Annotated[Name, Says("why they are left out, and what to do if they are wanted")]
    count: Annotated[Count, Field(ge=1), Says("how many")]
    paths: Annotated[tuple[Name, ...], Says("each of them, up to a hundred")]
    is_lost: Annotated[Flag, Says("whether nobody knows what is in them, so that the run is not complete")] = False

    @property
    def line(self) -> str:
        """Return it as a line for people.

        >>> LeftOut(why="Philips iSyntax, which is not read", count=2, paths=("/a/x.isyntax", "/a/y.isyntax")).line
        'left out: 2 (x.isyntax, y.isyntax): Philips iSyntax, which is not read'
        """
        names = [path.rstrip("/").rpartition("/")[2] or path for path in self.paths[:MOST_NAMED]]
        more = self.count - len(names)
        return f"left out: {self.count} ({', '.join(names)}{f' and {more} more' if more > 0 else ''}): {self.why}"
