"""Areas freed of the map's bias: the published example, and what no reference sample can say."""

import numpy as np
import pytest

from wsi_area.compute.judge.adjusted_area import AdjustedArea, error_adjusted_areas
from wsi_area.errors import CountMismatchError


def test_error_adjusted_areas_are_those_of_the_published_example() -> None:
    # Olofsson et al. 2014, table 8: deforestation, forest gain, stable forest, stable other; 0.09 ha a pixel
    sample = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
    mapped_ha = [n * 0.09 for n in (200_000, 150_000, 3_200_000, 6_450_000)]
    deforestation, gain, forest, other = error_adjusted_areas(sample, mapped_ha)
    assert (round(deforestation.area), round(deforestation.half_width_95)) == (21_158, 6_158)
    assert (round(gain.area), round(gain.half_width_95)) == (11_686, 3_756)
    assert sum(a.area for a in (deforestation, gain, forest, other)) == pytest.approx(sum(mapped_ha))


def test_a_map_without_error_keeps_its_areas() -> None:
    assert error_adjusted_areas(np.diag([10, 20]), [3.0, 5.0]) == (AdjustedArea(3.0, 0.0), AdjustedArea(5.0, 0.0))


def test_a_mapped_class_without_reference_units_is_refused() -> None:
    with pytest.raises(CountMismatchError, match="two or more"):
        error_adjusted_areas(np.array([[5, 0], [0, 1]]), [1.0, 1.0])
    assert error_adjusted_areas(np.array([[5, 0], [0, 0]]), [1.0, 0.0])[1].area == 0
