"""annotations: which file of a folder belongs to a slide, by its name."""

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


def _same(path: Path, slide: Path) -> bool:
    return slide.exists() and path.samefile(slide)
