"""The certificate of a slide: equal for copies, lanes and executors; what it says is so; what was not seen is said."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from measuring import measure
from PIL import Image
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.audit.verify import verify_run
from wsi_area.cli.main import cli
from wsi_area.model.geometry import Region, Size
from wsi_area.model.json_tree import flat

SIZE = Size(1024, 768)
BARE, DIM, COLD = (243, 243, 243), (200, 200, 200), (228, 232, 240)


def slide_with_gaps(path: Path) -> SyntheticSlide:
    """An Aperio slide of 4 × 3 tiles and a reduced level of 2 × 2, of which a corner was never scanned."""
    form = FileForm(kind="aperio", mpp_text="0.5", downsamples=(1, 2))
    gap = Region(512, 512, 512, 256)
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 300, 300, 150)}, form, noise_sd=2, unscanned=[gap])


def whole_slide(path: Path) -> SyntheticSlide:
    form = FileForm(kind="aperio", mpp_text="0.5", downsamples=(1, 2))
    return write_slide(path, SIZE, {"tissue": disc(SIZE, 300, 300, 150)}, form, noise_sd=2)


def certificate(out: Path, slide: str = "s") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "slides" / slide / "result.json").read_text(encoding="utf-8"))
    return found["certificate"]


def checked(*words: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["check", *words, "--json"])
    document: dict[str, Any] = json.loads(done.stdout)
    return document["slides"][0]


def painted(path: Path, glass: tuple[int, int, int]) -> Path:
    rows, columns = np.mgrid[:600, :800]
    inside = (columns - 300) ** 2 + (rows - 300) ** 2 < 150**2
    rgb = np.where(inside[..., None], np.array((190, 110, 170)) * np.array(glass) // 255, np.array(glass))
    noise = np.random.default_rng(1).normal(0, 1.5, rgb.shape)
    tifffile.imwrite(
        path, np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8), photometric="rgb", tile=(256, 256),
        resolution=(20000, 20000), resolutionunit=3, metadata=None,
    )  # fmt: skip
    return path


@pytest.mark.parametrize(
    "how",
    [
        ("reader.lane=openslide", "run.executor=serial"),
        ("reader.lane=direct", "run.executor=threads", "run.workers=2"),
        ("reader.lane=direct", "run.executor=serial", "tiling.tile_px=128"),
    ],
)
def test_copies_lanes_executors_and_tile_sizes_have_one_certificate(tmp_path: Path, how: tuple[str, ...]) -> None:
    # the direct lane reads no slide of which tiles are missing
    slide = whole_slide(tmp_path / "s.svs") if "reader.lane=direct" in how else slide_with_gaps(tmp_path / "s.svs")
    first = measure(slide.path, tmp_path / "first", "reader.lane=openslide").documents[0]
    (tmp_path / "elsewhere").mkdir()
    copy = Path(shutil.copy(slide.path, tmp_path / "elsewhere" / "another name.svs"))
    other = measure(copy, tmp_path / "other", *how).documents[0]
    assert (first["reader"], f"reader.lane={other['reader']}") == ("openslide", how[0])
    assert other["certificate"] == first["certificate"]


def test_the_hash_is_the_sha_256_of_the_block_without_it_and_stands_in_the_summary(tmp_path: Path) -> None:
    measure(slide_with_gaps(tmp_path / "s.svs").path, tmp_path / "out")
    block = certificate(tmp_path / "out")
    told = block.pop("sha256")
    assert told == hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()
    head, row = (line.split(",") for line in (tmp_path / "out" / "summary.csv").read_text().splitlines())
    assert row[head.index("certificate_sha256")] == told


def test_a_file_with_one_byte_more_is_certified_otherwise(tmp_path: Path) -> None:
    slide = slide_with_gaps(tmp_path / "s.svs")
    first = measure(slide.path, tmp_path / "first").documents[0]["certificate"]
    slide.path.write_bytes(slide.path.read_bytes() + b"\0")
    second = measure(slide.path, tmp_path / "second").documents[0]["certificate"]
    assert first["sha256"] != second["sha256"]


def test_tiles_that_the_scanner_left_out_and_pixels_never_scanned_are_counted(tmp_path: Path) -> None:
    slide = slide_with_gaps(tmp_path / "s.svs")
    kept = measure(slide.path, tmp_path / "out").documents[0]["certificate"]["completeness"]
    # 4 × 3 and 2 × 2 tiles; the gap is two of them and one
    assert kept["tiles"] == {"listed": 16, "missing": 3, "without_place": 0, "beyond_end": 0}
    assert (kept["n_px_unscanned"], kept["n_px_unreadable"]) == (512 * 256, 0)
    assert (kept["file_bytes"], kept["is_cut_short"]) == (slide.path.stat().st_size, False)


def test_a_file_cut_short_has_its_lost_tiles_and_pixels_on_record(tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    pixels = np.full((1536, 2048, 3), 243, np.uint8)
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(256, 256), resolution=(20000, 20000), resolutionunit=3)
    path.write_bytes(path.read_bytes()[: -2 * 256 * 256 * 3 - 1])
    kept = measure(path, tmp_path / "out", "tiling.skip_glass=false").documents[0]["certificate"]["completeness"]
    assert kept["tiles"] == {"listed": 48, "missing": 0, "without_place": 0, "beyond_end": 3}
    assert kept["is_cut_short"]
    assert kept["n_px_unreadable"] == 3 * 256 * 256


@pytest.mark.parametrize("glass", [BARE, DIM, COLD])
def test_the_glass_of_the_certificate_is_the_one_that_was_painted(tmp_path: Path, glass: tuple[int, int, int]) -> None:
    path = painted(tmp_path / "s.tif", glass)
    words = [str(path), "--certificate"]
    light = checked(*words)["certificate"]["light"]
    assert light["glass"]["glass_source"] == "seen"
    assert np.abs(np.subtract(light["glass"]["glass_rgb"], glass)).max() <= 1
    assert light["glass_level"] == min(light["glass"]["glass_rgb"])
    assert light["threshold_method"]


def test_check_and_run_say_the_same_where_both_looked(tmp_path: Path) -> None:
    slides = [slide_with_gaps(tmp_path / "gaps.svs").path, painted(tmp_path / "dim.tif", DIM)]
    Image.fromarray(np.full((200, 300, 3), 230, np.uint8)).save(tmp_path / "plain.png")
    for path, more in [(slides[0], ()), (slides[1], ()), (tmp_path / "plain.png", ("--mpp", "0.5"))]:
        before = checked(str(path), "--certificate", *more)["certificate"]
        words = ["run", str(path), "--out", str(tmp_path / f"out {path.stem}"), *more]
        CliRunner().invoke(cli, words)
        after = certificate(tmp_path / f"out {path.stem}", path.stem)
        then, now = dict(flat(before)), dict(flat(after))
        of_the_count = {"completeness.n_px_unscanned", "completeness.n_px_unreadable", "light.grade", "sha256"}
        differing = {key for key in {*then, *now} if then.get(key) != now.get(key)}
        assert {key.removesuffix(".grade").removesuffix(".because") if key.startswith("light.grade.") else key
                for key in differing} == of_the_count  # fmt: skip
        assert {then[key] for key in of_the_count - {"sha256"}} == {None}


def test_a_plain_check_decodes_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = slide_with_gaps(tmp_path / "s.svs").path
    looked = CliRunner().invoke(cli, ["check", str(path), "--certificate"]).stdout
    assert "Decoded: the overview of each slide" in looked
    assert "glass (243, 243, 243)" in looked
    monkeypatch.setattr("openslide.OpenSlide.read_region", None)
    light = checked(str(path))["certificate"]["light"]
    assert (light["was_looked_at"], light["glass"], light["grade"]) == (False, None, None)
    told = CliRunner().invoke(cli, ["check", str(path)]).stdout
    assert "Not looked at: light, unscanned and unreadable pixels; nothing was decoded." in told


def test_a_slide_that_a_run_would_refuse_fails_the_check_that_decodes(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:384, :384]
    planes = [((columns - 192) ** 2 + (rows - 192) ** 2 < r**2) * np.uint8(190) + np.uint8(10) for r in (30, 70, 120)]
    um = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
    path = str(tmp_path / "s.ome.tif")
    tifffile.imwrite(
        path, np.stack(planes), ome=True, tile=(128, 128), photometric="minisblack", metadata={"axes": "CYX", **um}
    )
    plain, looked = (CliRunner().invoke(cli, ["check", path, *more]) for more in ((), ("--certificate",)))
    assert (plain.exit_code, looked.exit_code) == (0, 2)
    assert "CANNOT BE MEASURED" in looked.stdout
    assert "reader.channel" in looked.stdout
    assert CliRunner().invoke(cli, ["run", path, "--out", str(tmp_path / "out")]).exit_code == 2


def test_a_turned_picture_says_how_it_lies(tmp_path: Path) -> None:
    picture = Image.fromarray(np.full((200, 300, 3), 230, np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    picture.save(tmp_path / "upright.jpg")
    for name, lies in [
        ("turned", {"on_record": 6, "is_as_shown": True}),
        ("upright", {"on_record": 1, "is_as_shown": True}),
    ]:
        found = checked(str(tmp_path / f"{name}.jpg"), "--mpp", "0.5", "--mpp-reason", "log")
        assert found["certificate"]["orientation"] == lies


def test_the_light_loses_its_grade_where_no_glass_was_seen_and_all_was_taken(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    dark = np.clip(rng.normal(150, 12, (600, 800, 1)) + rng.normal(0, 1, (600, 800, 3)), 0, 255).astype(np.uint8)
    tifffile.imwrite(
        tmp_path / "s.tif", dark, photometric="rgb", tile=(256, 256), resolution=(20000, 20000), resolutionunit=3
    )
    CliRunner().invoke(cli, ["run", str(tmp_path / "s.tif"), "--out", str(tmp_path / "out")])
    document = json.loads((tmp_path / "out" / "slides" / "s" / "result.json").read_text(encoding="utf-8"))
    warned = {f["code"] for f in document["findings"] if f["severity"] == "warning"}
    grade = document["certificate"]["light"]["grade"]
    assert warned & {"GLASS_NOT_SEEN", "ALL_TISSUE"}
    assert grade["grade"] == "C"
    assert warned & set(grade["because"])


@pytest.mark.parametrize(
    ("block", "key", "value"),
    [
        ("pictures", "count", 7),
        ("pixel_size", "reason", "the poster says so"),
        ("light", "glass_level", 7),
        ("completeness", "n_px_unreadable", 7),
        ("orientation", "on_record", 3),
        ("sha256", "", "0" * 64),
        ("content_digest", "", "0" * 64),
        ("not_assessed", "", ["nothing was left out"]),
    ],
)
def test_a_certificate_that_was_changed_is_found(
    tmp_path: Path, measured_once: Path, block: str, key: str, value: object
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(measured_once, folder)
    path = folder / "slides" / "s" / "result.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    if key:
        document["certificate"][block][key] = value
    else:
        document["certificate"][block] = value
    path.write_text(json.dumps(document), encoding="utf-8")
    found = {fault.what for fault in verify_run(folder).disagreements}
    assert "certificate" in found


def test_a_certificate_with_a_hash_made_anew_still_contradicts_the_result(tmp_path: Path, measured_once: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(measured_once, folder)
    path = folder / "slides" / "s" / "result.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    block = document["certificate"]
    block["light"]["glass_level"] = 7
    rest = {name: value for name, value in block.items() if name != "sha256"}
    block["sha256"] = hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(document), encoding="utf-8")
    messages = [fault.message for fault in verify_run(folder).disagreements]
    assert any("its light is not what the rest of result.json says" in message for message in messages)


@pytest.fixture(scope="module")
def measured_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    measure(slide_with_gaps(folder / "s.svs").path, folder / "out")
    assert verify_run(folder / "out").disagreements == ()
    return folder / "out"


def test_a_fixed_threshold_leans_on_no_glass_and_its_light_has_no_grade(measured_once: Path) -> None:
    light = certificate(measured_once)["light"]
    assert (light["glass"]["leans_on_glass"], light["grade"], light["threshold"]) == (False, None, 60.0)
