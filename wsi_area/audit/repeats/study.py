"""audit: what repeated measurements of the same subjects say of the spread of an area."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from wsi_area.audit.repeats.measured_again import MeasuredAgain
from wsi_area.audit.repeats.occasions import Occasions, occasions
from wsi_area.compute.repeats.limits_of_agreement import limits_of_agreement
from wsi_area.compute.repeats.next_measurement import (
    Spread,
    on_another_occasion,
    on_any_repeat,
    on_these_occasions,
    relative_u,
)
from wsi_area.compute.repeats.two_way import (
    Floats,
    Interval,
    degrees_of_freedom,
    icc_agreement,
    icc_published,
    repeatability_sd,
    reproducibility_sd,
    two_way,
    variation,
)
from wsi_area.errors import ResultError, SettingsError
from wsi_area.model.uncertainty.repeat_study import (
    AreaKind,
    By,
    Estimated,
    LeftOut,
    NextMeasurement,
    OccasionPair,
    Repeat,
    RepeatedArea,
    RepeatStudy,
)
from wsi_area.results.opened_run import OpenedRun
from wsi_area.version import __version__

MIN_SUBJECTS = 3
"""Of two subjects one degree of freedom is left, and an interval of 1 to 30."""
_NO_SPREAD = 1e-12
_MOST_SD = 6.0  # of a logarithm: beyond it a coefficient of variation says nothing, and its digits run out
_MOST_LOG = 690.0  # what the exponential of a double still holds

Key = tuple[AreaKind, str]


def repeat_study(runs: Sequence[OpenedRun], by: By | None = None, *, despite_settings: bool = False) -> RepeatStudy:
    """Return the spread of measurements of the same subjects.

    Parameters
    ----------
    runs
        One run with several slides of each subject, or several runs of the same subjects.
    by : str or None
        What makes two slides measurements of one thing (`occasions`).
    despite_settings : bool
        Whether to compare slides that were measured by different rules.

    Raises
    ------
    SettingsError
        Runs are named twice, or do not know their subjects.
    ResultError
        Slides were measured by different rules, or fewer than 3 subjects can be compared.
    """
    named = _named(runs)
    planned = occasions(named, by)
    found_again = MeasuredAgain({id(run): name for name, run in named.items()}, despite_settings)
    for one in planned.measured:
        found_again.add(one)
    repeats = found_again.repeats
    left_out = [LeftOut(subject=subject, name="", reason=reason) for subject, reason in found_again.lost.items()]
    by_subject: dict[str, dict[str, Repeat]] = {}
    for repeat in repeats:
        by_subject.setdefault(repeat.subject, {})[repeat.occasion] = repeat
    areas = []
    for key in dict.fromkeys(_key(name) for repeat in repeats for name in repeat.area_mm2):
        found, lost = _area(key, by_subject, planned)
        left_out += lost
        areas += [] if found is None else [found]
    if not areas:
        reasons = dict.fromkeys(left.reason for left in (*planned.left_out, *left_out))
        raise ResultError(
            f"nothing can be compared: {len(by_subject)} subjects have several measurements, and {MIN_SUBJECTS} with "
            f"an area above 0 mm² are needed. {'; '.join(list(reasons)[:5])}"
        )
    facts = RepeatStudy(
        wsi_area_version=__version__, by=planned.by, between=planned.between, occasions=planned.names,
        runs={name: run.run_record.seal for name, run in named.items()}, areas=tuple(areas), repeats=repeats,
        left_out=tuple(dict.fromkeys((*planned.left_out, *left_out))), notes=tuple(found_again.notes), seal="0" * 64,
    )  # fmt: skip
    return facts.model_copy(update={"seal": facts.expected_seal})


def _named(runs: Sequence[OpenedRun]) -> dict[str, OpenedRun]:
    """Return runs by the names of their folders, with the folder around where two are named alike."""
    roots = [run.layout.root for run in runs]
    names = [root.name for root in roots]
    if len(set(names)) < len(names):
        names = [f"{root.parent.name}/{root.name}" for root in roots]
    if len(set(names)) < len(names):
        raise SettingsError(f"two of the runs are named alike ({', '.join(names)}); name each once, or rename a folder")
    return dict(zip(names, runs, strict=True))


def _key(text: str) -> Key:
    kind, _, name = text.partition(" ")
    return ("total" if kind == "total" else "class"), name


def _area(
    key: Key, by_subject: Mapping[str, Mapping[str, Repeat]], planned: Occasions
) -> tuple[RepeatedArea | None, list[LeftOut]]:
    """Return the findings on one total or class, and the subjects that have none of it."""
    kind, name = key
    rows, lost = [], []
    for subject, own in by_subject.items():
        areas = [own[occasion].area_mm2.get(f"{kind} {name}") for occasion in planned.names]
        if None in areas:
            lost.append(LeftOut(subject=subject, name=name, reason="it has no such area in mm² on every occasion"))
        elif 0 in areas:
            told = ", ".join(f"{area:.4g}" for area in areas if area is not None)
            lost.append(
                LeftOut(subject=subject, name=name, reason=f"an area of 0 mm² has no logarithm (areas: {told} mm²)")
            )
        else:
            rows.append([area for area in areas if area is not None])
    if len(rows) < MIN_SUBJECTS:
        why = f"{len(rows)} subjects have areas to compare, and {MIN_SUBJECTS} are needed"
        return None, [*lost, LeftOut(subject="all", name=name, reason=why)]
    logs = np.log(np.array(rows))
    if float(np.ptp(logs - logs.mean(axis=1, keepdims=True))) < _NO_SPREAD:
        why = "every subject has the same area each time: that is one measurement, not several"
        return None, [*lost, LeftOut(subject="all", name=name, reason=why)]
    return _found(kind, name, logs, planned), lost


def _found(kind: AreaKind, name: str, logs: Floats, planned: Occasions) -> RepeatedArea:
    table, names, means = two_way(logs), planned.names, np.exp(logs.mean(axis=1))
    repeated, within = repeatability_sd(table), reproducibility_sd(table)
    return RepeatedArea(
        kind=kind, name=name, subjects=table.subjects, occasions=table.occasions,
        area_low_mm2=float(means.min()), area_high_mm2=float(means.max()),
        repeatability_sd=_estimated(repeated), reproducibility_sd=_estimated(within),
        degrees_of_freedom=float(degrees_of_freedom(table)),
        repeatability_pct=_estimated(repeated, _percent), variation_pct=_estimated(within, _percent),
        icc=_estimated(icc_agreement(table)), icc_published=_estimated(icc_published(table)),
        on_another=_next(on_another_occasion(table) if planned.between == "runs" else on_any_repeat(table)),
        on_these=_next(on_these_occasions(table)),
        pairs=tuple(_pair(names[a], names[b], logs[:, b] - logs[:, a]) for a, b in combinations(range(len(names)), 2)),
    )  # fmt: skip


def _next(spread: Spread) -> NextMeasurement:
    return NextMeasurement(
        sd=float(spread.sd),
        degrees_of_freedom=float(spread.degrees_of_freedom),
        relative_u=float(relative_u(spread.sd)),
    )


def _percent(sd_log: Any) -> Any:
    return 100 * variation(np.minimum(sd_log, _MOST_SD))


def _pair(first: str, second: str, differences: Floats) -> OccasionPair:
    found = limits_of_agreement(differences)

    def ratio(log: Any) -> Any:
        return np.exp(np.clip(log, -_MOST_LOG, _MOST_LOG))

    return OccasionPair(
        first=first, second=second, bias_ratio=_estimated(found.bias, ratio),
        lower_limit_ratio=_estimated(found.lower, ratio), upper_limit_ratio=_estimated(found.upper, ratio),
    )  # fmt: skip


def _estimated(interval: Interval, of: Any = lambda value: value) -> Estimated:
    return Estimated(
        value=float(of(interval.value)), ci95_low=float(of(interval.low_95)), ci95_high=float(of(interval.high_95))
    )
