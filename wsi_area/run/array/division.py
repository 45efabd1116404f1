"""run: which slides, and which parts of large ones, a task of a job array has; pure: no file is opened here.

Tasks are counted from 1, as in ``--shard 3/8``. A SLURM array may be numbered as it likes (``0-7``, ``1-8``,
``10-80:10``): its tasks count from 1 in the order of their numbers.
"""

import heapq
import math
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from wsi_area.errors import SettingsError
from wsi_area.frozen_value import frozen_value

WHOLE = "all"
"""What ``--shard`` takes for the whole list, inside a job array too."""

TOO_HEAVY = Fraction(5, 4)
"""Of the fair load: a slide beyond it is divided; with less, one task that takes longer costs less than parts do."""

_ARRAY = "SLURM_ARRAY_TASK_"


@frozen_value
class ArrayTask:
    """One task of a job array: so many share a list of slides.

    >>> str(ArrayTask(3, 8))
    '3/8'
    """

    index: int  # from 1
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise SettingsError(f"shard {self.index}/{self.count}: shards are counted from 1 to {self.count}")

    def __str__(self) -> str:
        """Return it as ``--shard`` takes it."""
        return f"{self.index}/{self.count}"


def parse_array_task(text: str) -> ArrayTask:
    """Return the task that ``--shard i/n`` names.

    >>> parse_array_task("3/8")
    ArrayTask(index=3, count=8)

    Raises
    ------
    SettingsError
        It is not two whole numbers, or the first is not one of 1 to the second.
    """
    index, _, count = text.partition("/")
    if not (_is_number(index) and _is_number(count)):
        raise SettingsError(f"--shard {text!r}: give i/n, counted from 1, such as 3/8; or {WHOLE} for every slide")
    return ArrayTask(int(index), int(count))


def task_of_array(environment: Mapping[str, str]) -> ArrayTask | None:
    """Return the task that this process of a SLURM job array is; None outside an array.

    >>> task_of_array({"SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "0",
    ...                 "SLURM_ARRAY_TASK_MAX": "3", "SLURM_ARRAY_TASK_STEP": "1"})
    ArrayTask(index=1, count=4)

    Raises
    ------
    SettingsError
        The array has gaps (``--array=1,3,7``), so that its tasks cannot know which of the parts they are.
    """
    if not {_ARRAY + "ID", _ARRAY + "COUNT"} <= set(environment):
        return None
    number, count = _variable(environment, "ID"), _variable(environment, "COUNT")
    first = _variable(environment, "MIN", 1)
    step = _variable(environment, "STEP", 1) or 1
    last = _variable(environment, "MAX", first + (count - 1) * step)
    position, rest = divmod(number - first, step)
    if rest or not 0 <= position < count or (last - first) // step + 1 != count:
        raise SettingsError(
            f"the SLURM array has {count} tasks numbered {first} to {last}, with gaps, and this is {number}: which of "
            f'the shards that is cannot be told. Give it: --shard "$SLURM_ARRAY_TASK_ID"/n, or --shard {WHOLE}'
        )
    return ArrayTask(position + 1, count)


def _variable(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(_ARRAY + name, "" if default is None else str(default))
    if not _is_number(text):
        raise SettingsError(f"{_ARRAY}{name} is {text!r}, not a whole number; give --shard i/n")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def split(weights: Mapping[str, int], count: int, begun: Mapping[int, Fraction] | None = None) -> dict[str, int]:
    """Return the task, from 1, of each slide: the heaviest slide first, each to the lightest task so far.

    Where weights are equal the ids decide, and every slide weighs 1 at least, so the answer depends neither on the
    order of the slides nor on who computes it, and no task gets all of those whose weight is unknown. (Graham's
    longest-processing-time rule: the heaviest task is at most 4/3 of the best possible.)

    Parameters
    ----------
    weights
        Of each slide, such as the bytes of its file.
    count
        Of tasks.
    begun
        What some tasks have to do already, by their numbers.

    >>> split({"a": 10, "b": 7, "c": 4, "d": 3}, 2)
    {'a': 1, 'b': 2, 'c': 2, 'd': 1}
    """
    loads = [((begun or {}).get(task, Fraction(0)), task) for task in range(1, count + 1)]
    heapq.heapify(loads)
    owner: dict[str, int] = {}
    for name in _heaviest_first(weights):
        load, task = heapq.heappop(loads)
        owner[name] = task
        heapq.heappush(loads, (load + _weight(weights, name), task))
    return {name: owner[name] for name in weights}


def _heaviest_first(weights: Mapping[str, int]) -> list[str]:
    return sorted(weights, key=lambda name: (-_weight(weights, name), name))


def _weight(weights: Mapping[str, int], name: str) -> int:
    return max(1, weights[name])


@frozen_value
class Share:
    """What a task has of one slide: its tiles from one fraction of them to another."""

    task: int
    start: Fraction
    stop: Fraction

    @property
    def is_whole(self) -> bool:
        """Return True if it is all of the slide."""
        return self.start == 0 and self.stop == 1


def divide(weights: Mapping[str, int], count: int, least: int) -> dict[str, tuple[Share, ...]]:
    """Return who has what of each slide: whole slides as `split` deals them, but those too heavy for one are divided.

    Too heavy is a slide that alone is a quarter more than the fair load, all weights over all tasks, and than
    ``least``. Such slides, the heaviest first, lie end to end on a line that the first tasks cut into equal lengths,
    none longer than the fair load (McNaughton's wrap-around rule); so each has one stretch of a few at most. The
    others are then dealt to the lightest tasks, whole.

    Parameters
    ----------
    weights
        Of each slide, such as the bytes of its file.
    count
        Of tasks.
    least
        What is no more than this is never divided.

    >>> divide({"giant": 90, "a": 15, "b": 15}, 4, 1)["giant"] == (
    ...     Share(1, Fraction(0), Fraction(1, 3)), Share(2, Fraction(1, 3), Fraction(2, 3)),
    ...     Share(3, Fraction(2, 3), Fraction(1)))
    True
    >>> [share.task for name in "ab" for share in divide({"giant": 90, "a": 15, "b": 15}, 4, 1)[name]]
    [4, 4]
    """
    fair = max(Fraction(sum(_weight(weights, name) for name in weights), count), Fraction(least))
    large = [name for name in _heaviest_first(weights) if _weight(weights, name) > TOO_HEAVY * fair]
    line = sum(_weight(weights, name) for name in large)
    cutters = math.ceil(line / fair)  # no more than there are tasks: the line is at most all weights
    length = Fraction(line, max(1, cutters))
    shares: dict[str, tuple[Share, ...]] = {}
    begin = 0
    for name in large:
        end = begin + _weight(weights, name)
        shares[name] = _stretches(begin, end, length)
        begin = end
    rest = {name: weights[name] for name in weights if name not in shares}
    others = split(rest, count, dict.fromkeys(range(1, cutters + 1), length))
    whole = {name: (Share(task, Fraction(0), Fraction(1)),) for name, task in others.items()}
    return {name: shares.get(name) or whole[name] for name in weights}


def _stretches(begin: int, end: int, length: Fraction) -> tuple[Share, ...]:
    """Return the shares of what lies between two places of a line that is cut at every multiple of a length."""
    first, last = math.floor(begin / length), math.ceil(end / length)
    cuts = [Fraction(begin), *(length * n for n in range(first + 1, last)), Fraction(end)]
    places = [(cut - begin) / (end - begin) for cut in cuts]
    return tuple(Share(first + n + 1, start, stop) for n, (start, stop) in enumerate(pairwise(places)))
