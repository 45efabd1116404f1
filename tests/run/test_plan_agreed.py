"""Tasks of a job array wait for each other while they settle the plan: what they compute then is next to nothing."""

from pathlib import Path

import pytest

from wsi_area.errors import ResultError, StaleResultError
from wsi_area.inputs.collect import SlideInput
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.results.layout import RunLayout, json_bytes
from wsi_area.run.array import agreement, task_run
from wsi_area.run.array.array_plan import ArrayPlan, array_plan
from wsi_area.run.array.division import ArrayTask
from wsi_area.settings.own_settings import OwnSettings
from wsi_area.settings.run_settings import load

GIVEN = MppCandidate(Mpp(0.25, 0.25), "manifest", "override", "given")
OWN = OwnSettings("m.csv line 2", {"tiling": {"work_mpp": 1.0}}, {"tiling.work_mpp": "tiling.work_mpp"})
LISTS = {
    "plain": ([SlideInput(f"/slides/{name}.svs", name) for name in "abc"], False),
    "forced": ([SlideInput("/slides/a.svs", "a")], True),
    "with a pixel size and settings of its own": ([SlideInput("/slides/a.svs", "ä", GIVEN, own=OWN)], False),
}


def plan_of(name: str) -> ArrayPlan:
    slides, forced = LISTS[name]
    return array_plan(slides, load(None, ()), 3, forced=forced)


def settled(plan: ArrayPlan, out: Path, index: int) -> ArrayPlan:
    with task_run._held_task(RunLayout(out), ArrayTask(index, plan.count), plan, load(None, ())) as agreed:
        return agreed


@pytest.mark.parametrize("name", LISTS)
def test_a_task_that_finds_its_own_plan_on_record_reads_its_bytes_and_no_more(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = settled(plan_of(name), tmp_path, 1)
    monkeypatch.setattr(agreement, "read_array_plan", None)  # whoever called it would end in an error
    for index in (2, 3):
        assert settled(plan_of(name), tmp_path, index).key == first.key
    assert RunLayout(tmp_path).array_plan.read_bytes() == json_bytes(plan_of(name).document())


def test_the_same_slides_in_another_order_agree_all_the_same(tmp_path: Path) -> None:
    slides, _ = LISTS["plain"]
    first = settled(plan_of("plain"), tmp_path, 1)
    turned = array_plan(slides[::-1], load(None, ()), 3)
    assert json_bytes(turned.document()) != json_bytes(first.document())
    assert settled(turned, tmp_path, 2) == first


@pytest.mark.parametrize(
    ("then", "now", "error"),
    [
        (b'"count": 3', b'"count": 4', ResultError),
        (b"/slides/b.svs", b"/slides/x.svs", ResultError),
        (b"}\n", b"", ResultError),
    ],
)
def test_a_plan_on_record_of_other_bytes_is_read_and_held_against_its_hash(
    tmp_path: Path, then: bytes, now: bytes, error: type[Exception]
) -> None:
    settled(plan_of("plain"), tmp_path, 1)
    file = RunLayout(tmp_path).array_plan
    file.write_bytes(now.join(file.read_bytes().rsplit(then, 1)))
    with pytest.raises(error, match="damaged"):
        settled(plan_of("plain"), tmp_path, 2)


def test_another_list_is_refused_with_what_differs(tmp_path: Path) -> None:
    settled(plan_of("plain"), tmp_path, 1)
    with pytest.raises(StaleResultError, match="c was in the list of slides and is not now"):
        settled(array_plan(LISTS["plain"][0][:2], load(None, ()), 3), tmp_path, 2)
