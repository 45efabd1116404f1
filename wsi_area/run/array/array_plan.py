"""run: what the tasks of a job array share: the slides, the settings, and who measures which slide or part of it.

Every task computes the plan by itself. The first to come writes it down, and the others hold theirs against it, so
that tasks that were started with another list, other settings or another number of tasks are refused instead of
measuring a slide that somebody else has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from wsi_area.errors import SlideOpenError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.documented import SCHEMA_VERSION
from wsi_area.model.json_tree import apart, json_digest
from wsi_area.run.array.division import Share, divide
from wsi_area.run.continuation import MEASUREMENT_VERSION
from wsi_area.segmenters.registry import segmenter_package
from wsi_area.settings.effect import Effect
from wsi_area.settings.estimate_settings import EstimateSettings
from wsi_area.settings.run_settings import RunSettings, with_effect
from wsi_area.slides.header.companion_files import companions_of, files_of
from wsi_area.storage.access import Access
from wsi_area.storage.place import Place, place_of
from wsi_area.version import __version__


@dataclass(frozen=True)  # without slots: what follows from ten thousand slides is computed once
class ArrayPlan:
    """The slides in the order asked for, what they weigh, and into how many tasks they are split."""

    count: int
    slides: tuple[SlideInput, ...]
    file_bytes: Mapping[str, int]  # of each slide id; 0 for a file that cannot be looked at
    settings: Mapping[str, Any]  # canonical
    config_hash: str
    measurement_version: int
    forced: bool = False  # it replaces what the folder held before
    segmenter_package: str | None = None  # of somebody else's segmenter, with its version

    def shares(self) -> Mapping[str, tuple[Share, ...]]:
        """Return who has what of each slide id: a function of the files' sizes, the number of tasks, and no more."""
        return self._shares

    @cached_property
    def _shares(self) -> dict[str, tuple[Share, ...]]:
        least = max(1, int(self.settings["run"]["piece_mib"] * 2**20))
        asked = EstimateSettings.model_validate(self.settings.get("estimate", {}))
        if asked.is_asked:  # what is drawn next hangs on all that was drawn before: one task has the slide
            least = max(least, *self.file_bytes.values(), 1)
        return divide(self.file_bytes, self.count, least)

    def slides_of(self, index: int) -> tuple[SlideInput, ...]:
        """Return the slides that one task has whole, in the order asked for."""
        shares = self.shares()
        return tuple(s for s in self.slides if shares[s.slide_id][0] == Share(index, Fraction(0), Fraction(1)))

    def shares_of(self, index: int) -> tuple[tuple[SlideInput, Share], ...]:
        """Return the slides of which one task has a part, and which."""
        shares = self.shares()
        return tuple(
            (slide, share)
            for slide in self.slides
            for share in shares[slide.slide_id]
            if share.task == index and not share.is_whole
        )

    @cached_property
    def key(self) -> str:
        """Return the hash of all that the tasks must agree on; the order of the slides is no part of it."""
        rows = sorted(self._rows().items())
        return json_digest([self.count, self.config_hash, self.measurement_version, self._answering_settings(), rows])

    def _answering_settings(self) -> dict[str, Any]:
        """Return the settings that must be the same: for the numbers, for what is said of them, for who has what."""
        answering = with_effect(self.settings, Effect.NUMBERS, Effect.AFTER, Effect.FINDINGS)
        package = {} if self.segmenter_package is None else {"segmenter_package": self.segmenter_package}
        return {**answering, "run": {"piece_mib": self.settings["run"]["piece_mib"]}, **package}

    def _rows(self) -> dict[str, Any]:
        return {s.slide_id: {**asdict(s), "file_bytes": self.file_bytes[s.slide_id]} for s in self.slides}

    def document(self) -> dict[str, Any]:
        """Return the plan, JSON-ready."""
        tasks = {name: [share.task for share in shares] for name, shares in self.shares().items()}
        return {
            "schema_version": SCHEMA_VERSION,
            "wsi_area_version": __version__,
            "measurement_version": self.measurement_version,
            "key": self.key,
            "count": self.count,
            "forced": self.forced,
            "config_hash": self.config_hash,
            "segmenter_package": self.segmenter_package,
            "settings": dict(self.settings),
            "slides": [{**row, "shards": tasks[name]} for name, row in self._rows().items()],
        }

    def difference(self, other: "ArrayPlan") -> str:
        """Return the first thing that another plan has otherwise, in words: then, and now."""
        if self.count != other.count:
            return f"it was split into {self.count} shards, this would be one of {other.count}"
        then, now = self._answering_settings(), other._answering_settings()
        if then != now:
            return f"the settings differ: {_first_change(then, now)}"
        if self.measurement_version != other.measurement_version:
            return f"it was measured by version {self.measurement_version}, this is {other.measurement_version}"
        mine, theirs = self._rows(), other._rows()
        for name in sorted({*mine, *theirs}):
            if name not in theirs:
                return f"{name} was in the list of slides and is not now"
            if name not in mine:
                return f"{name} is in the list of slides and was not"
            if mine[name] != theirs[name]:
                return f"{name}: {_first_change(mine[name], theirs[name])}"
        return "nothing"


def _first_change(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    return next((f"{key} was {before!r}, is {after!r}" for key, before, after in apart(then, now)), "nothing")


def array_plan(slides: Sequence[SlideInput], settings: RunSettings, count: int, *, forced: bool = False) -> ArrayPlan:
    """Return the plan that every task comes to by itself: from the list, the settings and the files' sizes."""
    return ArrayPlan(
        count,
        tuple(slides),
        file_bytes_of(slides, settings.storage.access),
        settings.canonical(),
        settings.measurement_hash,
        MEASUREMENT_VERSION,
        forced,
        segmenter_package(settings.segmenter.name),
    )


def useful_tasks(slides: Sequence[SlideInput], settings: RunSettings, most: int) -> int:
    """Return into how many tasks, ``most`` at most, slides can be split so that none is left with nothing to do."""
    while True:
        shares = array_plan(slides, settings, most).shares()
        busy = len({share.task for of_slide in shares.values() for share in of_slide})
        if busy >= most or most == 1:
            return most
        most = max(1, busy)


def divided_slides(slides: Sequence[SlideInput], settings: RunSettings, most: int) -> int:
    """Return the number of slides that are measured in parts, by several of at most so many tasks."""
    shares = array_plan(slides, settings, useful_tasks(slides, settings, most)).shares()
    return sum(len(of_slide) > 1 for of_slide in shares.values())


def file_bytes_of(slides: Sequence[SlideInput], access: Access) -> dict[str, int]:
    """Return the size of each slide with all of its files; 0 where it cannot be looked at, which its task will say.

    Of several DICOM series in one folder each weighs as much as all, which is as fair; headers need not be read.
    """
    found: dict[Place, int] = {}

    def size_of(path: Place) -> int:
        companions = companions_of(path)
        place = path if companions is None else companions.folder
        if place not in found:
            found[place] = sum(file.stat().st_size for file in files_of(path))
        return found[place]

    sizes = {}
    for slide in slides:
        try:
            sizes[slide.slide_id] = size_of(place_of(slide.path, access))
        except (OSError, SlideOpenError):
            sizes[slide.slide_id] = 0
    return sizes
