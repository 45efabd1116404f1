"""A dask scheduler that somebody else started, reached by its address; also over TLS, also when workers vanish."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from measuring import class_maps_of, counts_of, measure
from scheduler_processes import Certificates, Running, made_certificates, started_scheduler
from synthetic import SyntheticSlide, disc, write_slide

from wsi_area.errors import SettingsError
from wsi_area.model.geometry import Size
from wsi_area.run.events import BatchDone, Event
from wsi_area.run.executors import address
from wsi_area.run.executors.choice import make_executor
from wsi_area.settings.run_settings import load

CUT = ("tiling.tile_px=50", "tiling.skip_glass=false")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> SyntheticSlide:
    size = Size(1500, 1100)
    path = tmp_path_factory.mktemp("slide") / "s.tif"
    return write_slide(path, size, {"tissue": disc(size, 700, 500, 300)}, noise_sd=2.0)


@pytest.fixture(scope="module")
def serial(slide: SyntheticSlide, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("serial") / "out"
    assert measure(slide.path, out, *CUT, "run.executor=serial").exit_code == 0
    return out


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made_certificates(tmp_path_factory.mktemp("tls") / "trusted")


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Running]:
    with started_scheduler(tmp_path) as running:
        yield running


def same_integers_and_class_maps(out: Path, serial: Path) -> None:
    assert (out / "summary.csv").read_bytes() == (serial / "summary.csv").read_bytes()
    assert (class_maps_of(out)["s"] == class_maps_of(serial)["s"]).all()


def test_a_worker_that_vanishes_in_the_midst_costs_nothing_but_time(
    scheduler: Running, slide: SyntheticSlide, serial: Path, tmp_path: Path
) -> None:
    killed = []

    def kill(event: Event) -> None:
        if isinstance(event, BatchDone) and not killed:
            killed.append(scheduler.kill_worker(0))

    where = f"run.scheduler={scheduler.address}"
    outcome = measure(slide.path, tmp_path / "out", *CUT, where, "run.worker_retries=0", listener=kill)
    assert (outcome.exit_code, len(killed)) == (0, 1)
    same_integers_and_class_maps(tmp_path / "out", serial)


@needs_openssl
def test_over_tls_the_integers_are_those_of_the_serial_run(
    slide: SyntheticSlide, serial: Path, trusted: Certificates, tmp_path: Path
) -> None:
    with started_scheduler(tmp_path, 1, trusted) as running:
        where = f"run.scheduler={running.address}"
        outcome = measure(slide.path, tmp_path / "out", *CUT, where, *trusted.settings)
        assert counts_of(outcome)
        same_integers_and_class_maps(tmp_path / "out", serial)
        stranger = made_certificates(tmp_path / "stranger")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(address, "ANSWER_S", 3.0)
            for not_let_in in (stranger.settings, []):
                settings = load(None, [where, *not_let_in])
                with pytest.raises(SettingsError, match=r"tls://127\.0\.0\.1.*\[tls\]"):
                    make_executor(settings.run, settings.cluster, settings.tls)


@needs_openssl
def test_certificates_that_cannot_be_used_are_named_before_anything_starts(
    trusted: Certificates, tmp_path: Path
) -> None:
    stranger = made_certificates(tmp_path / "stranger")
    tls = "run.scheduler=tls://127.0.0.1:9"
    foreign_key = [*trusted.settings[:2], f"tls.key={stranger.key}"]
    for certificates, said in (
        ([*trusted.settings[:2], f"tls.key={tmp_path / 'none.pem'}"], "there is no such file"),
        (foreign_key, "does the key belong to the certificate"),
    ):
        settings = load(None, [tls, *certificates])
        with pytest.raises(SettingsError, match=said):
            make_executor(settings.run, settings.cluster, settings.tls)


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["tls.ca=ca.pem"], "all are needed"),
        (["tls.ca=a", "tls.cert=b", "tls.key=c", "run.scheduler=tcp://127.0.0.1:9"], "nothing would be encrypted"),
    ],
)
def test_tls_that_would_not_encrypt_is_refused(assignments: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load(None, assignments)
