"""exports: the room's one door: slides of a run, written in one format each into its folder or another."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from wsi_area.errors import ResultError, SettingsError
from wsi_area.exports.class_outlines import ClassOutlines
from wsi_area.exports.labels_zarr import OmeVersion, write_labels
from wsi_area.exports.measured_slide import MeasuredSlide, layer_of, measured_slide
from wsi_area.exports.outline_cost import OutlineCost, may_be_long, outline_cost
from wsi_area.exports.outlines_geojson import write_geojson
from wsi_area.exports.regions_geojson import write_regions
from wsi_area.frozen_value import frozen_value
from wsi_area.model.slide_result import EndedSlide
from wsi_area.results.amended import latest_amended
from wsi_area.results.corrections.amended_run import open_amended
from wsi_area.results.layout import LABELS_NAME, NAMED_REGIONS_NAME, OUTLINES_NAME, TISSUE_FOLDER, RunLayout
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.results.run_folder import refuse_run_in
from wsi_area.results.seal.sealed_run import add_to_seal
from wsi_area.storage.in_order import InOrder, for_each
from wsi_area.storage.place import Place, total_bytes
from wsi_area.storage.whole_files import discard_dead_drafts

Format = Literal["geojson", "ome-zarr", "regions"]
LONG_CORE_S = 30.0
"""From so many core-seconds on, about, it is said beforehand what an export will cost."""


@frozen_value
class ExportedSlide:
    """What became of one slide: a path, or why there is none."""

    slide_id: str
    path: Place | None
    size_bytes: int
    not_exported: str  # why; "" where there is a path
    outlines: tuple[ClassOutlines, ...] = ()  # of GeoJSON
    levels: int = 0  # of OME-Zarr


Announce = Callable[[OutlineCost], None]


@frozen_value
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
    run: Place,
    options: ExportOptions,
    slide_ids: Sequence[str] = (),
    out: Place | None = None,
    workers: int = 1,
    announce: Announce | None = None,
) -> Iterator[ExportedSlide]:
    """Yield what became of each slide of a run, or of those named, in order, as they are written.

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
    workers : int
        Threads, of which each slide has one, and what is left over is shared; no file depends on it.
    announce
        Called before outlines are made that will take long, by the thread that makes them.

    Raises
    ------
    ResultError
        The folder holds no run that has ended or no such slide, a slide was asked for by name and was not counted, or
        something cannot be read or written, or ``out`` holds a run.
    CountMismatchError
        What would be exported is not what was measured; that slide has no file then.
    """
    refuse_run_in(out)
    slides = _slides(run, options, slide_ids, out)
    written: list[Place] = []
    done = deque[ExportedSlide]()
    at_once = max(1, min(workers, len(slides)))
    in_order: InOrder[ExportedSlide] = InOrder(at_once, done.append)
    try:
        with in_order:
            for slide in slides:
                in_order.give(slide.exported, options, max(1, workers // at_once), written, announce)
                while done:
                    yield done.popleft()
        yield from done
    finally:
        if written and out is None:
            add_to_seal(RunLayout(run), f"export {options.format}", sorted(written, key=str))


def cost_of_export(
    run: Place, options: ExportOptions, slide_ids: Sequence[str] = (), workers: int = 1
) -> list[OutlineCost | ExportedSlide]:
    """Return the cost of the outlines of each slide, or why it has none; nothing is written.

    Raises
    ------
    SettingsError
        Another format is asked for, whose cost is that of reading the class map.
    ResultError
        As of ``export_run``.
    """
    if options.format != "geojson":
        raise SettingsError(
            f"--dry-run counts the corners of outlines; --format {options.format} has none, leave it out"
        )

    def cost(slide: _Slide) -> OutlineCost | ExportedSlide:
        chosen = slide.chosen(options)
        return outline_cost(chosen, simplify_px=options.simplify_px) if isinstance(chosen, MeasuredSlide) else chosen

    return for_each(_slides(run, options, slide_ids, None), cost, workers)


def _slides(run: Place, options: ExportOptions, slide_ids: Sequence[str], out: Place | None) -> "list[_Slide]":
    """Return the slides of a run that are asked for."""
    opened = open_amended(run) if options.amended else open_run(run)
    ended = opened.run_record.slides
    if ended is None or opened.run_record.state == "running":
        raise ResultError(f"{run}: this run has not ended; run the same command again to finish it, then export")
    for slide_id in slide_ids:
        if slide_id not in ended:
            raise ResultError(f"{run} has no slide {slide_id!r}; it has {', '.join(map(repr, ended))}")
    folders = {name: RunLayout(run).slide(name).root if out is None else out / name for name in ended}
    if options.tissue:
        folders = {name: folder / TISSUE_FOLDER for name, folder in folders.items()}
    return [_Slide(opened, name, folders[name], out, bool(slide_ids), ended[name]) for name in slide_ids or ended]


@frozen_value(eq=False)
class _Slide:
    """A slide to be exported, and where to."""

    run: OpenedRun
    slide_id: str
    folder: Place
    elsewhere: Place | None
    is_named: bool  # asked for by name: then it is an error that there is nothing
    ended: EndedSlide

    def chosen(self, options: ExportOptions) -> MeasuredSlide | ExportedSlide:
        """Return the slide as it is to be exported, or why there is nothing."""
        folder = self.folder
        if not self.is_named and not (self.slide_id in self.run and self.run[self.slide_id].is_counted):
            return self._not(f"{self.ended.status}, {self.ended.reason}")
        if options.amended:
            version = latest_amended(self.run.layout.slide(self.slide_id))
            why = "" if version is None or not version.is_base_gone else "what its amended version corrects is gone"
            if version is None or (why and not self.is_named):
                return self._not(why or "it has no amended version")
            folder = version.layout.root if self.elsewhere is None else folder
        if options.tissue and self.run[self.slide_id].tissue is None:
            return self._not("it has no tissue layer")
        slide = measured_slide(self.run, self.slide_id, folder)
        return layer_of(slide) if options.tissue else slide

    def exported(
        self, options: ExportOptions, threads: int, written: list[Place], announce: Announce | None
    ) -> ExportedSlide:
        """Return the outcome; what was written is added to a list at once, whatever becomes of the others."""
        slide = self.chosen(options)
        if not isinstance(slide, MeasuredSlide):
            return slide
        discard_dead_drafts(slide.exports, (OUTLINES_NAME, LABELS_NAME, NAMED_REGIONS_NAME))
        if announce is not None and options.format == "geojson":
            _say_if_long(slide, options.simplify_px, announce)
        made = self._made(slide, options, threads)
        written += [made.path] if made.path is not None else []
        return made

    def _not(self, why: str) -> ExportedSlide:
        return ExportedSlide(self.slide_id, None, 0, why)

    def _made(self, slide: MeasuredSlide, options: ExportOptions, threads: int) -> ExportedSlide:
        """Write the file or folder of a format."""
        if options.format == "geojson":
            outlines = write_geojson(slide, split=options.split, simplify_px=options.simplify_px, threads=threads)
            path = slide.exports / OUTLINES_NAME
            return ExportedSlide(self.slide_id, path, path.stat().st_size, "", outlines=outlines)
        if options.format == "regions":
            place = write_regions(slide)
            size = 0 if place is None else place.stat().st_size
            return ExportedSlide(
                self.slide_id, place, size, "it has no region with an outline" if place is None else ""
            )
        levels = write_labels(slide, options.ome_zarr_version or "0.5", threads)
        path = slide.exports / LABELS_NAME
        return ExportedSlide(self.slide_id, path, total_bytes(path), "", levels=levels)


def _say_if_long(slide: MeasuredSlide, simplify_px: float, announce: Announce) -> None:
    """Count the corners of a slide on which there may be many, and say what they will cost where that is much."""
    if may_be_long(slide, LONG_CORE_S, simplify_px=simplify_px):
        cost = outline_cost(slide, simplify_px=simplify_px)
        if cost.core_s >= LONG_CORE_S:
            announce(cost)
