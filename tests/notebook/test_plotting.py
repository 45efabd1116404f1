"""Slides on matplotlib axes: in millimetres, with a bar as long as it says, without any display."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from wsi_area.errors import SettingsError
from wsi_area.notebook.notebook_run import NotebookRun


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def legend_of(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def bar_of(axes):
    (bar,) = (patch for patch in axes.patches if patch.get_gid() == "scale-bar")
    return bar


def test_a_slide_is_drawn_in_millimetres_with_its_areas(run: NotebookRun) -> None:
    axes = run["disc"].plot()
    assert axes.get_xlim() == pytest.approx((0, 1001 * 0.5e-3))
    assert axes.get_ylim() == pytest.approx((703 * 0.475e-3, 0))
    (line,) = legend_of(axes)
    assert line.startswith("tissue: 0.046")
    assert line.endswith("mm²")
    assert axes.get_title() == "disc"


def test_the_bar_is_as_long_as_it_says(run: NotebookRun) -> None:
    axes = run["disc"].plot()
    assert bar_of(axes).get_width() == pytest.approx(0.1)
    assert [text.get_text() for text in axes.texts] == ["100 µm"]


def test_the_classes_lie_where_the_disc_lies(run: NotebookRun) -> None:
    axes = run["disc"].plot()
    photo, classes = axes.images
    assert photo.get_extent() == classes.get_extent()
    left, right, bottom, top = classes.get_extent()
    shown = classes.get_array()[..., 3] > 0
    rows, columns = np.nonzero(shown)
    centre_mm = (columns.mean() + 0.5) / shown.shape[1] * (right - left), (rows.mean() + 0.5) / shown.shape[0] * bottom
    assert (left, top) == (0, 0)
    assert centre_mm == pytest.approx((480 * 0.5e-3, 350 * 0.475e-3), abs=1e-3)


def test_without_the_overlay_there_is_the_picture_alone(run: NotebookRun) -> None:
    axes = run["disc"].plot(overlay=False)
    assert len(axes.images) == 1
    assert axes.get_legend() is None


def test_some_classes_can_be_asked_for_and_a_wrong_one_is_told_the_right_ones(run: NotebookRun) -> None:
    axes = run["disc"].plot(classes=["background"])
    assert legend_of(axes)[0].startswith("background")
    with pytest.raises(SettingsError, match=r"no class 'tumour'; it has background, tissue"):
        run["disc"].plot(classes="tumour")


def test_it_draws_on_axes_that_are_given(run: NotebookRun) -> None:
    _, axes = plt.subplots()
    assert run["disc"].plot(axes) is axes
    assert len(plt.get_fignums()) == 1


def test_without_a_pixel_size_it_is_drawn_in_pixels_without_a_bar(run: NotebookRun) -> None:
    axes = run["bare"].plot()
    assert axes.get_xlim() == (0, 1001)
    assert not axes.patches
    assert "no pixel size" in axes.get_title()
    assert legend_of(axes) == ["tissue: 60\u202f000 px"]


def test_a_slide_without_a_picture_shows_its_classes_on_white(run: NotebookRun) -> None:
    thumbnail = run["disc"].layout.root / "thumb.jpg"
    kept = thumbnail.read_bytes()
    thumbnail.unlink()
    try:
        photo, classes = run["disc"].plot().images
    finally:
        thumbnail.write_bytes(kept)
    assert (photo.get_array() == 255).all()
    assert (classes.get_array()[..., 3] > 0).any()


def test_a_tile_and_a_disagreement_have_a_bar_and_a_legend_too(run: NotebookRun) -> None:
    tile = run["disc"].tile(2, 3).plot()
    assert tile.get_xlim() == pytest.approx((384 * 0.5e-3, 512 * 0.5e-3))
    assert bar_of(tile).get_width() == pytest.approx(0.01)
    assert legend_of(tile) == ["tissue"]
    same = run.compare(run).disagreement("disc").plot()
    assert "0 mm²" in legend_of(same)[0]


def test_a_name_full_of_dollars_is_no_formula(run: NotebookRun) -> None:
    axes = run["disc"].plot()
    assert not axes.title.get_parse_math()


def test_it_works_where_there_is_no_display(finished: Path, tmp_path: Path) -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "from wsi_area.notebook.notebook_run import open_run\n"
        "open_run(sys.argv[1])['disc'].plot().figure.savefig(sys.argv[2])"
    )
    kept = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"}}
    picture = tmp_path / "disc.png"
    subprocess.run([sys.executable, "-c", code, str(finished), str(picture)], check=True, env=kept)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_opening_a_run_loads_neither_pandas_nor_matplotlib(finished: Path) -> None:
    code = (
        "import sys\nfrom wsi_area.notebook.notebook_run import open_run\nopen_run(sys.argv[1])['disc']._repr_html_()\n"
        "assert not {'pandas', 'matplotlib', 'dask'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(finished)], check=True)
