"""notebook: a run and its slides as a notebook shows them; what `wsi_area.open_run` returns."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wsi_area.notebook.calibration_view import SlideCalibration, calibration_of
from wsi_area.notebook.certificate_view import SlideCertificate, certificate_of_slide
from wsi_area.notebook.class_levels import ClassLevel, class_level
from wsi_area.notebook.comparison import RunComparison, comparison_of
from wsi_area.notebook.explained import ExplainedArea, explained_area
from wsi_area.notebook.html import run_html, slide_html
from wsi_area.notebook.review_view import review_frame, with_verdicts
from wsi_area.notebook.tile_view import TileView, tile_view
from wsi_area.results.opened_run import OpenedRun
from wsi_area.results.opened_run import open_run as open_documents
from wsi_area.results.opened_slide import OpenedSlide
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # the viewer and pandas are loaded by who asks for them
    import pandas as pd

    from wsi_area.notebook.viewer.widget import SlideViewer


class ClosableFolder(Protocol):
    """A folder that somebody takes away, at the latest when nobody holds this any more."""

    def close(self) -> object:
        """Take it away."""


def open_run(path: str | Place) -> "NotebookRun":
    """Return a run directory, opened for looking at it.

    Raises
    ------
    ResultError
        If the folder does not hold a run.
    """
    opened = open_documents(path)
    return NotebookRun(opened.layout, opened.run_record)


@dataclass(frozen=True, repr=False)
class NotebookRun(OpenedRun):
    """A run: a mapping from slide id to slide, its tables, and another run to hold it against."""

    folder: ClosableFolder | None = field(default=None, compare=False)  # a temporary one, which goes with the run

    def __getitem__(self, slide_id: str) -> "NotebookSlide":
        opened = super().__getitem__(slide_id)
        return NotebookSlide(opened.layout, opened.result, self.folder)

    def __enter__(self) -> "NotebookRun":
        """Return the run, whose temporary folder goes at the end of the block."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the run."""
        self.close()

    def close(self) -> None:
        """Take the run's folder away if it is a temporary one; any other is left as it is."""
        if self.folder is not None:
            self.folder.close()

    @cached_property
    def summary(self) -> "pd.DataFrame":
        """Return one row for each planned slide, indexed by slide id, with verdicts and amended areas beside it.

        Raises
        ------
        ResultError
            If the run has not ended, or what people decided cannot be read.
        """
        return with_verdicts(super().summary, self)

    @cached_property
    def review(self) -> "pd.DataFrame":
        """Return one row for each planned slide, indexed by slide id: the verdict on it, and who gave it.

        Raises
        ------
        ResultError
            If what was decided cannot be read.
        """
        return review_frame(self)

    def _repr_html_(self) -> str:
        """Return the run as a table with what needs a look below it; every text is escaped."""
        return run_html(self)

    def compare(self, other: "OpenedRun | str | Place", tolerance: float = 0.0) -> RunComparison:
        """Return the differences of another run from this one, slide by slide and pixel by pixel.

        Parameters
        ----------
        other : a run, or its folder
            What is called the second; its values less this run's are the changes.
        tolerance : float
            Relative difference up to which two numbers are the same; 0 asks for the very same number.

        Raises
        ------
        ResultError
            If the folder does not hold a run.
        """
        second = other if isinstance(other, OpenedRun) else open_documents(other)
        return comparison_of(self, second, tolerance)


@dataclass(frozen=True, repr=False)
class NotebookSlide(OpenedSlide):
    """One slide of a run, to be looked at."""

    folder: ClosableFolder | None = field(default=None, compare=False)  # of a temporary run: there while this is

    def _repr_html_(self) -> str:
        """Return the slide's picture, its pixel size, areas and findings; every text is escaped."""
        return slide_html(self)

    @property
    def amended(self) -> "tuple[NotebookSlide, ...]":
        """Return the amended versions of the slide, the oldest first, each to be looked at like a slide."""
        return tuple(NotebookSlide(found.layout, found.result, self.folder) for found in super().amended)

    @property
    def calibration(self) -> SlideCalibration:
        """Return the pixel size, what it was chosen from, and why.

        Raises
        ------
        ResultError
            If the slide ended before a pixel size was looked for.
        """
        return calibration_of(self)

    @property
    def certificate(self) -> SlideCertificate:
        """Return the facts that the slide's numbers rest on: picture, pixel size, light, completeness, orientation.

        Raises
        ------
        ResultError
            If the slide was not counted, or by a version that made no certificates.
        """
        return certificate_of_slide(self)

    def plot(self, ax: Any = None, *, overlay: bool = True, classes: Iterable[str] | None = None) -> Any:
        """Return matplotlib axes with the slide, its classes, and a bar of known length.

        The axes are in mm from the slide's upper left corner, down is positive; in level-0 pixels, and without a bar,
        where no pixel size is known.

        Parameters
        ----------
        ax : matplotlib axes or None
            Where to draw; None makes a figure.
        overlay : bool
            Whether to lay the classes over the picture.
        classes : names, or None
            Which classes; None: all but the background.

        Raises
        ------
        SettingsError
            matplotlib is not installed, or there is no such class.
        ResultError
            The slide has no counts, or its stores cannot be read.
        """
        from wsi_area.notebook.plotting import plot_slide  # matplotlib takes 0.4 s to load

        return plot_slide(self, ax, overlay=overlay, classes=classes)

    def view(
        self, *, file: str | Path | None = None, classes: Iterable[str] | None = None, opacity: float | None = None
    ) -> "SlideViewer":
        """Return a notebook widget in which the slide is panned and zoomed, with its classes over it.

        The slide is read tile by tile as it is looked at. Where its file is gone or another lies in its place, the
        small picture that the run kept is shown instead, and the viewer says so; without a pixel size there is no bar.
        When the notebook is saved, the picture that `plot` draws stays behind.

        Parameters
        ----------
        file : path or None
            Where the slide is now; None: where it was when it was measured.
        classes : names, or None
            Which classes are shown at first; None: all but the background.
        opacity : float or None
            Of the classes at first, 0 to 1; None: 0.85, as `plot` and the report draw them, so that what is seen is the
            colour of the legend: half-transparent yellow over stained tissue looks like the orange of another class.

        Raises
        ------
        SettingsError
            anywidget or matplotlib is not installed, or there is no such class.
        ResultError
            The slide has no counts, its stores cannot be read, or the file that was named is another.
        SlideOpenError
            The file that was named is not there.
        """
        from wsi_area.notebook.viewer.widget import SlideViewer  # with matplotlib and anywidget: a second to load

        return SlideViewer(self, file=file, classes=classes, opacity=opacity)

    def class_map(self, level: int = 0) -> "ClassLevel":  # type: ignore[override]  # an array to numpy, but not read yet
        """Return uint8 (h, w) of class ids and reserved codes, read where it is cut: ``class_map()[:100, :100]``.

        Parameters
        ----------
        level : int
            0 is the work grid, exactly as it was measured. Each further level is half the size, rounded up, each of
            its pixels the most frequent code of the 2 × 2 below it (`compute.picture.pyramid.MODE_RULE`). They are
            for looking; areas come from level 0 alone.

        Raises
        ------
        ResultError
            There is no class map, or no such level.
        """
        found = class_level(self.class_map_array(), level, self.slide_id)
        found.held = self.folder
        return found

    def tile(self, row: int, col: int, *, file: str | Path | None = None) -> TileView:
        """Return one tile of the ledger: the pixels that were classified, their classes, and the counts.

        Parameters
        ----------
        row, col : int
            In the grid of the ledger, from 0.
        file : path or None
            Where the slide is now; None: where it was when it was measured.

        Raises
        ------
        ResultError
            There is no such tile, or the file is not the one that was measured.
        SlideOpenError
            The slide is not there.
        """
        return tile_view(self, row, col, file)

    def explain(self, name: str = "tumor") -> ExplainedArea:
        """Return the arithmetic of one area: of a class by its name, of all ``tumor``, or of all ``tissue``.

        Raises
        ------
        SettingsError
            There is no such class.
        MissingMppError
            The slide has no pixel size, so there is no mm² to explain.
        ResultError
            The slide has no counts.
        CountMismatchError
            The area on record is not the count times the pixel size on record.
        """
        return explained_area(self, name)
