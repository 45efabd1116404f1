"""results: where things lie in a run directory, and how a file gets there whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsi_area.errors import NewerDocumentError, ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.plain_text import plain_values
from wsi_area.storage.place import Place, commit, mending
from wsi_area.version import __version__

LEDGER_ARRAY, CLASS_MAP_ARRAY = "counts", "0"
"""The arrays in a slide's two zarr groups."""
TISSUE_FOLDER = "tissue"
"""In a slide's folder: its tissue as a layer of its own, laid out like a slide."""
RAW_FOLDER = "raw"
"""In the folder of a slide with size filters: its class map and ledger before them."""
CORRECTIONS_NAME = "corrections.geojson"
"""In the folder of an amended version: its corrections, with who drew them and when."""
AMENDED_FOLDER = "amended"
"""In a slide's folder: its amended versions, by their numbers, each laid out like a slide."""
COARSE_FOLDER = "coarse"
"""In a slide's folder: the coarse look at all of it that an estimate begins with, laid out like a slide."""
HOTSPOTS_NAME, HEAT_MAP_NAME = "hotspots.geojson", "hotspots.png"
"""The windows of a slide with the most, and what every window of the grid holds."""
TMA_GRID_NAME = "tma_grid.csv"
"""The cores of an array with their centres, beside the slide's result: to be corrected and given as tma.grid."""
OUTLINES_NAME, LABELS_NAME = "regions.geojson.gz", "labels.ome.zarr"
NAMED_REGIONS_NAME = "named_regions.geojson.gz"
"""What `wsi-area export` writes beside a slide's result; made from its class map, so gone when that is made anew."""


MOST_DOCUMENT_BYTES, MOST_NESTED = 1 << 28, 60
"""What a document of ours may have; one that has more was changed, and reading it could cost the whole command."""


@frozen_value
class RunLayout:
    """The paths of one run directory."""

    root: Place

    @property
    def run_json(self) -> Place:
        """Return the file that says what ran, with what, and how it ended."""
        return self.root / "run.json"

    @property
    def seal_json(self) -> Place:
        """Return the file with the seal of the run, and the digest of each file that somebody reads."""
        return self.root / "seal.json"

    @property
    def review(self) -> Place:
        """Return the folder with what people decided on the run."""
        return self.root / "review"

    @property
    def slides(self) -> Place:
        """Return the folder with one folder a slide."""
        return self.root / "slides"

    @property
    def tasks(self) -> Place:
        """Return the folder in which the tasks of a job array say what they measured."""
        return self.root / "shards"

    @property
    def array_plan(self) -> Place:
        """Return the file that says which slides the tasks of a job array share, and who has which."""
        return self.tasks / "plan.json"

    def submitted_plan(self, name: str) -> Place:
        """Return the file of a plan that was written down where a job array was submitted."""
        return self.tasks / f"submitted-{name}.json"

    def task(self, index: int, count: int) -> Place:
        """Return the file in which one task says how its slides ended."""
        return self.tasks / f"{index}-of-{count}.json"

    @property
    def logs(self) -> Place:
        """Return the folder of logs, JSON lines."""
        return self.root / "logs"

    def slide(self, slide_id: str) -> "SlideLayout":
        """Return the paths of one slide.

        Raises
        ------
        ResultError
            If the id would lead out of the folder: only a run's own documents are asked for ids, and they may be a
            stranger's.
        """
        if slide_id in {"", ".", ".."} or set(slide_id) & set("/\\\0"):
            raise ResultError(
                f"{slide_id!r} cannot be the name of a slide's folder; {self.root} was changed, or is no run of ours"
            )
        return SlideLayout(self.slides / slide_id)


@frozen_value
class SlideLayout:
    """The paths of one slide inside a run directory."""

    root: Place

    @property
    def result_json(self) -> Place:
        """Return the slide's result; it exists once every tile has been accounted for."""
        return self.root / "result.json"

    @property
    def ledger(self) -> Place:
        """Return the zarr group of per-tile counts."""
        return self.root / "ledger.zarr"

    @property
    def class_map(self) -> Place:
        """Return the zarr group of the class map, an OME-Zarr image of class ids."""
        return self.root / "mask.ome.zarr"

    @property
    def signal_map(self) -> Place:
        """Return the zarr group of the signal map, an OME-Zarr image; it is there where parts have a signal too."""
        return self.root / "signal.ome.zarr"

    @property
    def seal_json(self) -> Place:
        """Return the seal of an amended version; a measured slide is under the seal of its run."""
        return self.root / "seal.json"

    @property
    def coarse(self) -> "SlideLayout":
        """Return the paths of the coarse look at a slide whose areas are estimated."""
        return SlideLayout(self.root / COARSE_FOLDER)

    @property
    def tissue(self) -> "SlideLayout":
        """Return the paths of the slide's tissue, where that is a layer of its own."""
        return SlideLayout(self.root / TISSUE_FOLDER)

    def amended(self, number: int) -> "SlideLayout":
        """Return the paths of an amended version of the slide, by its number from 1."""
        return SlideLayout(self.root / AMENDED_FOLDER / str(number))

    @property
    def base(self) -> "SlideLayout | None":
        """Return the paths of what an amended version is laid over, layer by layer; None for what was measured.

        >>> SlideLayout(Path("slides/a")).amended(2).tissue.base.root.as_posix()
        'slides/a/tissue'
        """
        folder = self.root.parent
        if folder.name == AMENDED_FOLDER and self.root.name.isdecimal():
            return SlideLayout(folder.parent)
        below = SlideLayout(folder).base if self.root.name in {RAW_FOLDER, TISSUE_FOLDER} else None
        return None if below is None else SlideLayout(below.root / self.root.name)

    @property
    def slide_id(self) -> str:
        """Return the name of the slide's folder, of an amended version too."""
        folder = self.root.parent
        is_amended = folder.name == AMENDED_FOLDER and self.root.name.isdecimal()
        return folder.parent.name if is_amended else self.root.name

    def shard_place(self, row: int, col: int) -> Place:
        """Return the file in which a batch's part of the class map lies, by its place among the batches."""
        return chunk_place(self.class_map / CLASS_MAP_ARRAY, row, col)

    def signal_place(self, row: int, col: int) -> Place:
        """Return the file in which a batch's part of the signal map lies, by its place among the batches."""
        return chunk_place(self.signal_map / CLASS_MAP_ARRAY, row, col)

    def rows_place(self, row: int, col: int) -> Place:
        """Return the file in which a batch's rows of the ledger lie, by its place among the batches."""
        return chunk_place(self.ledger / LEDGER_ARRAY, row, col, 0)


def chunk_place(array: Place, *position: int) -> Place:
    """Return the file of a chunk of a zarr array, as zarr's default keys name it.

    >>> from pathlib import Path
    >>> chunk_place(Path("a"), 3, 0).as_posix()
    'a/c/3/0'
    """
    place = array / "c"
    for number in position:
        place = place / str(number)
    return place


def write_bytes(path: Place, content: bytes) -> None:
    """Write a document: whole and flushed to the disk, or not there.

    Raises
    ------
    ResultError
        Naming the file, if it cannot be written (no permission, no space).
    """
    try:
        commit(path, (content,), flushed=True)
    except OSError as error:
        raise ResultError(
            f"{path} cannot be written ({error.strerror or error}); {mending(path)}, then run the same command "
            "again: what is committed is kept"
        ) from error


def write_json(path: Place, content: Mapping[str, Any]) -> None:
    """Write a JSON document; not-a-number is refused, since JSON has none."""
    write_bytes(path, json_bytes(content))


def json_bytes(content: Mapping[str, Any]) -> bytes:
    """Return the bytes of a JSON document, as `write_json` writes it."""
    text = json.dumps(plain_values(content), indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def read_json(path: Place) -> dict[str, Any]:
    """Return a JSON document, of this version or an earlier one.

    Raises
    ------
    NewerDocumentError
        If a later version wrote it: what it says may not be what this version would read.
    ResultError
        If it is missing or damaged.
    """
    try:
        size_bytes = path.stat().st_size if isinstance(path, Path) else 0  # a bucket would be asked twice
        if size_bytes > MOST_DOCUMENT_BYTES:
            raise ValueError(
                f"it has {size_bytes} bytes, the most that a document of ours has is {MOST_DOCUMENT_BYTES}"
            )
        content = json.loads(path.read_bytes(), parse_constant=_no_number)
        _require_flat(content)
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(
            f"{path} {_fault(error)}; if this is the folder of a run, run the same command again"
        ) from error
    if not isinstance(content, dict):
        raise ResultError(f"{path} does not hold a JSON object; it was not written by wsi_area")
    found = content.get("schema_version")
    if isinstance(found, int) and found > SCHEMA_VERSION:
        raise NewerDocumentError(
            f"{path} was written by a newer wsi_area ({content.get('wsi_area_version', 'no version is named')}): it "
            f"has schema version {found}, and this one, {__version__}, knows {SCHEMA_VERSION} and those before it; "
            "install the newer version, then give the same command again"
        )
    return content


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _require_flat(content: object) -> None:
    """Refuse what nests deeper than any document of ours: whoever walks through it would run out of stack."""
    level: list[Any] = [content]
    for _ in range(MOST_NESTED):
        level = [
            inner
            for outer in level
            if type(outer) in (dict, list)
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in (dict, list)
        ]
        if not level:
            return
    raise RecursionError


def _fault(error: OSError | ValueError | RecursionError) -> str:
    """Return the reason why a document cannot be read: Python's own words tell of numbers and codecs."""
    if isinstance(error, FileNotFoundError):
        return "is not there"
    if isinstance(error, OSError):
        return f"cannot be read ({error.strerror or error})"
    if isinstance(error, RecursionError):
        return f"was changed: it nests deeper than {MOST_NESTED} levels"
    if "bytes, the most" in str(error):
        return f"was changed: {error}"
    return "is damaged: it is no whole JSON document"
