"""results: the burden of a slide as its result has it: tumour, what is positive, and the tissue around."""

from collections.abc import Callable

from wsi_area.compute.count.area import area_mm2
from wsi_area.model.burden import SlideBurden
from wsi_area.model.calibration import Mpp
from wsi_area.model.classes import TissueClass
from wsi_area.model.record.slide_areas import COVERAGE_95, TissueEnvelope
from wsi_area.model.record.slide_burden import Positive, Tumor
from wsi_area.model.record.slide_tissue import Tissue, TissueLayerOnRecord, TissueSource


def tissue_on_record(
    burden: SlideBurden, source: TissueSource | None, reason: str, layer: TissueLayerOnRecord | None
) -> Tissue:
    """Return the tissue of a slide: that of its layer, else that of its classes; nothing where it was not measured."""
    if source is None:
        return Tissue(n_px=None, area_mm2=None, reason=reason)
    n_px = burden.tissue_px if layer is None else layer.tissue_px
    return Tissue(n_px=n_px, area_mm2=_read_mm2(burden, n_px), source=source, reason=reason)


def tumor_on_record(
    burden: SlideBurden, tissue: Tissue, layer: TissueLayerOnRecord | None, envelope: TissueEnvelope | None
) -> Tumor:
    """Return the tumour burden with its interval, and what of it lies in tissue."""
    a, u = burden.tumor_area_mm2, burden.tumor_area_u_mm2
    n_px, rows = burden.tumor_px, _ids(burden, lambda c: c.is_tumor)
    inside_px = n_px if layer is None or n_px is None else layer.in_tissue_px(rows)
    low, high = _scale_ci95_mm2(a, u)
    told = Tumor(
        n_px=n_px,
        area_mm2=a,
        area_u_mm2=u,
        scale_ci95_low_mm2=low,
        scale_ci95_high_mm2=high,
        fraction_of_tissue=_share(inside_px, tissue.n_px),
    )
    if layer is None or n_px is None or inside_px is None:
        return told
    further = {
        "in_tissue_px": inside_px,
        "in_tissue_area_mm2": _read_mm2(burden, inside_px),
        "outside_tissue_area_mm2": _read_mm2(burden, n_px - inside_px),
        "fraction_of_envelope": None if envelope is None else _share(layer.in_envelope_px(rows), envelope.n_px),
    }
    return told.model_copy(update=further)


def positive_on_record(burden: SlideBurden, tissue: Tissue, layer: TissueLayerOnRecord | None) -> Positive | None:
    """Return the positive area, with its interval; None where no class is, or nothing of the slide could be read."""
    classes = [area for area in burden.classes if area.tissue_class.is_positive]
    if not classes or not burden.was_read:
        return None
    n_px, rel = sum(area.n_px for area in classes), burden.relative_u_area
    inside_px = n_px if layer is None else layer.in_tissue_px(_ids(burden, lambda c: c.is_positive))
    a = _mm2(n_px, burden.calibration.mpp)
    u = None if a is None or rel is None else a * rel
    low, high = _scale_ci95_mm2(a, u)
    return Positive(
        n_px=n_px,
        area_mm2=a,
        area_u_mm2=u,
        scale_ci95_low_mm2=low,
        scale_ci95_high_mm2=high,
        fraction_of_tissue=_share(inside_px, tissue.n_px),
    )


def _scale_ci95_mm2(area_mm2: float | None, u_mm2: float | None) -> tuple[float | None, float | None]:
    """Return the ends of the 95 % interval that the pixel size leaves an area; None where either is not known."""
    if area_mm2 is None or u_mm2 is None:
        return None, None
    return area_mm2 - COVERAGE_95 * u_mm2, area_mm2 + COVERAGE_95 * u_mm2


def _ids(burden: SlideBurden, wanted: Callable[[TissueClass], bool]) -> tuple[int, ...]:
    return tuple(area.tissue_class.class_id for area in burden.classes if wanted(area.tissue_class))


def _share(n_px: int | None, of_px: int | None) -> float | None:
    """Return a share; None where either is not known, and of nothing."""
    return None if n_px is None or not of_px else n_px / of_px


def _read_mm2(burden: SlideBurden, n_px: int) -> float | None:
    """Return an area; None where nothing of the slide could be read, too."""
    return _mm2(n_px, burden.calibration.mpp) if burden.was_read else None


def _mm2(n_px: float, mpp: Mpp | None) -> float | None:
    return None if mpp is None else area_mm2(n_px, mpp)
