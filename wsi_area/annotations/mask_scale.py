"""annotations: how many level-0 pixels a mask pixel stands for, asserted against the slide."""

from wsi_area.errors import AnnotationError
from wsi_area.model.geometry import Size

_ROUNDING = 1e-9


def mask_scale(mask: Size, slide: Size, scale: float | None) -> tuple[float, float]:
    """Return level-0 px per mask px along x and y.

    Parameters
    ----------
    mask, slide
        Their sizes; level 0 of the slide.
    scale : float or None
        As stated; mask × scale must then be the slide within one mask pixel. None: the mask has the slide's size, or
        shrinks both axes alike: by a whole number, cut or padded to a whole mask pixel, or else by the ratio of sizes.

    Raises
    ------
    AnnotationError
        With both sizes, and the scale that would fit.

    >>> mask_scale(Size(1152, 700), Size(1152, 700), None)
    (1.0, 1.0)
    >>> mask_scale(Size(126, 94), Size(2001, 1501), None)
    (16.0, 16.0)
    >>> mask_scale(Size(126, 94), Size(2001, 1501), 16)
    (16.0, 16.0)
    """
    if scale is not None:
        if not _covers(mask, slide, scale):
            raise AnnotationError(
                f"a mask of {_text(mask)} px at {scale:g} level-0 px per mask px covers {mask.width_px * scale:g} × "
                f"{mask.height_px * scale:g} px, but the slide has {_text(slide)}; {_remedy(mask, slide)}"
            )
        return float(scale), float(scale)
    if mask == slide:
        return 1.0, 1.0
    x, y = slide.width_px / mask.width_px, slide.height_px / mask.height_px
    whole = round(x)
    if whole >= 2 and _covers(mask, slide, whole):
        return float(whole), float(whole)
    if _covers(mask, slide, x) and _covers(mask, slide, y):
        return x, y
    raise AnnotationError(
        f"a mask of {_text(mask)} px does not fit a slide of {_text(slide)} px: one axis asks for {x:.6g} level-0 px "
        f"per mask px, the other for {y:.6g}; give the mask of this slide"
    )


def _covers(mask: Size, slide: Size, scale: float) -> bool:
    """Return whether the mask is the slide at this scale, within one mask pixel on each axis."""
    reach = scale * (1 + _ROUNDING)
    return (
        abs(mask.width_px * scale - slide.width_px) <= reach and abs(mask.height_px * scale - slide.height_px) <= reach
    )


def _remedy(mask: Size, slide: Size) -> str:
    x, y = slide.width_px / mask.width_px, slide.height_px / mask.height_px
    if _covers(mask, slide, x) and _covers(mask, slide, y):
        return f"--annotation-scale {x:.6g} would fit"
    return f"no scale fits (one axis asks for {x:.6g}, the other for {y:.6g}), so it is the mask of another image"


def _text(size: Size) -> str:
    return f"{size.width_px} × {size.height_px}"
