"""results: the light that a slide was scanned by, and the rule of its tissue envelope, as text for people; pure."""

from wsi_area.model.record.slide_areas import TissueEnvelope
from wsi_area.model.record.slide_origin import LightOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import grouped, percent

_SOURCES = {"seen": "seen on", "given": "given by segmenter.glass", "nominal": "taken, for none was seen"}


def light_text(light: LightOnRecord | None) -> str:
    """Return the glass that a slide was measured against; "" where its number does not lean on glass.

    >>> given = {"glass_rgb": (200, 190, 180), "glass_source": "given", "glass_share": None, "glass_fall": None}
    >>> light_text(LightOnRecord(**given, leans_on_glass=True, tissue_like=None))
    'glass (200, 190, 180), given by segmenter.glass'
    """
    return "" if light is None or not light.leans_on_glass else glass_text(light)


def glass_text(light: LightOnRecord) -> str:
    """Return the glass of a slide, whether or not its number leans on it."""
    red, green, blue = light.glass_rgb
    where = _SOURCES[light.glass_source]
    if light.glass_share is not None:
        where += f" {percent(light.glass_share)} of the overview"
    fall = "" if light.glass_fall is None else f"; the light falls by {percent(light.glass_fall)} over the field"
    return f"glass ({red}, {green}, {blue}), {where}{fall}"


def doubt_text(slide: CountedSlide) -> str:
    """Return the objection to the areas of a slide for its light; "" where it has no grade C."""
    light = slide.light_grade
    return f"light C ({', '.join(light.because)})" if light is not None and light.grade == "C" else ""


def is_unlit(slide: CountedSlide) -> bool:
    """Return True if nearly all of a slide was taken for tissue with no glass seen: no interval holds that error."""
    light = slide.light_grade
    return light is not None and light.grade == "C" and "GLASS_NOT_SEEN" in light.because


def envelope_text(envelope: TissueEnvelope) -> str:
    """Return the rule by which an envelope was made."""
    box = grouped(round(max(envelope.box_x_um, envelope.box_y_um), 1))
    return (
        f"closed by {grouped(envelope.closing_um)} µm, gaps filled up to {grouped(envelope.fill_um)} µm, "
        f"in boxes of {box} µm"
    )
