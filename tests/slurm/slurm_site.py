"""What the tests over a real SLURM share: calling wsi-area there, looking at the queue, comparing what came out."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from wsi_area.model.geometry import Size
from wsi_area.results.opened_run import open_run

ENDED_S = 240.0
SIZE = Size(3000, 2400)
LINE = ("--set=segmenter.threshold=60", "--set=tiling.tile_px=128", "--set=tiling.skip_glass=false")
TABLES = ("summary.csv", "summary.parquet", "areas.parquet", "flags.csv", "failed.csv")


def command(*arguments: str) -> list[str]:
    """The words that start wsi-area of this very installation, as `submit` takes it too."""
    return [str(Path(sys.executable).parent / "wsi-area"), *arguments]


def call(place: Path, environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=ENDED_S
    )


def in_queue(environment: dict[str, str]) -> str:
    return subprocess.run(["squeue", "-h"], env=environment, capture_output=True, text=True, check=True).stdout


def wait_for(what: str, condition: Callable[[], object], environment: dict[str, str]) -> None:
    end = time.monotonic() + ENDED_S
    while not condition():
        assert time.monotonic() < end, f"{what}: {in_queue(environment)}"
        time.sleep(0.1)


def same_tables(out: Path, undisturbed: Path) -> None:
    for name in TABLES:
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name


def same_class_maps_and_ledgers(out: Path, undisturbed: Path) -> None:
    """Every class map and every tile's integers, pixel by pixel; and the stored shards, byte by byte."""
    ours, theirs = open_run(out), open_run(undisturbed)
    assert list(ours) == list(theirs)
    for name in ours:
        assert np.array_equal(ours[name].class_map(), theirs[name].class_map()), name
    files = sorted(path.relative_to(undisturbed) for path in undisturbed.glob("slides/*/*.zarr/**/c/**/*"))
    chunks = [path for path in files if (undisturbed / path).is_file()]
    assert chunks
    for path in chunks:
        assert (out / path).read_bytes() == (undisturbed / path).read_bytes(), path
