"""benchmarks: what bands, regions and hot spots add to a run at 1 µm per pixel.

``python -m benchmarks.passes`` measures five slides of 10 240 × 10 240 px (the rule of ``configs/ihc_dab.toml``) in one
run, plain and with each pass, in turn: twelve drawn regions a slide, bands round what is positive, three windows. It
prints a line a variant: seconds of CPU (median, least), what that is of the plain run of the same turn, and the peak.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import ROOT, Cost, run_measured, warm

SLIDES = 5
SIDE_PX = 10_240
SWITCHES = {
    "plain": [],
    "bands": ["--set", "bands.edges_um=[-500,-250,0,250,500,1000]", "--set", 'bands.classes=["positive"]'],
    "hot spots": ["--set", "hotspots.areas_mm2=[0.2,1,2]"],
    "regions": ["--regions-from", "REGIONS"],
}
SWITCHES["all"] = [word for words in SWITCHES.values() for word in words]


def drawn_regions(side_px: int) -> str:
    """Return twelve named squares over a slide, as QuPath's GeoJSON."""
    step, size = side_px / 4, 0.8 * side_px / 4
    features = []
    for n in range(12):
        x, y = (n % 4 + 0.1) * step, (n // 4 + 0.5) * step
        ring = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
        told = {"objectType": "annotation", "name": f"region {n + 1}"}
        features.append({"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": told})
    return json.dumps({"type": "FeatureCollection", "features": features})


def measured(slides: Path, regions: Path, switches: list[str], python: str) -> Cost:
    """Return the cost of a run over the slides."""
    with tempfile.TemporaryDirectory() as out:
        told = [str(regions) if word == "REGIONS" else word for word in switches]
        config = ROOT / "configs" / "ihc_dab.toml"
        command = [python, "-m", "wsi_area", "run", slides, "--out", f"{out}/run", "--config", config, "--no-report"]
        cost = run_measured([*command, "--set", "tiling.work_mpp=1.0", *told])
    if cost.exit_code:
        raise SystemExit(f"{' '.join(told) or 'plain'}: {cost.last_error}")
    return cost


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--side", type=int, default=SIDE_PX, help="of a slide, px")
    parser.add_argument("--slides", type=int, default=SLIDES)
    parser.add_argument("--only", default=",".join(SWITCHES), help="variants, with commas")
    parser.add_argument("--python", default=sys.executable, help="of the environment that is measured")
    given = parser.parse_args()
    source = run_measured([sys.executable, "-m", "benchmarks.slide", "--size", str(given.side)]).stdout.strip()
    if not source:
        raise SystemExit("the slide could not be built: python -m benchmarks.slide says why")
    with tempfile.TemporaryDirectory(dir=Path(source).parent) as folder:
        slides, regions = Path(folder, "slides"), Path(folder, "regions")
        for place in (slides, regions):
            place.mkdir()
        for n in range(given.slides):
            (slides / f"slide_{n}.svs").hardlink_to(source)
            (regions / f"slide_{n}.geojson").write_text(drawn_regions(given.side), encoding="utf-8")
        warm(Path(source))
        told = given.only.split(",")
        costs: dict[str, list[Cost]] = {name: [] for name in told}
        for turn in range(given.repeats + 1):
            for name in told:
                cost = measured(slides, regions, SWITCHES[name], given.python)
                if turn:  # the first run of each compiles
                    costs[name].append(cost)
        shutil.rmtree(folder, ignore_errors=True)
    for name, runs in costs.items():
        cpu = [run.cpu_s for run in runs]
        ratio = median(run.cpu_s / plain.cpu_s for run, plain in zip(runs, costs[told[0]], strict=True))
        peak = max(run.peak_mb for run in runs)
        print(f"{name:10} {median(cpu):6.2f} s CPU (least {min(cpu):5.2f})  × {ratio:.3f}  peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
