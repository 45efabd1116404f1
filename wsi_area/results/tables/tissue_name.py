"""results: by what names the totals of the tumour, of what is positive and of the tissue are shown; pure."""

from collections.abc import Iterable

from wsi_area.model.slide_result import CountedSlide, EndedSlide

TISSUE = "tissue"


def headline_name(slides: Iterable[EndedSlide]) -> str | None:
    """Return "tumour" where any of some slides has a class that is tumour, else "positive"; None where none is either.

    What the one slide calls tumour and the other positive is no one column: tumour goes first.
    """
    named = {s.headline.title for s in slides if isinstance(s, CountedSlide) and s.headline.n_px is not None}
    return max(named, default=None)


def headline_mm2(slide: CountedSlide, name: str | None) -> float | None:
    """Return the area under that name in mm²; None where the slide has none of it."""
    return slide.headline.area_mm2 if slide.headline.title == name else None


def tissue_name(slides: Iterable[EndedSlide]) -> str | None:
    """Return the name of the tissue of some slides; None where its total says nothing of its own.

    It does where the tissue is a layer of its own. It does not where no class is tissue, nor where every class that is
    tissue is tumour, too: the tumour has its own line. Where one class alone is tissue, its name says what was
    measured: a model of glands has found glands, and not all the tissue there is.
    """
    measured = [slide for slide in slides if isinstance(slide, CountedSlide)]
    counted = [slide.classes for slide in measured]
    if not counted or any(slide.tissue.source == "layer" for slide in measured):
        return TISSUE
    tissue = [c for classes in counted for c in classes if c.is_tissue]
    if all(c.is_tumor for c in tissue):
        return None
    names = {c.name for c in tissue}
    return TISSUE if len(names) > 1 else names.pop()
