"""inputs: where what was drawn on slides lies, and how large its units are."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from wsi_area import annotations
from wsi_area.compute.units import two_readings
from wsi_area.errors import AnnotationError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.looked_at import MOST_LISTED
from wsi_area.model.calibration import Mpp
from wsi_area.model.drawn import Drawn
from wsi_area.model.record.left_out import LeftOut
from wsi_area.model.slide import SlideInfo


@frozen_value
class DrawnSource:
    """Where what was drawn on slides lies."""

    path: str  # absolute; a file, or a folder in which each slide's own file is found by its name
    scale: float | None = None  # level-0 px per unit of the file, None for whatever the file itself says


@frozen_value
class Scales:
    """Level-0 px per unit of each kind of drawing, None for whatever the file itself says."""

    annotations: float | None = None
    roi: float | None = None
    regions: float | None = None

    def or_else(self, general: "Scales") -> "Scales":
        """Return them, and those of ``general`` where none is stated here."""
        return Scales(self.annotations or general.annotations, self.roi or general.roi, self.regions or general.regions)


AS_THE_FILES_SAY = Scales()


def drawn_source(option: str, path: Path | None, scale: str | None, slide_count: int = 1) -> DrawnSource | None:
    """Return the place of a drawing, with the scale stated for it, or None where none was given.

    Parameters
    ----------
    option : str
        Such as ``--truth``, for messages.
    path : Path or None
    scale : str or None
        As `stated_scale` takes it.
    slide_count : int
        How many slides it is for.

    Raises
    ------
    SettingsError
        It does not exist, the scale is no number above 0, or one file is given for several slides.
    """
    stated = stated_scale(option, scale, is_given=path is not None)
    if path is None:
        return None
    if not path.exists():
        raise SettingsError(f"{option} {path} does not exist; correct the path")
    if path.is_file() and slide_count > 1:
        raise SettingsError(
            f"{option} {path} is one file, but there are {slide_count} slides; give a folder with one file a slide, "
            "found by the slide's name, or name each in a manifest"
        )
    return DrawnSource(os.path.abspath(path), stated)


def fits_no_slide(option: str, path: Path | None, slides: Sequence[tuple[str, str]]) -> tuple[LeftOut, ...]:
    """Return the drawings of a folder that are of none of several slides, each a path and an id, as left out.

    A folder given for one slide may well hold those of others.
    """
    if path is None or path.is_file() or len(slides) < 2:
        return ()
    paths = tuple(str(found) for found in annotations.unmatched(slides, path))
    why = f"in the folder of {option}, and named like no slide that was asked for: rename it, or ask for its slide"
    return (LeftOut(why=why, count=len(paths), paths=paths[:MOST_LISTED]),) if paths else ()


def stated_scale(option: str, text: str | None, *, is_given: bool) -> float | None:
    """Return the level-0 px per unit of a drawing that an option such as ``--truth-scale`` states, also as a fraction.

    Parameters
    ----------
    option : str
        The option of the drawing itself.
    text : str or None
    is_given : bool
        There is a drawing that the scale is of.

    >>> stated_scale("--truth", "1/128", is_given=True)
    0.0078125

    Raises
    ------
    SettingsError
        It is not a number above 0, or the scale of nothing.
    """
    if text is None:
        return None
    what = f"{option.removesuffix('s').removesuffix('-from')}-scale"
    if not is_given:
        raise SettingsError(f"{what} {text} was given without {option}; give both")
    if both := two_readings(text):
        raise SettingsError(f"{what} {text}: {both}; it is one number")
    return scale_number(text, what)


def scale_number(text: str, what: str) -> float:
    """Return the level-0 px per unit of a drawing from text: a number, or a fraction.

    >>> scale_number("1/128", "roi_scale")
    0.0078125

    Raises
    ------
    SettingsError
        It is no number above 0.
    """
    over, slash, under = text.partition("/")
    return _number(over, f"{what} {text!r}") / (_number(under, f"{what} {text!r}") if slash else 1.0)


def read_for_slide(info: SlideInfo, source: DrawnSource, what: str, mpp: Mpp | None, instead: str = "") -> Drawn:
    """Return the drawing on one slide, in level-0 px.

    Parameters
    ----------
    info : SlideInfo
        The slide, by whose name its file is found where the source is a folder.
    source : DrawnSource
    what : str
        What the file holds, in words, for messages.
    mpp : Mpp or None
        The slide's pixel size, for files in µm.
    instead : str
        What else can be done where there is no such file, as the end of the message.

    Raises
    ------
    AnnotationError
        If there is nothing for this slide where it was said to be, or it cannot be read.
    """
    path = annotations.find_for(info.path, info.slide_id, Path(source.path))
    if path is None:
        raise AnnotationError(
            f"{info.slide_id}: {source.path} holds no file with {what} named like the slide; name it "
            f"{Path(info.path).stem}.geojson (or .xml, .ndpa, .json, .png){instead}"
        )
    return annotations.read_drawn(path, slide=info, scale=source.scale, mpp=mpp)


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise SettingsError(f"{what} is no number above 0; give level-0 px per unit of the file, such as 1/128 or 16")
    return number
