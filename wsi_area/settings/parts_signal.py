"""settings: whether the parts of a slide, its regions and bands, are to have a signal of their own; pure."""

from wsi_area.model.drawn import NamedRegions
from wsi_area.segmenters.pixelwise import integrated_signal
from wsi_area.segmenters.protocol import FittedSegmenter, Signal
from wsi_area.settings.run_settings import RunSettings


def parts_signal(settings: RunSettings, fitted: FittedSegmenter, named: NamedRegions) -> Signal | None:
    """Return the signal that is kept pixel by pixel, so that parts of a slide have one; None where there are none.

    Parameters
    ----------
    settings, fitted
        What is asked for, and the segmenter ready for the slide.
    named
        What was drawn on the slide and is to have a row.
    """
    finds = settings.sections.find or settings.tma.core_mm is not None
    has_parts = bool(named.regions) or bool(settings.bands.edges_um) or finds
    return integrated_signal(fitted) if has_parts else None
