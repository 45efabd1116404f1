"""A typed pixel size: two readings are asked about, it has a quality of its own, and one far off must be confirmed."""

import dataclasses
import json
from pathlib import Path

import pytest
from command_line import wsi_area
from hypothesis import given
from hypothesis import strategies as st
from synthetic import disc, write_slide

from wsi_area.compute.calibration.calibrate import calibrate
from wsi_area.compute.calibration.uncertainty import relative_u_area
from wsi_area.compute.units import two_readings
from wsi_area.errors import SettingsError
from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.manifest import read_manifest
from wsi_area.inputs.typed_mpp import parse_dpi, parse_mpp
from wsi_area.model.calibration import Mpp, MppCandidate
from wsi_area.model.geometry import Size
from wsi_area.model.slide import SlideInfo
from wsi_area.settings.run_settings import load

SMALL = Size(320, 256)
RULES = ("--set", "segmenter.background=bright", "--set", "segmenter.threshold=60", "--no-report")


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return write_slide(tmp_path / "s.tif", SMALL, {"tissue": disc(SMALL, 160, 128, 60)}).path  # 0.5 µm/px, a tag


def row_of(out: Path) -> dict[str, object]:
    document = json.loads((out / "slides" / "s" / "result.json").read_text())
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("text", ["8,5", "1,25", "8,8", "0,25", " 8 , 5", "10,20m", "1,250"])
@pytest.mark.parametrize("option", ["--mpp", "--dpi"])
def test_two_numbers_without_a_decimal_point_are_asked_about_with_both_readings(option: str, text: str) -> None:
    with pytest.raises(SettingsError, match=r"is that .*, or .* and .*\? write"):
        (parse_mpp if option == "--mpp" else parse_dpi)(text)


@pytest.mark.parametrize("text", ["8.0,5.0", "0.25,0.26", "8.5", "10m,20m", "8,5.0", "25"])
def test_what_has_one_reading_is_taken(text: str) -> None:
    assert parse_mpp(text) is not None


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_both_readings_are_those_that_the_text_has(one: int, other: int) -> None:
    told = two_readings(f"{one},{other}")
    assert f"{one}.{other}, or {one} and {other}?" in told
    assert two_readings(f"{one}.0,{other}.0") == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "s.tif", "--mpp", "8,5", "--out", "o"),
        ("run", "s.tif", "--dpi", "300,300", "--out", "o"),
        ("run", "s.tif", "--mpp", "0.5", "--mpp-u", "0,1", "--out", "o"),
        ("run", "s.tif", "--set", "tiling.work_mpp=1,25", "--out", "o"),
        ("run", "s.tif", "--set", "calibration.max_extent_mm=52,76", "--out", "o"),
        ("run", "s.tif", "--roi", "s.tif", "--roi-scale", "1,5", "--out", "o"),
        ("check", "s.tif", "--mpp", "8,8"),
        ("plan", "s.tif", "--mpp", "1,25"),
        ("explain", "--px", "5", "--mpp", "8,5"),
        ("explain", "--px", "5", "--dpi", "300,200"),
        ("train", "--images", ".", "--masks", ".", "--class", "1=a", "--mpp", "8,5", "--out", "o"),
    ],
)
def test_every_option_that_takes_numbers_asks_and_nothing_is_begun(
    slide: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(slide.parent)
    ended = wsi_area(*arguments)
    assert ended.code == 1
    assert "is that" in " ".join(ended.err.split())
    assert not (slide.parent / "o").exists()


def test_a_walltime_is_no_pair_of_numbers() -> None:
    assert load(None, ["cluster.walltime=00:20:00"]).cluster.walltime == "00:20:00"


def test_a_typed_size_has_a_quality_of_its_own_and_is_no_better_than_what_is_said_of_it(
    slide: Path, tmp_path: Path
) -> None:
    assert wsi_area("run", slide, *RULES, "--mpp", "0.5", "--mpp-reason", "log", "--out", tmp_path / "a").code == 0
    stated = ("--mpp", "0.5", "--mpp-reason", "log", "--mpp-u", "0.001")
    assert wsi_area("run", slide, *RULES, *stated, "--out", tmp_path / "b").code == 0
    plain, sure = row_of(tmp_path / "a")["calibration"], row_of(tmp_path / "b")["calibration"]
    assert isinstance(plain, dict)
    assert isinstance(sure, dict)
    assert plain["quality"] == sure["quality"] == "given"
    assert plain["relative_u_area"] == pytest.approx(0.06)  # 3 % of a pixel's edge, twice
    assert sure["relative_u_area"] == pytest.approx(2 * 0.001 / 0.5)
    assert (sure["candidates"][0]["u_um"], sure["uncertainty_from"]) == (0.001, "stated: 0.001 µm")
    assert "given" in (tmp_path / "b" / "summary.csv").read_text()


@pytest.mark.parametrize("form", ["toml", "json"])
def test_a_calibration_record_says_how_sure_a_size_is_and_what_it_is_traced_to(
    slide: Path, tmp_path: Path, form: str
) -> None:
    told = {"instrument": "stage micrometer SM-1", "date": "2026-03-01", "certificate": "4711", "u_um": 0.002}
    record = tmp_path / f"record.{form}"
    text = "\n".join(f"{key} = {value!r}" for key, value in told.items())
    record.write_text(json.dumps(told) if form == "json" else text)
    given = ("--mpp", "0.5", "--mpp-reason", "measured", "--mpp-record", record)
    assert wsi_area("run", slide, *RULES, *given, "--out", tmp_path / "o").code == 0
    found = row_of(tmp_path / "o")["calibration"]
    assert isinstance(found, dict)
    assert found["relative_u_area"] == pytest.approx(2 * 0.002 / 0.5)
    assert found["candidates"][0]["traced_to"] == "stage micrometer SM-1, 2026-03-01, certificate 4711"
    assert "certificate 4711" in found["uncertainty_from"]
    assert "certificate 4711" in found["reason"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("instrument = 'a'\ndate = 2026-03-01\nu_um = 0.1", "no certificate"),
        ("instrument = 'a'\ndate = 2026-03-01\ncertificate = 'c'", "u_um is None"),
        ("instrument = 'a'\ndate = 2026-03-01\ncertificate = 'c'\nu_um = -1", "u_um is -1"),
        ("instrument = 'a'\ndate = 2026-03-01\ncertificate = 'c'\nu_um = 0.1\nfoo = 1", "unknown key foo"),
        ("not toml", "neither TOML nor JSON"),
        ("instrument = 'a'\ndate = 2026-03-01\ncertificate = 'c'\nu_um = 0.01\nmpp_x = 0.25", "give one of them"),
        ("instrument = 'a'\ndate = 2026-03-01\ncertificate = 'c'\nu_um = 0.9", "as large as the pixel"),
    ],
)
def test_a_record_that_says_too_little_or_something_else_is_refused(slide: Path, text: str, says: str) -> None:
    record = slide.with_name("r.toml")
    record.write_text(text)
    with pytest.raises(SettingsError, match=says):
        collect_slides([slide], mpp="0.5", mpp_record=record)


def test_an_uncertainty_or_a_confirmation_of_no_size_is_refused(slide: Path) -> None:
    for options in ({"mpp_u": "0.001"}, {"mpp_confirmed": True}, {"mpp_reason": "log"}):
        with pytest.raises(SettingsError, match="--mpp"):
            collect_slides([slide], **options)  # type: ignore[arg-type]


def info_of(*claims: MppCandidate) -> SlideInfo:
    return SlideInfo("s", "s.svs", "aperio", Size(4000, 3000), (), "f", 1, 1, mpp_candidates=claims)


@pytest.mark.parametrize("rung", ["vendor", "tiff"])
@pytest.mark.parametrize("times", [2.5, 0.3, 10.0])
def test_a_size_far_from_what_the_file_says_needs_a_reason_and_to_be_confirmed(rung: str, times: float) -> None:
    own = MppCandidate(Mpp(0.5, 0.5), "a.tag", rung, "A" if rung == "vendor" else "B")  # type: ignore[arg-type]
    typed = MppCandidate(Mpp(0.5 * times, 0.5 * times), "--mpp", "override", "given")
    for note, is_confirmed, is_taken in (
        ("", False, False),
        ("log", False, False),
        ("", True, False),
        ("log", True, True),
    ):
        word = dataclasses.replace(typed, note=note, is_confirmed=is_confirmed)
        decision = calibrate(info_of(own), override=word)
        assert (decision.chosen is not None) == is_taken, (note, is_confirmed)
        assert is_taken or "--mpp-confirmed" in "".join(f.remedy for f in decision.findings)


def test_a_print_density_is_held_against_nobody_and_twice_is_not_far() -> None:
    density = MppCandidate(Mpp(8.0, 8.0), "image density", "image", "C")
    typed = MppCandidate(Mpp(0.5, 0.5), "--mpp", "override", "given", "log")
    assert calibrate(info_of(density), override=typed).mpp == Mpp(0.5, 0.5)
    own = MppCandidate(Mpp(0.25, 0.25), "a.tag", "vendor", "A")
    assert calibrate(info_of(own), override=typed).mpp == Mpp(0.5, 0.5)


def test_what_speaks_against_a_typed_size_makes_it_less_sure_and_never_better() -> None:
    typed = MppCandidate(Mpp(0.9, 0.9), "--mpp", "override", "given", "log", u_um=0.0001)
    info = dataclasses.replace(info_of(), objective_power=20.0)
    chosen = calibrate(info, override=typed).chosen
    assert chosen is not None
    assert chosen.quality == "given"
    assert relative_u_area(chosen) == pytest.approx(0.06)


def test_a_manifest_confirms_and_states_as_the_command_line_does(slide: Path) -> None:
    (slide.parent / "r.json").write_text('{"instrument": "SM", "date": "2026-03-01", "certificate": "7", "u": 0.01}')
    manifest = slide.with_name("m.csv")
    manifest.write_text(
        "path,mpp_x,mpp_reason,mpp_u_um,mpp_record,mpp_confirmed\n"
        "s.tif,5,scale bar,0.02,,yes\nt.tif,5,scale bar,,r.json,\n"
    )
    one, two = read_manifest(manifest)
    assert (one.sureness.u_um, one.sureness.is_confirmed) == (0.02, True)
    assert (two.sureness.u_um, two.sureness.traced_to) == (0.01, "SM, 2026-03-01, certificate 7")
    (found,) = collect_slides([slide], manifest=manifest)
    assert found.override is not None
    assert found.override.is_confirmed
    out = slide.parent / "out"
    assert wsi_area("run", slide, "--manifest", manifest, *RULES, "--out", out).code == 0
    manifest.write_text("path,mpp_x,mpp_reason\ns.tif,5,scale bar\n")
    ended = wsi_area("run", slide, "--manifest", manifest, *RULES, "--out", slide.parent / "out2")
    assert ended.code == 3
    assert "mpp_confirmed=yes" in ended.out


def test_all_wrong_rows_are_told_at_once_with_line_column_and_what_may_have_been_meant(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        "path,mpp_x,mpp_reason,slide_id,annotations,mpp_confirmed\n"
        "a.svs,abc,log,,,\n,0.5,log,,,\nb.svs,0.5,12,,,\nc.svs,,,x/y,,\nd.svs,,,,drawn.geojso,\ne.svs,0.5,log,,,perhaps\nf.svs,,,,,,too,many\n"
    )
    (tmp_path / "drawn.geojson").write_text("{}")
    with pytest.raises(SettingsError) as refused:
        read_manifest(tmp_path / "m.csv")
    told = str(refused.value)
    assert "6 lines are wrong" in told
    # a drawing that is not there, on line 6, is a failed row of the run
    columns = {2: "mpp_x", 3: "path", 4: "mpp_reason", 5: "slide_id", 7: "mpp_confirmed", 8: "cells"}
    for line, column in columns.items():
        assert any(f"line {line}" in row and column in row for row in told.splitlines()), (line, told)
    (tmp_path / "m.csv").write_text("path,mppx,slideid\n")
    with pytest.raises(SettingsError, match=r"did you mean mpp_x\?.*did you mean slide_id\?"):
        read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize("path", [r"C:\slides\a.svs", r"\\server\share\a.svs", "D:/x/a.svs"])
def test_a_path_of_windows_gets_the_right_hint(tmp_path: Path, path: str) -> None:
    (tmp_path / "m.csv").write_text(f"path\n{path}\n")
    with pytest.raises(SettingsError, match=r"a path of Windows.*/mnt/"):
        collect_slides([], manifest=tmp_path / "m.csv")
