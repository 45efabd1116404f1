"""run: which tissue the shares of a slide are shares of, and whether it is measured as a layer of its own; pure."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from wsi_area.compute.calibration.level_ratios import usable_levels
from wsi_area.compute.cut.planning import choose_level
from wsi_area.compute.quantity_text import pair_text
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.drawings import drawn_classes
from wsi_area.inputs.drawn_source import DrawnSource
from wsi_area.model.finding import QaFinding
from wsi_area.model.record.slide_tissue import TissueLayerOnRecord, TissueSource
from wsi_area.model.slide_result import EndedSlide, UncountedSlide
from wsi_area.run.context import Context
from wsi_area.run.events import BatchDone, Event, Listener, SlidePreparing, SlideStarted
from wsi_area.run.prepare import PreparedSlide, PrepareFailure
from wsi_area.segmenters.protocol import FindsTissue, UsesDrawn
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.margin_settings import BandSettings, HotspotSettings
from wsi_area.settings.run_settings import RunSettings, TilingSettings
from wsi_area.settings.segmenter_settings import NO_TISSUE, SegmenterSettings, TissueSettings


@frozen_value
class LayerAsked:
    """The tissue layer of a slide, to be measured as if it were a slide: with settings of its own."""

    slide: SlideInput
    context: Context


def layer_asked(slide: SlideInput, prepared: PreparedSlide, context: Context) -> LayerAsked | None:
    """Return the layer by which the tissue of a slide is measured beside its classes; None where it is not.

    It is not where nobody asks for it, where tissue was drawn, where no pixel size is known, on plain images, and
    where it would be the class map once more.
    """
    settings = layer_settings(prepared, context.settings)
    if settings is None:
        return None
    told = replace(context, settings=settings, listener=_as_phases(context.listener))
    return LayerAsked(layer_input(slide, context.settings.tissue), told)


def layer_settings(prepared: PreparedSlide, settings: RunSettings) -> RunSettings | None:
    """Return the settings by which the tissue layer of a slide is measured; None where there is none."""
    tissue = settings.tissue
    if _why_no_layer(prepared, settings) is not None:
        return None
    own = SegmenterSettings.model_validate({"name": tissue.name, **tissue.own})
    return settings.model_copy(
        update={
            "segmenter": own,
            "tissue": TissueSettings(),
            "tiling": TilingSettings(work_mpp=tissue.work_mpp, skip_glass=settings.tiling.skip_glass),
            "bands": BandSettings(),  # round the classes, not round the tissue itself
            "hotspots": HotspotSettings(),
            "objects": settings.objects.model_copy(update={"foci": False, "min_focus_um2": 0.0}),
        }
    )


def layer_input(slide: SlideInput, tissue: TissueSettings) -> SlideInput:
    """Return a slide as its tissue layer takes it: with the drawing of the tissue, without settings of its own."""
    return replace(slide, annotations=_drawing(slide, tissue), own=None)


def reason_of_layer(reason: str) -> str:
    """Return the reason why a layer came to nothing, with the keys of its remedies as a file has them: in [tissue].

    >>> reason_of_layer('set segmenter.unmatched, or add it in [[segmenter.classes]]')
    'its tissue layer: set tissue.unmatched, or add it in [[tissue.classes]]'
    """
    return f"its tissue layer: {re.sub(r'(?<![^ [(])segmenter[.](?=[a-z_])', 'tissue.', reason)}"


def without_tissue(slide_id: str, ended: EndedSlide) -> PrepareFailure:
    """Return the words on a slide whose tissue layer came to nothing."""
    error = ended.error if isinstance(ended, UncountedSlide) else "ResultError"
    remedy = "mend that, or set tissue.name = none to measure without its tissue"
    return PrepareFailure(slide_id, error, f"{reason_of_layer(ended.reason)}; {remedy}")


def findings_of_layer(found: Iterable[QaFinding], own: Iterable[QaFinding]) -> Iterator[QaFinding]:
    """Yield what was noticed on the tissue layer of a slide, and not on its classes."""
    from wsi_area.compute.judge.bearing import LAYER

    named = {finding.code for finding in own}
    for finding in found:
        if finding.code not in named:
            yield replace(finding, message=f"{LAYER}{finding.message}")


def _as_phases(listener: Listener) -> Listener:
    """Return who tells the tiles of a layer as a phase of its slide, whose own tiles are counted by then."""
    tiles = done = 0

    def tell(event: Event) -> None:
        nonlocal tiles, done
        if isinstance(event, SlidePreparing):
            listener(replace(event, phase=f"its tissue: {event.phase}"))
        elif isinstance(event, SlideStarted | BatchDone):
            if isinstance(event, SlideStarted):
                tiles, done = event.tiles, event.tiles_done
            else:
                done += event.tiles
            listener(SlidePreparing(event.slide_id, f"its tissue: {done} of {tiles} tiles"))

    return tell


def _drawing(slide: SlideInput, tissue: TissueSettings) -> DrawnSource | None:
    """Return the drawing of the tissue, for a segmenter that takes it from there."""
    if not isinstance(make_segmenter(tissue.name, tissue.own), UsesDrawn):
        return None
    return slide.annotations if tissue.drawing is None else DrawnSource(os.path.abspath(tissue.drawing))


def tissue_source(
    prepared: PreparedSlide, settings: RunSettings, layer: TissueLayerOnRecord | None
) -> tuple[TissueSource | None, str]:
    """Return the source of a slide's tissue, and why; None where nobody measured it."""
    scheme, name, tissue = prepared.fitted.scheme, settings.segmenter.name, settings.tissue
    if layer is not None:
        return "layer", f"{layer.segmenter} at {pair_text(layer.work_mpp_x_um, layer.work_mpp_y_um)} µm per pixel"
    why = _why_no_layer(prepared, settings)
    if drawn := drawn_tissue(prepared):
        return "drawing", f"drawn as tissue: {', '.join(drawn)}"
    if not any(c.is_tissue for c in scheme.classes):
        return None, "no class is tissue"
    if prepared.drawn is None and (
        any(c.is_tissue and not c.is_tumor for c in scheme.classes) or _finds_tissue(settings.segmenter)
    ):
        return "segmenter", f"the tissue classes of {name}" if tissue.name == NO_TISSUE else f"{name}; {why}"
    what = "nothing but tumour was drawn" if prepared.drawn is not None else f"{name} finds tumour alone"
    remedy = '[tissue] name = "tissue" measures the tissue' if tissue.name == NO_TISSUE else f"no tissue layer: {why}"
    return None, f"{what}, so what share of the tissue it is nobody knows; {remedy}"


def drawn_tissue(prepared: PreparedSlide) -> tuple[str, ...]:
    """Return the names of the classes that are tissue beside the tumour, and of which something was drawn."""
    if prepared.drawn is None:
        return ()
    found = drawn_classes(prepared.fitted.facts)
    return tuple(c.name for c in prepared.fitted.scheme.classes if c.is_tissue and not c.is_tumor and c.name in found)


def _why_no_layer(prepared: PreparedSlide, settings: RunSettings) -> str | None:
    """Return the reason why the tissue is no layer of its own; None where it is one."""
    tissue, mpp, plan = settings.tissue, prepared.calibration.mpp, prepared.plan
    if tissue.name == NO_TISSUE:
        return "none is asked for"
    if settings.calibration.profile == "plain":
        return "calibration.profile is plain"
    if mpp is None:
        return "no pixel size is known"
    if drawn_tissue(prepared):
        return "tissue was drawn"
    is_same = prepared.drawn is None and tissue.name == settings.segmenter.name
    if is_same and _rule(tissue.own) == _rule(settings.segmenter.own):
        levels = usable_levels(prepared.info, settings.calibration.policy)
        if choose_level(prepared.info, mpp, levels, tissue.work_mpp) == (plan.level, plan.reduce_factor):
            return "[tissue] is the same rule at the same pixel size"
    return None


def _rule(own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a segmenter's own settings that decides what is tissue: not how its classes are called."""
    return {key: value for key, value in own.items() if key != "classes"}


def _finds_tissue(wanted: SegmenterSettings) -> bool:
    return isinstance(make_segmenter(wanted.name, wanted.own), FindsTissue)
