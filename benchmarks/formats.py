"""benchmarks: what reading a cut of a slide takes in each format: directly, and through OpenSlide."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.format_files import most_stained, written
from benchmarks.row_runs import FINE, RULE, inner_s
from wsi_area.model.geometry import Region
from wsi_area.model.pixels import RgbArray
from wsi_area.slides import SlideReader, choose_lane, close_readers, inspect
from wsi_area.slides.lanes.bands import tiles_at_once
from wsi_area.slides.lanes.direct_lane import DirectReader
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader
from wsi_area.slides.lanes.tile_files import TileMemory
from wsi_area.slides.stored.joined_intervals import joined_intervals
from wsi_area.slides.stored.tile_codecs import decode_whole_jpeg, decoding_room

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

    Reading alone, where OpenSlide is taken bare, without the check of stored tiles that a run adds to it. With
    "decoder" in the name libjpeg alone, of restart intervals joined to bands. With "tiles" in the name the tiles of a
    run, where OpenSlide has the check. Lanes are asked for by name, so that edge tiles are proven before the tiles:
    their share hangs on the size of a slide, and a cut is nearly all edge where intervals are wide.

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
            if isinstance(reader, DirectReader) and reader.tiled_level(0).is_interval:
                decode = partial(_decode, _joined(reader))
                found[f"{name} decoder"] = spent_s(decode) / (ROUNDS * size.area_px / 1e6)
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


def _joined(reader: DirectReader) -> tuple[list[bytes], RgbArray]:
    """Return the JPEGs of the bands of level 0, made as the direct lane makes them, and memory for one of them."""
    tiles = reader.tiled_level(0)
    together, across = tiles_at_once(tiles), tiles.tiles_across
    jpegs, memory = [], TileMemory(b"")
    for first_row in range(0, tiles.tiles_down, together):
        for column in range(across):
            rows = range(first_row, min(first_row + together, tiles.tiles_down))
            spans = reader.read_together(0, np.array([row * across + column for row in rows]), memory)
            data = [bytes(memory.data[first:end]) for first, end in spans.tolist()]
            joined = joined_intervals(tiles.jpeg_head, data)
            if len(rows) < together or joined is None:
                raise SystemExit("a cut of restart intervals is not of whole bands, or these cannot be joined")
            jpegs.append(joined)
    return jpegs, decoding_room((together * tiles.tile_px.height_px, tiles.tile_px.width_px, 3))


def _decode(joined: tuple[list[bytes], RgbArray]) -> None:
    jpegs, scratch = joined
    for jpeg in jpegs * ROUNDS:
        decode_whole_jpeg(jpeg, scratch)
