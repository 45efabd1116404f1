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


def cpu_s(slide: Path, contenders: dict[str, Contender], work_mpps: Sequence[float]) -> dict[str, float]:
    """Return the CPU seconds of each run, by who and work µm/px.

    Raises
    ------
    SystemExit
        Somebody who takes part came to nothing.
    """
    found = {}
    for mpp in work_mpps:
        for name, contender in contenders.items():
            sample = contender.run([slide], mpp)
            if sample["failed"]:
                raise SystemExit(f"{name} at {mpp:g} µm/px: {sample['failed']}")
            found[f"{name} {mpp:g}"] = sample["cpu_s"]
    return found


def main() -> None:
    slide, warm_up = Path(sys.argv[1]), Path(sys.argv[3])
    environments = {name: ensure(key, install=False) for name, key in PEERS.items()}
    absent = {name: found.failure for name, found in environments.items() if found.failure}
    contenders: dict[str, Contender] = {"ours": Ours("auto", 1)}
    contenders |= {name: Peer(PEERS[name], found) for name, found in environments.items() if name not in absent}
    cpu_s(warm_up, contenders, WORK_MPPS[:1])
    print(json.dumps({"parts": cpu_s(slide, contenders, WORK_MPPS), "absent": absent}))


if __name__ == "__main__":
    main()
