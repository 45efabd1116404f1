"""annotations: how many level-0 pixels a mask pixel stands for, asserted against the slide; what is in doubt is told.

From the sizes alone a mask can be read in more than one way: shrunk by a whole number and cut or padded to a whole
pixel, stretched, or padded to whole tiles by the network that made it. The readings are held against each other: where
they would move an edge by more than a mask pixel, nobody but the user knows, and the mask is refused until they say.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import gcd

from wsi_area.annotations.raw import noted
from wsi_area.errors import AnnotationError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size

_ROUNDING = 1e-9
_TILES_PX = (32, 64, 128, 224, 256, 384, 448, 500, 512, 768, 1000, 1024, 1536, 2000, 2048, 3000, 4096)
"""Edges of the tiles that networks are given, to which a mask may be padded."""
_MOST_PADDED = 2  # times the slide: more would be another image
_READINGS_SHOWN = 5
_MOST_DOUBT_PX = 1.0  # of the mask


@frozen_value
class FittedScale:
    """Level-0 px per mask px, and what is to be said of it."""

    x: float
    y: float
    findings: tuple[QaFinding, ...] = ()


@frozen_value
class _Reading:
    """One way to read the size of a mask."""

    kind: str
    x: float
    y: float

    @property
    def text(self) -> str:
        return f"{self.kind}, --annotation-scale {self.x:.8g}"


def mask_scale(mask: Size, slide: Size, scale: float | None) -> FittedScale:
    """Return level-0 px per mask px along x and y.

    Parameters
    ----------
    mask, slide
        Their sizes; level 0 of the slide.
    scale : float or None
        As stated; mask × scale must then be the slide within one mask pixel, or the slide padded to whole tiles. None:
        the mask has the slide's size, or shrinks both axes alike: by a whole number, cut or padded to a whole mask
        pixel, or else by the ratio of sizes.

    Raises
    ------
    AnnotationError
        With both sizes, and the scales that would fit.

    >>> mask_scale(Size(1152, 700), Size(1152, 700), None)
    FittedScale(x=1.0, y=1.0, findings=())
    >>> mask_scale(Size(126, 94), Size(2001, 1501), 16)
    FittedScale(x=16.0, y=16.0, findings=())
    """
    if scale is not None:
        return _stated(mask, slide, float(scale))
    if mask == slide:
        return FittedScale(1.0, 1.0)
    readings = _readings(mask, slide)
    if not readings:
        raise AnnotationError(
            f"a mask of {_text(mask)} px does not fit a slide of {_text(slide)} px: {_asked(mask, slide)}"
        )
    chosen = readings[0]
    doubt_px = max((_apart_px(one, other, mask) for one, other in combinations(readings, 2)), default=0.0)
    if min(chosen.x, chosen.y) < 1 or chosen.kind.startswith(_PADDED) or doubt_px > _MOST_DOUBT_PX * (1 + 1e-6):
        raise AnnotationError(_undecided(mask, slide, readings, doubt_px))
    return FittedScale(chosen.x, chosen.y, _derived(readings, mask, slide, doubt_px))


_WHOLE, _STRETCHED, _PADDED = "a whole number", "stretched", "padded to tiles"


def _stated(mask: Size, slide: Size, scale: float) -> FittedScale:
    if _covers(mask, slide, scale):
        return FittedScale(scale, scale)
    tile_px = _padding_tile_px(mask, slide, scale)
    if tile_px is None:
        raise AnnotationError(
            f"a mask of {_text(mask)} px at {scale:g} level-0 px per mask px covers {mask.width_px * scale:g} × "
            f"{mask.height_px * scale:g} px, but the slide has {_text(slide)}; {_remedy(mask, slide)}"
        )
    message = (
        f"at the stated scale of {scale:g} the mask of {_text(mask)} px is the slide padded to tiles of {tile_px} px: "
        f"{mask.width_px - slide.width_px / scale:g} × {mask.height_px - slide.height_px / scale:g} mask px are cut off"
    )
    return FittedScale(scale, scale, (noted("MASK_PADDED", "info", message, scale),))


def _readings(mask: Size, slide: Size) -> list[_Reading]:
    """Return every way to read the size of a mask, the likeliest first."""
    x, y = slide.width_px / mask.width_px, slide.height_px / mask.height_px
    near = sorted({max(1, int(v) + up) for v in (x, y) for up in (0, 1)}, key=lambda k: abs(k - x) + abs(k - y))
    found = [_Reading(f"{_WHOLE} ({k})", float(k), float(k)) for k in near if _covers(mask, slide, k)]
    exact = [r for r in found if mask.width_px * r.x == slide.width_px and mask.height_px * r.y == slide.height_px]
    if exact:
        return exact
    padded = () if found else tuple(_padded_readings(mask, slide))
    if _covers(mask, slide, x) and _covers(mask, slide, y):
        found.append(_Reading(_STRETCHED, x, y))
    return [*found, *padded]


def _padded_readings(mask: Size, slide: Size) -> Iterator[_Reading]:
    """Yield the whole scales at which a mask is the slide padded to tiles."""
    least = max(1, int(min(slide.width_px / mask.width_px, slide.height_px / mask.height_px)))
    for k in range(least, _MOST_PADDED * least + 2):
        tile_px = _padding_tile_px(mask, slide, k)
        if tile_px is not None:
            yield _Reading(f"{_PADDED} of {tile_px} px", float(k), float(k))


def _padding_tile_px(mask: Size, slide: Size, scale: float) -> int | None:
    """Return the smallest tile that the slide at a scale may have been padded to, None where it was to none."""
    width, height = slide.width_px / scale, slide.height_px / scale
    padded_px = max(mask.width_px - width, mask.height_px - height)
    if mask.width_px < width - 1 or mask.height_px < height - 1 or padded_px <= 1:
        return None
    common = gcd(mask.width_px, mask.height_px)
    return next((tile_px for tile_px in _TILES_PX if padded_px < tile_px and common % tile_px == 0), None)


def _apart_px(one: _Reading, other: _Reading, mask: Size) -> float:
    """Return by how many mask pixels the far edge of a mask moves from one reading to another."""
    x = abs(one.x - other.x) * mask.width_px / max(one.x, other.x)
    return max(x, abs(one.y - other.y) * mask.height_px / max(one.y, other.y))


def _undecided(mask: Size, slide: Size, readings: Sequence[_Reading], doubt_px: float) -> str:
    listed = "; ".join(reading.text for reading in readings[:_READINGS_SHOWN])
    if len(readings) > 1:
        ways = (
            f"in more than one way, and edges would move by up to {doubt_px:.3g} mask px from one to another: {listed}"
        )
    else:
        ways = f"in no way that is sure: {listed}"
    return (
        f"a mask of {_text(mask)} px stands for a slide of {_text(slide)} px {ways}. State the scale that is meant "
        "(--roi-scale for a region of interest, --regions-scale for regions), "
        "save the mask at a whole scale, or give the mask of this slide"
    )


def _derived(readings: Sequence[_Reading], mask: Size, slide: Size, doubt_px: float) -> tuple[QaFinding, ...]:
    chosen = readings[0]
    message = f"its scale is taken from the sizes: {chosen.x:.8g} × {chosen.y:.8g} level-0 px per mask px"
    if len(readings) > 1:
        others = "; ".join(reading.text for reading in readings[1:])
        message += f"; read otherwise ({others}), edges would move by up to {doubt_px:.2g} mask px"
    sure = chosen.kind.startswith(_WHOLE) and chosen.x > 1
    return (
        noted(
            "MASK_SCALE_DERIVED",
            "info" if sure else "warning",
            message,
            chosen.x,
            remedy=f"state --annotation-scale {chosen.x:.8g} if it is right",
        ),
    )


def _covers(mask: Size, slide: Size, scale: float) -> bool:
    """Return True if the mask is the slide at this scale, within one mask pixel on each axis."""
    reach = scale * (1 + _ROUNDING)
    return (
        abs(mask.width_px * scale - slide.width_px) <= reach and abs(mask.height_px * scale - slide.height_px) <= reach
    )


def _asked(mask: Size, slide: Size) -> str:
    x, y = slide.width_px / mask.width_px, slide.height_px / mask.height_px
    return f"one axis asks for {x:.6g} level-0 px per mask px, the other for {y:.6g}; give the mask of this slide"


def _remedy(mask: Size, slide: Size) -> str:
    readings = _readings(mask, slide)
    if readings:
        return f"what would fit: {'; '.join(reading.text for reading in readings)}"
    x, y = slide.width_px / mask.width_px, slide.height_px / mask.height_px
    return f"no scale fits (one axis asks for {x:.6g}, the other for {y:.6g}), so it is the mask of another image"


def _text(size: Size) -> str:
    return f"{size.width_px} × {size.height_px}"
