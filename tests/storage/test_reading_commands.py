"""Commands that read a finished run are told the server of its bucket as `wsi-area run` is, not only by variables."""

from pathlib import Path

import pytest
from command_line import wsi_area
from measuring import FLAT
from s3_server import Server
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size
from wsi_area.storage import bucket as bucket_module
from wsi_area.storage.object_path import ObjectPath

CLASSES = '[{id=0,name="background",color="#ffffff"},{id=1,name="tumour",color="#ff0000",is_tissue=true,is_tumor=true}]'
LINE = [
    part
    for text in (*FLAT, "run.executor=serial", f"segmenter.classes={CLASSES}", "run.piece_mib=0")
    for part in ("--set", text)
]
SIZE = Size(500, 400)
DRAWN = '{"type": "Polygon", "coordinates": [[[0, 0], [400, 0], [400, 300], [0, 300], [0, 0]]]}'
NAMED = '{"objectType": "annotation", "classification": {"name": "tumour"}}'
FEATURE = f'{{"type": "Feature", "geometry": {DRAWN}, "properties": {NAMED}}}'
TRUTH = f'{{"type": "FeatureCollection", "features": [{FEATURE}]}}'


@pytest.fixture
def unsaid(server: Server, environment: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the server, which no variable says."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")  # nobody: what is asked there fails at once
    monkeypatch.setattr(bucket_module, "_open", {})
    return server.endpoint


def commands(place: ObjectPath, tmp_path: Path) -> dict[str, tuple[tuple[str | Path, ...], int]]:
    (tmp_path / "s.geojson").write_text(TRUTH)
    run = str(place)
    return {
        "verify": ((run,), 0),
        "report": ((run,), 0),
        "export": ((run, "--format", "geojson"), 0),
        "explain": ((run, "s"), 0),
        "evaluate": ((run, "--truth", tmp_path / "s.geojson"), 0),
        "diff": ((run, run), 0),
        "change": ((run, run), 2),  # nothing changed: a slide is one subject at one date
        "merge": ((run, "--no-report"), 0),
    }


def test_every_command_that_reads_a_run_takes_the_server_from_an_option_or_a_file(
    unsaid: str, place: ObjectPath, tmp_path: Path
) -> None:
    slide = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 250, 200, 120)}).path
    said = ("--set", f"storage.endpoint={unsaid}")
    ended = wsi_area("run", slide, "--out", place, *LINE, *said, "--shard", "1/1")
    assert ended.code == 0, ended.err
    assert wsi_area("merge", place, *said).code == 0
    config = tmp_path / "lab.toml"
    config.write_text(
        f'[tiling]\nwork_mpp = 1\n[segmenter]\nname = "of another lab"\n[storage]\nendpoint = "{unsaid}"\n'
    )
    for name, (arguments, code) in commands(place, tmp_path).items():
        for told in (said, ("--config", config)):
            ended = wsi_area(name, *arguments, *told)
            assert ended.code == code, (name, ended.out, ended.err)
            before = wsi_area(name, *told, *arguments)  # wherever on the line
            assert before.code == code, (name, before.out, before.err)
    assert "tumour" in wsi_area("explain", place, "s", *said).out


def test_what_is_said_goes_before_the_variables(
    unsaid: str, place: ObjectPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 250, 200, 120)}).path
    assert wsi_area("run", slide, "--out", place, *LINE, "--set", f"storage.endpoint={unsaid}", "--no-report").code == 0
    config = tmp_path / "lab.toml"
    config.write_text('[storage]\nendpoint = "http://127.0.0.1:9"\n')
    assert wsi_area("verify", place, "--config", config, "--set", f"storage.endpoint={unsaid}").code == 0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (("--set", "tiling.work_mpp=1"), "with what a run was measured is on record; only storage.endpoint and"),
        (("--set", "storage.endpoit=http://127.0.0.1:9"), "did you mean storage.endpoint?"),
        (("--set", "storage.endpoint=127.0.0.1:9"), "is not http(s)://host"),
        (("--set", "storage"), "storage"),
    ],
)
def test_what_cannot_be_said_is_refused_of_a_run_on_a_disk_too(
    tmp_path: Path, said: tuple[str, ...], words: str
) -> None:
    (tmp_path / "out").mkdir()
    for place in (tmp_path / "out", "s3://no-such-bucket/run"):
        ended = wsi_area("verify", place, *said)
        assert ended.code == 1
        assert words in " ".join(ended.err.split())
