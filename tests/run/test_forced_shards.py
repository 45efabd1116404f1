"""A forced task of a job array: from its first step on nothing of an earlier generation reads as complete."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import wsi_area
from measuring import FLAT
from synthetic import disc, write_slide

from wsi_area.errors import ResultError
from wsi_area.inputs.collect import SlideInput, collect_slides
from wsi_area.model.geometry import Size
from wsi_area.results.layout import read_json
from wsi_area.results.leftovers import MADE_FROM_SLIDES
from wsi_area.results.opened_run import open_run
from wsi_area.run.array.division import ArrayTask
from wsi_area.run.array.merge import merge_run
from wsi_area.run.array.task_run import run_task
from wsi_area.run.beginning import SAID_AT_THE_END
from wsi_area.run.pipeline import run_slides
from wsi_area.run.run_document import RunOutcome, ended_run, run_header
from wsi_area.settings.run_settings import RunSettings, load

SIZE = Size(300, 250)
OTHER = "segmenter.threshold=90"
Slides = tuple[SlideInput, ...]


class Killed(BaseException):
    """Stands for kill -9: nothing in the package catches it, and nothing is tidied up on the disk after it."""


def line(*further: str) -> RunSettings:
    return load(None, [*FLAT, "run.executor=serial", "run.slides_in_flight=1", *further])


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Slides:
    folder = tmp_path_factory.mktemp("slides")
    for n in range(2):
        write_slide(folder / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 150, 120, 60 + 30 * n)})
    return collect_slides([str(folder)])


def by_one(slides: Slides, out: Path) -> None:
    assert run_slides(slides, line(), out).exit_code == 0
    (out / "report.html").write_text("what people read")


def by_shards(slides: Slides, out: Path) -> None:
    for n in (1, 2):
        assert run_task(slides, line(), out, ArrayTask(n, 2)).exit_code == 0
    assert merge_run(out).exit_code == 0
    (out / "report.html").write_text("what people read")


BEFORE = {"one process": by_one, "two tasks and a merge": by_shards}


def measured(out: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted((out / "slides").rglob("*")) if p.is_file()}


def claims(out: Path) -> list[str]:
    """Whatever in a folder says that slides are complete, but for the slides' own documents."""
    found = [name for name in MADE_FROM_SLIDES if (out / name).exists()]
    about = read_json(out / "run.json")
    found += ["run.json"] * (about["state"] == "finished" or bool(about.get("slides")) or "exit_code" in about)
    try:
        open_run(out)
    except ResultError:
        return found
    return [*found, "open_run"]


@pytest.mark.parametrize("further", [(), (OTHER,)], ids=["same settings", "other settings"])
@pytest.mark.parametrize("before", BEFORE)
def test_when_the_first_tile_is_measured_afresh_no_table_says_anything_any_more(
    slides: Slides, tmp_path: Path, before: str, further: tuple[str, ...]
) -> None:
    out, said = tmp_path / "out", []
    BEFORE[before](slides, out)

    def look(event: object) -> None:
        explained = [wsi_area("explain", out, name).code for name in own]
        said.append((claims(out), wsi_area("report", out).err, wsi_area("verify", out).code, explained))

    own = {"s0", "s1"}
    if before.startswith("two") and not further:
        own = set(read_json(out / "shards/1-of-2.json")["slides"])
    run_task(slides, line(*further), out, ArrayTask(1, 2), force=True, listener=look)
    own = set(read_json(out / "shards/1-of-2.json")["slides"])
    assert said[0][3] == [1] * len(said[0][3])
    for found, err, code, _ in said:
        # of the same plan, what the other task measured stays on record, and is still so
        assert set(found) <= ({"run.json"} if before.startswith("two") and not further else set())
        assert "wsi-area merge" in err
        assert code == 1
    assert said
    assert not set(own) & set(read_json(out / "run.json").get("slides", {}))


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, step: int) -> Iterator[None]:
    """Die instead of the n-th change of a name on the disk: a file put into its place, or taken away."""
    count = 0

    def counted(change: Any) -> Any:
        def changed(path: Path, *args: Any, **kwargs: Any) -> Any:
            nonlocal count
            count += 1
            if count >= step:
                raise Killed
            return change(path, *args, **kwargs)

        return changed

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", counted(Path.replace))
        patched.setattr(Path, "unlink", counted(Path.unlink))
        yield


@pytest.mark.parametrize("further", [(), (OTHER,)], ids=["same settings", "other settings"])
@pytest.mark.parametrize("before", BEFORE)
def test_a_forced_task_killed_at_any_of_its_first_steps_leaves_either_all_of_the_old_or_no_claim(
    slides: Slides, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, further: tuple[str, ...]
) -> None:
    whole = tmp_path / "whole"
    BEFORE[before](slides, whole)
    kept, states = measured(whole), set()
    for step in range(1, 41):
        out = tmp_path / str(step)
        shutil.copytree(whole, out)
        with killed_at(monkeypatch, step), pytest.raises(Killed):
            run_task(slides, line(*further), out, ArrayTask(1, 2), force=True)
        found = claims(out)
        touched = {name.replace(str(out), str(whole)): content for name, content in measured(out).items()} != kept
        states.add((touched, bool({*found} - {"run.json"})))
        if touched:
            assert set(found) <= ({"run.json"} if before.startswith("two") and not further else set()), step
        shutil.rmtree(out)
    assert {(False, True), (False, False), (True, False)} <= states
    assert (True, True) not in states


@pytest.mark.parametrize("before", BEFORE)
def test_after_both_tasks_and_the_merge_the_folder_is_whole_again(slides: Slides, tmp_path: Path, before: str) -> None:
    out = tmp_path / "out"
    BEFORE[before](slides, out)
    for n in (2, 1):
        assert run_task(slides, line(OTHER), out, ArrayTask(n, 2), force=True).exit_code == 0
        assert claims(out) == []
    assert merge_run(out).exit_code == 0
    alone = tmp_path / "alone"
    run_slides(slides, line(OTHER), alone)
    for name in ("summary.csv", "summary.parquet", "areas.parquet", "failed.csv", "summary.xlsx"):
        assert (out / name).read_bytes() == (alone / name).read_bytes(), name
    assert wsi_area("verify", out).code == 0


def test_slides_that_the_forced_tasks_do_not_have_keep_their_rows(slides: Slides, tmp_path: Path) -> None:
    out = tmp_path / "out"
    by_one(slides, out)
    row = read_json(out / "run.json")["slides"]["s0"]
    (rest,) = (slide for slide in slides if slide.slide_id == "s1")
    run_task([rest], line(), out, ArrayTask(1, 1), force=True)
    assert read_json(out / "run.json")["slides"] == {"s0": row}
    assert merge_run(out).exit_code == 0
    assert list(open_run(out).summary.index) == ["s0", "s1"]
    assert set(open_run(out).summary["status"]) == {"complete"}


def test_a_forced_task_leaves_what_the_other_tasks_measured_on_record(slides: Slides, tmp_path: Path) -> None:
    out = tmp_path / "out"
    by_shards(slides, out)
    of_task = {n: set(read_json(out / f"shards/{n}-of-2.json")["slides"]) for n in (1, 2)}
    run_task(slides, line(), out, ArrayTask(2, 2), force=True)
    assert set(read_json(out / "run.json")["slides"]) == of_task[1]
    merged = merge_run(out)
    assert merged.exit_code == 0
    assert {r["status"] for r in merged.run.documents} == {"complete"}


def test_a_task_without_force_leaves_the_tables_as_they_are(slides: Slides, tmp_path: Path) -> None:
    out = tmp_path / "out"
    by_one(slides, out)
    before = {name: (out / name).read_bytes() for name in MADE_FROM_SLIDES if (out / name).exists()}
    run_task(slides, line(), out, ArrayTask(1, 2))
    assert {name: (out / name).read_bytes() for name in MADE_FROM_SLIDES if (out / name).exists()} == before


def test_nothing_that_is_said_at_the_end_of_a_run_stays_in_one_that_goes_on() -> None:
    begun = run_header(line(), (), [])
    ended = ended_run(begun, RunOutcome((), False, 0, ()), [], 1).model_copy(update={"seal": "0" * 64})  # as `end_run`
    said = {name for name, value in ended if value != getattr(begun, name)}
    assert said - {"state", "slides"} == set(SAID_AT_THE_END)
