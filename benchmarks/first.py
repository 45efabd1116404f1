"""benchmarks: the first run ever on a machine, beside the same run on one that has run before; small imports.

``python -m benchmarks.first SLIDES WORK WARM_UP`` prints the CPU seconds of both, as JSON. The machine code of the
first is looked for in a folder that is empty when it starts; what an installation carries is there.
"""

import json
import shutil
import sys
from pathlib import Path

from benchmarks.contenders import Ours


def main() -> None:
    work, slide = Path(sys.argv[2]), Path(sys.argv[3])
    code, ours = work / "code", Ours("auto", 1)
    shutil.rmtree(code, ignore_errors=True)
    samples = [ours.run([slide], 1.0, NUMBA_CACHE_DIR=str(code)) for _ in range(2)]
    shutil.rmtree(code, ignore_errors=True)
    if trouble := samples[0]["failed"] or samples[1]["failed"]:
        raise SystemExit(trouble)
    first, warm = (sample["cpu_s"] for sample in samples)
    print(json.dumps({"parts": {"first": first, "warm": warm, "more": first - warm}}))


if __name__ == "__main__":
    main()
