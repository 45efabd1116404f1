"""exports: the room's one door: slides of a run, written in one format each into its folder or another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from wsi_area.errors import ResultError, SettingsError
from wsi_area.exports.labels_zarr import OmeVersion, write_labels
from wsi_area.exports.measured_slide import layer_of, measured_slide
from wsi_area.exports.outlines_geojson import ClassOutlines, write_geojson
from wsi_area.exports.regions_geojson import write_regions
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.amended import latest_amended
from wsi_area.results.corrections.amended_run import open_amended
from wsi_area.results.layout import LABELS_NAME, NAMED_REGIONS_NAME, OUTLINES_NAME, TISSUE_FOLDER, RunLayout
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.results.run_folder import refuse_run_in
from wsi_area.results.seal.sealed_run import add_to_seal
from wsi_area.storage.place import Place, total_bytes
from wsi_area.storage.whole_files import discard_dead_drafts

Format = Literal["geojson", "ome-zarr", "regions"]


@dataclass(frozen=True, slots=True)
class ExportedSlide:
    """What became of one slide: a path, or why there is none."""

    slide_id: str
    path: Place | None
    size_bytes: int
    not_exported: str  # why; "" where there is a path
    outlines: tuple[ClassOutlines, ...] = ()  # of GeoJSON
    levels: int = 0  # of OME-Zarr


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How to write; what a format has no use for is refused.

    Parameters
    ----------
    split
        GeoJSON: one object for each connected region instead of one for each class.
    simplify_px
        GeoJSON: how far outlines may move, level-0 px.
    ome_zarr_version
        OME-Zarr: None is 0.5.
    amended
        The newest amended version of each slide, instead of what was measured; a slide without one is named.
    tissue
        The tissue layer of each slide, into the folder of that; a slide without one is named.
    """

    format: Format
    split: bool = False
    simplify_px: float = 0.0
    ome_zarr_version: OmeVersion | None = None
    amended: bool = False
    tissue: bool = False

    def __post_init__(self) -> None:
        """Refuse options of another format, and a distance that is none."""
        if self.format != "geojson" and (self.split or self.simplify_px):
            raise SettingsError(f"--split and --simplify-px shape outlines; --format {self.format} has none")
        if self.format != "ome-zarr" and self.ome_zarr_version is not None:
            raise SettingsError(f"--ome-zarr-version belongs to --format ome-zarr, not to {self.format}")
        if self.tissue and (self.amended or self.format == "regions"):
            other = "--amended" if self.amended else "--format regions"
            raise SettingsError(
                f"--tissue exports the tissue layer that was measured, {other} something else; give one"
            )
        if not 0 <= self.simplify_px < float("inf"):
            raise SettingsError(f"--simplify-px {self.simplify_px} is no distance; give level-0 px, 0 for none")


def export_run(
    run: Place, options: ExportOptions, slide_ids: Sequence[str] = (), out: Place | None = None
) -> Iterator[ExportedSlide]:
    """Yield what became of each slide of a run, or of those named, as they are written.

    Parameters
    ----------
    run : Place
        The folder that ``--out`` named.
    options
        The format and how to write it.
    slide_ids
        None: every slide that was counted; the others are named with their reason.
    out : Place or None
        Where a run that must not be written is exported to, a folder for each slide; None: each slide's own folder.

    Raises
    ------
    ResultError
        The folder holds no run that has ended or no such slide, a slide was asked for by name and was not counted, or
        something cannot be read or written, or ``out`` holds a run.
    CountMismatchError
        What would be exported is not what was measured; that slide has no file then.
    """
    opened = open_amended(run) if options.amended else open_run(run)
    ended = opened.run_record.slides
    if ended is None or opened.run_record.state == "running":
        raise ResultError(f"{run}: this run has not ended; run the same command again to finish it, then export")
    for slide_id in slide_ids:
        if slide_id not in ended:
            raise ResultError(f"{run} has no slide {slide_id!r}; it has {', '.join(map(repr, ended))}")
    refuse_run_in(out)
    folders = {name: RunLayout(run).slide(name).root if out is None else out / name for name in ended}
    if options.tissue:
        folders = {name: folder / TISSUE_FOLDER for name, folder in folders.items()}
    for folder in folders.values():
        discard_dead_drafts(folder, (OUTLINES_NAME, LABELS_NAME, NAMED_REGIONS_NAME))
    written: list[Place] = []
    try:
        for exported in _exported(opened, options, slide_ids, ended, folders, out):
            written += [exported.path] if exported.path is not None else []
            yield exported
    finally:
        if written and out is None:
            add_to_seal(opened.layout, f"export {options.format}", written)


def _exported(
    opened: OpenedRun,
    options: ExportOptions,
    slide_ids: Sequence[str],
    ended: Mapping[str, EndedSlide],
    folders: Mapping[str, Place],
    out: Place | None,
) -> Iterator[ExportedSlide]:
    """Yield what became of each slide, written into its folder of ``folders``, or into that of its version."""
    for slide_id in slide_ids or ended:
        if not slide_ids and not (slide_id in opened and opened[slide_id].is_counted):
            yield ExportedSlide(slide_id, None, 0, f"{ended[slide_id].status}, {ended[slide_id].reason}")
            continue
        folder = folders[slide_id]
        if options.amended:
            version = latest_amended(opened.layout.slide(slide_id))
            why = "" if version is None or not version.is_base_gone else "what its amended version corrects is gone"
            if version is None or (why and not slide_ids):
                yield ExportedSlide(slide_id, None, 0, why or "it has no amended version")
                continue
            folder = version.layout.root if out is None else folder
        if options.tissue and opened[slide_id].tissue is None:
            yield ExportedSlide(slide_id, None, 0, "it has no tissue layer")
            continue
        slide = measured_slide(opened, slide_id, folder)
        if options.tissue:
            slide = layer_of(slide)
        if options.format == "geojson":
            outlines = write_geojson(slide, split=options.split, simplify_px=options.simplify_px)
            path = slide.exports / OUTLINES_NAME
            yield ExportedSlide(slide_id, path, path.stat().st_size, "", outlines=outlines)
        elif options.format == "regions":
            place = write_regions(slide)
            size = 0 if place is None else place.stat().st_size
            yield ExportedSlide(slide_id, place, size, "it has no region with an outline" if place is None else "")
        else:
            levels = write_labels(slide, options.ome_zarr_version or "0.5")
            path = slide.exports / LABELS_NAME
            yield ExportedSlide(slide_id, path, total_bytes(path), "", levels=levels)
