"""run: what a worker is sent for one slide; plain frozen values, no handle and no pixel."""

from typing import TYPE_CHECKING

from wsi_area.frozen_value import frozen_value
from wsi_area.model.drawn import RegionOfInterest
from wsi_area.model.plan import SlidePlan
from wsi_area.segmenters.protocol import FittedSegmenter
from wsi_area.storage.place import Place

if TYPE_CHECKING:  # what it brings along is loaded only where objects are filtered
    from wsi_area.compute.objects.size_filter import SizeStage


@frozen_value
class ThresholdProbe:
    """Where the tissue is counted at other thresholds too, and through which filters by size."""

    tiles: frozenset[int]  # numbers of tiles that are read
    stages: "tuple[SizeStage, ...]"


@frozen_value
class SlideJob:
    """Everything that the batches of one slide have in common."""

    plan: SlidePlan
    fitted: FittedSegmenter
    lane: str  # the decided one, "openslide", "direct", "plain" or "stored"; workers do not prove it again
    slide_dir: Place  # of the run directory
    key: str  # hash of everything the result depends on
    read_retries: int
    roi: RegionOfInterest | None = None
    tile_timeout_s: float = 0.0  # 0: a tile may take any time
    timeout_ends_process: bool = False  # in a worker process; a thread cannot be ended, only reported
    probe: ThresholdProbe | None = None  # None where no threshold tells tissue
    compared: frozenset[int] = frozenset()  # numbers of tiles that are counted in pixels of another size too
    keeps_signal: bool = False  # a signal map lies beside the class map
    proves_edges: bool = False  # edge tiles are compared with OpenSlide's before they are read


@frozen_value
class BatchTask:
    """One batch of one slide."""

    job: SlideJob
    batch: int
    given_up: tuple[tuple[int, str], ...] = ()  # tile numbers that are not tried again, and why
    only: frozenset[int] | None = None  # tile numbers that are tried, and nothing is committed; None: all, committed
    spots: frozenset[int] | None = None  # of an estimate: these alone are measured, and no class map is kept

    @property
    def slide_id(self) -> str:
        """Return the slide that it is about."""
        return self.job.plan.slide.slide_id


@frozen_value
class TileFailure:
    """A tile that could not be measured, and why."""

    row: int
    col: int
    message: str


@frozen_value
class BatchResult:
    """What a batch sends back: never pixels.

    ``error`` is set where the batch as a whole came to nothing (the disk is full, a bug): none of it is
    committed then, and the slide cannot be complete. ``lane_obstacle`` is set too where the reason is that a stored
    tile differs from OpenSlide's.
    """

    batch: int
    tiles_done: int
    level_px: int  # decoded
    failures: tuple[TileFailure, ...]
    cpu_s: float  # of the process it ran in, from its beginning to its end
    error: str | None = None
    network_runs: int = 0  # windows that a network was shown
    lane_obstacle: str | None = None
    edge_proof_cpu_s: float = 0.0  # of its thread: edge tiles compared with OpenSlide's
