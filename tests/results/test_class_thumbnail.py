"""The class thumbnail of a slide: shown only where it is whole and of the very result beside it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from measuring import measure
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from synthetic import box, disc, write_slide

from wsi_area.model.classes import OUTSIDE_ROI_CODE, UNREADABLE_CODE, UNSCANNED_CODE
from wsi_area.model.geometry import Size
from wsi_area.model.objects import SizeChange
from wsi_area.model.pixels import ClassMap
from wsi_area.model.slide_result import CountedSlide
from wsi_area.results.class_map import class_thumbnail as class_thumbnail_room
from wsi_area.results.class_map.class_thumbnail import class_thumbnail, write_class_thumbnail
from wsi_area.results.class_map.ledger import ledger_rows
from wsi_area.results.class_map.stored_class_map import open_class_map
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout, SlideLayout
from wsi_area.results.thumbnail import read_frame, thumbnail_jpeg, write_thumbnail

SIZE = Size(1001, 703)
BOX_PX = 7
QUICK = ("tiling.tile_px=128", "tiling.skip_glass=false", "run.executor=serial")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    slide = write_slide(folder / "disc.tif", SIZE, {"tissue": disc(SIZE, 480.0, 350.0, 250.0)})
    measure(slide.path, folder / "out", *QUICK)
    layout = RunLayout(folder / "out").slide("disc")
    rgb = np.zeros((-(-SIZE.height_px // BOX_PX), -(-SIZE.width_px // BOX_PX), 3), np.uint8)
    write_thumbnail(layout, thumbnail_jpeg(rgb, np.ones(rgb.shape[:2], np.bool_), (BOX_PX, BOX_PX)))
    return layout.root


@pytest.fixture
def layout(finished: Path, tmp_path: Path) -> SlideLayout:
    """A slide's folder with its picture."""
    found = SlideLayout(Path(shutil.copytree(finished, tmp_path / "disc")))
    write_class_thumbnail(found, counted(found), read_frame(found))
    return found


def counted(layout: SlideLayout) -> CountedSlide:
    slide = read_result(layout)
    assert isinstance(slide, CountedSlide)
    return slide


def shown(layout: SlideLayout) -> ClassMap:
    return class_thumbnail(layout, counted(layout), read_frame(layout), ledger_rows(layout))


def by_hand(layout: SlideLayout) -> np.ndarray:
    """The commoner of two classes in each box of 7 × 7 work pixels, of equals the background."""
    tissue = open_class_map(layout)[:] == 1
    padded = np.pad(tissue, ((0, -SIZE.height_px % BOX_PX), (0, -SIZE.width_px % BOX_PX)))
    counted = np.pad(np.ones(tissue.shape, int), ((0, -SIZE.height_px % BOX_PX), (0, -SIZE.width_px % BOX_PX)))
    sums = [a.reshape(a.shape[0] // BOX_PX, BOX_PX, -1, BOX_PX).sum(axis=(1, 3)) for a in (padded, counted)]
    return (2 * sums[0] > sums[1]).astype(np.uint8)


def refuse_to_read(layout: SlideLayout) -> None:
    pytest.fail("the class map was read, though there is a picture")


def test_what_is_kept_is_what_the_class_map_gives_and_spares_reading_it(
    layout: SlideLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_hand(layout)
    assert expected.any()
    monkeypatch.setattr(class_thumbnail_room, "sparse_class_map", refuse_to_read)
    assert np.array_equal(shown(layout), expected)


def test_anybody_can_look_at_it_in_the_colours_of_its_classes(layout: SlideLayout) -> None:
    tissue = counted(layout).classes[1]
    with Image.open(layout.root / "classes.png") as image:
        rgb = np.asarray(image.convert("RGB"))
    assert rgb[50, 68].tolist() == list(tissue.color_rgb)


def test_in_any_viewer_what_is_no_class_has_a_colour_of_its_own_and_none_is_black(layout: SlideLayout) -> None:
    told = {
        UNREADABLE_CODE: ("n_px_unreadable", (213, 94, 0)),
        OUTSIDE_ROI_CODE: ("n_px_outside_roi", (96, 96, 96)),
        UNSCANNED_CODE: ("n_px_unscanned", (226, 226, 226)),
    }
    array, slide = zarr.open_array(layout.class_map / "0", mode="r+"), counted(layout)
    for n, code in enumerate(told):
        array[70 * n : 70 * (n + 1), :70] = code
    counts = slide.counts.model_copy(update={key: 70 * 70 for key, _ in told.values()})
    write_class_thumbnail(layout, slide.model_copy(update={"key": "another", "counts": counts}), read_frame(layout))
    with Image.open(layout.root / "classes.png") as image:
        palette, rgb = np.reshape(image.getpalette("RGB"), (-1, 3)), np.asarray(image.convert("RGB"))
    for n, (code, (_, colour)) in enumerate(told.items()):
        assert tuple(palette[code]) == colour
        assert (rgb[10 * n : 10 * (n + 1), :10] == colour).all()
    assert rgb.any(axis=2).all()


def test_keeping_it_again_leaves_it_as_it_lies(layout: SlideLayout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_thumbnail_room, "sparse_class_map", refuse_to_read)
    write_class_thumbnail(layout, counted(layout), read_frame(layout))


def forged(layout: SlideLayout, change: Callable[[np.ndarray, dict[str, Any]], None]) -> None:
    """Write the picture again with other pixels or another note."""
    path = layout.root / "classes.png"
    with Image.open(path) as image:
        note, pixels, palette = json.loads(image.text["wsi-area"]), np.array(image), image.getpalette()
    change(pixels, note)
    again, text = Image.fromarray(pixels), PngInfo()
    again.putpalette(palette)
    text.add_text("wsi-area", json.dumps(note))
    again.save(path, pnginfo=text)


def other_pixels(pixels: np.ndarray, note: dict[str, Any]) -> None:
    pixels[:20, :20] = 1


def test_forging_nothing_is_still_shown_and_other_pixels_are_not(
    layout: SlideLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = by_hand(layout)
    with monkeypatch.context() as patched:
        patched.setattr(class_thumbnail_room, "sparse_class_map", refuse_to_read)
        forged(layout, lambda pixels, note: None)
        assert np.array_equal(shown(layout), expected)
    forged(layout, other_pixels)
    assert np.array_equal(shown(layout), expected)


@pytest.mark.parametrize("name", ["made_from", "box_x_l0_px", "width_px", "pixels"])
def test_a_picture_that_says_it_is_of_something_else_is_not_shown(layout: SlideLayout, name: str) -> None:
    def of_something_else(pixels: np.ndarray, note: dict[str, Any]) -> None:
        other_pixels(pixels, note)
        note[name] = None

    expected = by_hand(layout)
    forged(layout, of_something_else)
    assert np.array_equal(shown(layout), expected)


def test_no_byte_of_it_can_be_lost_or_changed_and_still_be_shown_wrongly(layout: SlideLayout) -> None:
    path, expected = layout.root / "classes.png", by_hand(layout)
    whole = path.read_bytes()
    damaged = [b"", b"no picture", whole[: len(whole) // 2], whole[:-20]]
    damaged += [whole[:at] + bytes([whole[at] ^ 0x21]) + whole[at + 1 :] for at in range(0, len(whole), 61)]
    for content in damaged:
        path.write_bytes(content)
        assert np.array_equal(shown(layout), expected)


def one_tile_more(layout: SlideLayout) -> tuple[CountedSlide, np.ndarray]:
    rows = ledger_rows(layout)
    rows[0, 0, :2] += 1, -1
    return counted(layout), rows


def another_key(layout: SlideLayout) -> tuple[CountedSlide, np.ndarray]:
    return counted(layout).model_copy(update={"key": "0" * 64}), ledger_rows(layout)


def other_filters(layout: SlideLayout) -> tuple[CountedSlide, np.ndarray]:
    return counted(layout).model_copy(update={"size_filters": (SizeChange("tissue", 1.0, 1, 1),)}), ledger_rows(layout)


@pytest.mark.parametrize("changed", [one_tile_more, another_key, other_filters])
def test_a_picture_of_an_earlier_result_is_not_shown(
    layout: SlideLayout, changed: Callable[[SlideLayout], tuple[CountedSlide, np.ndarray]]
) -> None:
    (layout.class_map / "0" / "c" / "0" / "0").unlink()  # what is shown must be this map, without its pixels
    assert np.array_equal(shown(layout)[50, 68], 1)  # by its key and ledger the old one is of this result
    record, rows = changed(layout)
    assert not class_thumbnail(layout, record, read_frame(layout), rows).any()


def test_without_a_ledger_to_hold_it_against_it_is_not_shown(layout: SlideLayout) -> None:
    shutil.rmtree(layout.class_map / "0" / "c")
    assert not class_thumbnail(layout, counted(layout), read_frame(layout), None).any()


def test_a_small_slide_wholly_of_one_class(tmp_path: Path) -> None:
    size = Size(40, 30)
    slide = write_slide(tmp_path / "s.tif", size, {"tissue": box(size, 0, 0, 40, 30)})
    measure(slide.path, tmp_path / "out", *QUICK, for_report=True)
    layout = RunLayout(tmp_path / "out").slide("s")
    assert (layout.root / "classes.png").exists()
    assert (shown(layout) == 1).all()
