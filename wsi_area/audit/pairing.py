"""audit: who is held against whom when two dates are compared: by name, by a list of pairs, or by a manifest."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from wsi_area.audit.run_change import DatedSlide, Missing, Pair, RunChange, changes
from wsi_area.errors import ResultError, SettingsError
from wsi_area.inputs.manifest import ManifestRow, csv_lines, read_manifest
from wsi_area.inputs.slide_files import real_file
from wsi_area.results.opened_run import OpenedRun, open_run
from wsi_area.storage.place import Place

PAIR_COLUMNS = ("subject", "before", "after")


@dataclass(frozen=True, slots=True)
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
    """Return what each subject gained or lost in mm² between two dates.

    Not ``run.compare(other)``, which holds two measurements of one and the same slide against each other.

    Parameters
    ----------
    before, after : a run, or its folder
        Runs of two dates, whose slides are paired by their ids; or one run of all dates, with a manifest.
    pairs : path or None
        CSV with the columns subject, before, after: the ids of the slides, where they are not named alike.
    manifest : path or None
        With one run: the manifest it was measured from, with the columns subject and date. Each date of a subject is
        held against the one before it.
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
        if manifest is None or pairs is not None:
            raise SettingsError(
                "one run holds both dates only with a manifest that has the columns subject and date (--manifest); "
                "else name two runs: BEFORE and AFTER"
            )
        paired = by_manifest(first, Path(manifest))
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
    """Return the slides of two runs that have the same id.

    Raises
    ------
    ResultError
        There is none.
    """
    old, new = _planned(before), _planned(after)
    shared = [name for name in old if name in new]
    if not shared:
        raise ResultError(
            f"no slide is named alike in {before.layout.root} ({', '.join(old)}) and {after.layout.root} "
            f"({', '.join(new)}); say who belongs to whom with --pairs"
        )
    alone = [(name, run) for run, names in ((before, old), (after, new)) for name in names if name not in shared]
    return Paired(
        tuple(Pair(name, DatedSlide(before, name), DatedSlide(after, name)) for name in shared),
        tuple(Missing(name, f"it is in {run.layout.root} only") for name, run in alone),
    )


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


def by_manifest(run: OpenedRun, path: Path) -> Paired:
    """Return each date of each subject of a manifest, held against the one before it.

    Raises
    ------
    SettingsError
        No row has a subject, a subject has one date twice, or a row is not in the run.
    """
    by_subject: dict[str, list[tuple[str, str]]] = {}
    for row in read_manifest(path):
        if row.subject is None or row.taken_on is None:
            continue
        visits = by_subject.setdefault(row.subject, [])
        day = row.taken_on.isoformat()
        if any(day == other for other, _ in visits):
            raise SettingsError(f"{path}, line {row.row}: {row.subject} has two images of {day}; keep one")
        visits.append((day, _slide_id(path, row, run)))
    if not by_subject:
        raise SettingsError(f"{path}: no row has a subject and a date; fill in these columns")
    pairs = [pair for subject, visits in by_subject.items() for pair in _in_turn(run, subject, sorted(visits))]
    alone = [
        Missing(subject, f"it has one date only ({visits[0][0]}, {visits[0][1]})")
        for subject, visits in by_subject.items()
        if len(visits) == 1
    ]
    return Paired(tuple(pairs), tuple(alone))


def _in_turn(run: OpenedRun, subject: str, visits: list[tuple[str, str]]) -> Iterator[Pair]:
    for (old_day, old), (new_day, new) in pairwise(visits):
        yield Pair(subject, DatedSlide(run, old, old_day), DatedSlide(run, new, new_day))


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
