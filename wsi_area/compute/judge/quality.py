"""compute: what quality assurance should know of a measured slide, beyond its pixel size."""

from collections.abc import Mapping

from wsi_area.compute.judge.light_findings import (
    FALL_LIMIT,
    MOST_TAKEN,
    light_findings,
)
from wsi_area.compute.judge.model_findings import ModelSeen, model_findings
from wsi_area.compute.judge.overview_findings import OVERVIEW_LIMIT, overview_findings
from wsi_area.compute.judge.pictures import picture_findings
from wsi_area.compute.judge.refusal import refusal_findings
from wsi_area.compute.judge.steps import STEP_LIMIT
from wsi_area.compute.judge.threshold_stability import UNSTABLE_LIMIT, threshold_findings
from wsi_area.frozen_value import frozen_value
from wsi_area.model.burden import SlideBurden
from wsi_area.model.finding import QaFinding, Severity
from wsi_area.model.light import Light
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import SAMPLE_BITS, SAMPLE_BITS_SOURCE, SlideInfo

UNEXPLAINED_LIMIT = 0.05
"""Share of the squared optical density that no amounts of the stains explain. Fixed vectors on their own stains left
0.8 and 1.7 % (two H-DAB slides) and 0.6 to 1.4 % (six colon H&E), on other stains 2 to 34 %. Two further H&E slides
leave 5 and 9 %: their eosin is redder than the published one, and that they are doubtful is true."""
ANGLE_LIMIT_DEG = 20.0
"""Between a vector and the one estimated from the slide: 4 to 19.7° on the slides that fit, 22 to 58° on the others."""


@frozen_value
class QualityLimits:
    """When a finding is worth a look; each is a share between 0 and 1."""

    unscanned_fraction: float = 0.5  # of the slide
    edge_tissue_fraction: float = 0.05  # of the rim of the slide
    skip_bound_fraction: float = 0.01  # of the tissue
    threshold_change: float = UNSTABLE_LIMIT  # of the tissue area, for ± 5 % of the threshold
    stain_unexplained: float = UNEXPLAINED_LIMIT  # of the absorption
    stain_angle_deg: float = ANGLE_LIMIT_DEG
    most_taken: float = MOST_TAKEN  # of what was scanned, by tissue or one class other than background
    glass_fall: float = FALL_LIMIT  # of the light over the field
    overview_difference: float = OVERVIEW_LIMIT  # of the overview from what the tissue counted explains, relative
    step_share: float = STEP_LIMIT  # of what is left, that one step takes or adds


@frozen_value
class Observed:
    """What was seen of a slide besides its counts."""

    edge_tissue_fraction: float
    skipped_foreground_upper_bound_px: int | None
    background_assumed: str | None = None  # "bright" or "dark", None where the segmenter assumes neither
    background_seen: str | None = None
    tissue_share_by_shift: dict[str, float | None] | None = None  # of the threshold, see `threshold_stability`
    stain_unexplained: float | None = None
    stain_angles_deg: Mapping[str, float] | None = None
    light: Light | None = None  # None where the segmenter looks for no glass
    was_drawn: bool = False  # a region of interest, or the classes themselves
    tissue_on_overview: float | None = None  # share of it; None where the count is not of the threshold alone
    tissue_by_box: float | None = None  # share in boxes of the overview with enough of it; None if not looked at
    nothing_drawn: bool = False  # the classes come from a drawing, and nothing was drawn: 0 is what was to be found
    glass_taken: float | None = None  # largest share of a class in tiles that look like bare glass and were read
    model: ModelSeen | None = None  # None where no model was trained


def check(plan: SlidePlan, burden: SlideBurden, observed: Observed, limits: QualityLimits) -> tuple[QaFinding, ...]:
    """Return the findings on a measured slide, the worst first."""
    found = [
        *_unreadable(burden),
        *picture_findings(plan.slide),
        *refusal_findings(plan.slide),
        *work_mpp_findings(plan),
        *sample_depth_findings(plan.slide),
        *background_findings(burden.slide_id, observed.background_assumed, observed.background_seen),
        *_unscanned(plan, burden, limits),
        *_tissue(plan, burden, observed, limits),
        *light_findings(
            burden,
            observed.light,
            limits.most_taken,
            limits.glass_fall,
            was_drawn=observed.was_drawn,
            glass_taken=observed.glass_taken,
        ),
        *model_findings(burden.slide_id, observed.model),
        *_threshold(burden, observed, limits),
        *overview_findings(burden, observed.tissue_on_overview, observed.tissue_by_box, limits.overview_difference),
        *stain_findings(
            burden.slide_id,
            observed.stain_unexplained,
            observed.stain_angles_deg,
            limits.stain_unexplained,
            limits.stain_angle_deg,
        ),
    ]
    order: dict[Severity, int] = {"refusal": 0, "warning": 1, "info": 2}
    return tuple(sorted(found, key=lambda f: order[f.severity]))


def _threshold(burden: SlideBurden, observed: Observed, limits: QualityLimits) -> tuple[QaFinding, ...]:
    shares = observed.tissue_share_by_shift
    if shares is None or not burden.tissue_px:
        return ()
    return threshold_findings(burden.slide_id, shares, burden.tissue_area_mm2, limits.threshold_change)


def _unreadable(burden: SlideBurden) -> list[QaFinding]:
    n_px = burden.counts.unreadable_px
    if not n_px:
        return []
    area = "" if burden.unread_area_mm2 is None else f" ({burden.unread_area_mm2:.6g} mm²)"
    message = f"{n_px} level-0 px{area} could not be read and belong to no class; the totals lack them"
    remedy = (
        "if a disk or network failed, run the same command again: only the unread tiles are done again; if the file "
        "is damaged, copy or export it again and run with --force"
    )
    return [QaFinding(burden.slide_id, "TILE_UNREADABLE", "warning", n_px, 0, "px", message, remedy)]


def work_mpp_findings(plan: SlidePlan) -> list[QaFinding]:
    """Return the finding that a slide was not scanned as finely as was asked for; known from its header."""
    asked, used = plan.asked_work_mpp_um, plan.work_mpp
    if asked is None or used is None or max(used.x, used.y) <= 1.02 * asked:
        return []
    message = f"{asked:g} µm/px was asked for, the finest level has {used.x:.4g} × {used.y:.4g}; that was used"
    remedy = "nothing finer was scanned: compare this slide only with others measured at the same pixel size"
    return [QaFinding(plan.slide.slide_id, "WORK_MPP_COARSER", "warning", max(used.x, used.y), asked, "µm/px", message, remedy)]  # fmt: skip  # noqa: E501


def background_findings(slide_id: str, assumed: str | None, seen: str | None) -> list[QaFinding]:
    """Return the finding that the background is not as the settings assume it; known from the overview.

    >>> [f.code for f in background_findings("S1", "bright", "dark")]
    ['BACKGROUND_UNEXPECTED']
    """
    if assumed is None or seen is None or assumed == seen:
        return []
    message = f"the settings assume a {assumed} background, this slide's looks {seen}: what is tissue may be inverted"
    remedy = "look at the slide; for fluorescence use --config fluorescence, or segmenter.background = auto"
    return [QaFinding(slide_id, "BACKGROUND_UNEXPECTED", "warning", None, None, "", message, remedy)]


def _unscanned(plan: SlidePlan, burden: SlideBurden, limits: QualityLimits) -> list[QaFinding]:
    share = burden.counts.unscanned_px / plan.pixel_count_l0
    if share <= limits.unscanned_fraction:
        return []
    message = f"{share:.1%} of the slide's rectangle was never scanned"
    remedy = "usual for scanners that skip glass; if tissue is missing on the overview, scan again"
    return [QaFinding(burden.slide_id, "UNSCANNED_HIGH", "info", share, limits.unscanned_fraction, "", message, remedy)]


def _tissue(plan: SlidePlan, burden: SlideBurden, observed: Observed, limits: QualityLimits) -> list[QaFinding]:
    slide_id = burden.slide_id
    found = []
    if burden.tissue_px == 0 and not burden.counts.unreadable_px and not observed.nothing_drawn:
        message = "no tissue was found: 0 px"
        remedy = "a result, if the slide is empty; else look at the threshold in result.json"
        found.append(QaFinding(slide_id, "TISSUE_ZERO", "warning", 0, 0, "px", message, remedy))
    rim = observed.edge_tissue_fraction
    if rim > limits.edge_tissue_fraction:
        message = f"{rim:.1%} of the slide's rim may be tissue, which could go on beyond what was scanned"
        remedy = "if tissue is cut off, scan a larger area; the totals are of what was scanned"
        found.append(QaFinding(slide_id, "TISSUE_TOUCHES_EDGE", "info", rim, limits.edge_tissue_fraction, "", message, remedy))  # fmt: skip  # noqa: E501
    bound = observed.skipped_foreground_upper_bound_px
    if plan.skipped and (bound is None or bound > limits.skip_bound_fraction * max(burden.tissue_px, 1)):
        text = "an unknown number of" if bound is None else f"up to {bound}"
        message = f"{text} foreground px may lie in the {len(plan.skipped)} tiles that were skipped as bare glass"
        remedy = "set tiling.skip_glass = false to read every tile"
        found.append(QaFinding(slide_id, "SKIP_BOUND_HIGH", "warning", bound, None, "px", message, remedy))
    return found


def sample_depth_findings(info: SlideInfo) -> list[QaFinding]:
    """Return SAMPLES_SCALED where 16-bit samples became 256 grey levels; its ``measured`` is steps per grey level."""
    if SAMPLE_BITS not in info.properties:
        return []
    bits = int(info.properties[SAMPLE_BITS])
    steps = 1 << (bits - 8)
    message = (
        f"its samples have 16 bits, of which {bits} are used (by {info.properties[SAMPLE_BITS_SOURCE]}): "
        f"in pictures 0 to {(1 << bits) - 1} are grey levels 0 to 255, {steps} steps each; the segmenter tissue "
        "measures the stored values, any other the grey levels"
    )
    remedy = "compare stored values only between pictures taken with one camera and exposure"
    return [QaFinding(info.slide_id, "SAMPLES_SCALED", "info", float(steps), None, "steps", message, remedy)]


def stain_findings(
    slide_id: str,
    unexplained: float | None,
    angles_deg: Mapping[str, float] | None,
    unexplained_limit: float = UNEXPLAINED_LIMIT,
    angle_limit_deg: float = ANGLE_LIMIT_DEG,
) -> tuple[QaFinding, ...]:
    """Return ``STAIN_VECTORS_DOUBTFUL`` with the worse of its two numbers, or nothing.

    Parameters
    ----------
    slide_id
        Whose finding it is.
    unexplained, angles_deg
        The segmenter's ``facts["stain_fit"]``; None where the slide has no tissue, or too little of a second stain.
    unexplained_limit, angle_limit_deg
        When it is worth a look.

    >>> stain_findings("a", 0.12, {"dab": 31.0})[0].message
    'the stain vectors leave 12.0% of the absorption unexplained; dab is 31.0° from what this slide shows'
    >>> stain_findings("a", 0.01, {"dab": 6.0})
    ()
    """
    share = unexplained or 0.0
    name, angle = max((angles_deg or {}).items(), key=lambda item: item[1], default=("", 0.0))
    if share <= unexplained_limit and angle <= angle_limit_deg:
        return ()
    message = f"the stain vectors leave {share:.1%} of the absorption unexplained"
    if name:
        message += f"; {name} is {angle:.1f}° from what this slide shows"
    remedy = 'choose the vectors of the slide\'s own stains, or estimate them: segmenter.vectors = "macenko"'
    by_share = share / unexplained_limit >= angle / angle_limit_deg
    measured, limit, unit = (share, unexplained_limit, "") if by_share else (angle, angle_limit_deg, "°")
    return (QaFinding(slide_id, "STAIN_VECTORS_DOUBTFUL", "warning", measured, limit, unit, message, remedy),)
