"""results: of which classes, drawing or layer a total of a slide is made, in words; pure."""

from wsi_area.model.slide_result import CountedSlide


def headline_made_of(slide: CountedSlide) -> str:
    """Return of which classes the tumour, or what is positive, is the sum; empty where no class is either."""
    is_tumor = slide.headline.title == "tumour"
    names = [c.name for c in slide.classes if (c.is_tumor if is_tumor else c.is_positive)]
    if not names:
        return ""
    drawn = ", as drawn" if slide.annotations is not None else ""
    return f"{_classes(names)}{drawn}"


def tissue_made_of(slide: CountedSlide) -> str:
    """Return the source of a slide's tissue: a layer, a drawing or classes; empty where none was measured."""
    tissue = slide.tissue
    if tissue.n_px is None:
        return ""
    if slide.tissue_layer is not None:
        return f"tissue layer: rule {slide.tissue_layer.segmenter}"
    if tissue.source == "drawing":
        return tissue.reason
    return _classes([c.name for c in slide.classes if c.is_tissue and not c.is_excluded])


def tissue_role(slide: CountedSlide) -> str:
    """Return the source of this one slide's tissue, with the pixel size of its layer."""
    return f"tissue layer: {slide.tissue.reason}" if slide.tissue_layer is not None else tissue_made_of(slide)


def _classes(names: list[str]) -> str:
    return f"class {names[0]}" if len(names) == 1 else f"classes {' + '.join(names)}" if names else ""
