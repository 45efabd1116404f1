"""annotations: which file of a folder belongs to a slide, by its name."""

from collections.abc import Sequence
from pathlib import Path

from wsi_area.annotations.masks.files import is_zarr
from wsi_area.errors import AnnotationError

_OUTLINES = (".geojson", ".geojson.gz", ".geojson.zip", ".json", ".json.gz", ".json.zip", ".xml", ".ndpa")
_MASKS = (".png", ".tif", ".tiff", ".zarr", ".ome.zarr")
_ENDINGS = tuple(f"{infix}{suffix}" for infix in ("", "_mask", "_anno") for suffix in _MASKS) + _OUTLINES
_OWN_MASK = "mask.ome.zarr"  # as a run of ours leaves it in the folder of a slide


def find_for(slide_path: str | Path, slide_id: str, file_or_folder: str | Path) -> Path | None:
    """Return the file that was drawn for a slide, or None where a folder has none.

    A file, or a zarr store, is returned as it is. In a folder the name decides: the slide's own, with or without its
    suffix, or its id, and then the suffix of a format (``S1.geojson``, ``S1.xml``, ``S1.ndpi.ndpa``, ``S1_mask.png``,
    ``S1_anno.png``); upper and lower case are one. A run folder of ours holds the mask of each slide under ``slides``.

    Raises
    ------
    AnnotationError
        The path does not exist, or two files of the folder would do.
    """
    given, slide = Path(file_or_folder), Path(slide_path)
    if not given.exists():
        raise AnnotationError(f"{given} does not exist; correct the path")
    if not given.is_dir() or is_zarr(given):
        return given
    names = {name.casefold() + ending for name in (slide.name, slide.stem, slide_id) for ending in _ENDINGS}
    found = [path for path in sorted(given.iterdir()) if path.name.casefold() in names and not _same(path, slide)]
    own = [folder / slide_id / _OWN_MASK for folder in (given, given / "slides")]
    found += [path for path in own if is_zarr(path)]
    if len(found) > 1:
        listed = " and ".join(str(path.relative_to(given)) for path in found)
        raise AnnotationError(f"{given} holds {listed} for the slide {slide_id}; keep one, or name it in a manifest")
    return found[0] if found else None


def unmatched(slides: Sequence[tuple[str, str]], folder: Path) -> list[Path]:
    """Return the files of a folder that were drawn for none of some slides, each a path and an id, by their names.

    Where slides lie beside them, a picture may be a slide, and any JSON be about one: only files whose name alone says
    that they are drawings are looked at there.
    """
    if is_zarr(folder):
        return []
    names = {name.casefold() for path, slide_id in slides for name in (Path(path).name, Path(path).stem, slide_id)}
    is_shared = any(Path(path).parent == folder for path, _ in slides)
    endings = sorted(_OUTLINES if is_shared else _ENDINGS, key=len, reverse=True)
    found = []
    for path in sorted(folder.iterdir()):
        name = path.name.casefold()
        ending = next((ending for ending in endings if name.endswith(ending)), None)
        if ending is None or name.startswith(".") or (is_shared and ".json" in ending):
            continue
        if name.removesuffix(ending) not in names and name not in names:
            found.append(path)
    return found


def _same(path: Path, slide: Path) -> bool:
    return slide.exists() and path.samefile(slide)
