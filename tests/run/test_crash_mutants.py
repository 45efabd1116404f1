"""What the fuzzer found once is never found again: each mutant in a process of its own, judged by OpenSlide."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).resolve().parents[1] / "nightly/fuzz_slides.py"

FOUND = {
    "boxes-72dpi.tiff": {
        28: "a tile 0 px high in a plain TIFF: a division by zero instead of a reason",
        284: "a strip of a plain TIFF of more bytes than the file: all of them were allocated",
        656: "a tile 0 px wide",
    },
    "CMU-1-Small-Region.svs": {
        887: "tiles of 3.8 GB: OpenSlide allocates them, and without that much memory ends the process",
    },
    "raw.dcm": {1387: "a side of 15.7 million px: each batch looked along all of it, for hours"},
}
"""By slide and seed of `tests/nightly/fuzz_slides.py`: what it brought out."""


@pytest.mark.parametrize("kind", FOUND)
def test_a_mutant_that_ended_badly_once_ends_with_a_status(testdata: Path, kind: str) -> None:
    seeds = [str(seed) for seed in FOUND[kind]]
    ended = subprocess.run(
        [sys.executable, str(FUZZER), "--kind", kind, "--only", *seeds],
        capture_output=True, text=True, timeout=300, env={**os.environ, "WSI_AREA_TESTDATA": str(testdata)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["mutants"] == len(seeds) == sum(told.get(s, 0) for s in ("failed", "incomplete", "needs_calibration"))
    assert told["most_grown_mib"] < 1024


def test_the_fuzzer_itself_tells_a_lie_from_the_truth(testdata: Path) -> None:
    # with a judge that takes nothing for true, every result it gives is one
    code = (
        f"import sys; sys.argv = ['fuzz', '--kind', 'boxes-72dpi.tiff', '--each', '4', '--seed', '1']; "
        f"sys.path.insert(0, {str(FUZZER.parent)!r}); import judging; judging.lie_of = lambda *_: 'a lie'; "
        "import fuzz_slides; fuzz_slides.main()"
    )
    environment = {**os.environ, "WSI_AREA_TESTDATA": str(testdata)}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env=environment)
    assert ended.returncode == 1, ended.stderr
    assert "on damaged pixels: lane" in ended.stdout
