import math

import numpy as np
import pytest
import shapely

from wsi_area.compute.cut.rasterise import inside_at
from wsi_area.compute.judge.outline_area import count_u_px, outline_area
from wsi_area.model.calibration import Mpp


def test_the_area_of_an_outline_takes_each_axis_at_its_own_pixel_size():
    assert outline_area(1e6, 4e3, Mpp(0.5, 0.25)).area_mm2 == pytest.approx(0.125)


@pytest.mark.parametrize("step", [1.0, 4.0])
def test_counts_of_a_shape_thrown_on_the_grid_at_any_angle_spread_as_stated(step):
    rng = np.random.default_rng(11)
    angle = np.linspace(0, 2 * math.pi, 400, endpoint=False)
    radius = 60 * (1 + 0.2 * np.sin(3 * angle) + 0.1 * np.cos(7 * angle))
    blob = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    centres = (np.arange(200 / step) + 0.5) * step
    areas = []
    for _ in range(300):
        turn = rng.random() * 2 * math.pi
        turned = blob @ [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
        thrown = shapely.Polygon(turned + 100 + rng.random(2) * step)
        areas.append(inside_at(thrown.wkb, centres, centres).sum() * step**2)
    outline = shapely.Polygon(blob)
    stated_mm2 = outline_area(outline.area, outline.length, Mpp(1.0, 1.0), (step, step)).u_count_mm2
    assert np.mean(areas) == pytest.approx(outline.area, abs=4 * stated_mm2 * 1e6 / math.sqrt(300))
    assert 0.75 < np.std(areas) / (stated_mm2 * 1e6) < 1.1


def test_half_the_pixel_size_makes_the_count_surer_by_two_to_the_power_of_three_halves():
    coarse = outline_area(1e6, 4e3, Mpp(0.5, 0.5), (2.0, 2.0)).u_count_mm2
    fine = outline_area(1e6, 4e3, Mpp(0.5, 0.5), (1.0, 1.0)).u_count_mm2
    assert coarse / fine == pytest.approx(2**1.5)


def test_nothing_drawn_is_exactly_nothing():
    assert count_u_px(0.0) == 0.0
