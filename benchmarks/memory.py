"""benchmarks: the peak memory of a run with each shipped configuration, each in a process of its own; small imports.

Warm: the machine code lies on disk, as on a machine that has run before. Cold: what the installation does not carry is
made by the run that is measured, into a folder that is empty when it starts. ``python -m benchmarks.memory SLIDE WORK``
prints the peaks as JSON: a process begins with the peak of the one that started it, so that one must be small.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import ROOT, run_measured

FOCI = str(ROOT / "benchmarks" / "foci.toml")
WORKERS = 2


_1_UM, _025_UM = ("--set", "tiling.work_mpp=1"), ("--set", "tiling.work_mpp=0.25")
CONFIGURATIONS = {
    "`he_tissue`, 1 µm/px": ("--config", "he_tissue", *_1_UM),
    "`he_tissue_clean`, 1 µm/px": ("--config", "he_tissue_clean", *_1_UM),
    "`coarse_overview`": ("--config", "coarse_overview", "--set", "segmenter.model={models}/pixels"),
    "`ihc_dab`, 0.25 µm/px": ("--config", "ihc_dab", *_025_UM),
    "foci of a stain, 0.25 µm/px": ("--config", FOCI, *_025_UM),
    "`pixel_classifier`": ("--config", "pixel_classifier", "--set", "segmenter.model={models}/pixels"),
    "`onnx_model`, 1 µm/px": ("--config", "onnx_model", "--set", "segmenter.model={models}/network.onnx"),
}
"""The options of each configuration, by what it is called on the page."""


def write_models(folder: Path) -> None:
    """Write the models that some of them need into a folder, unless it is there."""
    if not folder.exists():
        made = run_measured([sys.executable, "-m", "benchmarks.models", folder])
        if made.exit_code:
            raise SystemExit(f"no models could be written: {made.last_error}")


def peaks_mb(slide: Path, work: Path, models: Path) -> Iterator[tuple[str, float]]:
    """Yield each configuration's peak, MiB, cold and then warm: what the first made, the second loads."""
    write_models(models)
    for name, given in CONFIGURATIONS.items():
        options = [option.format(models=models) for option in given]
        code = work / "code"
        for state in ("cold", "warm"):
            out = work / "run"
            cost = run_measured(
                [
                    sys.executable, "-m", "wsi_area", "run", slide, "--out", out, "--set", f"run.workers={WORKERS}",
                    *options,
                ],
                NUMBA_CACHE_DIR=str(code),
            )  # fmt: skip
            shutil.rmtree(out, ignore_errors=True)
            if cost.exit_code:
                raise SystemExit(f"{name}, {state}: {cost.last_error}")
            yield f"{name}, {state}", cost.peak_mb
        shutil.rmtree(code, ignore_errors=True)


def main() -> None:
    slide, work = (Path(argument) for argument in sys.argv[1:3])
    print(json.dumps({"parts": dict(peaks_mb(slide, work / "memory", work / "models"))}))


if __name__ == "__main__":
    main()
