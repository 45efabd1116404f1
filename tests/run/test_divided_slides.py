"""A slide too large for one task is divided among several: who has which batches, before anything is measured."""

import itertools
import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsi_area.compute.cut.planning import Tiling, plan_slide, with_skipped
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.model.plan import SlidePlan
from wsi_area.model.slide import Level, SlideInfo
from wsi_area.run.array.array_plan import array_plan, divided_slides, useful_tasks
from wsi_area.run.array.division import Share, divide, split
from wsi_area.run.array.share_batches import batches_between, batches_of, owner_by_batch, owners_of
from wsi_area.settings.run_settings import load

weights = st.dictionaries(st.text("abcdefghij", min_size=1, max_size=3), st.integers(0, 10**9), min_size=1, max_size=30)
MIB = 1 << 20


def load_of(weights: dict[str, int], shares: dict[str, tuple[Share, ...]], count: int) -> list[Fraction]:
    """What each shard has to do, added up share by share."""
    loads = [Fraction(0)] * count
    for name, of_slide in shares.items():
        for share in of_slide:
            loads[share.task - 1] += (share.stop - share.start) * max(1, weights[name])
    return loads


@settings(max_examples=150, deadline=None)
@given(weights, st.integers(1, 12), st.integers(1, 10**9), st.randoms())
def test_the_shares_of_a_slide_are_all_of_it_and_do_not_overlap(
    weights: dict[str, int], count: int, least: int, random_: random.Random
) -> None:
    shares = divide(weights, count, least)
    assert set(shares) == set(weights)
    for name, of_slide in shares.items():
        assert [of_slide[0].start, of_slide[-1].stop] == [0, 1]
        assert all(one.stop == other.start for one, other in itertools.pairwise(of_slide))
        assert all(share.start < share.stop for share in of_slide)
        assert len({share.task for share in of_slide}) == len(of_slide)
        assert {share.task for share in of_slide} <= set(range(1, count + 1))
        if weights[name] <= least:
            assert len(of_slide) == 1
    names = list(weights)
    random_.shuffle(names)
    assert divide({name: weights[name] for name in names}, count, least) == shares


@settings(max_examples=150, deadline=None)
@given(weights, st.integers(1, 12))
def test_no_shard_is_much_above_the_fair_load(weights: dict[str, int], count: int) -> None:
    loads = load_of(weights, divide(weights, count, 1), count)
    total = sum(max(1, weight) for weight in weights.values())
    assert sum(loads) == total
    fair = max(Fraction(total, count), Fraction(1))
    # a slide is whole up to 5/4 of the fair load, and goes to a shard that has no more than the fair load so far
    assert max(loads) <= Fraction(9, 4) * fair
    if len(weights) == 1 and total >= 2 * count:
        assert loads == [fair] * count if count > 1 else loads == [total]


@settings(max_examples=60, deadline=None)
@given(weights, st.integers(1, 12))
def test_slides_that_are_alike_enough_stay_whole_and_where_they_were(weights: dict[str, int], count: int) -> None:
    shares = divide(weights, count, 10**9)
    assert {name: of_slide[0].task for name, of_slide in shares.items()} == split(weights, count)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 64), min_size=1, max_size=60), st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_every_batch_is_in_exactly_one_of_the_parts(tiles: list[int], lengths: list[int]) -> None:
    cuts = [Fraction(sum(lengths[:n]), sum(lengths)) for n in range(len(lengths) + 1)]
    found = [batches_between(tiles, *ends) for ends in itertools.pairwise(cuts)]
    assert [batch for of_part in found for batch in of_part] == list(range(len(tiles)))  # once, and in order
    for (start, stop), of_part in zip(itertools.pairwise(cuts), found, strict=True):
        fair, has = (stop - start) * sum(tiles), sum(tiles[batch] for batch in of_part)
        assert abs(has - fair) <= max(tiles)  # half a batch too many or too few at either end


def made_up_plan(width_px: int, height_px: int, tile_px: int, skipped: set[int]) -> SlidePlan:
    level = Level(0, Size(width_px, height_px), 1.0, 1.0, Size(256, 256))
    info = SlideInfo("made-up", "made-up.svs", "aperio", level.size_px, (level,), "f" * 64, 1, 1)
    plan = plan_slide(info, Mpp(0.5, 0.5), [0], Tiling(None, tile_px, 0.0))
    unread = frozenset(n for n in skipped if n < plan.tile_count)
    return with_skipped(plan, unread, frozenset(), frozenset())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40_000), st.integers(1, 40_000), st.sampled_from([256, 512, 1000]),
    st.sets(st.integers(0, 3000), max_size=400), st.integers(1, 12),
)  # fmt: skip
def test_every_batch_of_a_slide_has_exactly_one_owner_whatever_its_size_and_the_number_of_tasks(
    width_px: int, height_px: int, tile_px: int, skipped: set[int], count: int
) -> None:
    plan = made_up_plan(width_px, height_px, tile_px, skipped)
    shares = divide({"made-up": width_px * height_px}, count, 1)["made-up"]
    batches = sorted(batch for share in shares for batch in batches_of(plan, share))
    assert batches == list(range(plan.batch_rows * plan.batch_cols))
    assert set(owner_by_batch(plan, shares)) == set(batches)


def test_the_owners_of_missing_batches_are_named_once() -> None:
    plan = made_up_plan(40_000, 40_000, 512, set())
    shares = divide({"made-up": 100}, 4, 1)["made-up"]
    assert owners_of(plan, shares, batches_of(plan, shares[1])) == (2,)
    assert owners_of(plan, shares, range(plan.batch_rows * plan.batch_cols)) == (1, 2, 3, 4)
    assert owners_of(plan, shares, ()) == ()


def sized(folder: Path, **mib: float) -> list[SlideInput]:
    """Files of so many MiB, which nobody opens; they take no room."""
    for name, size_mib in mib.items():
        with (folder / f"{name}.svs").open("wb") as file:
            file.truncate(int(size_mib * MIB))
    return [SlideInput(str(folder / f"{name}.svs"), name) for name in mib]


@pytest.mark.parametrize(
    ("sizes", "most", "shards", "divided"),
    [
        ({"giant": 4000}, 8, 8, 1),
        ({"giant": 200}, 8, 4, 1),  # a part of less than 64 MiB is not worth a task
        ({"small": 60}, 8, 1, 0),
        ({"giant": 4000, "a": 100, "b": 100}, 4, 4, 1),
        ({"a": 100, "b": 110, "c": 120}, 3, 3, 0),
        ({"a": 50, "b": 50, "c": 50}, 8, 3, 0),
        ({"a": 100, "b": 100}, 1, 1, 0),
    ],
)
def test_so_many_tasks_are_submitted_as_have_something_to_do(
    tmp_path: Path, sizes: dict[str, float], most: int, shards: int, divided: int
) -> None:
    slides, settings_ = sized(tmp_path, **sizes), load(None)
    assert useful_tasks(slides, settings_, most) == shards
    assert divided_slides(slides, settings_, most) == divided
    plan = array_plan(slides, settings_, shards)
    assert all(plan.slides_of(n) or plan.shares_of(n) for n in range(1, shards + 1))


def test_a_slide_of_many_files_weighs_as_much_as_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    sized(tmp_path / "a", data=300)
    (tmp_path / "a.mrxs").write_bytes(b"x" * 1000)
    (tmp_path / "dicom").mkdir()
    for n in range(3):
        (tmp_path / "dicom" / f"{n}.dcm").write_bytes(b"x" * 500)
    slides = [SlideInput(str(tmp_path / "a.mrxs"), "a"), SlideInput(str(tmp_path / "dicom" / "0.dcm"), "d")]
    gone = SlideInput(str(tmp_path / "gone.svs"), "gone")
    sizes = array_plan([*slides, gone], load(None), 2).file_bytes
    assert sizes == {"a": 300 * MIB + 1000, "d": 1500, "gone": 0}


def test_the_tasks_must_agree_from_which_size_on_slides_are_divided(tmp_path: Path) -> None:
    slides = sized(tmp_path, giant=4000)
    one, other = (array_plan(slides, load(None, [f"run.piece_mib={mib}"]), 8) for mib in (64, 65))
    assert one.key != other.key
    assert one.difference(other) == "the settings differ: run.piece_mib was 64.0, is 65.0"
