"""benchmarks: the plot of one benchmark; runs in its own environment, which has matplotlib.

``python plot.py RAW.json PLOT.svg``: CPU seconds of one cold slide, a panel for each of two work mpp, one bar a tool,
with least and most as a line. Ours, the peers and the limit differ in lightness as well as in hue (Okabe and Ito's
colours), so the plot reads in grey too.
"""

import json
import sys
from pathlib import Path
from statistics import median

import matplotlib as mpl
import matplotlib.pyplot as plt

BLUE, ORANGE, GREY, INK = "#0072B2", "#E69F00", "#BBBBBB", "#222222"
SHOWN = (0.25, 1.0)
LEFT_OUT = {"ours-auto-1-all", "ours-openslide-2"}  # in the tables; here they would say the same twice


def colour(key: str) -> str:
    return GREY if key == "limit" else BLUE if key.startswith("ours") else ORANGE


def bars(samples: list[dict], work_mpp: float) -> list[tuple[str, str, list[float]]]:
    """Return (key, title, CPU seconds) of each tool, cheapest first."""
    found: dict[str, tuple[str, list[float]]] = {}
    for s in samples:
        if s["part"] == "cold" and s["work_mpp"] == work_mpp and "cpu_s" in s and s["key"] not in LEFT_OUT:
            found.setdefault(s["key"], (s["title"], []))[1].append(s["cpu_s"])
    return sorted(((k, t, v) for k, (t, v) in found.items()), key=lambda bar: median(bar[2]))


def draw_panel(axes, rows: list[tuple[str, str, list[float]]], work_mpp: float) -> None:
    middles = [median(values) for _, _, values in rows]
    errors = [[m - min(v) for m, (_, _, v) in zip(middles, rows, strict=True)],
              [max(v) - m for m, (_, _, v) in zip(middles, rows, strict=True)]]  # fmt: skip
    axes.barh(range(len(rows)), middles, color=[colour(k) for k, _, _ in rows], height=0.72)
    axes.errorbar(middles, range(len(rows)), xerr=errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    furthest = max(max(v) for _, _, v in rows)
    for y, (middle, (_, _, values)) in enumerate(zip(middles, rows, strict=True)):
        digits = 1 if middle >= 10 else 2
        axes.text(max(values) + 0.015 * furthest, y, f"{middle:.{digits}f}", va="center", fontsize=9, color=INK)
    axes.set_yticks(range(len(rows)), [title for _, title, _ in rows], fontsize=9)
    axes.set_xlim(0, 1.13 * furthest)
    axes.invert_yaxis()
    axes.set_title(f"{work_mpp:g} µm/px", loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel("CPU seconds for one cold slide, whole process (less is better)", fontsize=9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=9)


def main() -> None:
    raw, target = map(Path, sys.argv[1:])
    data = json.loads(raw.read_text())
    panels = [(mpp, rows) for mpp in SHOWN if (rows := bars(data["samples"], mpp))]
    if not panels:
        raise SystemExit("no cold runs at 0.25 or 1 µm/px to draw")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "wsi-area"
    heights = [len(rows) + 1.5 for _, rows in panels]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8.6, 0.31 * sum(heights) + 0.7), height_ratios=heights, squeeze=False
    )
    for panel, (mpp, rows) in zip(axes[:, 0], panels, strict=True):
        draw_panel(panel, rows, mpp)
    slide, machine = data["slide"], data["machine"]
    figure.suptitle(
        f"Stain areas of a {slide['width_px']} × {slide['height_px']} px slide:"
        " blue wsi-area, orange others, grey the limit\n"
        f"{machine['cpu']}, {machine['cores']} cores; medians of {data['repeats']}, line from least to most;"
        f" {data['date']}",
        x=0.01, ha="left", fontsize=9, color=INK,
    )  # fmt: skip
    figure.tight_layout()
    figure.savefig(target, metadata={"Date": None})
    figure.savefig(target.with_suffix(".png"), dpi=130)


if __name__ == "__main__":
    main()
