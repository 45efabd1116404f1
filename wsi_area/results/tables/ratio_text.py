"""results: the ratios of a slide as they are shown, by the report and the notebook alike; pure."""

from wsi_area.frozen_value import frozen_value
from wsi_area.model.record.slide_ratios import RatioName, RatioOnRecord
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.tables.quantity import NONE, grouped, percent

_TITLES: dict[RatioName, str] = {
    "viable_tumor_pct": "viable tumour of the tumour bed",
    "necrosis_pct": "necrosis of the tumour bed",
    "stroma_pct": "stroma of the tumour bed",
    "necrosis_pct_tumor_necrosis": "necrosis of tumour and necrosis",
    "stroma_pct_tumor_stroma": "stroma of tumour and stroma",
    "tumor_stroma_ratio": "tumour ÷ stroma",
    "weighted_positive_area": "weighted positive area (of areas, no cells are counted)",
}


@frozen_value
class ShownRatio:
    """A ratio with its name, its value and what it is made of."""

    title: str
    value: str
    made_of: str  # numerator ÷ denominator, or why there is no value


def shown_ratios(slide: CountedSlide) -> tuple[ShownRatio, ...]:
    """Return the ratios of a slide as they are read."""
    return tuple(ShownRatio(_TITLES[r.name], _value(r), r.reason or _made_of(r)) for r in slide.ratios)


def _value(ratio: RatioOnRecord) -> str:
    if ratio.value is None:
        return NONE
    return percent(ratio.value / 100) if ratio.unit == "%" else grouped(float(f"{ratio.value:.4g}"))


def _made_of(ratio: RatioOnRecord) -> str:
    parts = (ratio.numerator, ratio.numerator_px or 0), (ratio.denominator, ratio.denominator_px or 0)
    return " ÷ ".join(f"{f'({name})' if ' + ' in name else name}, {grouped(n_px)} px" for name, n_px in parts)
