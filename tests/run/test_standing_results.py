"""A finished slide of which nothing has changed stands as it is; whatever has changed, it is looked at again."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import numpy as np
import pytest
from measuring import fingerprint, measure
from PIL import Image
from pydantic import BaseModel
from synthetic import SyntheticSlide, disc, write_slide
from synthetic_damage import write_slide_with_garbage_tile

from wsi_area.inputs.collect import collect_slides
from wsi_area.inputs.named_files import named_files_digest
from wsi_area.model.geometry import Size
from wsi_area.results.class_map.slide_files import FINISHED_NAME
from wsi_area.run import measure_slide as measure_slide_module
from wsi_area.run.events import Event, SlideDone, SlidePreparing
from wsi_area.run.finished import basis
from wsi_area.segmenters.protocol import StatesFiles
from wsi_area.segmenters.registry import make_segmenter, segmenter_names
from wsi_area.settings.run_settings import RunSettings

SIZE = Size(800, 600)
CUT = ("tiling.tile_px=256", "run.executor=serial", "tissue.name=tissue", "objects.min_tissue_um2=50")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide that is measured with size filters, a tissue layer and a region of interest, in a folder of its own."""
    folder = tmp_path_factory.mktemp("standing")
    write_slide(folder / "s.tif", SIZE, {"tissue": disc(SIZE, 400, 300, 200)})
    mask = np.zeros((SIZE.height_px, SIZE.width_px), np.uint8)
    mask[50:550, 100:700] = 1
    Image.fromarray(mask).save(folder / "roi.png")
    assert again(folder).exit_code == 0
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """The same, with its results, to be changed; its times are those of the original."""
    for name in ("s.tif", "roi.png"):
        shutil.copy2(original / name, tmp_path / name)
    assert again(tmp_path).exit_code == 0
    return tmp_path


def again(folder: Path, *assignments: str, **options: Any) -> Any:
    return measure(folder / "s.tif", folder / "out", *CUT, *assignments, roi=folder / "roi.png", **options)


class Watched:
    """What a run tells of its slides, and whether it opened any."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def opened(self) -> int:
        return len({e.slide_id for e in self.events if isinstance(e, SlidePreparing)})

    @property
    def resumed(self) -> list[bool]:
        return [e.resumed for e in self.events if isinstance(e, SlideDone)]


def test_a_finished_slide_is_not_opened_again_and_every_file_stays_as_it_is(folder: Path) -> None:
    before, watched = fingerprint(folder / "out/slides"), Watched()
    outcome = again(folder, listener=watched)
    assert (watched.opened, watched.resumed) == (0, [True])
    assert fingerprint(folder / "out/slides") == before
    assert outcome.documents[0]["counts"] == json.loads((folder / "out/slides/s/result.json").read_text())["counts"]


def test_tables_and_seal_are_the_same_whether_a_slide_stands_or_is_looked_at_again(folder: Path) -> None:
    def told() -> tuple[str, bytes]:
        return json.loads((folder / "out/run.json").read_text())["seal"], (folder / "out/summary.csv").read_bytes()

    again(folder)
    standing = told()
    (folder / "out/slides/s" / FINISHED_NAME).unlink()
    watched = Watched()
    again(folder, listener=watched)
    assert watched.opened == 1
    assert told() == standing


def test_who_does_the_work_is_no_reason_to_look_again(folder: Path) -> None:
    watched = Watched()
    again(folder, "run.executor=threads", "run.workers=2", "run.tile_timeout_s=77", listener=watched)
    assert watched.opened == 0


def in_place(path: Path, at: int = -20) -> None:
    """Change a byte of a file and set its time back, as a bad disk or a careless hand would."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[at] ^= 0x55
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def slide_file(folder: Path, pattern: str) -> Path:
    return sorted((folder / "out/slides/s").glob(pattern))[0]


MENDED: dict[str, Callable[[Path], object]] = {
    "the result is gone": lambda f: slide_file(f, "result.json").unlink(),
    "the result was edited": lambda f: slide_file(f, "result.json").write_text(
        slide_file(f, "result.json").read_text().replace('"complete"', '"complete" ', 1)
    ),
    "the small picture is gone": lambda f: slide_file(f, "thumb.jpg").unlink(),
    "the result of the tissue layer is gone": lambda f: slide_file(f, "tissue/result.json").unlink(),
    "a part of the class map is torn": lambda f: in_place(slide_file(f, "mask.ome.zarr/0/c/*/*")),
    "a part of the class map is shorter": lambda f: os.truncate(slide_file(f, "mask.ome.zarr/0/c/*/*"), 40),
    "a part of the class map is gone": lambda f: slide_file(f, "mask.ome.zarr/0/c/*/*").unlink(),
    "a part of the unfiltered class map is torn": lambda f: in_place(slide_file(f, "raw/mask.ome.zarr/0/c/*/*")),
    "a part of the tissue's class map is torn": lambda f: in_place(slide_file(f, "tissue/**/mask.ome.zarr/0/c/*/*")),
    "the rows of a batch are torn": lambda f: in_place(slide_file(f, "ledger.zarr/counts/c/*/*/0")),
    "the metadata of the class map are torn": lambda f: os.truncate(slide_file(f, "mask.ome.zarr/zarr.json"), 9),
    "the note is torn": lambda f: os.truncate(slide_file(f, FINISHED_NAME), 30),
    "the note is of something else": lambda f: slide_file(f, FINISHED_NAME).write_text("[1]"),
}


@pytest.mark.parametrize("change", list(MENDED))
def test_a_slide_whose_files_changed_is_looked_at_again_and_mended(folder: Path, change: str) -> None:
    before = json.loads((folder / "out/slides/s/result.json").read_text())
    MENDED[change](folder)
    watched = Watched()
    assert again(folder, listener=watched).exit_code == 0
    assert watched.opened == 1
    after = json.loads((folder / "out/slides/s/result.json").read_text())
    assert {**after, "timing": None} == {**before, "timing": None}
    watched = Watched()
    again(folder, listener=watched)
    assert watched.opened == 0  # and stands again


def test_a_slide_that_was_touched_or_changed_in_its_place_is_never_taken_for_the_one_that_was_measured(
    folder: Path,
) -> None:
    in_place(folder / "s.tif", at=(folder / "s.tif").stat().st_size // 3)
    watched = Watched()
    again(folder, listener=watched)
    assert watched.opened == 1  # whether its fingerprint tells it apart is decided where it is opened
    os.utime(folder / "s.tif", ns=(1, 1))
    assert "made with another slide file" in again(folder).documents[0]["reason"]


def test_what_was_drawn_is_looked_at_by_what_it_holds(folder: Path) -> None:
    Image.fromarray(np.ones((SIZE.height_px, SIZE.width_px), np.uint8)).save(folder / "roi.png")
    assert "made with other drawings" in again(folder).documents[0]["reason"]


def test_findings_follow_the_limits_of_today(folder: Path) -> None:
    found = again(folder, "quality.most_taken=0").documents[0]["findings"]
    watched = Watched()
    assert again(folder, "quality.most_taken=0", listener=watched).documents[0]["findings"] == found
    assert watched.opened == 0
    back = again(folder, listener=watched).documents[0]["findings"]
    assert watched.opened == 1
    assert len(back) < len(found)


@pytest.mark.parametrize(
    ("name", "value"), [("package_versions", {"numpy": "99"}), ("code_digest", "edited"), ("MEASUREMENT_VERSION", 1)]
)
def test_another_version_of_the_program_looks_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    other = value if name == "MEASUREMENT_VERSION" else lambda: value
    monkeypatch.setattr(basis, name, other)
    watched = Watched()
    again(folder, listener=watched)
    assert watched.opened == 1


def test_a_pixel_size_vouched_for_with_another_reason_is_told_with_that_reason(tmp_path: Path) -> None:
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 400, 300, 200)})

    def reasons(reason: str) -> str:
        done = measure(tmp_path / "s.tif", tmp_path / "out", mpp="0.5", mpp_reason=reason, mpp_confirmed=True)
        return str(done.documents[0]["calibration"])

    assert "the log" in reasons("the log")
    assert "the log" not in reasons("a stage micrometer")


def test_a_slide_with_tiles_that_could_not_be_read_is_tried_again(tmp_path: Path) -> None:
    write_slide_with_garbage_tile(tmp_path / "s.tif")
    cut = ("run.executor=serial", "tiling.skip_glass=false")
    assert measure(tmp_path / "s.tif", tmp_path / "out", *cut).exit_code == 2
    assert not (tmp_path / "out/slides/s" / FINISHED_NAME).exists()
    watched = Watched()
    measure(tmp_path / "s.tif", tmp_path / "out", *cut, listener=watched)
    assert watched.opened == 1


def test_what_export_report_and_amend_add_is_no_reason_to_look_again(folder: Path) -> None:
    (folder / "out/slides/s/amended/1").mkdir(parents=True)
    for name in ("classes.png", "regions.geojson.gz", "named_regions.geojson.gz", "amended/1/result.json"):
        (folder / "out/slides/s" / name).write_bytes(b"made later")
    watched = Watched()
    again(folder, listener=watched)
    assert watched.opened == 0


def test_a_segmenter_that_does_not_say_what_it_reads_is_fitted_in_each_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wsi_area.inputs import named_files

    monkeypatch.setattr(named_files, "_files_of_segmenter", lambda name, own: None)
    watched = Watched()
    again(folder, listener=watched)
    assert watched.opened == 1


def test_each_of_our_segmenters_states_the_files_it_reads() -> None:
    for name in ("tissue", "stain", "regions"):
        made = make_segmenter(name, {})
        assert isinstance(made, StatesFiles)
        assert made.files_read == ()
    # theirs are held against the files of their folders, in tests/segmenters
    assert set(segmenter_names()) - {"tissue", "stain", "regions"} == {"onnx", "pixel_classifier"}


def test_every_path_among_the_settings_is_one_whose_content_is_looked_at(tmp_path: Path) -> None:
    at_work = {"run", "cluster", "tls", "storage"}
    names = [name for name in _paths(RunSettings) if name.partition(".")[0] not in at_work]
    assert {"tissue.drawing", "tma.map", "uncertainty.rescan"} <= set(names)
    write_slide(tmp_path / "s.tif", SIZE, {"tissue": disc(SIZE, 400, 300, 200)})
    (slide,) = collect_slides([str(tmp_path / "s.tif")])
    tree: dict[str, Any] = {"tissue": {"name": "regions"}, "tma": {"core_mm": 1.0}}
    for name in names:
        section, _, key = name.partition(".")
        (tmp_path / f"{name}.geojson").write_text("before")
        tree.setdefault(section, {})[key] = str(tmp_path / f"{name}.geojson")
    settings = RunSettings.model_validate(tree)
    seen = named_files_digest(slide, settings)
    for name in names:
        (tmp_path / f"{name}.geojson").write_text(f"after, {name}")
        before, seen = seen, named_files_digest(slide, settings)
        assert seen != before, name


def _paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        kinds = _kinds(field.annotation)
        names += [f"{prefix}{name}"] if Path in kinds else []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names += _paths(kind, f"{prefix}{name}.")
    return names


def _kinds(annotation: object) -> list[object]:
    inner = get_args(annotation) if get_origin(annotation) or isinstance(annotation, UnionType) else ()
    return [annotation, *(kind for part in inner for kind in _kinds(part))]


def test_force_measures_a_finished_slide_afresh(folder: Path) -> None:
    watched = Watched()
    again(folder, force=True, listener=watched)
    assert (watched.opened, watched.resumed) == (1, [False])


def test_no_slide_is_prepared_where_all_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, original: Path) -> None:
    paths = []
    for number in range(5):
        slide: SyntheticSlide = write_slide(
            tmp_path / f"s{number}.tif", SIZE, {"tissue": disc(SIZE, 400, 300, 120 + 20 * number)}
        )
        paths.append(slide.path)
    first = measure(paths, tmp_path / "out")
    monkeypatch.setattr(measure_slide_module, "prepare_slide", None)  # whoever called it would end in an error
    assert measure(paths, tmp_path / "out").documents == first.documents
