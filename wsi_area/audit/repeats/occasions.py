"""audit: which slides are measurements of one thing, and on which occasion each was made."""

from collections import Counter
from collections.abc import Mapping, Sequence

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.model.uncertainty.repeat_study import Between, By, LeftOut
from wsi_area.results.opened_run import OpenedRun

_REMEDY = {
    "subject": "give a manifest with the column subject to wsi-area run, or compare slides of one id: --by slide",
    "block": "give a manifest with the columns subject and block to wsi-area run, or use --by subject",
}


@frozen_value
class Measurement:
    """One slide of one run, and the occasion that it is of."""

    subject: str
    occasion: str
    run: OpenedRun
    slide_id: str


@frozen_value
class Occasions:
    """Every measurement that has others of the same subject beside it."""

    by: By
    between: Between
    names: tuple[str, ...]
    measured: tuple[Measurement, ...]
    left_out: tuple[LeftOut, ...]


def occasions(runs: Mapping[str, OpenedRun], by: By | None) -> Occasions:
    """Return the measurements of each subject.

    Of several runs each is one occasion: a scanner, a reader, a day. In one run the slides of a subject are the first,
    the second and so on: by their dates where the manifest gives them, else in the order of the run.

    Parameters
    ----------
    runs : mapping
        Runs by a name of each.
    by : str or None
        What makes two slides measurements of one thing; None: the slide's id in several runs, the subject in one.

    Raises
    ------
    SettingsError
        A run does not know who is on its slides, or one run is to be compared slide by slide.
    """
    chosen: By = by or ("slide" if len(runs) > 1 else "subject")
    if len(runs) == 1 and chosen == "slide":
        raise SettingsError("one run has each slide once; use --by subject or --by block, or name several runs")
    found = {name: _by_subject(run, chosen) for name, run in runs.items()}
    if len(runs) > 1:
        return _between_runs(runs, found, chosen)
    ((name, run),) = runs.items()
    return _in_order(run, found[name], chosen)


def _by_subject(run: OpenedRun, by: By) -> dict[str, list[str]]:
    """Return the slides of each subject, block or id, in the order of the run."""
    planned = run.run_record.slides_planned
    if by == "slide":
        return {name: [name] for name in planned}
    cases = run.run_record.known_cases
    if not cases or (by == "block" and not any(case.block for case in cases.values())):
        raise SettingsError(f"{run.layout.root} does not know the {by} of any slide; {_REMEDY[by]}")
    found: dict[str, list[str]] = {}
    for name in planned:
        if (case := cases.get(name)) is not None:
            found.setdefault(case.subject if by == "subject" else case.part, []).append(name)
    return found


def _between_runs(runs: Mapping[str, OpenedRun], found: Mapping[str, Mapping[str, Sequence[str]]], by: By) -> Occasions:
    measured, left_out = [], []
    for subject in dict.fromkeys(s for of_run in found.values() for s in of_run):
        numbers = {name: len(of_run.get(subject, ())) for name, of_run in found.items()}
        if lacking := [name for name, n in numbers.items() if not n]:
            left_out.append(_left(subject, f"it is not in {', '.join(lacking)}; measure it there too"))
        elif several := [f"{name} has {n}" for name, n in numbers.items() if n > 1]:
            left_out.append(_left(subject, f"{' and '.join(several)} slides of it; compare by block, or by slide"))
        else:
            measured += [Measurement(subject, name, runs[name], found[name][subject][0]) for name in runs]
    return Occasions(by, "runs", tuple(runs), tuple(measured), tuple(left_out))


def _in_order(run: OpenedRun, found: Mapping[str, Sequence[str]], by: By) -> Occasions:
    cases, left_out = run.run_record.known_cases, []
    whole: dict[str, list[str]] = {}
    for subject, names in found.items():
        blocks = {cases[name].block for name in names}
        if len(blocks) > 1:
            told = ", ".join(sorted(block or "no name" for block in blocks))
            left_out.append(_left(subject, f"its slides are of several blocks ({told}); use --by block"))
        elif len(names) < 2:
            left_out.append(_left(subject, f"it has one slide only ({names[0]}); measure it again"))
        else:
            whole[subject] = sorted(names, key=lambda name: cases[name].date or "")  # stable: the order of the run
    number = _best_number([len(names) for names in whole.values()])
    measured = []
    for subject, names in whole.items():
        if len(names) < number:
            left_out.append(_left(subject, f"it has {len(names)} slides, others {number}; measure it again"))
            continue
        measured += [Measurement(subject, f"{n}", run, name) for n, name in enumerate(names[:number], 1)]
        left_out += [_left(subject, f"{name} is one more than the {number} of others") for name in names[number:]]
    return Occasions(by, "order", tuple(f"{n + 1}" for n in range(number)), tuple(measured), tuple(left_out))


def _best_number(numbers: Sequence[int]) -> int:
    """Return the number of measurements to take of each subject, so that most degrees of freedom are left.

    >>> _best_number([2, 2, 2, 2, 5]), _best_number([3, 3, 3, 2]), _best_number([])
    (2, 3, 0)
    """
    have = {k: sum(n >= k for n in numbers) for k in Counter(numbers)}
    return max(have, key=lambda k: ((have[k] - 1) * (k - 1), have[k]), default=0)


def _left(subject: str, reason: str) -> LeftOut:
    return LeftOut(subject=subject, name="", reason=reason)
