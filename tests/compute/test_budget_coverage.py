"""The expanded uncertainty of a counted area holds the true one: of discs here, and as the published table says."""

import math
import re
from pathlib import Path

import numpy as np

from wsi_area.compute.budget.budget import CountedArea, budget_of
from wsi_area.compute.budget.rows import counting_row
from wsi_area.compute.count.edges import boundary_edges

PAGE = Path(__file__).resolve().parents[2] / "docs" / "uncertainty.md"


def test_counting_alone_holds_the_area_of_discs_that_lie_anywhere_on_the_grid() -> None:
    random = np.random.default_rng(3)
    y, x = np.mgrid[:160, :160]
    held = 0
    for _ in range(400):
        middles, radii = random.uniform(40, 120, 2), random.uniform(20, 36)
        counted = (x - middles[0]) ** 2 + (y - middles[1]) ** 2 < radii**2
        edges = boundary_edges(counted.astype(np.uint8), [(1,)])[0]
        area = CountedArea("class", "disc", ("disc",), "disc", float(counted.sum()), is_drawn=False)
        half = budget_of(area, [counting_row(edges, (1000.0, 1000.0))]).expanded_mm2 or 0.0
        held += abs(area.area_mm2 - math.pi * radii**2) <= half
    assert held >= 0.94 * 400


def test_every_coverage_of_the_published_table_is_94_percent_or_more_of_10_000_draws() -> None:
    section = PAGE.read_text(encoding="utf-8").split("<!-- coverage: area budget -->")[1].split("<!-- end -->")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 12
    shares = [float(cell.strip().rstrip("%")) for row in rows for cell in row[4:6]]
    assert min(shares) >= 94
    least, draws = re.findall(r"least of 24 coverages is ([\d.]+)%, of (\d+) draws each", section)[0]
    assert (float(least), int(draws)) == (min(shares), 10_000)
