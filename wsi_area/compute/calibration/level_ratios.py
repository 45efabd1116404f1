"""compute: which levels of a pyramid lie square on level 0, so that their pixels may stand for it; pure."""

import math

from wsi_area.compute.calibration.policy import CalibrationPolicy
from wsi_area.compute.quantity_text import number_text, pair_text
from wsi_area.model.finding import QaFinding
from wsi_area.model.geometry import Size
from wsi_area.model.slide import SlideInfo

_DEFAULT_POLICY = CalibrationPolicy()


def usable_levels(info: SlideInfo, policy: CalibrationPolicy = _DEFAULT_POLICY) -> tuple[int, ...]:
    """Return the indices of the levels whose grid is a whole reduction of level 0; level 0 always is.

    A level as large as level 0 is no reduction, and not used. Another is used where one whole ratio explains both
    axes: a power of two to within 1 % of the size, or any other whole ratio to within the rounding of one level pixel
    that is also a multiple of the last usable one. After a level that is not (padded tiles: Philips DICOM writes 13.125
    and 39 for 16 and 64), only powers of two are believed.

    >>> from wsi_area.model.slide import Level
    >>> sizes = (Size(2001, 1501), Size(500, 375), Size(153, 115))
    >>> levels = tuple(Level(i, s, 2001 / s.width_px, 1501 / s.height_px) for i, s in enumerate(sizes))
    >>> usable_levels(SlideInfo("a", "a.svs", "aperio", sizes[0], levels, "f", 1, 1))
    (0, 1)
    """
    usable = [0]
    last_ratio, padded = 1, False
    for level in sorted(info.levels, key=lambda level: level.index):
        if level.index == 0:
            continue
        ratio = _whole_ratio(info.size_l0_px, level.size_px, policy.level_ratio_tolerance)
        honest_chain = ratio is not None and (_is_power_of_two(ratio) or (ratio % last_ratio == 0 and not padded))
        if ratio is None or not honest_chain:
            padded = True
            continue
        if ratio == 1:  # a focal plane, or the same picture again, but no reduction
            continue
        usable.append(level.index)
        last_ratio = ratio
    return tuple(usable)


def level_ratio_finding(info: SlideInfo, policy: CalibrationPolicy) -> list[QaFinding]:
    """Return LEVEL_RATIO_ODD with the levels that are not used, or nothing."""
    usable = usable_levels(info, policy)
    odd = [n for n in info.levels if n.index not in usable and n.size_px != info.size_l0_px]
    if not odd:
        return []
    ratios = [(info.size_l0_px.width_px / o.size_px.width_px, info.size_l0_px.height_px / o.size_px.height_px)
              for o in odd]  # fmt: skip
    listed = "; ".join(f"level {o.index}: {pair_text(x, y)}" for o, (x, y) in zip(odd, ratios, strict=True))
    worst = max((r for pair in ratios for r in pair), key=lambda r: abs(r / max(1, round(r)) - 1))
    return [
        QaFinding(
            info.slide_id, "LEVEL_RATIO_ODD", "warning", worst, float(max(1, round(worst))), "",
            f"{len(odd)} of {len(info.levels)} levels are no whole reduction of level 0 ({listed}; "
            f"{number_text(100 * policy.level_ratio_tolerance)} % is allowed) and are not used",
            "nothing to do: areas come from level 0; reading takes longer than with a sound pyramid",
        )
    ]  # fmt: skip


def _whole_ratio(full: Size, level: Size, tolerance: float) -> int | None:
    """Return the one whole ratio that explains both axes, or None."""
    axes = ((full.width_px, level.width_px), (full.height_px, level.height_px))
    if min(full.width_px, full.height_px, level.width_px, level.height_px) < 1:
        return None
    mean = math.sqrt(math.prod(long_px / short_px for long_px, short_px in axes))
    # |short · n - long| <= n, one level pixel of rounding, leaves an interval for n on each axis:
    # a level of ten pixels may honestly be one off. Both intervals must share a whole number.
    low = max(long_px / (short_px + 1) for long_px, short_px in axes)
    high = min(long_px / (short_px - 1) if short_px > 1 else 2 * mean for long_px, short_px in axes)
    rounded = range(max(1, math.ceil(low)), math.floor(high) + 1)
    if rounded:
        return min(rounded, key=lambda n: (not _is_power_of_two(n), abs(n - mean)))
    below = 1 << (max(1, int(mean)).bit_length() - 1)
    nearest = min((below, 2 * below), key=lambda power: abs(power / mean - 1))
    ratios = [long_px / short_px for long_px, short_px in axes]
    close = all(abs(ratio / nearest - 1) <= tolerance for ratio in ratios)
    return nearest if close and max(ratios) / min(ratios) - 1 <= tolerance else None


def _is_power_of_two(ratio: int) -> bool:
    return ratio & (ratio - 1) == 0
