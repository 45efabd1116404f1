"""demo: the demo slide built, measured through the whole line, and held against its truth."""

from dataclasses import dataclass
from pathlib import Path

from wsi_area.demo.slide import DemoTruth, build_demo_slide
from wsi_area.errors import ResultError
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.slide_result import CountedSlide
from wsi_area.run.events import Listener
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome
from wsi_area.settings.run_settings import RunSettings, TilingSettings
from wsi_area.settings.segmenter_settings import SegmenterSettings, TissueSettings

_CLASSES = [
    {"id": 0, "name": "background", "color": "#ffffff"},
    {"id": 1, "name": "negative", "color": "#5c7cc8", "is_tissue": True},
    {"id": 2, "name": "weak", "color": "#f6d860", "is_tissue": True, "is_tumor": True},
    {"id": 3, "name": "moderate", "color": "#eb8c34", "is_tissue": True, "is_tumor": True},
    {"id": 4, "name": "strong", "color": "#a0281e", "is_tissue": True, "is_tumor": True},
]

DEMO_SETTINGS = RunSettings(
    tiling=TilingSettings(work_mpp=0.5),
    segmenter=SegmenterSettings.model_validate(
        {
            "name": "stain",
            "vectors": "h-dab",
            "target": "dab",
            "threshold": "fixed",
            "weak_od": 0.2,
            "moderate_od": 0.4,
            "strong_od": 0.6,
            "glass": "auto",
            "tissue_threshold": "otsu",
            "classes": _CLASSES,
        }
    ),
    tissue=TissueSettings(name="tissue", work_mpp=0.5),
)
"""Those of the preset ``ihc_dab``, at the slide's own pixel size, and that its positive is its tumour; the tissue is a
layer of its own, so that the burden is a share of something else than what the stain was sorted into."""


@dataclass(frozen=True, slots=True)
class DemoLine:
    """One area of the demo: what is true, what was measured, how far apart they may be."""

    name: str
    true_mm2: float
    measured_mm2: float
    tolerance_relative: float

    @property
    def relative_error(self) -> float:
        """Return measured / true − 1.

        >>> round(DemoLine("tissue", 2.0, 2.002, 0.01).relative_error, 6)
        0.001
        """
        return self.measured_mm2 / self.true_mm2 - 1

    @property
    def within_tolerance(self) -> bool:
        """Return whether the measurement is as close as it must be."""
        return abs(self.relative_error) <= self.tolerance_relative


@dataclass(frozen=True, slots=True)
class DemoBurden:
    """The tumour burden of the demo: the tumour in tissue, in percent of the tissue."""

    true_pct: float
    measured_pct: float
    tolerance_relative: float  # of both areas that it is a ratio of

    @property
    def relative_error(self) -> float:
        """Return measured / true − 1."""
        return self.measured_pct / self.true_pct - 1

    @property
    def within_tolerance(self) -> bool:
        """Return whether the measurement is as close as it must be."""
        return abs(self.relative_error) <= self.tolerance_relative


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """The demo's truth, its run, and the lines that compare them."""

    truth: DemoTruth
    outcome: RunOutcome
    lines: tuple[DemoLine, ...]
    burden: DemoBurden | None  # None where the slide is not complete

    @property
    def passed(self) -> bool:
        """Return whether the run is complete and every area is as close as it must be."""
        return self.outcome.exit_code == 0 and all(
            line.within_tolerance for line in (*self.lines, self.burden) if line is not None
        )


def measure_demo(folder: Path, settings: RunSettings, *, force: bool, listener: Listener) -> DemoOutcome:
    """Return the demo's outcome; the slide is written to ``folder/demo.svs``, the run to ``folder/run``.

    Raises
    ------
    ResultError
        If the folder cannot be written.
    """
    slide = folder / "demo.svs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"{folder} cannot be made ({error.strerror or error}); choose another --out") from error
    truth = build_demo_slide(slide)
    outcome = run_slides(
        collect_slides([str(slide)]),
        settings,
        folder / "run",
        force=force,
        listener=listener,
        argv=("wsi-area", "demo"),
        for_report=True,
    )
    measured = None if outcome.exit_code else outcome.slides[0]
    if not isinstance(measured, CountedSlide):
        return DemoOutcome(truth, outcome, (), None)
    return DemoOutcome(truth, outcome, _lines(truth, measured), _burden(truth, measured))


def _lines(truth: DemoTruth, slide: CountedSlide) -> tuple[DemoLine, ...]:
    tolerance = truth.tolerance_relative
    return (
        DemoLine("tissue", truth.tissue_area_mm2, slide.tissue.area_mm2 or 0.0, tolerance),
        DemoLine("DAB-positive (tumour)", truth.positive_area_mm2, slide.tumor.area_mm2 or 0.0, tolerance),
        # nothing is painted positive but tissue
        DemoLine("tumour in tissue", truth.positive_area_mm2, slide.tumor.in_tissue_area_mm2 or 0.0, tolerance),
    )


def _burden(truth: DemoTruth, slide: CountedSlide) -> DemoBurden:
    true_pct = 100 * truth.positive_area_mm2 / truth.tissue_area_mm2
    return DemoBurden(true_pct, slide.tumor.pct_tissue or 0.0, 2 * truth.tolerance_relative)
