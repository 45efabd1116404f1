"""audit: who is held against whom when two dates are compared: by name, by a list, by what a run or a manifest says."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from wsi_area.audit.run_change import DatedSlide, Missing, Pair, RunChange, changes
from wsi_area.errors import ResultError, SettingsError
from wsi_area.frozen_value import frozen_value
from wsi_area.inputs.manifest import ManifestRow, csv_lines, read_manifest
from wsi_area.inputs.slide_files import real_file
from wsi_area.model.record.subjects import Case
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.storage.place import Place

PAIR_COLUMNS = ("subject", "before", "after")


@frozen_value
class Paired:
    """Who is held against whom, and who has nobody."""

    pairs: tuple[Pair, ...]
    missing: tuple[Missing, ...]


def change_between(
    before: OpenedRun | str | Place,
    after: OpenedRun | str | Place | None = None,
    *,
    pairs: str | Path | None = None,
    manifest: str | Path | None = None,
    same_scale: bool = False,
    despite_settings: bool = False,
) -> RunChange:
    """Return the change of each subject in mm² between two dates.

    Not ``run.compare(other)``, which holds two measurements of one and the same slide against each other.

    Parameters
    ----------
    before, after : a run, or its folder
        Runs of two dates, whose slides are paired by their ids, and the others by subject and block where the runs
        know these; or one run of all dates, whose manifest said who is on its slides, and of which day they are.
    pairs : path or None
        CSV with the columns subject, before, after: the ids of the slides, where they are not named alike.
    manifest : path or None
        With one run: a manifest with the columns subject and date, which goes before what the run knows. Each date of
        a subject, and of a block of it, is held against the one before it.
    same_scale : bool
        Whether one calibration serves both dates: the error of the pixel size is then common to both.
    despite_settings : bool
        Whether to compare slides that were measured by different rules.

    Raises
    ------
    ResultError
        A folder holds no run, or slides cannot be held against each other.
    SettingsError
        The arguments, the list of pairs or the manifest do not say who is held against whom.
    """
    first = _opened(before)
    if after is None:
        if pairs is not None or (manifest is None and not first.run_record.known_cases):
            raise SettingsError(
                "one run holds both dates only with a manifest that has the columns subject and date (--manifest): "
                f"{first.layout.root} was measured without; else name two runs: BEFORE and AFTER"
            )
        paired = by_record(first) if manifest is None else by_manifest(first, Path(manifest))
    elif manifest is not None:
        raise SettingsError("a manifest goes with one run of all dates; for two runs give --pairs, or like names")
    else:
        paired = by_list(first, _opened(after), Path(pairs)) if pairs is not None else by_name(first, _opened(after))
    return changes(paired.pairs, paired.missing, same_scale=same_scale, despite_settings=despite_settings)


def _opened(run: OpenedRun | str | Place) -> OpenedRun:
    return run if isinstance(run, OpenedRun) else open_run(run)


def _planned(run: OpenedRun) -> list[str]:
    return list(run.run_record.slides_planned)


def by_name(before: OpenedRun, after: OpenedRun) -> Paired:
    """Return the slides of two runs that have the same id, and of the others those of the same subject and block.

    Raises
    ------
    ResultError
        There is none.
    """
    old, new = _planned(before), _planned(after)
    shared, missing = [name for name in old if name in new], []
    pairs = []
    for name in shared:
        parts = {case.part for run in (before, after) if (case := run.run_record.known_cases.get(name)) is not None}
        if len(parts) > 1:
            missing.append(Missing(name, f"the runs say that it is of {' and of '.join(sorted(parts))}; give --pairs"))
        else:
            pairs.append(Pair(parts.pop() if parts else name, _dated(before, name), _dated(after, name)))
    alone = [(name, run) for run, names in ((before, old), (after, new)) for name in names if name not in shared]
    of_two = _of_two(alone, before, after)
    pairs += [Pair(part, *(_dated(run, name) for name, run in found)) for part, found in of_two.items()]
    if not pairs and not missing:
        raise ResultError(
            f"no slide is named alike in {before.layout.root} ({', '.join(old)}) and {after.layout.root} "
            f"({', '.join(new)}), and no subject has one slide in each; say who belongs to whom with --pairs"
        )
    paired = {name for found in of_two.values() for name, _ in found}
    missing += [Missing(name, f"it is in {run.layout.root} only") for name, run in alone if name not in paired]
    return Paired(tuple(pairs), tuple(missing))


def _of_two(
    alone: Sequence[tuple[str, OpenedRun]], before: OpenedRun, after: OpenedRun
) -> dict[str, list[tuple[str, OpenedRun]]]:
    """Return the subjects and blocks that have one slide in each of two runs, with these."""
    by_part: dict[str, list[tuple[str, OpenedRun]]] = {}
    for name, run in alone:
        if (case := run.run_record.known_cases.get(name)) is not None:
            by_part.setdefault(case.part, []).append((name, run))
    return {part: found for part, found in by_part.items() if [run for _, run in found] == [before, after]}


def _dated(run: OpenedRun, slide_id: str) -> DatedSlide:
    """Return a slide with its date, as far as its run knows it."""
    case = run.run_record.known_cases.get(slide_id)
    return DatedSlide(run, slide_id, None if case is None else case.date)


def by_list(before: OpenedRun, after: OpenedRun, path: Path) -> Paired:
    """Return the pairs that a CSV with the columns subject, before, after lists; slides not listed are named.

    Raises
    ------
    SettingsError
        A line is not whole, or names a subject twice or a slide that its run does not have.
    """
    pairs: dict[str, Pair] = {}
    for line, cells in csv_lines(path, PAIR_COLUMNS, PAIR_COLUMNS):
        where = f"{path}, line {line}"
        subject = cells["subject"]
        if not all(cells.values()):
            raise SettingsError(f"{where}: a cell is empty; give subject, before and after")
        if subject in pairs:
            raise SettingsError(f"{where}: {subject} stands in the list twice; keep one line a subject")
        slides = [_known(where, run, cells[name]) for run, name in ((before, "before"), (after, "after"))]
        pairs[subject] = Pair(subject, *slides)
    if not pairs:
        raise SettingsError(f"{path} lists no pair; give one line a subject below {','.join(PAIR_COLUMNS)}")
    listed = {(id(d.run), d.slide_id) for pair in pairs.values() for d in (pair.before, pair.after)}
    runs = [before, after] if before.layout.root != after.layout.root else [before]
    left = [(run, name) for run in runs for name in _planned(run) if (id(run), name) not in listed]
    return Paired(
        tuple(pairs.values()),
        tuple(Missing(name, f"it is in {run.layout.root}, but not in {path.name}") for run, name in left),
    )


def _known(where: str, run: OpenedRun, slide_id: str) -> DatedSlide:
    planned = _planned(run)
    if slide_id not in planned:
        raise SettingsError(f"{where}: {run.layout.root} has no slide {slide_id!r}; it has {', '.join(planned)}")
    return DatedSlide(run, slide_id)


def by_record(run: OpenedRun) -> Paired:
    """Return each date of each subject and block that a run knows, held against the one before it.

    Raises
    ------
    SettingsError
        The run knows no date.
    """
    cases = run.run_record.known_cases
    if not any(case.date for case in cases.values()):
        raise SettingsError(
            f"{run.layout.root} knows who is on its slides, and of which day none of them is; give a manifest with the "
            "columns subject and date (--manifest), or name two runs: BEFORE and AFTER"
        )
    return _in_turns(run, [(cases[name], name) for name in _planned(run) if name in cases])


def by_manifest(run: OpenedRun, path: Path) -> Paired:
    """Return each date of each subject and block of a manifest, held against the one before it.

    Raises
    ------
    SettingsError
        No row has a subject and a date, a subject has one date twice, or a row is not in the run.
    """
    rows = [(row, row.case) for row in read_manifest(path) if row.case is not None]
    seen: set[tuple[str, str]] = set()
    for row, case in rows:
        if case.date is not None and (case.part, case.date) in seen:
            raise SettingsError(f"{path}, line {row.row}: {case.part} has two images of {case.date}; keep one")
        seen.add((case.part, case.date or ""))
    if not any(case.date for _, case in rows):
        raise SettingsError(f"{path}: no row has a subject and a date; fill in these columns")
    return _in_turns(run, [(case, _slide_id(path, row, run)) for row, case in rows])


def _in_turns(run: OpenedRun, cases: Sequence[tuple[Case, str]]) -> Paired:
    """Return each date of each subject held against the one before it, and whoever has but one, or one twice."""
    by_part: dict[str, dict[str, list[str]]] = {}
    missing = []
    for case, slide_id in cases:
        if case.date is None:
            missing.append(Missing(case.part, f"{slide_id} has no date; give it in the manifest"))
        else:
            by_part.setdefault(case.part, {}).setdefault(case.date, []).append(slide_id)
    pairs: list[Pair] = []
    for part, visits in by_part.items():
        twice = [f"{', '.join(names)} are all of {day}" for day, names in visits.items() if len(names) > 1]
        if twice:
            why = f"{'; '.join(twice)}; tell them apart by the column block, or list pairs: change RUN RUN --pairs"
            missing.append(Missing(part, why))
            continue
        if len(visits) == 1:
            ((day, (slide_id,)),) = visits.items()
            missing.append(Missing(part, f"it has one date only ({day}, {slide_id})"))
        dated = [DatedSlide(run, slide_id, day) for day, (slide_id,) in sorted(visits.items())]
        pairs += [Pair(part, old, new) for old, new in pairwise(dated)]
    return Paired(tuple(pairs), tuple(missing))


def _slide_id(path: Path, row: ManifestRow, run: OpenedRun) -> str:
    """Return the slide of a row: by its id, by its file, or, where the files were moved since, by its name."""
    planned = _planned(run)
    ended = run.run_record.ended_slides
    if row.slide_id is not None:
        found = [name for name in planned if name == row.slide_id]
    else:
        real = real_file(row.path)
        found = [name for name in planned if name in ended and real_file(ended[name].path) == real]
        found = found or [name for name in planned if name == row.path.stem]
    if not found:
        raise SettingsError(
            f"{path}, line {row.row}: {run.layout.root} has no slide of {row.slide_id or row.path}; it has "
            f"{', '.join(planned)}. Measure it too, or write its id into the column slide_id"
        )
    return found[0]
