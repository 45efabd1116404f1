"""compute: the only place where pixels become square millimetres."""

from wsi_area.compute.calibration.uncertainty import relative_u_area
from wsi_area.errors import CountMismatchError
from wsi_area.model.burden import ClassArea, SlideBurden, Status
from wsi_area.model.calibration import Calibration, Mpp
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.model.slide import SlideInfo


def area_mm2(n_px: float, mpp: Mpp) -> float:
    """Return the area of a number of level-0 pixels in mm²: ``N · mpp_x · mpp_y · 1e-6``.

    ``n_px`` is a whole number of counted pixels, or the area of an outline in level-0 px².

    >>> area_mm2(15_000, Mpp(0.5, 0.5))
    0.00375
    """
    return n_px * mpp.pixel_area_mm2


def assert_accounted(slide: SlideInfo, counts: ClassCounts) -> None:
    """Refuse counts that do not add up to the slide: the accounting law.

    Raises
    ------
    CountMismatchError
        With both sums and their difference.
    """
    expected = slide.size_l0_px.area_px
    if counts.total_px != expected:
        raise CountMismatchError(
            f"{slide.slide_id}: {counts.total_px} px are accounted for, the slide has {expected} "
            f"({counts.total_px - expected:+d}); the result is refused. Please report this with the "
            "slide's folder of the run; another --out starts afresh"
        )


def measure(
    slide: SlideInfo,
    scheme: ClassScheme,
    counts: ClassCounts,
    calibration: Calibration,
    signal_scale: int | None,
    *,
    skipped_px: int = 0,
) -> SlideBurden:
    """Return the burden of a slide from its exact counts; without any area where nothing of it could be read.

    Parameters
    ----------
    slide, scheme, counts, calibration
        What was measured, in which classes, how many pixels, how large they are.
    signal_scale : int or None
        Integer steps per unit of the segmenter's signal; None where it measures none.
    skipped_px : int
        Level-0 pixels among the counts that were taken for background without being read.

    Raises
    ------
    CountMismatchError
        If the counts do not add up to every level-0 pixel of the slide.
    """
    assert_accounted(slide, counts)
    rel = None if calibration.chosen is None else relative_u_area(calibration.chosen)
    analyzed_px = sum(counts.px_by_class)
    # of pixels that nobody read, 0 is no area: it is unknown
    was_read = analyzed_px > skipped_px or not counts.unreadable_px
    mpp = calibration.mpp if was_read else None
    tumor_px = _px(scheme, counts, "is_tumor") if scheme.names_tumor and was_read else None
    tissue_px = _px(scheme, counts, "is_tissue")
    tumor_mm2 = _mm2(tumor_px, mpp)
    return SlideBurden(
        slide_id=slide.slide_id,
        status=_status(counts, calibration.mpp),
        counts=counts,
        classes=tuple(_class_area(c, counts, mpp, rel, signal_scale if was_read else None) for c in scheme.classes),
        tumor_px=tumor_px,
        tissue_px=tissue_px,
        analyzed_px=analyzed_px,
        tumor_area_mm2=tumor_mm2,
        tumor_area_u_mm2=None if tumor_mm2 is None or rel is None else tumor_mm2 * rel,
        tissue_area_mm2=_mm2(tissue_px, mpp),
        analyzed_area_mm2=_mm2(analyzed_px, mpp),
        unread_area_mm2=_mm2(counts.unreadable_px, calibration.mpp),
        tumor_fraction=None if tumor_px is None or tissue_px == 0 else tumor_px / tissue_px,
        relative_u_area=rel,
        calibration=calibration,
        fingerprint=slide.fingerprint,
        was_read=was_read,
    )


def _status(counts: ClassCounts, mpp: Mpp | None) -> Status:
    if counts.unreadable_px:
        return "incomplete"
    return "needs_calibration" if mpp is None else "complete"


def _px(scheme: ClassScheme, counts: ClassCounts, flag: str) -> int:
    return sum(counts.px_by_class[c.class_id] for c in scheme.classes if getattr(c, flag))


def _mm2(n_px: int | None, mpp: Mpp | None) -> float | None:
    return None if n_px is None or mpp is None else area_mm2(n_px, mpp)


def _class_area(
    tissue_class: TissueClass,
    counts: ClassCounts,
    mpp: Mpp | None,
    rel: float | None,
    signal_scale: int | None,
) -> ClassArea:
    n_px = counts.px_by_class[tissue_class.class_id]
    a = _mm2(n_px, mpp)
    # a mean over pixels is one over area too: it depends neither on how finely the area was scanned nor on its mm²
    mean = None
    if signal_scale is not None and n_px:
        mean = counts.signal_by_class[tissue_class.class_id] / signal_scale / n_px
    return ClassArea(tissue_class, n_px, a, None if a is None or rel is None else a * rel, mean)
