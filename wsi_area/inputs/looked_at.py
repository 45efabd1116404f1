"""inputs: what a search for slides comes upon, and how each of it is accounted for: taken, or named as left out."""

from pathlib import Path

from wsi_area.model.record.left_out import LeftOut
from wsi_area.slides import SLIDE_SUFFIXES
from wsi_area.slides.file_kinds import UNFINISHED, dead_link, first_of, has_slide_header, no_file, not_read
from wsi_area.slides.header.companion_files import is_dicom
from wsi_area.storage.place import Place

IMAGE_SUFFIXES = SLIDE_SUFFIXES | {".tif", ".tiff", ".png", ".jpg", ".jpeg"}
_NEVER_A_SLIDE = frozenset({
    ".csv", ".dat", ".geojson", ".gz", ".html", ".ini", ".json", ".jsonl", ".log", ".md", ".ndpa", ".npy", ".parquet",
    ".pdf", ".py", ".toml", ".tsv", ".txt", ".xlsx", ".xml", ".yaml", ".yml", ".zip",
})  # fmt: skip
"""Files beside slides that need not be opened to know what they are not."""
_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".7z", ".rar", ".tar", ".tgz"})
MOST_LISTED = 100


class Looked:
    """The account of one search: what was left out and why, and what was named and holds nothing."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, bool], list[str]] = {}
        self.nothing: list[str] = []  # why something that was named holds no slide, for when nothing else does

    def leave_out(self, path: Place, why: str, *, is_lost: bool = False) -> None:
        """Note one file or folder that is not taken."""
        self._left.setdefault((why, is_lost), []).append(str(path))

    def empty(self, why: str) -> None:
        """Note that something that was named holds no slide."""
        self.nothing.append(why)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Return the things that were left out, reason by reason, each path once."""
        once = {key: list(dict.fromkeys(paths)) for key, paths in self._left.items()}
        return tuple(
            LeftOut(why=why, count=len(paths), paths=tuple(paths[:MOST_LISTED]), is_lost=is_lost)
            for (why, is_lost), paths in once.items()
        )

    def takes(self, file: Path) -> bool:
        """Return True if a file that nobody named by itself is a slide; one that is expected and is none is noted.

        Its first bytes decide. A suffix of slides makes it expected: what is wrong with it is said where it is opened.
        """
        suffix = file.suffix.casefold()
        expected = suffix in IMAGE_SUFFIXES
        if file.name.startswith("."):
            if expected and not file.name.startswith("._"):  # what macOS adds to a file is no file of its own
                self.leave_out(file, "hidden, since its name begins with a dot: rename it, or name it by itself")
            return False
        if what := no_file(file):
            if expected:
                self.leave_out(file, f"{what}, no file")
            return False
        if expected or is_dicom(file):
            return True
        if Path(file.stem).suffix.casefold() in IMAGE_SUFFIXES and (what := _not_as_it_is(suffix)):
            self.leave_out(file, what)
            return False
        if suffix not in _NEVER_A_SLIDE and (what := not_read(file)):
            self.leave_out(file, what)
            return False
        if target := dead_link(file):
            return Path(target).suffix.casefold() in IMAGE_SUFFIXES
        if suffix in _NEVER_A_SLIDE or file.name.upper() == "DICOMDIR" or not has_slide_header(first_of(file)):
            return False
        if suffix in UNFINISHED:
            self.leave_out(file, _not_as_it_is(suffix))
            return False
        return True

    def expects(self, folder: Path) -> None:
        """Note a folder that is named like a slide and holds none; of others nothing was expected."""
        told = any(str(folder) in paths for paths in self._left.values())
        if folder.suffix.casefold() in IMAGE_SUFFIXES and not told:
            self.leave_out(folder, "a folder that is named like a slide and holds none: copy the slide again")


def _not_as_it_is(suffix: str) -> str:
    """Return the reason why a file of a slide is none as it lies there, by what its name ends with; "" for all else.

    >>> _not_as_it_is(".zst")
    'packed: unpack it, then run again'
    """
    if suffix in UNFINISHED:
        return "not finished, by its name: wait until it is copied, or rename it"
    return "packed: unpack it, then run again" if suffix in _PACKED else ""


def suffixes_text() -> str:
    """Return the suffixes that slides have, as a message names them."""
    return " ".join(sorted(IMAGE_SUFFIXES))


def is_own_output(folder: Path) -> bool:
    """Return True if a folder is what a run wrote of one slide: ``slides/ID/`` below its run.json."""
    if folder.parent.name != "slides" or not (folder.parent.parent / "run.json").is_file():
        return False
    return any((folder / name).exists() for name in ("result.json", "ledger.zarr", "mask.ome.zarr", "thumb.jpg"))
