"""The viewer's tiles: the slide's very pixels, the run's classes, both in one place; and what it says of a slide."""

import base64
import hashlib
import importlib
import io
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from measuring import measure
from PIL import Image
from synthetic import FileForm, SyntheticSlide, disc, write_slide

from wsi_area.errors import ResultError, SettingsError, SlideOpenError, StaleResultError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Region, Size
from wsi_area.model.pixels import TilePixels
from wsi_area.notebook.notebook_run import NotebookRun, NotebookSlide, open_run
from wsi_area.notebook.viewer import tissue_tiles, widget
from wsi_area.notebook.viewer.grid import TILE_PX, ViewGrid, view_grid
from wsi_area.notebook.viewer.widget import SlideViewer
from wsi_area.results.thumbnail import Thumbnail, ThumbnailFrame
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader

SQUARE = Size(2101, 1303)


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> tuple[SyntheticSlide, Path]:
    """A slide of square pixels with a coarser level, whose mask is at its third of the pixels, and its run."""
    folder = tmp_path_factory.mktemp("square")
    form = FileForm(mpp=Mpp(0.5, 0.5), downsamples=(1, 4))
    slide = write_slide(folder / "square.tiff", SQUARE, {"tissue": disc(SQUARE, 900.0, 650.0, 500.0)}, form)
    measure(slide.path, folder / "out", "tiling.tile_px=256", "tiling.skip_glass=false")
    return slide, folder / "out"


@pytest.fixture
def viewer(square: tuple[SyntheticSlide, Path]) -> SlideViewer:
    return open_run(square[1])["square"].view()


def laid_out(viewer: SlideViewer, level: int, kind: str) -> np.ndarray:
    """All tiles of a level beside each other."""
    grid = viewer._grid
    step = 2 ** (grid.last_level - level)
    columns, rows = (-(-n // (TILE_PX * step)) for n in (grid.size_px.width_px, grid.size_px.height_px))
    of = viewer._tissue.pixels if kind == "tissue" else viewer._classes.codes
    return np.concatenate(
        [np.concatenate([of(grid.tile(level, x, y)) for x in range(columns)], axis=1) for y in range(rows)]
    )


def asked(viewer: SlideViewer, **content: Any) -> list[Any]:
    """What the widget sends when the page asks."""
    sent: list[Any] = []
    viewer.send = lambda reply, buffers=(): sent.append((reply, list(buffers)))
    viewer._handle_custom_msg({"view": "v", "number": 1, **content}, [])
    return sent


@pytest.mark.parametrize(("width", "height"), [(1, 1), (512, 512), (513, 20), (2101, 1303), (90_001, 70_003)])
def test_the_tiles_of_each_level_cover_the_slide_once(width: int, height: int) -> None:
    grid = ViewGrid(Size(width, height), Size(width, height))
    first = grid.tile(grid.first_level, 0, 0)
    assert (first.left_l0_px, first.top_l0_px, first.right_l0_px, first.bottom_l0_px) == (0, 0, width, height)
    assert max(first.size_px.width_px, first.size_px.height_px) <= TILE_PX
    for level in range(grid.first_level, grid.last_level + 1):
        step = TILE_PX * 2 ** (grid.last_level - level)
        edges = [grid.tile(level, n, 0) for n in range(-(-width // step))]
        assert edges[0].left_l0_px == 0
        assert edges[-1].right_l0_px == width
        assert all(a.right_l0_px == b.left_l0_px for a, b in pairwise(edges))
        with pytest.raises(ResultError, match="no tile"):
            grid.tile(level, len(edges), 0)


def test_pixels_that_are_not_square_are_shown_as_they_are() -> None:
    grid = view_grid(Size(1000, 1000), Mpp(0.5, 0.25))
    assert grid.size_px == Size(1000, 500)
    assert grid.tile(grid.last_level, 1, 0).bottom_l0_px == 1000


def test_the_finest_tiles_are_the_slides_very_pixels(viewer: SlideViewer, square: tuple[SyntheticSlide, Path]) -> None:
    np.testing.assert_array_equal(laid_out(viewer, viewer._grid.last_level, "tissue"), square[0].rgb)


def test_coarser_tiles_are_means(viewer: SlideViewer, square: tuple[SyntheticSlide, Path]) -> None:
    made = laid_out(viewer, viewer._grid.last_level - 1, "tissue")[:651, :1050].astype(float)
    mean = square[0].rgb[:1302, :2100].reshape(651, 2, 1050, 2, 3).astype(float).mean(axis=(1, 3))
    # the tile in the last column is stretched over half a pixel more than it has
    assert np.abs(made[:, :1024] - mean[:, :1024])[:512].max() <= 1
    assert np.abs(made - mean).mean() < 1


def test_of_the_file_no_more_is_read_than_a_tile_needs(viewer: SlideViewer, monkeypatch: pytest.MonkeyPatch) -> None:
    read_px: list[tuple[int, int]] = []
    read = OpenSlideReader.read

    def recorded(self: OpenSlideReader, level: int, box: Region) -> TilePixels:
        read_px.append((level, box.area_px))
        return read(self, level, box)

    monkeypatch.setattr(OpenSlideReader, "read", recorded)
    grid, white = viewer._grid, np.full((2, 3, 3), 255, np.uint8)
    tissue = replace(viewer._tissue, picture=Thumbnail(ThumbnailFrame(3, 2, 1000.0, 1000.0), white))
    for level in (grid.last_level - 2, grid.last_level - 1, grid.last_level):
        tissue.pixels(grid.tile(level, 0, 0))
    assert [level for level, _ in read_px] == [1, 0, 0]
    assert [n_px for _, n_px in read_px[1:]] == [1025 * 1025, 513 * 513]  # and a margin of one
    assert read_px[0][1] <= 525 * 325
    # a slide without coarse levels is not read whole for a picture of the size of a stamp
    monkeypatch.setattr(tissue_tiles, "_MOST_READ_PX", 600 * 600)
    assert (tissue.pixels(grid.tile(grid.last_level - 1, 0, 0)) == 255).all()
    assert len(read_px) == 3


def test_the_finest_classes_are_the_class_map_to_the_pixel(
    viewer: SlideViewer, square: tuple[SyntheticSlide, Path]
) -> None:
    np.testing.assert_array_equal(laid_out(viewer, viewer._grid.last_level, "classes"), square[0].class_map)


def test_coarser_classes_are_the_levels_of_the_class_map(viewer: SlideViewer) -> None:
    for down in (1, 2):
        coarse = np.asarray(viewer._slide.class_map(down))
        made = laid_out(viewer, viewer._grid.last_level - down, "classes")
        height, width = (SQUARE.height_px >> down) // TILE_PX * TILE_PX, (SQUARE.width_px >> down) // TILE_PX * TILE_PX
        # the tiles at the rim are stretched to it, the others lie pixel on pixel
        np.testing.assert_array_equal(made[:height, :width], coarse[:height, :width])
        assert (made != coarse[: made.shape[0], : made.shape[1]]).mean() < 0.01


def test_classes_of_a_coarser_work_grid_lie_where_their_level_0_pixels_do(
    square: tuple[SyntheticSlide, Path], tmp_path: Path
) -> None:
    measure(square[0].path, tmp_path / "out", "tiling.work_mpp=1.5", "tiling.skip_glass=false")
    slide = open_run(tmp_path / "out")["square"]
    work = np.asarray(slide.class_map())
    expected = work.repeat(3, axis=0).repeat(3, axis=1)[: SQUARE.height_px, : SQUARE.width_px]
    view = slide.view()
    np.testing.assert_array_equal(laid_out(view, view._grid.last_level, "classes"), expected)


def test_a_class_tile_is_a_png_of_codes_in_the_colours_of_the_run(viewer: SlideViewer) -> None:
    ((reply, (png,)),) = asked(viewer, kind="classes", level=viewer._grid.first_level, column=0, row=0)
    assert reply == {"view": "v", "number": 1}
    image = Image.open(io.BytesIO(png))
    codes = np.asarray(image)
    np.testing.assert_array_equal(codes, viewer._classes.codes(viewer._grid.tile(viewer._grid.first_level, 0, 0)))
    (tissue,) = viewer.facts["classes"]
    seen = np.asarray(image.convert("RGBA"))
    assert set(map(tuple, seen[codes == tissue["code"]])) == {(*bytes.fromhex(tissue["color"][1:]), 255)}
    assert set(seen[codes == 0][:, 3]) == {0}


def test_where_there_is_no_class_nothing_is_sent(viewer: SlideViewer) -> None:
    grid = viewer._grid
    last = -(-SQUARE.width_px // TILE_PX) - 1
    assert asked(viewer, kind="classes", level=grid.last_level, column=last, row=0) == [
        ({"view": "v", "number": 1}, [])
    ]


def test_a_tile_of_the_slide_is_a_jpeg_close_to_its_pixels(
    viewer: SlideViewer, square: tuple[SyntheticSlide, Path]
) -> None:
    ((_, (jpeg,)),) = asked(viewer, kind="tissue", level=viewer._grid.last_level, column=1, row=1)
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    truth = square[0].rgb[TILE_PX : 2 * TILE_PX, TILE_PX : 2 * TILE_PX].astype(int)
    assert np.abs(np.asarray(image).astype(int) - truth).mean() < 4


def test_a_tile_that_is_not_there_is_answered_with_the_reason_and_other_talk_not_at_all(
    viewer: SlideViewer,
) -> None:
    ((reply, buffers),) = asked(viewer, kind="tissue", level=99, column=0, row=0)
    assert buffers == []
    assert "no tile in level 99" in reply["error"]
    assert asked(viewer, kind="anything else") == []


def test_what_is_said_of_a_slide_is_what_the_run_found(run: NotebookRun) -> None:
    facts = run["disc"].view().facts
    assert facts["mpp_x_um"] == pytest.approx(0.5, rel=1e-6)
    assert (facts["width_px"], facts["height_px"]) == (1001, round(703 * 0.475 / 0.5))
    assert [c["name"] for c in facts["classes"]] == ["tissue"]
    assert facts["notes"] == []
    bare = run["bare"].view().facts
    assert (bare["bars"], bare["mpp_x_um"]) == ([], None)
    assert any("no scale bar" in note for note in bare["notes"])


def test_the_classes_shown_at_first_are_those_that_were_named(run: NotebookRun) -> None:
    assert run["disc"].view().hidden == []
    assert run["disc"].view(classes=[], opacity=0.25).hidden == ["tissue"]
    assert run["disc"].view(opacity=0.0).opacity == 0.0
    assert run["disc"].view().opacity == 0.85  # where the report's slider stands
    with pytest.raises(SettingsError, match="no class 'stroma'"):
        run["disc"].view(classes=["stroma"])
    viewer = run["disc"].view()
    with pytest.raises(SettingsError, match="shows no class 'stroma'; it shows tissue"):
        viewer.hidden = ["stroma"]


def test_a_slide_without_counts_is_not_shown(run: NotebookRun) -> None:
    with pytest.raises(ResultError, match="nothing to draw"):
        run["text"].view()


def moved(run: NotebookRun, file: Path) -> NotebookSlide:
    slide = run["disc"]
    return NotebookSlide(slide.layout, slide.result.model_copy(update={"path": str(file)}))


def test_without_its_file_a_slide_is_the_runs_picture_and_the_viewer_says_so(
    run: NotebookRun, disc_slide: SyntheticSlide
) -> None:
    viewer = moved(run, disc_slide.path.with_name("gone.tiff")).view()
    (note,) = viewer.facts["notes"]
    assert re.search(r"cannot be shown: .*gone\.tiff: no such file or folder.* small picture that the run kept", note)
    grid = viewer._grid
    assert viewer.facts["last_tissue_level"] == grid.last_level - 1 >= grid.first_level
    mine = viewer._tissue.pixels(grid.tile(grid.first_level, 0, 0)).astype(int)
    true = run["disc"].view()._tissue.pixels(grid.tile(grid.first_level, 0, 0)).astype(int)
    assert np.abs(mine - true).mean() < 12


def test_another_file_in_its_place_is_not_shown_either(run: NotebookRun, disc_slide: SyntheticSlide) -> None:
    (note,) = moved(run, disc_slide.path.with_name("bare.tiff")).view().facts["notes"]
    assert "The file in the slide's place is another" in note


def test_without_file_and_picture_the_classes_lie_on_white(
    finished: Path, disc_slide: SyntheticSlide, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(finished, tmp_path / "out"))
    (copy / "slides" / "disc" / "thumb.jpg").unlink()
    viewer = moved(open_run(copy), tmp_path / "gone.tiff").view()
    assert any("on white" in note for note in viewer.facts["notes"])
    assert (viewer._tissue.pixels(viewer._grid.tile(viewer._grid.first_level, 0, 0)) == 255).all()


def test_a_file_that_is_named_must_be_the_one(run: NotebookRun, disc_slide: SyntheticSlide, tmp_path: Path) -> None:
    slide = moved(run, tmp_path / "gone.tiff")
    elsewhere = Path(shutil.copy2(disc_slide.path, tmp_path / "elsewhere.tiff"))
    assert slide.view(file=elsewhere).facts["notes"] == []
    with pytest.raises(SlideOpenError, match="no such file"):
        slide.view(file=tmp_path / "nowhere.tiff")
    with pytest.raises(StaleResultError, match="not the file that was measured"):
        slide.view(file=disc_slide.path.with_name("bare.tiff"))


def test_a_notebook_is_left_a_picture_and_then_the_viewer(run: NotebookRun, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    widget = importlib.import_module("wsi_area.notebook.viewer.widget")
    monkeypatch.setattr(widget, "display", lambda data, metadata=None, raw=False: shown.append((data, raw)))
    viewer = run["disc"].view()
    viewer._ipython_display_()
    (still, _), (live, _) = shown
    image = Image.open(io.BytesIO(base64.b64decode(still["image/png"])))
    assert list(image.size) == list(viewer.facts["still_px"])
    assert len(image.convert("RGB").getcolors(1 << 20) or []) > 20
    assert live["application/vnd.jupyter.widget-view+json"]["model_id"] == viewer.model_id
    assert "image/png" not in live  # or nbconvert would show it twice
    assert "viewer of slide disc" in live["text/plain"]


def test_openseadragon_is_the_file_that_its_origin_names_with_its_licence() -> None:
    folder = Path(widget.__file__).with_name("static") / "openseadragon"
    origin = (folder / "ORIGIN.txt").read_text(encoding="utf-8")
    vendored = (folder / "openseadragon.min.js").read_bytes()
    assert hashlib.sha256(vendored).hexdigest() in origin
    version = re.search(r"openseadragon (\d+\.\d+\.\d+)", vendored.decode())
    assert version is not None
    assert f"OpenSeadragon {version[1]}," in origin
    licence = (folder / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Redistributions in binary form must reproduce the above copyright notice" in licence
    assert "sourceMappingURL" not in widget.page_module()


def test_the_viewer_is_loaded_by_who_views_and_by_nobody_else() -> None:
    code = "import sys, wsi_area; wsi_area.open_run; sys.stdout.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "wsi_area.notebook.notebook_run" in done.stdout.split()
    assert not {"anywidget", "ipywidgets", "IPython", "wsi_area.notebook.viewer.widget"} & set(done.stdout.split())


def test_without_anywidget_the_remedy_is_named(run: NotebookRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wsi_area.notebook.viewer.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(SettingsError, match=r"pip install 'wsi-area\[notebook\]'"):
        run["disc"].view()
