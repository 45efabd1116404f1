"""benchmarks: who takes part, the command line of each, and how its answer is read; standard library only."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.environments import HERE, Environment
from benchmarks.measure import Cost, run_measured

RUNS = HERE / "work" / "runs"
RULE = HERE / "rule.toml"
CLASSES = ("negative", "weak", "moderate", "strong")

PEERS = {
    "openslide_skimage": "OpenSlide + scikit-image + dask",
    "tiatoolbox_patches": "TIAToolbox",
    "large_image_tiff": "large-image",
    "pyvips_numpy": "pyvips",
    "cucim_cpu": "cuCIM (CPU)",
    "fastslide_numpy": "fastslide",
}

Sample = dict[str, Any]


class Contender(Protocol):
    """Somebody who counts slides at a work mpp."""

    @property
    def key(self) -> str: ...

    @property
    def title(self) -> str: ...

    def run(self, slides: Sequence[Path], work_mpp: float) -> Sample:
        """Return the cost and the answer; ``failed`` is set where it came to nothing."""


def cost_of(cost: Cost) -> Sample:
    """Return the figures of a cost; what failed has none, so that no table takes an error for a fast run."""
    if cost.last_error:
        return {"failed": cost.last_error}
    return {"cpu_s": cost.cpu_s, "wall_s": cost.wall_s, "peak_mb": cost.peak_mb, "failed": ""}


@dataclass(frozen=True)
class Ours:
    """wsi-area as a user calls it, in a fresh run directory each time."""

    lane: str  # "auto" or "openslide"
    workers: int
    skip_glass: bool = True

    @property
    def key(self) -> str:
        return f"ours-{self.lane}-{self.workers}" + ("" if self.skip_glass else "-all")

    @property
    def title(self) -> str:
        lane = {"auto": "direct lane", "openslide": "OpenSlide lane"}[self.lane]
        workers = f"{self.workers} worker" + ("s" if self.workers > 1 else "")
        return f"wsi-area, {lane}, {workers}" + ("" if self.skip_glass else ", glass decoded too")

    def run_dir(self, work_mpp: float) -> Path:
        """Return the place of its latest run of one slide at this work mpp."""
        return RUNS / f"{self.key}-{work_mpp:g}"

    def command(self, slides: Sequence[Path], work_mpp: float, out: Path) -> list[str | Path]:
        """Return the command line."""
        settings = {
            "tiling.work_mpp": work_mpp,
            "tiling.skip_glass": str(self.skip_glass).lower(),
            "reader.lane": self.lane,
            "run.executor": "threads",
        }
        assignments = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        program = Path(sys.executable).parent / "wsi-area"
        own = ["--workers", str(self.workers), "--no-report"]  # the others write no report either
        return [program, "run", *slides, "--config", RULE, "--out", out, *own, *assignments]

    def run(self, slides: Sequence[Path], work_mpp: float, **env: str) -> Sample:
        out = self.run_dir(work_mpp) if len(slides) == 1 else RUNS / f"{self.key}-batch"
        shutil.rmtree(out, ignore_errors=True)
        cost = run_measured(self.command(slides, work_mpp, out), **env)
        return cost_of(cost) | ({} if cost.exit_code else self._answer(out, slides))

    def _answer(self, out: Path, slides: Sequence[Path]) -> Sample:
        records = [json.loads((out / "slides" / s.stem / "result.json").read_text()) for s in slides]
        timings, last = [r["timing"] for r in records], records[-1]
        wanted_lane = "direct" if self.lane == "auto" else self.lane
        fell_back = "" if last["reader"] == wanted_lane else f"read by {last['reader']}: {last['reader_reason']}"
        return {
            "areas_mm2": {c["name"]: c["area_mm2"] for c in last["classes"] if c["name"] in CLASSES},
            "failed": fell_back,
            "reader": last["reader"],
            "skip_bound_px": last["skipped_tissue_px_upper_bound"],
            "inner_cpu_s": sum(t["inner_cpu_s"] for t in timings),
            "edge_proof_cpu_s": sum(t["edge_proof_cpu_s"] for t in timings),
            "inner_wall_s": sum(t["inner_wall_s"] for t in timings),
            "prepare_cpu_s": sum(t["prepare_cpu_s"] for t in timings),
            "decoded_px": timings[-1]["decoded_px"],
            "batches": timings[-1]["batches"],
            "tile_px": last["work"]["tile_px"],
        }


@dataclass(frozen=True)
class Peer:
    """Another library, by its script under ``peers/`` and in its own environment."""

    key: str
    environment: Environment

    @property
    def title(self) -> str:
        return PEERS[self.key]

    def run(self, slides: Sequence[Path], work_mpp: float) -> Sample:
        if self.environment.failure:
            return {"failed": self.environment.failure}
        script = HERE / "peers" / f"{self.key}.py"
        cost = run_measured([self.environment.python, script, *slides, "--work-mpp", str(work_mpp)])
        if cost.exit_code:
            return cost_of(cost)
        answer = json.loads(cost.stdout.splitlines()[-1])
        return cost_of(cost) | {"areas_mm2": answer["areas_mm2"], "versions": answer["versions"]}


@dataclass(frozen=True)
class Limit:
    """Decoding alone, of the stored tiles that our run read."""

    of: Ours
    key: str = "limit"
    title: str = "raw decode of the kept tiles (the limit)"

    def run(self, slides: Sequence[Path], work_mpp: float) -> Sample:
        command = [sys.executable, "-m", "benchmarks.limit", slides[0], "--run", self.of.run_dir(work_mpp)]
        cost = run_measured([str(c) for c in command])
        if cost.exit_code:
            return cost_of(cost)
        answer = json.loads(cost.stdout)
        # the loop alone: this process's own start-up is no part of the limit
        return answer | {"cpu_s": answer["decode_cpu_s"], "failed": ""}


def ten_links(slide: Path) -> list[Path]:
    """Return ten names of one slide, as hard links: a batch without ten times the disk."""
    folder = slide.parent / f"{slide.stem}.batch"
    folder.mkdir(exist_ok=True)
    links = [folder / f"s{i}_{slide.name}" for i in range(10)]
    for link in links:
        link.unlink(missing_ok=True)
        os.link(slide, link)
    return links
