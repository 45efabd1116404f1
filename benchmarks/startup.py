"""benchmarks: the fixed cost of a run, beside the bare imports of the libraries that it loads.

``python -m benchmarks.startup SLIDE OUT`` runs wsi-area in this process and prints the third-party modules that it
loaded, as JSON: the floor below which no program that needs them can start.
"""

import json
import shutil
import sys
from pathlib import Path

from benchmarks.contenders import Contender, Ours, Sample, cost_of
from benchmarks.environments import HERE
from benchmarks.measure import run_measured

IMPORT_ALL = (
    "import importlib, json, sys\n"
    "for name in json.load(open(sys.argv[1])):\n"
    "    try: importlib.import_module(name)\n"
    "    except (ImportError, AttributeError): pass\n"
)


def loaded_modules() -> list[str]:
    """Return the names of the third-party modules in this process, in the order they were loaded."""
    ours = ("wsi_area", "benchmarks", "__main__", "_")
    return [
        name
        for name, module in list(sys.modules.items())
        if "site-packages" in (getattr(module, "__file__", None) or "") and not name.startswith(ours)
    ]


def startup_samples(tiny: Path, peers: list[Contender]) -> list[Sample]:
    """Return one sample of each start-up: bare Python, imports, help, and a run on a slide of no size."""
    python, ours = sys.executable, Ours("auto", 1)
    probe = run_measured([python, "-m", "benchmarks.startup", tiny, HERE / "work" / "runs" / "startup"])
    if probe.exit_code:
        return [{"key": "probe", "title": "what a run loads", **cost_of(probe)}]
    modules = json.loads(probe.stdout.splitlines()[-1])
    listed = HERE / "work" / "modules.json"
    listed.write_text(json.dumps(modules))
    packages = sorted({m.partition(".")[0] for m in modules})
    commands = {
        "python": ("bare Python", [python, "-c", "pass"]),
        "import": ("`import wsi_area`", [python, "-c", "import wsi_area"]),
        "help": ("`wsi-area --help`", [Path(python).parent / "wsi-area", "--help"]),
        "packages": (
            f"`import` of the {len(packages)} packages a run loads",
            [python, "-c", "import " + ", ".join(packages)],
        ),
        "modules": (
            f"the {len(modules)} third-party modules a run loads, and nothing else",
            [python, "-c", IMPORT_ALL, listed],
        ),
    }
    samples = [{"key": k, "title": t, **cost_of(run_measured(c))} for k, (t, c) in commands.items()]
    for contender in (ours, *peers):
        title = f"{contender.title}: a whole run on {tiny.stem.removeprefix('bench_')} px at 1 µm/px"
        samples.append({"key": contender.key, "title": title, **contender.run([tiny], 1.0)})
    cold = HERE / "work" / "numba-cache"
    shutil.rmtree(cold, ignore_errors=True)
    first = ours.run([tiny], 1.0, NUMBA_CACHE_DIR=str(cold))
    title = "the same, first run ever on a machine (kernels as they were installed)"
    return [*samples, {"key": "first", "title": title, **first}]


def main() -> None:
    from wsi_area.cli.main import main as wsi_area

    slide, out = map(Path, sys.argv[1:])
    shutil.rmtree(out, ignore_errors=True)
    sys.argv = ["wsi-area", *map(str, Ours("auto", 1).command([slide], 1.0, out)[1:])]
    try:
        wsi_area()
    except SystemExit as end:
        if end.code:
            raise
    print(json.dumps(loaded_modules()))


if __name__ == "__main__":
    main()
