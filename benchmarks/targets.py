"""benchmarks: the targets, each as a ratio within one benchmark, beside what was measured; standard library only."""

from collections.abc import Iterator

from benchmarks.figures import LIMIT, OURS_1, OURS_2, Samples, Spread, decoded_and_sorted_s, spread

Row = tuple[str, str, str, str]


def target_rows(samples: Samples) -> Iterator[Row]:
    """Yield (target, measured, wanted, verdict); what was not run is left out."""
    at025, at1 = ({"part": "cold", "work_mpp": mpp} for mpp in (0.25, 1.0))
    limit = {**at025, "key": LIMIT}
    inner = samples.ratio(decoded_and_sorted_s, lambda s: s["cpu_s"], {**at025, "key": OURS_1}, limit)
    yield from _at_most("0.25 µm/px: inner part's CPU ÷ raw decode of the kept tiles", inner, 1.65)
    yield from _at_most("the same seen from outside: (run − run on a tiny slide) ÷ raw decode", _outside(samples), 1.65)
    for peer, name, factor in (
        ("cucim_cpu", "cuCIM", 2.5),
        ("tiatoolbox_patches", "TIAToolbox", 8),
        ("openslide_skimage", "OpenSlide + scikit-image + dask", 8),
    ):
        ratio = samples.cpu_ratio({**at025, "key": peer}, {**at025, "key": OURS_1})
        yield from _at_least(f"0.25 µm/px: {name}'s CPU ÷ ours, whole run", ratio, factor)
    scaling = samples.ratio(
        lambda s: s["inner_wall_s"], lambda s: s["inner_wall_s"], {**at025, "key": OURS_1}, {**at025, "key": OURS_2}
    )
    yield from _at_least("0.25 µm/px: inner wall of one worker ÷ of two", scaling, 1.9)
    two = {**at025, "key": OURS_2}
    busy = samples.ratio(lambda s: s["inner_cpu_s"], lambda s: 2 * s["inner_wall_s"], two, two)
    yield from _at_least("0.25 µm/px: share of two cores busy in the inner part", busy, 0.9)
    pyvips = {**at1, "key": "pyvips_numpy"}
    yield from _at_most(
        "1 µm/px: our CPU ÷ pyvips's, one cold slide", samples.cpu_ratio({**at1, "key": OURS_1}, pyvips), 1.5
    )
    batch = {"part": "batch", "work_mpp": 1.0}
    per_slide = samples.ratio(lambda s: s["cpu_s"] / 10, lambda s: s["cpu_s"], {**batch, "key": OURS_1}, pyvips)
    yield from _at_most("1 µm/px: our CPU a slide in a batch of ten ÷ pyvips's cold slide", per_slide, 1.0)
    both = samples.cpu_ratio({**batch, "key": OURS_1}, {**batch, "key": "pyvips_numpy"})
    yield from _at_most("1 µm/px: our CPU ÷ pyvips's, ten slides in one process each", both, 1.0)
    yield from _at_most("peak memory with two workers, MB", _peak(samples), 250, 0)
    yield from _at_most("fixed CPU s of a further slide in a batch", _further(samples), 0.2)
    yield from _startup(samples)


def _peak(samples: Samples) -> Spread | None:
    peaks = [s["peak_mb"] for s in samples.where(key=OURS_2, part="cold") + samples.where(part="memory")]
    return Spread(max(peaks), min(peaks), max(peaks)) if peaks else None


def _outside(samples: Samples) -> Spread | None:
    """Return the cost of the inner part by the operating system's clock: threads that ours does not see included."""
    tiny = spread([s["cpu_s"] for s in samples.where(part="startup", key=OURS_1) if "cpu_s" in s])
    if tiny is None:
        return None
    at025 = {"part": "cold", "work_mpp": 0.25}
    return samples.ratio(
        lambda s: s["cpu_s"] - tiny.median, lambda s: s["cpu_s"], {**at025, "key": OURS_1}, {**at025, "key": LIMIT}
    )


def _further(samples: Samples) -> Spread | None:
    """Return the cost of each slide after the first beyond its inner part, from ten against one tiny slide."""
    fixed = {
        n: [s["cpu_s"] - s["inner_cpu_s"] for s in samples.where(part="fixed", slides=n) if "inner_cpu_s" in s]
        for n in (1, 10)
    }
    return spread([(ten - one) / 9 for one, ten in zip(fixed[1], fixed[10], strict=False)])


def _startup(samples: Samples) -> Iterator[Row]:
    yield from _at_most("`import wsi_area`, wall s", samples.spread("wall_s", part="startup", key="import"), 0.15)
    yield from _at_most("`wsi-area --help`, wall s", samples.spread("wall_s", part="startup", key="help"), 0.4)
    run = {"part": "startup", "key": OURS_1}
    added = [
        s["cpu_s"] - bare["cpu_s"]
        for s in samples.where(**run)
        for bare in samples.where(part="startup", key="modules", repeat=s["repeat"])
        if "cpu_s" in s
    ]
    yield from _at_most("fixed CPU s of a run beyond the bare imports it needs", spread(added), 0.2)


def _at_most(target: str, found: Spread | None, limit: float, digits: int = 2) -> Iterator[Row]:
    if found is not None:
        yield target, found.text(digits), f"≤ {limit:g}", "met" if found.median <= limit else "**short**"


def _at_least(target: str, found: Spread | None, limit: float) -> Iterator[Row]:
    if found is not None:
        yield target, found.text(), f"≥ {limit:g}", "met" if found.median >= limit else "**short**"
