"""segmenters: a segmenter with artefacts as classes of its own; loaded for a slide where something is excluded."""

from wsi_area.errors import SettingsError
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.pixels import Overview, TilePixels
from wsi_area.segmenters.colour.colour_rule import ColourRule
from wsi_area.segmenters.colour.fills import Fills
from wsi_area.segmenters.colour.foreground import Foreground
from wsi_area.segmenters.exclusions.absorption import White, seen_of
from wsi_area.segmenters.exclusions.black import WINDOW_PX, BlackRule
from wsi_area.segmenters.exclusions.bubble import BubbleRule
from wsi_area.segmenters.exclusions.excluded import ExcludedSegmenter, ExclusionRule
from wsi_area.segmenters.exclusions.fill import fill_rule
from wsi_area.segmenters.exclusions.focus import FocusRule
from wsi_area.segmenters.exclusions.fold import fit_fold
from wsi_area.segmenters.exclusions.pen import PenRule
from wsi_area.segmenters.exclusions.settings import ExclusionSettings
from wsi_area.segmenters.exclusions.windows import radius_px
from wsi_area.segmenters.protocol import FittedSegmenter

COLORS = {
    "unscanned_black": (40, 40, 40),
    "unscanned_fill": (70, 70, 90),
    "pen": (0, 170, 170),
    "bubble": (90, 200, 255),
    "fold": (120, 0, 120),
    "out_of_focus": (150, 150, 150),
}


def excluding(
    fitted: FittedSegmenter,
    asked: list[str],
    settings: ExclusionSettings,
    overview: Overview,
    work_mpp: Mpp | None,
    px_um: float | None,
    foreground: Foreground,
    fills: Fills | None,
    *,
    black: bool,
) -> FittedSegmenter:
    """Return the segmenter with a class for each artefact that is excluded.

    Parameters
    ----------
    fitted, settings, overview, work_mpp
        As `with_exclusions` has them.
    asked
        The artefacts that were asked for.
    px_um
        The longer side of a work pixel, None where it is not known.
    foreground
        Where the slide has tissue.
    fills
        The colours that software filled it with, None where nothing is to be done about them.
    black
        Whether black counts as not scanned.

    Raises
    ------
    SettingsError
        If the segmenter has a class of that name which is not excluded.
    """
    white = foreground.light.glass
    window_px = WINDOW_PX if px_um else 0
    rules: list[ExclusionRule] = [BlackRule(window_px)] if black else []
    if fills is not None:
        rules.append(fill_rule(fills, overview.size_l0_px, window_px))
    if px_um is not None:
        rules += [_rule(name, settings, overview, px_um, foreground.rule, white.rgb) for name in asked]
    scheme, ids = _extended(fitted.scheme, [rule.name for rule in rules])
    facts: dict[str, object] = {
        "order": [rule.name for rule in rules],
        "white": None if white.source == "nominal" else list(white.rgb),
        "white_used": list(white.rgb),
        "foreground_threshold": foreground.threshold,
        "work_mpp": None if work_mpp is None else [work_mpp.x, work_mpp.y],
        "painted_black_fraction": foreground.facts["painted_black_fraction"],
        "signal_dropped": fitted.signal is not None,
        **{rule.name: rule.facts for rule in rules},
    }
    own_um = max(rule.reach_px for rule in rules) * (px_um or 0.0)
    return ExcludedSegmenter(
        inner=fitted,
        scheme=scheme,
        rules=tuple(zip(ids, rules, strict=True)),
        foreground=foreground.rule,
        lowered=foreground.lowered_rule(0.2),
        white=white.rgb,
        context_um=max(fitted.context_um, own_um),
        facts=fitted.facts | {"exclusions": facts},
    )


def _rule(
    name: str, settings: ExclusionSettings, overview: Overview, px_um: float, foreground: ColourRule, white: White
) -> ExclusionRule:
    if name == "pen":
        return PenRule(radius_px(settings.pen_window_um, px_um))
    if name == "bubble":
        return BubbleRule(radius_px(settings.bubble_line_um, px_um), round(100 * settings.bubble_chroma))
    if name == "fold":
        seen = seen_of(TilePixels(overview.rgb, overview.valid), foreground, white)
        assert overview.mpp is not None  # checked before
        on_overview = radius_px(settings.fold_window_um, max(overview.mpp.x, overview.mpp.y))
        window = radius_px(settings.fold_window_um, px_um)
        ratios = settings.fold_ratio, settings.fold_chroma_ratio, settings.fold_least_od
        return fit_fold(seen, on_overview, window, *ratios)
    return FocusRule(
        scale_px=max(1, round(settings.focus_scale_um / px_um)),
        window_px=radius_px(settings.focus_window_um, px_um),
        least_ratio=settings.focus_least_ratio,
        least_grey=settings.focus_least_grey,
    )


def _extended(scheme: ClassScheme, names: list[str]) -> tuple[ClassScheme, list[int]]:
    """Return the scheme with a class for each name, and their ids; a class that is there already serves."""
    classes = list(scheme.classes)
    ids = []
    for name in names:
        own = next((c for c in classes if c.name == name), None)
        if own is None:
            own = TissueClass(len(classes), name, COLORS[name], is_excluded=True)
            classes.append(own)
        elif not own.is_excluded:
            raise SettingsError(
                f"the segmenter has a class {name!r} that is not excluded, and exclusions.{name} would add to it; "
                "rename the class, mark it is_excluded, or turn that exclusion off"
            )
        ids.append(own.class_id)
    return ClassScheme(tuple(classes)), ids
