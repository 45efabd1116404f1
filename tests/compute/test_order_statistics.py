"""Percentiles, medians and distinct values, held against numpy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wsi_area.compute.count.order_statistics import distinct, median, percentiles

NUMBERS = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, allow_nan=False))
GREYS = arrays(np.uint32, st.integers(0, 60), elements=st.integers(0, 9) | st.integers(0, 2**24 - 1))


@given(NUMBERS, st.lists(st.floats(0, 100), min_size=1, max_size=4))
def test_percentiles_are_numpys_to_the_last_bit(values: np.ndarray, wanted: list[float]) -> None:
    assert percentiles(values, wanted).tolist() == np.percentile(values, wanted).tolist()


@given(NUMBERS)
def test_the_median_is_numpys_to_the_last_bit(values: np.ndarray) -> None:
    assert median(values) == float(np.median(values))


@given(GREYS)
def test_distinct_values_come_in_order_with_how_often_each_occurs(values: np.ndarray) -> None:
    found, counts = distinct(values)
    wanted, how_often = np.unique(values, return_counts=True)
    assert found.dtype == values.dtype
    assert (found.tolist(), counts.tolist()) == (wanted.tolist(), how_often.tolist())


@pytest.mark.parametrize(("values", "middle"), [([5.0], 5.0), ([1.0, 2.0], 1.5), ([9.0, -3.0, 0.0], 0.0)])
def test_the_middle_of_few_values(values: list[float], middle: float) -> None:
    assert median(np.array(values)) == middle
    assert percentiles(np.array(values), [50]).tolist() == [middle]


def test_what_is_given_stays_as_it_was() -> None:
    values = np.array([3.0, 1.0, 2.0])
    percentiles(values, [10, 90])
    median(values)
    distinct(values)
    assert values.tolist() == [3.0, 1.0, 2.0]
