"""cli: `wsi-area export`."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import Any

import click

from wsi_area.cli.options.run_place import RunPlace, storage_options
from wsi_area.cli.output.wrapping import say, say_beside, say_document
from wsi_area.compute.quantity_text import number_text
from wsi_area.exports.class_outlines import ClassOutlines
from wsi_area.exports.export import ExportedSlide, ExportOptions, Format, cost_of_export, export_run
from wsi_area.exports.labels_zarr import OmeVersion
from wsi_area.exports.outline_cost import OutlineCost
from wsi_area.storage.place import Place
from wsi_area.storage.processes import usable_cores


@click.command("export")
@click.argument("run", type=RunPlace())
@click.option(
    "--format", "format_", required=True, type=click.Choice(["geojson", "ome-zarr", "regions"]),
    help="geojson: outlines of classes for QuPath. ome-zarr: the class map as labels for napari and others. "
    "regions: the named regions for QuPath, with their ids and areas.",
)  # fmt: skip
@click.option("--slide", "slide_ids", multiple=True, metavar="ID", help="Only this slide; can be given again.")
@click.option("--split", is_flag=True, help="GeoJSON: one object for each connected region, not for each class.")
@click.option(
    "--simplify-px", type=float, default=0.0, metavar="N",
    help="GeoJSON: drop corners that move an outline by at most N level-0 pixels; changes areas, and says by how much.",
)  # fmt: skip
@click.option(
    "--ome-zarr-version", type=click.Choice(["0.4", "0.5"]), help="0.5 unless older tools need 0.4 (zarr format 2)."
)
@click.option(
    "--out", type=RunPlace(), help="Write here instead, into a folder for each slide: for a run that is read-only."
)
@click.option("--amended", is_flag=True, help="The newest amended version of each slide, into the folder of that.")
@click.option("--tissue", is_flag=True, help="The tissue layer of each slide, into the folder of that.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Threads that share the work; default: all cores.")
@click.option(
    "--dry-run", is_flag=True, help="GeoJSON: say how large it will be and how long it will take; write nothing."
)
@storage_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    run: Place,
    format_: Format,
    slide_ids: Sequence[str],
    split: bool,
    simplify_px: float,
    ome_zarr_version: OmeVersion | None,
    out: Place | None,
    amended: bool,
    tissue: bool,
    workers: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the measured slides of RUN in the format of another tool, each below its folder in RUN/slides.

    \b
    wsi-area export out/ --format geojson
    wsi-area export out/ --format geojson --dry-run
    wsi-area export out/ --format geojson --split --slide S1
    wsi-area export out/ --format ome-zarr
    wsi-area export out/ --format regions
    wsi-area export out/ --format geojson --amended
    wsi-area export out/ --format geojson --tissue
    wsi-area export archived/ --format geojson --out outlines/

    Areas are held against the result while they are written. Exit codes: 0 written; 1 there is no finished run, no
    such slide, or nothing to export; 4 what would be written is not what was measured.
    """  # noqa: D301 (click reads the backspace)
    options = ExportOptions(format_, split, simplify_px, ome_zarr_version, amended, tissue)
    threads = workers or usable_cores()
    if dry_run:
        _tell_costs(cost_of_export(run, options, slide_ids, threads), as_json=as_json)
        return
    exported = []
    for slide in export_run(run, options, slide_ids, out, threads, lambda cost: say_beside(_cost(cost))):
        exported.append(slide)
        if not as_json:
            _tell(slide, simplified=simplify_px > 0)
    if as_json:
        document = {"format": format_, "slides": [_json(slide) for slide in exported]}
        say_document(document)


def _tell_costs(costs: Sequence[OutlineCost | ExportedSlide], *, as_json: bool) -> None:
    found = [cost for cost in costs if isinstance(cost, OutlineCost)]
    left_out = [slide for slide in costs if isinstance(slide, ExportedSlide)]
    if as_json:
        not_exported = {slide.slide_id: slide.not_exported for slide in left_out}
        say_document({"format": "geojson", "slides": [asdict(cost) for cost in found], "not_exported": not_exported})
        return
    for cost in found:
        say(_cost(cost))
    for slide in left_out:
        _tell(slide, simplified=False)
    if len(found) > 1:
        sums = (sum(values) for values in zip(*(astuple(cost)[1:] for cost in found), strict=True))
        say(_cost(OutlineCost("in all", *sums)))


def _cost(cost: OutlineCost) -> str:
    rings = number_text(float(f"{cost.rings:.2g}"))
    return (
        f"{cost.slide_id}: {number_text(cost.corners)} corners, about {rings} outline{'s' * (cost.rings != 1)}, "
        f"{_size_text(cost.text_bytes)} of GeoJSON, {_size_text(cost.packed_bytes)} packed, "
        + (f"{number_text(float(f'{cost.core_s:.2g}'))} core-seconds" if cost.core_s >= 0.1 else "no time to speak of")
    )


def _size_text(count_bytes: int) -> str:
    """Return about how many bytes, to two digits.

    >>> _size_text(2_480_000), _size_text(41_300), _size_text(12)
    ('2.5 MB', '41 kB', '1 kB')
    """
    if count_bytes < 1e6:
        return f"{number_text(max(1.0, float(f'{count_bytes / 1e3:.2g}')))} kB"
    return f"{number_text(float(f'{count_bytes / 1e6:.2g}'))} MB"


def _tell(slide: ExportedSlide, *, simplified: bool) -> None:
    if slide.path is None:
        say_beside(f"{slide.slide_id}: nothing to export, {slide.not_exported}")
        return
    say(str(slide.path))
    if simplified:
        for entry in slide.outlines:
            say(f"  {entry.name}: {_change(entry)}")


def _change(entry: ClassOutlines) -> str:
    kept = f", {entry.kept_exact} regions left exact" if entry.kept_exact else ""
    return (
        f"the outlines enclose {entry.outline_area_px:.1f} level-0 px², measured are {entry.area_px} px "
        f"({entry.change_pct:+.4f} %{kept})"
    )


def _json(slide: ExportedSlide) -> dict[str, Any]:
    return {
        "slide_id": slide.slide_id,
        "path": None if slide.path is None else str(slide.path),
        "size_bytes": slide.size_bytes,
        "not_exported": slide.not_exported or None,
        "levels": slide.levels or None,
        "classes": [{**asdict(entry), "change_pct": entry.change_pct} for entry in slide.outlines],
    }
