"""Work and memory are bounded by what outlines are, not by the bytes of their file."""

import json
import subprocess
import sys

import numpy as np
import pytest
import shapely
from drawn_samples import feature, slide_of, written

from wsi_area.annotations import read_drawn
from wsi_area.compute.picture.outlines import touching_groups, united
from wsi_area.compute.picture.overlay_effort import overlay_effort
from wsi_area.errors import AnnotationError

SIZE = 30_000


def star(points, inner=100.0, outer=10_000.0, centre=12_000.0):
    """Return a valid ring that goes to and fro between two radii."""
    angle = np.arange(points) * (2 * np.pi / points)
    radius = np.where(np.arange(points) % 2, outer, inner)
    return np.c_[centre + radius * np.cos(angle), centre + radius * np.sin(angle)].round(3)


def comb(teeth, side=20_000.0):
    """Return a valid ring of long thin teeth, which stand side by side."""
    width = side / (2 * teeth)
    points = [(0.0, 0.0)]
    for n in range(teeth):
        left = n * 2 * width
        points += [(left, side), (left + width, side), (left + width, 10.0), (left + 2 * width, 10.0)]
    return np.array([*points[:-1], (points[-2][0], 0.0)])


def scribble(points, seed=1):
    return np.random.default_rng(seed).random((points, 2)) * 1000


def read(tmp_path, *rings):
    features = [feature([ring.tolist()], {"classification": f"c{n}"}) for n, ring in enumerate(rings)]
    return read_drawn(written(tmp_path / "a.geojson", features), slide=slide_of(SIZE, SIZE))


@pytest.mark.parametrize(
    ("rings", "crossings"),
    [
        ([comb(100), comb(100)[:, ::-1]], 4 * 100**2),
        ([comb(1000), comb(1000)[:, ::-1]], 4 * 1000**2),
        ([star(20_000)], 0),
        ([comb(50), comb(50) + 20_001.0], 0),
    ],
)
def test_the_estimate_of_crossings_is_right_within_a_tenth(rings, crossings):
    effort = overlay_effort(np.array([shapely.Polygon(ring) for ring in rings], dtype=object))
    assert abs(effort.crossings - crossings) <= 0.1 * crossings
    assert effort.near_pairs >= effort.crossings


def test_the_estimate_is_that_of_every_pair_looked_at():
    ring = scribble(120)
    edges = shapely.linestrings(np.stack([ring, np.roll(ring, -1, axis=0)], axis=1))
    pairs = [(a, b) for a in range(120) for b in range(a + 2, 120) if (a, b) != (0, 119)]
    crossed = sum(bool(shapely.crosses(edges[a], edges[b])) for a, b in pairs)
    assert overlay_effort(np.array([shapely.Polygon(ring)], dtype=object)).crossings == pytest.approx(crossed, rel=0.05)


def test_many_small_outlines_are_few_pairs_also_where_only_a_part_of_them_is_looked_at():
    x, y = np.meshgrid(np.arange(300) * 20.0, np.arange(300) * 20.0)
    circles = shapely.buffer(shapely.points(x.ravel(), y.ravel()), 11.0)  # each overlaps its four neighbours
    effort = overlay_effort(circles)
    neighbours = 2 * 300 * 299
    assert effort.crossings == pytest.approx(2 * neighbours, rel=0.15)


@pytest.mark.parametrize(
    ("rings", "words"),
    [
        (
            [star(100_000)],
            r"outline 0 \('c0'\) has 100001 points whose edges lie near each other in some .*simplify it",
        ),
        ([scribble(3000)], r"outline 0 \('c0'\) has 3001 points and crosses itself some .* times, the limit is"),
        ([comb(800), comb(800)[:, ::-1]], r"2 outlines lie over each other: .*cross \(limit"),
        ([star(16_000), star(16_000), star(16_000)], "3 outlines lie over each other: some .* pairs"),
    ],
)
def test_what_would_take_minutes_is_refused_with_file_number_and_remedy(tmp_path, rings, words):
    with pytest.raises(AnnotationError, match=rf"a\.geojson: {words}"):
        read(tmp_path, *rings)


@pytest.mark.parametrize("ring", [star(4000), comb(1000), scribble(520)])
def test_what_is_large_and_harmless_is_read(tmp_path, ring):
    assert len(read(tmp_path, ring).regions) == 1


def test_a_smooth_outline_of_a_million_points_is_harmless():
    angle = np.arange(1_000_000) * (2 * np.pi / 1_000_000)
    circle = shapely.Polygon(np.c_[10_000 * np.cos(angle), 10_000 * np.sin(angle)])
    assert overlay_effort(np.array([circle], dtype=object)).near_pairs < 5e6


def test_groups_hang_together_by_touching_through_others_too():
    boxes = [shapely.box(n, 0, n + 1.5, 1) for n in (0, 2, 1, 9, 20, 21)] + [shapely.box(50, 0, 51, 1)]
    groups = touching_groups(np.array(boxes, dtype=object))
    assert sorted(sorted(group.tolist()) for group in groups) == [[0, 1, 2], [4, 5]]
    assert united(boxes).area == pytest.approx(3.5 + 1.5 + 2.5 + 1)


def test_a_chain_of_ten_thousand_is_one_group():
    chain = shapely.box(np.arange(10_000) * 1.0, 0.0, np.arange(10_000) + 1.5, 1.0)
    order = np.random.default_rng(0).permutation(10_000)
    (group,) = touching_groups(chain[order])
    assert len(group) == 10_000
    assert united(list(chain[order])).area == pytest.approx(10_000.5)


MEMORY = """
import json, os, resource, sys
from pathlib import Path
import numpy as np, shapely
from wsi_area.annotations import read_drawn
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import Overview, TilePixels, TilePlace
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.segmenters.drawn.regions import RegionsSegmenter
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
before, path, side = peak(), Path(sys.argv[1]), int(sys.argv[2])
size = Size(side, side)
drawn = read_drawn(path, slide=SlideInfo("S", "S", "x", size, (Level(0, size, 1.0, 1.0),), "f", 1, 1))
overview = Overview(np.zeros((200, 200, 3), np.uint8), np.ones((200, 200), bool), size, None, (), drawn)
fitted = RegionsSegmenter(unmatched="ignore", object_types=("annotation", "detection")).fit(overview)
fitted.may_hold_foreground(overview)
centres = np.arange(512) + 12_000 - 255.5
pixels = TilePixels(np.zeros((512, 512, 3), np.uint8), np.ones((512, 512), bool))
classes = fitted.class_map_at(pixels, TilePlace(Region(0, 0, 512, 512), centres, centres))
print(json.dumps({"grown_mb": peak() - before, "file_mb": os.path.getsize(path) / 1e6, "n": len(drawn.regions),
                  "drawn": int((classes == 1).sum())}))
"""


def measured(path, side):
    command = [sys.executable, "-c", MEMORY, str(path), str(side)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_twenty_thousand_outlines_take_a_few_times_their_file(tmp_path):
    angle = np.arange(30) * (2 * np.pi / 30)
    ring = np.c_[12 * np.cos(angle), 12 * np.sin(angle)]
    with (tmp_path / "a.geojson").open("w") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for n in range(20_000):
            points = (ring + np.array([20 + n % 200 * 40, 20 + n // 200 * 40])).round(2)
            one = feature(
                [[*points.tolist(), points[0].tolist()]], {"objectType": "detection", "classification": "Tumor"}
            )
            file.write(("," if n else "") + json.dumps(one))
        file.write("]}")
    found = measured(tmp_path / "a.geojson", 9000)
    assert found["n"] == 20_000
    assert found["grown_mb"] < 8 * found["file_mb"]


def test_a_star_costs_no_gigabytes_where_its_points_meet(tmp_path):
    path = written(tmp_path / "a.geojson", [feature([star(16_000).tolist()], {"classification": "Tumor"})])
    found = measured(path, SIZE)
    assert found["grown_mb"] < 200
    assert 0 < found["drawn"] < 512 * 512
