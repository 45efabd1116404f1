"""benchmarks: whole cold processes on one slide, ours beside the peers whose environments are there; small imports.

``python -m benchmarks.cold SLIDE WORK WARM_UP`` prints CPU seconds by who and work µm/px, as JSON. The machine code of
ours lies on disk, as on a machine that has run before: a slide of no size is measured first.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders import Contender, Ours, Peer
from benchmarks.environments import ensure

PEERS = {"pyvips": "pyvips_numpy", "cuCIM": "cucim_cpu", "fastslide": "fastslide_numpy"}
WORK_MPPS = (1.0, 0.25)


def measured(slide: Path, contenders: dict[str, Contender], work_mpps: Sequence[float]) -> dict[str, float]:
    """Return the CPU seconds of each run, by who and work µm/px, and how far ours lies from each peer's areas.

    Raises
    ------
    SystemExit
        Somebody who takes part came to nothing.
    """
    found: dict[str, float] = {}
    for mpp in work_mpps:
        areas: dict[str, dict[str, float]] = {}
        for name, contender in contenders.items():
            sample = contender.run([slide], mpp)
            if sample["failed"]:
                raise SystemExit(f"{name} at {mpp:g} µm/px: {sample['failed']}")
            found[f"{name} {mpp:g}"] = sample["cpu_s"]
            areas[name] = sample["areas_mm2"]
            found[f"{name} {mpp:g} apart %"] = 100 * max(abs(areas["ours"][c] - mm2) for c, mm2 in areas[name].items())
        found[f"tissue {mpp:g} mm2"] = sum(areas["ours"].values())
    return found


def main() -> None:
    slide, warm_up = Path(sys.argv[1]), Path(sys.argv[3])
    environments = {name: ensure(key, install=False) for name, key in PEERS.items()}
    absent = {name: found.failure for name, found in environments.items() if found.failure}
    contenders: dict[str, Contender] = {"ours": Ours("auto", 1)}
    contenders |= {name: Peer(PEERS[name], found) for name, found in environments.items() if name not in absent}
    measured(warm_up, contenders, WORK_MPPS[:1])
    print(json.dumps({"parts": measured(slide, contenders, WORK_MPPS), "absent": absent}))


if __name__ == "__main__":
    main()
