"""segmenters: which fitted segmenters judge a pixel by its colour alone, and which know a signal pixel by pixel."""

from wsi_area.segmenters.colour.colour_rule import ColourRule, ColourRuled
from wsi_area.segmenters.protocol import FittedSegmenter, MeasuresSignal, Signal


def colour_rule_of(fitted: FittedSegmenter) -> ColourRule | None:
    """Return the colour rule of a segmenter, its exclusions left out; None where neighbours count, or a model does."""
    if isinstance(fitted, ColourRuled):
        return fitted.colour_rule
    from wsi_area.segmenters.exclusions.excluded import ExcludedSegmenter

    inner = fitted.inner if isinstance(fitted, ExcludedSegmenter) else None
    return inner.colour_rule if isinstance(inner, ColourRuled) else None


def integrated_signal(fitted: FittedSegmenter) -> Signal | None:
    """Return the signal that is added up pixel by pixel; None where none is, whatever a segmenter declares."""
    return fitted.signal if isinstance(fitted, ColourRuled | MeasuresSignal) else None
