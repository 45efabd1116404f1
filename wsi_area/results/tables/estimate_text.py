"""results: an estimate as a line for people: what it is of, how exact, from how many spots, what was decoded; pure."""

from wsi_area.compute.quantity_text import number_text
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import grouped, mm2_text
from wsi_area.results.tables.tissue_name import tissue_name


def estimate_text(slide: CountedSlide) -> str:
    """Return the words on an estimate, with the interval that having drawn spots gives it; "" of a whole slide."""
    made = slide.estimate
    if made is None:
        return ""
    area, named = made.aim, _named(slide, made.about)
    found = "nothing is known of what was asked for"
    if area is not None and area.half_width_pct is not None and area.ci95_low_mm2 is not None:
        ends = f"{mm2_text(area.ci95_low_mm2)} to {mm2_text(area.ci95_high_mm2)} mm²"
        found = f"{named} {mm2_text(area.area_mm2)} mm², {ends} (95 %, ± {_pct(area.half_width_pct)}, spots alone)"
    elif area is not None and not area.ci95_high_mm2 and made.spots_drawn == made.spots:
        found = f"no {named}"
    elif area is not None:
        found = f"no {named} in any spot that was drawn, at most {mm2_text(area.ci95_high_mm2)} mm² (95 %)"
    look = ", two in each of some cells"
    if made.coarse is not None:
        look = f", after a coarse look at {number_text(float(f'{made.coarse.work_mpp_x_um:.3g}'))} µm"
    elif made.spots_drawn == made.spots:
        look = ""
    spots = f"{grouped(made.spots_drawn)} of {grouped(made.spots)} spots of {made.spot_x_um:.0f} µm, seed {made.seed}"
    cost = "as many pixels decoded as to measure it whole, or more: an estimate gains nothing here"
    if made.counted_pct is not None and made.decoded_pct is not None and made.decoded_px < made.whole_px:
        of_whole = "of the pixels that measuring it whole decodes"
        cost = f"{_pct(made.counted_pct)} counted and {_pct(made.decoded_pct)} decoded {of_whole}"
    return f"estimated: {found}; from {spots}{look}; {cost}"


def _named(slide: CountedSlide, about: str) -> str:
    """Return the name of the area that an estimate is about, as the tables show it."""
    if about == "tissue":
        return tissue_name([slide]) or about
    return "tumour" if about == "tumor" else about


def _pct(pct: float) -> str:
    if pct >= 10:
        return f"{pct:.0f} %"
    return f"{number_text(float(f'{pct:.2g}'))} %"
