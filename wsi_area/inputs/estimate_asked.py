"""inputs: what cannot be had of an estimate, refused before any slide is opened, with what to leave out."""

from collections.abc import Iterator, Sequence

from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import SlideInput
from wsi_area.inputs.slide_settings import settings_of
from wsi_area.segmenters.protocol import UsesDrawn
from wsi_area.segmenters.registry import make_segmenter
from wsi_area.settings.run_settings import RunSettings
from wsi_area.settings.segmenter_settings import NO_TISSUE
from wsi_area.settings.settings_origin import DEFAULT


def refuse_with_estimate(settings: RunSettings, slides: Sequence[SlideInput]) -> None:
    """Refuse what needs the class map of a whole slide, where areas are to be estimated from spots of it.

    Raises
    ------
    SettingsError
        Naming what is asked for, and what to leave out.
    """
    if not settings.estimate.is_asked:
        return
    seen = list[RunSettings]()
    for slide in slides:
        own = settings_of(settings, slide)
        if own not in seen:
            seen.append(own)
    asked = list(dict.fromkeys(text for own in seen or [settings] for text in _beyond(own)))
    if settings.objects.foci and settings.origins.get("objects.foci", DEFAULT) != DEFAULT:
        asked.append("tumour foci (--set objects.foci=false)")
    if any(slide.regions is not None for slide in slides):
        asked.append("areas of drawn regions (leave --regions-from out)")
    if any(slide.annotations is not None for slide in slides):
        asked.append("classes from a drawing, which are exact anyway (leave --annotations out)")
    if asked:
        raise SettingsError(
            f"an estimate looks at random spots alone, so it cannot give {'; nor '.join(asked)}; leave that out, or "
            "leave --estimate and --estimate-budget out and measure the slides whole"
        )


def _beyond(settings: RunSettings) -> Iterator[str]:
    """Yield what settings ask for that needs a whole class map, and how to leave it out."""
    if isinstance(make_segmenter(settings.segmenter.name, settings.segmenter.own), UsesDrawn):
        yield f"classes of the segmenter {settings.segmenter.name}, which takes them from a drawing"
    if settings.tissue.name != NO_TISSUE and settings.calibration.profile != "plain":
        yield f"a tissue layer (--set tissue.name={NO_TISSUE})"
    if settings.bands.edges_um:
        yield "bands round a border (--set bands.edges_um=[])"
    if settings.hotspots.windows_mm2:
        yield "hot spots (--set hotspots.areas_mm2=[], hotspots.hpf_count=0)"
    if settings.sections.find:
        yield "pieces of tissue (--set sections.find=false)"
    if settings.tma.core_mm is not None:
        yield "cores of an array (leave [tma] out)"
    objects = settings.objects
    for key in ("min_focus_um2", "min_tissue_um2", "max_hole_um2"):
        if getattr(objects, key):
            yield f"a filter by size (--set objects.{key}=0)"
