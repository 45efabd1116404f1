"""inputs: the files beside a slide that its result depends on, and what each of them holds."""

import hashlib
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from wsi_area import annotations
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.json_tree import json_digest
from wsi_area.segmenters.protocol import StatesFiles
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.named_paths import named_paths
from wsi_area.settings.run_settings import RunSettings
from wsi_area.settings.segmenter_settings import NO_TISSUE


def named_files_digest(slide: SlideInput, settings: RunSettings) -> str | None:
    """Return one digest of everything that was named beside a slide: drawings, models, any file among the settings.

    None where that cannot be said: a segmenter does not state which files it reads.

    Parameters
    ----------
    slide : SlideInput
    settings : RunSettings
        Those that the slide is measured with.

    Raises
    ------
    AnnotationError, OSError
        A file that was named is not there, or cannot be read.
    """
    held: dict[str, str] = {}
    for name, own in ((settings.segmenter.name, settings.segmenter.own), (settings.tissue.name, settings.tissue.own)):
        if name == NO_TISSUE:
            continue
        files = _files_of_segmenter(name, json.dumps(own, sort_keys=True, default=str))
        if files is None:
            return None
        held |= {str(file): digest_of_place(file) for file in files}
    drawing = settings.tissue.drawing
    tissue = None if drawing is None else DrawnSource(os.path.abspath(drawing))
    drawn: Mapping[str, DrawnSource | None] = {
        "annotations": slide.annotations, "roi": slide.roi, "regions": slide.regions, "tissue": tissue,
    }  # fmt: skip
    for what, source in drawn.items():
        if source is not None:
            found = annotations.find_for(slide.path, slide.slide_id, source.path)
            held[f"{what}: {found}"] = "none" if found is None else digest_of_place(found)
    others = (path for key, path in named_paths(settings).items() if key != "tissue.drawing")
    held |= {str(path): digest_of_place(path) for path in others}
    return json_digest(held)


def digest_of_place(place: Path) -> str:
    """Return the digest of a file's bytes; of a folder, of the names, sizes and times of all in it.

    Of the times also the one that nobody can set back.

    Raises
    ------
    OSError
    """
    if place.is_dir():
        inner = ((path, path.stat()) for path in sorted(place.rglob("*")) if path.is_file())
        return json_digest([[str(path), told.st_size, told.st_mtime_ns, told.st_ctime_ns] for path, told in inner])
    told = place.stat()
    return _bytes_digest(str(place.resolve()), told.st_size, told.st_mtime_ns, told.st_ctime_ns)


@lru_cache(maxsize=64)  # one model serves all slides of a run
def _bytes_digest(path: str, _size_bytes: int, _mtime_ns: int, _ctime_ns: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=16)
def _files_of_segmenter(name: str, own: str) -> tuple[Path, ...] | None:
    """Return the files that a segmenter reads, by its name and its own settings as JSON; None where it does not say."""
    segmenter = make_segmenter(name, json.loads(own))
    return segmenter.files_read if isinstance(segmenter, StatesFiles) else None
