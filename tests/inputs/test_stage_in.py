"""A slide is copied before it is read, whole and checked, and only its numbers show that it ever was."""

import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from measuring import class_maps_of, counts_of, measure
from synthetic import disc, write_slide

from wsi_area.errors import ResultError, SettingsError, SlideOpenError
from wsi_area.inputs import copying, stage_in
from wsi_area.inputs.copying import CopyRules, CopyStopped
from wsi_area.inputs.stage_in import staged
from wsi_area.model.geometry import Size
from wsi_area.settings.run_settings import load
from wsi_area.slides.header.companion_files import files_of
from wsi_area.storage.living import made_and_held

SMALL = Size(600, 500)


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_slide(tmp_path / "share" / "s.tif", SMALL, {"tissue": disc(SMALL, 300, 250, 100)}).path


@pytest.fixture(autouse=True)
def share(tmp_path: Path) -> Path:
    (tmp_path / "share").mkdir()
    return tmp_path / "share"


@pytest.fixture
def rules(tmp_path: Path) -> CopyRules:
    return CopyRules(tmp_path / "scratch", retries=2, wait_s=0.0)


class Flaky:
    """What opens a file on a share that fails so many times, half-way through."""

    def __init__(self, failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left, self.calls, self._copy = failures, 0, copying._copy
        monkeypatch.setattr(copying, "_copy", self)

    def __call__(self, part: Path, target: Path, rules: CopyRules) -> int:
        self.calls += 1
        if self.left:
            self.left -= 1
            target.write_bytes(part.read_bytes()[:100])
            raise OSError(5, "Input/output error")
        return self._copy(part, target, rules)


def test_the_copy_is_the_slide_to_the_byte_and_is_gone_afterwards(slide: Path, rules: CopyRules) -> None:
    with staged(str(slide), rules) as copy:
        assert Path(copy) != slide
        assert Path(copy).read_bytes() == slide.read_bytes()
        assert os.stat(copy).st_mtime_ns == slide.stat().st_mtime_ns
    assert list(rules.stage_dir.iterdir()) == []


def test_a_share_that_fails_for_a_while_is_waited_out_longer_each_time(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(copying.time, "sleep", waits.append)
    Flaky(2, monkeypatch)
    with staged(str(slide), CopyRules(tmp_path / "scratch", 2, 1.5)) as copy:
        assert Path(copy).read_bytes() == slide.read_bytes()
    assert waits == [1.5, 3.0]


def test_a_share_that_goes_on_failing_is_named_with_the_settings_that_help(
    slide: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    flaky = Flaky(99, monkeypatch)
    says = r"s\.tif: could not be copied in 3 tries .*run\.read_retries"
    with pytest.raises(SlideOpenError, match=says), staged(str(slide), rules):
        raise AssertionError("there is no copy")
    assert flaky.calls == 3
    assert list(rules.stage_dir.iterdir()) == []


def test_a_copy_that_differs_from_its_slide_is_refused(
    slide: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad_wire(part: Path, target: Path, rules: CopyRules) -> int:
        whole = bytearray(part.read_bytes())
        whole[70] ^= 1
        target.write_bytes(whole)
        os.utime(target, ns=(0, part.stat().st_mtime_ns))
        return len(whole)

    monkeypatch.setattr(copying, "_copy", bad_wire)
    with pytest.raises(SlideOpenError, match="changed while it was copied"), staged(str(slide), rules):
        raise AssertionError("there is no copy")


Usage = namedtuple("Usage", "total used free")


def test_a_slide_that_does_not_fit_is_refused_with_both_numbers_and_nothing_is_written(
    slide: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, 3 << 20))
    says = r"3\.0 MiB are free there and 256 MiB are kept free.*run\.stage_dir"
    with pytest.raises(ResultError, match=says), staged(str(slide), rules):
        raise AssertionError("there is no copy")
    assert list(rules.stage_dir.iterdir()) == []


def test_a_slide_for_which_there_is_no_room_yet_waits_for_the_one_before_it(
    slide: Path, rules: CopyRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [1 << 40]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 41, 0, room[0]))
    order: list[str] = []

    def second() -> None:
        with staged(str(slide), rules):
            order.append("second staged")

    with staged(str(slide), rules):
        room[0] = 0
        other = threading.Thread(target=second)
        other.start()
        other.join(0.2)
        order.append("first done")
        room[0] = 1 << 40
    other.join(20)
    assert order == ["first done", "second staged"]


def test_a_stopped_run_gives_a_long_copy_up(slide: Path, tmp_path: Path) -> None:
    stopped = CopyRules(tmp_path / "scratch", 0, 0.0, lambda: True)
    with pytest.raises(CopyStopped), staged(str(slide), stopped):
        raise AssertionError("there is no copy")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_killed_run_left_is_taken_away_and_what_a_living_one_uses_is_not(slide: Path, rules: CopyRules) -> None:
    host = stage_in.socket.gethostname()
    dead, alive, foreign = (
        rules.stage_dir / f"wsi-area-stage-{name}"
        for name in (f"{host}-4194305-x", f"{host}-{os.getpid()}-y", "elsewhere-4194305-z")
    )
    for folder in (dead, alive, foreign):
        folder.mkdir(parents=True)
    with staged(str(slide), rules):
        assert not dead.exists()
    assert alive.exists()
    assert foreign.exists()


def test_what_another_container_of_this_machine_uses_stays_though_its_process_is_nobodys_here(
    slide: Path, rules: CopyRules
) -> None:
    theirs = rules.stage_dir / f"wsi-area-stage-{stage_in.socket.gethostname()}-4194305-x"
    rules.stage_dir.mkdir()
    held = made_and_held(theirs, is_folder=True)
    with staged(str(slide), rules):
        assert theirs.exists()
    os.close(held)
    with staged(str(slide), rules):
        assert not theirs.exists()


def test_nobody_else_may_enter_the_folder_of_a_copy(slide: Path, rules: CopyRules) -> None:
    with staged(str(slide), rules) as copy:
        assert Path(copy).parent.stat().st_mode & 0o077 == 0


def test_a_slide_of_several_files_is_copied_whole(share: Path, rules: CopyRules) -> None:
    for name in ("m.mrxs", "m/Slidedat.ini", "m/Data0000.dat", "n/Data0000.dat", "a.dcm", "b.dcm", "c.txt"):
        (share / name).parent.mkdir(exist_ok=True)
        (share / name).write_text(name)
    named = {p.name: [str(q.relative_to(share)) for q in files_of(p)] for p in map(share.joinpath, ("m.mrxs", "b.dcm"))}
    assert named == {"m.mrxs": ["m.mrxs", "m/Data0000.dat", "m/Slidedat.ini"], "b.dcm": ["b.dcm", "a.dcm"]}
    with staged(str(share / "m.mrxs"), rules) as copy:
        found = {str(p.relative_to(Path(copy).parent)) for p in Path(copy).parent.rglob("*") if p.is_file()}
    assert found == {"m.mrxs", "m/Data0000.dat", "m/Slidedat.ini"}


def test_a_slide_that_is_not_there_is_named_as_somebody_wrote_it(share: Path, rules: CopyRules) -> None:
    with pytest.raises(SlideOpenError, match=r"gone\.svs"), staged(str(share / "gone.svs"), rules):
        raise AssertionError("there is no copy")


# --- the whole line


def staging(tmp_path: Path) -> tuple[str, ...]:
    return (f"run.stage_dir={tmp_path / 'scratch'}", "run.retry_wait_s=0")


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_staged_run_gives_the_same_integers_and_the_record_names_the_slide(
    slide: Path, tmp_path: Path, executor: str
) -> None:
    plain = measure(slide, tmp_path / "plain")
    via_copy = measure(slide, tmp_path / "out", *staging(tmp_path), f"run.executor={executor}", "run.workers=1")
    assert via_copy.exit_code == 0
    assert counts_of(via_copy) == counts_of(plain)
    assert (class_maps_of(tmp_path / "out")["s"] == class_maps_of(tmp_path / "plain")["s"]).all()
    assert via_copy.documents[0]["path"] == str(slide)
    assert via_copy.documents[0]["key"] == plain.documents[0]["key"]
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_run_goes_on_with_or_without_a_stage(slide: Path, tmp_path: Path) -> None:
    assert measure(slide, tmp_path / "out", *staging(tmp_path)).exit_code == 0
    assert measure(slide, tmp_path / "out").exit_code == 0


def test_what_is_wrong_with_a_slide_is_said_of_the_slide_and_not_of_its_copy(tmp_path: Path, share: Path) -> None:
    bad = share / "bad.svs"
    bad.write_bytes(b"II*\0 this was a slide")
    (record,) = measure(bad, tmp_path / "out", *staging(tmp_path)).documents
    assert record["status"] == "failed"
    assert str(bad) in record["reason"]
    assert "scratch" not in record["reason"]


def test_one_slide_that_cannot_be_copied_takes_no_other_with_it(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "share" / "t.tif"
    shutil.copy(slide, other)
    real: Any = copying._copy

    def bad_sector(part: Path, target: Path, rules: CopyRules) -> int:
        if part.name == "s.tif":
            raise OSError(5, "Input/output error")
        return int(real(part, target, rules))

    monkeypatch.setattr(copying, "_copy", bad_sector)
    outcome = measure([slide, other], tmp_path / "out", *staging(tmp_path))
    assert [r["status"] for r in outcome.documents] == ["failed", "complete"]


def test_real_slides_of_several_files_are_measured_through_a_copy(testdata: Path, tmp_path: Path) -> None:
    folder = testdata / "slides/wsi2dcm_jpeg2000"
    plain, via_copy = (measure(folder, tmp_path / name, *more) for name, more in (("a", ()), ("b", staging(tmp_path))))
    assert counts_of(via_copy) == counts_of(plain)


def test_a_stage_that_the_workers_cannot_see_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"run\.stage_dir is a folder of this machine"):
        load(None, ["run.stage_dir=/scratch", "run.scheduler=tcp://127.0.0.1:1"])
