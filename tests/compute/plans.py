"""Hand-made slides for tests of pure functions; no file is behind them."""

from wsi_area.compute.cut.planning import Tiling, plan_slide
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import Level, SlideInfo

HALF_A_MICROMETRE = Mpp(0.5, 0.5)


def slide_info(*sizes: tuple[int, int], stored_tile_px: int | None = 256) -> SlideInfo:
    """A slide with levels of the given sizes."""
    w0, h0 = sizes[0]
    tile = None if stored_tile_px is None else Size(stored_tile_px, stored_tile_px)
    levels = tuple(Level(n, Size(w, h), w0 / w, h0 / h, tile) for n, (w, h) in enumerate(sizes))
    return SlideInfo("made-up", "made-up.svs", "aperio", Size(w0, h0), levels, "f" * 64, 1, 1)


def plan_of(
    *sizes: tuple[int, int],
    mpp: Mpp | None = HALF_A_MICROMETRE,
    work_mpp_um: float | None = None,
    tile_px: int | str = "auto",
    halo_um: float = 0.0,
) -> SlidePlan:
    """The cut of such a slide with every level usable."""
    info = slide_info(*sizes)
    return plan_slide(info, mpp, range(len(sizes)), Tiling(work_mpp_um, tile_px, halo_um))  # type: ignore[arg-type]
