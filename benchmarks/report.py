"""benchmarks: the samples as a page of tables, with the targets first; standard library only."""

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import (
    LIMIT,
    OURS_1,
    OURS_2,
    REFERENCE,
    Samples,
    Spread,
    agreement,
    decoded_and_sorted_s,
    is_stored,
    processor_text,
)  # fmt: skip
from benchmarks.targets import target_rows

Rows = list[list[str]]


def table(header: list[str], rows: Rows) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    rule = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])


def shown(found: Spread | None, digits: int = 2) -> str:
    """Return median and range, or nothing where nothing was measured."""
    return "" if found is None else found.text(digits)


def middle(found: Spread | None) -> str:
    """Return the median alone."""
    return "" if found is None else f"{found.median:.2f}"


def write_report(data: dict[str, Any], path: Path, plot_trouble: str) -> Path:
    """Write the page beside the raw figures and return its path."""
    samples = Samples(data["samples"])
    parts = {s["part"] for s in data["samples"]}
    blocks = [_heading(data, path, plot_trouble)]
    blocks += [f"## Targets\n\n{_targets(samples)}"] if "cold" in parts else []
    for mpp in sorted({s["work_mpp"] for s in samples.where(part="cold")}):
        blocks.append(f"## One cold slide at {mpp:g} µm/px\n\n{_cold(samples, mpp, data['slide'])}")
    blocks += [f"## The inner part\n\n{_inner(samples)}"] if "cold" in parts else []
    blocks += [f"## Inside a batch of ten\n\n{_batch(samples)}"] if "batch" in parts else []
    blocks += [f"## Start-up\n\n{_startup(samples)}"] if "startup" in parts else []
    blocks += [f"## Peak memory by slide size\n\n{_memory(samples)}"] if "memory" in parts else []
    blocks += [f"## What failed\n\n{failed}"] if (failed := _failed(samples)) else []
    path.write_text("\n\n".join(blocks) + "\n")
    return path


def _heading(data: dict[str, Any], path: Path, plot_trouble: str) -> str:
    machine, slide = data["machine"], data["slide"]
    picture = f"No plot: {plot_trouble}" if plot_trouble else f"![CPU seconds by tool]({path.stem}.svg)"
    versions = ", ".join(f"{name} {v}" for name, v in data["versions"].items())
    peers = {n: v for s in data["samples"] for n, v in s.get("versions", {}).items() if n != "numpy"}
    return f"""# Benchmark of {data["date"]}

{processor_text(machine)}, {machine["memory_gib"]} GiB, {machine["system"]},
load {machine["load_before"]} before the start.
Slide: {slide["width_px"]} × {slide["height_px"]} px, {slide["mpp_um"]} µm/px, 256-px JPEG tiles 4:2:0 quality
{slide["quality"]}, levels 1/4/16, {100 * slide["asked_tissue_fraction"]:.0f} % tissue in
{100 * slide["tissue_tile_fraction"]:.0f} % of the tiles, {slide["file_bytes"] / 1e6:.0f} MB, in the page cache.
Medians of {data["repeats"]} interleaved runs (least–most). CPU is user + system of the whole process, peak is the
resident memory of the largest process. How to repeat it, and what is not measured: [the bench's page](../README.md).

Ours: {versions}. Peers: {", ".join(f"{n} {v}" for n, v in peers.items()) or "none"}.

{picture}"""


def _targets(samples: Samples) -> str:
    rows = [list(row) for row in target_rows(samples)]
    return table(["target", "measured", "wanted", ""], rows) + (
        "\n\nThe targets are set for the slide of 40 960 × 40 960 px;"
        " on a smaller one the fixed cost of a run weighs more."
    )


def _cold(samples: Samples, mpp: float, slide: dict[str, Any]) -> str:
    at = {"part": "cold", "work_mpp": mpp}
    reference = next((s for s in samples.where(**at, key=REFERENCE) if "areas_mm2" in s), None)
    rows = []
    for key, title in samples.keys(**at).items():
        mine = {**at, "key": key}
        figures = [samples.spread(f, **mine) for f in ("cpu_s", "wall_s", "peak_mb")]
        if figures[0] is None:
            rows.append([title, f"could not be run: {samples.where(**mine)[0]['failed']}", *[""] * 5])
            continue
        cells = [shown(f, d) for f, d in zip(figures, (2, 2, 0), strict=True)]
        ratios = [samples.cpu_ratio(mine, {**at, "key": other}) for other in (LIMIT, OURS_1)]
        answered = [s for s in samples.where(**mine) if "areas_mm2" in s]
        agrees = ""
        if answered and reference:
            worst = max(
                (agreement(s, reference, slide, is_stored(mpp, slide)) for s in answered), key=lambda a: a.largest
            )
            agrees = "reference" if key == REFERENCE else worst.text()
        rows.append([title, *cells, *map(middle, ratios), agrees])
    header = ["", "CPU s", "wall s", "peak MB", "CPU ÷ limit", "CPU ÷ ours", "areas differ by"]
    return table(header, rows) + "\n\n" + _areas(samples, mpp)


def _areas(samples: Samples, mpp: float) -> str:
    rows: dict[str, list[str]] = {}
    for s in samples.where(part="cold", work_mpp=mpp):
        if "areas_mm2" in s:
            rows[s["key"]] = [s["title"], *(f"{area:.6f}" for area in s["areas_mm2"].values())]
    return table(["mm²", "negative", "weak", "moderate", "strong"], list(rows.values()))


def _inner(samples: Samples) -> str:
    rows = []
    for mpp in sorted({s["work_mpp"] for s in samples.where(part="cold")}):
        for key, title in samples.keys(part="cold", work_mpp=mpp).items():
            mine = {"part": "cold", "work_mpp": mpp, "key": key}
            runs = [s for s in samples.where(**mine) if "inner_cpu_s" in s]
            if not runs:
                continue
            workers = int(key.split("-")[2])
            figures = [samples.spread(f, **mine) for f in ("inner_cpu_s", "inner_wall_s", "prepare_cpu_s")]
            ratio = samples.ratio(decoded_and_sorted_s, lambda s: s["cpu_s"], mine, {**mine, "key": LIMIT})
            busy = [s["inner_cpu_s"] / (s["inner_wall_s"] * workers) for s in runs]
            cells = [*(shown(f) for f in figures), middle(ratio), f"{100 * median(busy):.0f} %"]
            read = [f"{runs[-1]['decoded_px'] / 1e6:.0f}", str(runs[-1]["batches"])]
            rows.append([f"{mpp:g} µm/px: {title}", *cells, *read])
    costs = ["inner CPU s", "inner wall s", "prepare CPU s"]
    return table(["", *costs, "inner CPU ÷ limit", "cores busy", "Mpx read", "tasks"], rows)


def _batch(samples: Samples) -> str:
    rows = []
    for mpp in sorted({s["work_mpp"] for s in samples.where(part="batch")}):
        for key, title in samples.keys(part="batch", work_mpp=mpp).items():
            mine = {"part": "batch", "work_mpp": mpp, "key": key}
            runs = [s for s in samples.where(**mine) if "cpu_s" in s]
            if not runs:
                rows.append([f"{mpp:g} µm/px: {title}", f"failed: {samples.where(**mine)[0]['failed']}", *[""] * 3])
                continue
            alone = middle(samples.spread("cpu_s", **{**mine, "part": "cold"}))
            cpu_s, wall_s = (median(s[f] for s in runs) / 10 for f in ("cpu_s", "wall_s"))
            peak_mb = max(s["peak_mb"] for s in runs)
            rows.append([f"{mpp:g} µm/px: {title}", f"{cpu_s:.2f}", alone, f"{wall_s:.2f}", f"{peak_mb:.0f}"])
    header = ["", "CPU s a slide", "CPU s, one cold", "wall s a slide", "peak MB"]
    return table(header, rows)


def _startup(samples: Samples) -> str:
    rows = []
    for key, title in samples.keys(part="startup").items():
        mine = {"part": "startup", "key": key}
        figures = [samples.spread(f, **mine) for f in ("cpu_s", "wall_s", "peak_mb")]
        rows.append([title, *(shown(f, d) for f, d in zip(figures, (2, 2, 0), strict=True))])
    return table(["", "CPU s", "wall s", "peak MB"], rows)


def _memory(samples: Samples) -> str:
    rows = [
        [s["title"], f"{s['peak_mb']:.0f}", f"{s['wall_s']:.1f}", f"{s.get('decoded_px', 0) / 1e6:.0f}"]
        for s in samples.where(part="memory")
    ]
    return table([samples.keys(key=OURS_2).get(OURS_2, "wsi-area"), "peak MB", "wall s", "Mpx read"], rows)


def _failed(samples: Samples) -> str:
    seen = {(s["title"], s["failed"]) for s in samples.all if s.get("failed")}
    return "\n".join(f"- {title}: {why}" for title, why in sorted(seen))
