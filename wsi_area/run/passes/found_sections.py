"""run: the pieces of tissue and the cores of an array, found where a slide's class map is final, as named regions."""

import logging
from dataclasses import replace

from wsi_area.compute.sections.cores import CoreGrid, CoreLimits
from wsi_area.inputs.tma_map import GRID_COLUMNS, wanted_cores
from wsi_area.model.calibration import Mpp
from wsi_area.model.drawn import NamedRegions
from wsi_area.model.finding import QaFinding
from wsi_area.results.csv_text import csv_bytes
from wsi_area.results.layout import TMA_GRID_NAME, SlideLayout, write_bytes
from wsi_area.run.executors.contract import Executor
from wsi_area.run.passes.outcomes import only_outcome
from wsi_area.run.passes.tissue_envelope import MappedTissue
from wsi_area.run.work.sections_task import ArrayRule, PieceRule, SectionsTask, find_sections
from wsi_area.settings.run_settings import RunSettings
from wsi_area.settings.section_settings import SectionSettings, TmaSettings

_LOG = logging.getLogger(__name__)


def with_found(
    named: NamedRegions,
    layout: SlideLayout,
    tissue_layout: SlideLayout,
    tissue: MappedTissue | None,
    mpp: Mpp | None,
    settings: RunSettings,
    executor: Executor,
) -> NamedRegions | None:
    """Return the named regions of a slide with its pieces of tissue and its cores; None if stopped before the end.

    Parameters
    ----------
    named, layout
        What was drawn on the slide, and where its result lies.
    tissue_layout, tissue
        The class map that has its tissue: that of the tissue layer, where there is one; None without a pixel size.
    mpp, settings, executor
        µm per level-0 pixel, what was asked for, who does the work.

    Raises
    ------
    IncompleteResultError
        If it came to no end.
    ResultError
        If the class map cannot be read.
    """
    place, name = layout.root / TMA_GRID_NAME, layout.slide_id
    array = _array_rule(settings.tma, name)  # before the file goes: it may be the grid that somebody corrected there
    place.unlink(missing_ok=True)
    if mpp is None or tissue is None:
        told = "pieces of tissue and cores are found by their size in µm, and there is no pixel size"
        return _with(named, QaFinding(name, "SECTIONS_NOT_ASSESSED", "warning", None, None, "", told, "give --mpp"))
    task = SectionsTask(
        tissue_layout.root.resolve(), name, tissue.grid, tissue.work_mpp, mpp, tissue.tissue_ids,
        _piece_rule(settings.sections), array,
    )  # fmt: skip
    found = only_outcome(executor, find_sections, task, task.slide_id, "its pieces")
    if found is None:
        return None
    named = named.joined(found.regions)
    if found.cores is None or array is None:
        return named
    _LOG.info("%s: %d cores, the grid turned by %s°", name, len(found.cores.cores), found.cores.turn_deg)
    write_bytes(place, _grid_csv(name, found.cores, mpp))
    if not found.cores.doubt:
        return named
    remedy = (
        f"look at {TMA_GRID_NAME} beside the slide's result, write each core's name and centre, and give the file as "
        "tma.grid; or give a map without the places that are empty"
    )
    return _with(named, QaFinding(name, "TMA_GRID_UNSURE", "warning", None, None, "", found.cores.doubt, remedy))


def _piece_rule(settings: SectionSettings) -> PieceRule | None:
    return PieceRule(settings.closing_um, settings.min_mm2, settings.box_um) if settings.find else None


def _array_rule(settings: TmaSettings, slide_id: str) -> ArrayRule | None:
    if settings.core_mm is None:
        return None
    limits = CoreLimits(1000 * settings.core_mm, settings.broken_pct, settings.missing_pct)
    return ArrayRule(limits, wanted_cores(settings, slide_id), settings.grid is not None)


def _with(named: NamedRegions, finding: QaFinding) -> NamedRegions:
    return replace(named, findings=(*named.findings, finding))


def _grid_csv(slide_id: str, grid: CoreGrid, mpp: Mpp) -> bytes:
    """Return the cores with their centres, to be corrected by hand and read again."""
    rows = [
        {
            "slide_id": slide_id, "row": core.row or None, "column": core.column or None, "name": core.name,
            "patient": core.patient, "status": core.status, "x_l0_px": round(core.x_um / mpp.x, 2),
            "y_l0_px": round(core.y_um / mpp.y, 2),
        }
        for core in grid.cores
    ]  # fmt: skip
    return csv_bytes(GRID_COLUMNS, rows)
