import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsi_area.errors import CountMismatchError, SettingsError
from wsi_area.model.classes import ClassScheme, TissueClass
from wsi_area.model.counts import ClassCounts
from wsi_area.model.ledger import LedgerLayout

PX = st.integers(0, 10**13)
COUNTS = st.builds(ClassCounts, st.tuples(PX, PX, PX), PX, PX, PX, st.tuples(PX, PX, PX), st.integers(0, 10**6))


@given(st.lists(COUNTS, min_size=1, max_size=5))
def test_counts_add_up_to_the_same_in_any_order(parts: list[ClassCounts]) -> None:
    sums = {sum(order, ClassCounts.empty(3)) for order in itertools.permutations(parts)}
    assert len(sums) == 1
    assert sums.pop().total_px == sum(p.total_px for p in parts)


def test_counts_of_different_schemes_do_not_add() -> None:
    with pytest.raises(CountMismatchError, match="2 and 3 classes"):
        ClassCounts((1, 2)) + ClassCounts((1, 2, 3))


def test_the_ledger_total_keeps_the_integers_of_a_huge_slide() -> None:
    layout = LedgerLayout(2)
    rows = np.zeros((3, len(layout.columns)), np.int64)
    rows[:, 0] = 5 * 10**9
    rows[:, layout.unreadable_column] = [1, 2, 3]
    rows[:, layout.signal_columns] = 6 * 10**15
    total = layout.total(rows)
    assert total == ClassCounts((15 * 10**9, 0), 0, 0, 6, (18 * 10**15, 18 * 10**15), 3)
    assert pickle.loads(pickle.dumps(total)) == total
    assert all(type(n) is int for n in total.px_by_class)


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ([TissueClass(0, "a", (0, 0, 0)), TissueClass(2, "b", (0, 0, 0))], "without a gap"),
        ([TissueClass(0, "a", (0, 0, 0)), TissueClass(1, "a", (0, 0, 0))], "repeat"),
        ([TissueClass(0, "a", (0, 0, 0), is_tissue=True)], "background"),
        ([], "background"),
    ],
)
def test_a_scheme_that_a_class_map_could_not_hold_is_refused(classes: list[TissueClass], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        ClassScheme(tuple(classes))


@pytest.mark.parametrize("name", ["", "Tumor", "a b", "ä", "a-b"])
def test_a_class_name_that_is_no_column_name_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="column name"):
        TissueClass(1, name, (0, 0, 0))


@pytest.mark.parametrize("flags", [{"is_tumor": True}, {"is_excluded": True, "is_tissue": True}])
def test_flags_that_contradict_each_other_are_refused(flags: dict[str, bool]) -> None:
    with pytest.raises(SettingsError, match="part of the tissue"):
        TissueClass(1, "x", (0, 0, 0), **flags)


def test_an_id_that_collides_with_a_reserved_code_is_refused() -> None:
    with pytest.raises(SettingsError, match="253"):
        TissueClass(253, "x", (0, 0, 0))
