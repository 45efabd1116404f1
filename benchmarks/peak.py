"""benchmarks: the peak memory of the rule at the finest level, a whole process with two workers; small imports."""

import json
import sys
from pathlib import Path

from benchmarks.contenders import Ours
from benchmarks.memory import WORKERS


def main() -> None:
    sample = Ours("auto", WORKERS).run([Path(sys.argv[1])], 0.25)
    if sample["failed"]:
        raise SystemExit(sample["failed"])
    print(json.dumps({"parts": {"peak": sample["peak_mb"]}}))


if __name__ == "__main__":
    main()
