"""A pass gives back the memory that its tasks worked in, however it ends; a large envelope is no list of numbers."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from plans import plan_of
from traced import with_peak_bytes

from wsi_area.errors import IncompleteResultError, ResultError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.ledger import LedgerLayout
from wsi_area.results.class_map.enclosed import EnvelopeRule, enclosed_background
from wsi_area.results.class_map.shard import encoded_tiles
from wsi_area.results.class_map.store import commit_batch, create_store
from wsi_area.results.layout import SlideLayout
from wsi_area.run.executors.serial import SerialExecutor
from wsi_area.run.passes import outcomes as passes
from wsi_area.run.passes.tissue_envelope import grid_of_plan
from wsi_area.storage.processes import give_back_memory

SCHEME = ClassScheme((TissueClass(0, "background", (255, 255, 255)), TissueClass(1, "tissue", (200, 0, 100))))
SIDE_PX = 1024


@dataclass(frozen=True)
class Sent:
    number: int
    error: str | None = None


@pytest.fixture
def given_back(monkeypatch) -> list[None]:
    """Return a list that grows each time memory is given back."""
    times: list[None] = []
    monkeypatch.setattr(passes, "give_back_memory", lambda: times.append(None))
    return times


def ordered(executor, function=Sent) -> Iterator[Sent]:
    return passes.outcomes(executor, function, [1, 2, 3], "S1", "its parts")


def test_a_pass_gives_back_memory_once_and_after_its_last_task(given_back):
    seen = []
    for outcome in ordered(SerialExecutor()):
        assert not given_back
        seen.append(outcome.number)
    assert seen == [1, 2, 3]
    assert len(given_back) == 1


def test_a_pass_of_one_task_gives_back_memory(given_back):
    assert passes.only_outcome(SerialExecutor(), Sent, 7, "S1", "its part") == Sent(7)
    assert len(given_back) == 1


def test_a_pass_that_fails_gives_back_memory(given_back):
    with pytest.raises(ResultError, match="no room"):
        list(ordered(SerialExecutor(), lambda number: Sent(number, "no room" if number == 2 else None)))
    assert len(given_back) == 1


def test_a_pass_that_comes_to_no_end_gives_back_memory(given_back):
    class Forgetful(SerialExecutor):
        def map(self, function, items):
            yield from list(super().map(function, items))[:1]

    with pytest.raises(IncompleteResultError, match="2 of 3"):
        list(ordered(Forgetful()))
    assert len(given_back) == 1


@pytest.fixture
def ring(tmp_path: Path) -> tuple[SlideLayout, EnvelopeRule]:
    """Return a class map of glass with a frame of tissue, 3 px wide, and the rule by which a box is a pixel."""
    layout, plan = SlideLayout(tmp_path / "S1"), plan_of((SIDE_PX, SIDE_PX), tile_px=SIDE_PX)
    create_store(layout, plan, SCHEME, "key", {"slide": "s"})
    classes = np.ones((SIDE_PX, SIDE_PX), np.uint8)
    classes[3:-3, 3:-3] = 0
    rows = np.zeros((1, 1, len(LedgerLayout(2).columns)), np.int64)
    commit_batch(layout, "key", (0, 0), encoded_tiles(classes, SIDE_PX), rows)
    return layout, EnvelopeRule(1, (1.0, 1.0), 0.0, 2.0 * SIDE_PX)


def test_the_envelope_of_a_million_boxes_takes_few_bytes_for_each(ring, monkeypatch):
    layout, rule = ring
    monkeypatch.setattr("wsi_area.results.class_map.enclosed.envelope", lambda mask, *rest: np.ones_like(mask))
    grid = grid_of_plan(plan_of((SIDE_PX, SIDE_PX), tile_px=SIDE_PX))
    enclosed_background(layout, grid, [1], rule)  # whatever is loaded by the first
    found, peak = with_peak_bytes(lambda: enclosed_background(layout, grid, [1], rule))
    assert found.n_px == (SIDE_PX - 6) ** 2
    assert peak < 24 * SIDE_PX**2  # bytes


def test_memory_is_given_back_while_another_thread_loads_the_library_of_tables(monkeypatch):
    begun = ModuleType("pyarrow")  # as it stands in the list of modules until it is whole
    monkeypatch.setitem(sys.modules, "pyarrow", begun)
    give_back_memory()
    released: list[str] = []
    begun.default_memory_pool = lambda: begun
    begun.release_unused = lambda: released.append("unused")
    give_back_memory()
    assert released == ["unused"]
