"""segmenters: which artefacts become classes of their own, and the limits of their rules."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ExclusionSettings(BaseModel):
    """What is excluded from tissue and reported with its own mm²; all but what was painted are off unless asked for.

    Where two apply the first of ``unscanned_black``, ``unscanned_fill``, ``pen``, ``bubble``, ``fold`` and
    ``out_of_focus`` wins.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pen: bool = Field(False, description="ink in blue, green, red or black, on tissue and on glass (yes or no)")
    fold: bool = Field(False, description="tissue that lies double (yes or no)")
    out_of_focus: bool = Field(False, description="blurred tissue; needs a work pixel of at most 1 µm (yes or no)")
    bubble: bool = Field(False, description="outlines of bubbles, coverslip edges, grey dirt on glass (yes or no)")
    unscanned_black: Literal["auto", "off"] = Field(
        "auto",
        description="'auto': black that software painted where nothing was scanned is a class on the bright-field "
        "slides that have it; 'off': it is what the segmenter makes of it, tissue as a rule (no unit)",
    )
    unscanned_fill: Literal["auto", "off"] = Field(
        "auto",
        description="likewise any other colour without noise that reaches the rim and stands out from glass (no unit)",
    )
    pen_window_um: float = Field(25.0, gt=0, description="half the window of which more than half is ink, µm")
    fold_window_um: float = Field(25.0, gt=0, description="half the window whose mean absorption is judged, µm")
    fold_ratio: float = Field(
        1.7, gt=1, description="absorption of a fold: at least this many times the upper quartile of the slide's tissue"
    )
    fold_chroma_ratio: float = Field(
        1.3, gt=0, description="likewise for the difference of the most and the least absorbed channel (ratio)"
    )
    fold_least_od: float = Field(0.6, gt=0, description="least sum of the R, G, B densities of a fold, optical density")
    focus_scale_um: float = Field(1.5, gt=0, description="size of the detail that a blurred picture lacks, µm")
    focus_window_um: float = Field(50.0, gt=0, description="half the window in which sharpness is judged, µm")
    focus_least_ratio: float = Field(
        0.06, gt=0, lt=1, description="energy of detail / energy of four times larger detail, blurred below it (ratio)"
    )
    focus_least_grey: float = Field(
        1.0, gt=0, description="contrast of the larger detail below which sharpness cannot be judged, grey levels rms"
    )
    bubble_line_um: float = Field(50.0, gt=0, description="lines up to this thick are outlines, µm")
    bubble_chroma: float = Field(
        0.3, gt=0, le=1, description="an outline is grey: least and most absorbed channel differ by at most this share"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.focus_window_um < 5 * self.focus_scale_um:
            raise ValueError(
                f"focus_window_um {self.focus_window_um} is too small for focus_scale_um {self.focus_scale_um}; "
                f"make it at least {5 * self.focus_scale_um}"
            )
        return self
