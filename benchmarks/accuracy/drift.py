"""benchmarks: the tissue of each public slide now, beside what measurement version 1 made of it.

``python -m benchmarks.accuracy.drift`` prints the table, and ends with 1 if a slide has drifted by more than 2 %.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.places import CONFIGS, testdata
from wsi_area.inputs.collect import collect_slides
from wsi_area.run.pipeline import run_slides
from wsi_area.settings.run_settings import load

LIMIT = 0.02


@dataclass(frozen=True, slots=True)
class Before:
    """What measurement version 1 made of a slide."""

    slide: str
    config: str
    tissue_px: int  # level-0


BEFORE = (
    Before("CMU-1-Small-Region.svs", "he_tissue", 2_315_360),
    Before("OS-2-ndpi.tif", "he_tissue", 2_731_892),
    Before("camelyon16_tumor_072", "he_tissue", 212_074),
    Before("wsi2dcm_raw", "he_tissue", 564_584),
    Before("TCGA-CR-7395-01A-01-TS1.svs", "he_tissue", 9_556_279),
    Before("test3-DAPI-2-387.ndpi", "fluorescence", 3_883_264),
)


def main() -> int:
    """Print the table; return how the script ends."""
    slides, worst = testdata() / "slides", 0.0
    print("| slide | tissue before, px | now, px | drift |")
    print("|---|---|---|---|")
    for before in BEFORE:
        with tempfile.TemporaryDirectory() as out:
            settings = load(CONFIGS / f"{before.config}.toml", ["run.executor=serial"])
            (record,) = run_slides(collect_slides([str(slides / before.slide)]), settings, Path(out)).documents
        now_px = record["tissue"]["n_px"]
        drift = now_px / before.tissue_px - 1
        worst = max(worst, abs(drift))
        print(f"| {before.slide} | {before.tissue_px} | {now_px} | {drift:+.2%} |", flush=True)
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
