"""review: the picture that stays in a notebook when nobody is there to answer the viewer."""

import io

from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.review.plotting import plot_slide

STILL_PX = (770, 528)
_DPI = 110


def still_png(slide: OpenedSlide) -> bytes:
    """Return the PNG of a slide with its classes, their areas and a bar of known length, as ``slide.plot()`` draws it.

    Raises
    ------
    ResultError
        The slide has no counts, or its stores cannot be read.
    """
    from matplotlib.figure import Figure  # a figure of no window: pyplot would keep it

    figure = Figure(figsize=(STILL_PX[0] / _DPI, STILL_PX[1] / _DPI), dpi=_DPI, layout="compressed")
    plot_slide(slide, figure.subplots(), overlay=True, classes=None)
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor="white")
    return file.getvalue()
