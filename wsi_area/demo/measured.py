"""demo: the demo slide built, measured through the whole line, and held against its truth."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from wsi_area.demo.islands import SIZE, DemoIsland
from wsi_area.demo.slide import DemoTruth, build_demo_slide
from wsi_area.errors import ResultError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.collect import collect_slides
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.layout import write_bytes
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


_AROUND_PX = 16.0  # between an island and its box: what JPEG blurs stays inside


@frozen_value
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
        """Return True if the measurement is as close as it must be."""
        return abs(self.relative_error) <= self.tolerance_relative


@frozen_value
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
        """Return True if the measurement is as close as it must be."""
        return abs(self.relative_error) <= self.tolerance_relative


@frozen_value
class DemoOutcome:
    """The demo's truth, its run, and the lines that compare them."""

    truth: DemoTruth
    outcome: RunOutcome
    lines: tuple[DemoLine, ...]
    burden: DemoBurden | None  # None where the slide is not complete

    @property
    def passed(self) -> bool:
        """Return True if the run is complete and every area is as close as it must be."""
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
    write_bytes(folder / "islands.geojson", island_boxes(truth.islands))
    outcome = run_slides(
        collect_slides([str(slide)], regions_from=folder / "islands.geojson"),
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
        *_island_lines(truth, slide),
    )


def _island_lines(truth: DemoTruth, slide: CountedSlide) -> Iterator[DemoLine]:
    """Yield the tissue of each region, in which one island lies."""
    measured = {} if slide.regions is None else {row.name: row.tissue_area_mm2 for row in slide.regions.listed}
    for island in truth.islands:
        found = measured.get(island.name) or 0.0
        yield DemoLine(f"region: {island.name}, tissue", island.tissue_area_mm2, found, truth.tolerance_relative)


def island_boxes(islands: Sequence[DemoIsland]) -> bytes:
    """Return a box round each island as QuPath's GeoJSON; no other island reaches into it, though boxes overlap."""
    features = []
    for island in islands:
        x0, y0, x1, y1 = island.outline.reach_px
        x0, y0 = max(0.0, x0 - _AROUND_PX), max(0.0, y0 - _AROUND_PX)
        x1, y1 = min(float(SIZE.width_px), x1 + _AROUND_PX), min(float(SIZE.height_px), y1 + _AROUND_PX)
        ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
        features.append(
            {
                "type": "Feature",
                "id": island.name,
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"objectType": "annotation", "name": island.name},
            }
        )
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _burden(truth: DemoTruth, slide: CountedSlide) -> DemoBurden:
    true_pct = 100 * truth.positive_area_mm2 / truth.tissue_area_mm2
    return DemoBurden(true_pct, slide.tumor.pct_tissue or 0.0, 2 * truth.tolerance_relative)
