"""benchmarks: what reading a cut of a slide takes in each format: directly, and through OpenSlide."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.format_files import most_stained, written
from benchmarks.row_runs import FINE, RULE, inner_s
from wsi_area.model.geometry import Region
from wsi_area.slides import SlideReader, choose_lane, close_readers, inspect
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader

REGION_PX = 512
"""What is asked for at once, as a run at 0.25 µm/px does."""

ROUNDS = 5
"""The cut is read as often, since the clock of CPU time ticks a hundred times a second."""

RUNS = 4
"""Runs of a cut are as many: a tenth of a second each, of which a slow one is not to decide alone."""

MEASURED = ("ndpi-444", "ndpi-422", "philips", "ventana")
"""Formats of which whole tiles are measured as well: read, classified and written."""

_VENDORS = {"philips": "philips", "trestle": "trestle", "ventana": "ventana", "leica": "leica", "mirax": "mirax"}


def formats_s(spent_s: Callable[[Callable[[], object]], float], slide: Path, folder: Path) -> Mapping[str, float]:
    """Return the CPU seconds a Mpx that a cut of a slide takes in each format and lane.

    Reading alone, where OpenSlide is taken bare, without the check of stored tiles that a run adds to it; and with
    "tiles" in the name the tiles of a run, where it has the check. Lanes are asked for by name, so that edge tiles are
    proven before the tiles: their share hangs on the size of a slide, and a cut is nearly all edge where intervals are
    wide.

    Raises
    ------
    SystemExit
        OpenSlide does not know a file as the vendor's, or one is not read directly: there is nothing to compare.
    """
    found: dict[str, float] = {}
    for name, path in written(most_stained(slide), folder / "files").items():
        info = inspect(path)
        meant = _VENDORS.get(name.removeprefix("other "), info.vendor)
        decision = choose_lane(info, [0], "auto")
        if info.vendor != meant or decision.lane != ("openslide" if name.startswith("other") else "direct"):
            raise SystemExit(f"{path} is of {info.vendor} and read by lane {decision.lane}: {decision.reason}")
        size = info.size_l0_px
        boxes = _regions(size.width_px, size.height_px)
        readers: dict[str, SlideReader] = {"openslide": OpenSlideReader(info, checks_tiles=False)}
        if decision.lane == "direct":
            readers["direct"] = DirectReader(info)
        for lane, reader in readers.items():
            found[f"{name} {lane}"] = spent_s(partial(_read, reader, boxes)) / (ROUNDS * size.area_px / 1e6)
            reader.close()
        close_readers()
        for lane in readers if name in MEASURED else ():
            told = [str(path)], folder / "run", RULE, FINE, f"reader.lane={lane}"
            tiles_s = 0.0
            for _ in range(RUNS):
                close_readers()  # a reader that stays open knows which stored tiles are whole: a run has yet to look
                tiles_s += inner_s(*told)
            found[f"{name} tiles {lane}"] = tiles_s / (RUNS * size.area_px / 1e6)
    return found


def _regions(width_px: int, height_px: int) -> list[Region]:
    return [
        Region(x, y, min(REGION_PX, width_px - x), min(REGION_PX, height_px - y))
        for y in range(0, height_px, REGION_PX)
        for x in range(0, width_px, REGION_PX)
    ]


def _read(reader: SlideReader, boxes: list[Region]) -> None:
    for box in boxes * ROUNDS:
        for _ in reader.decoded_tiles(0, box):
            pass
