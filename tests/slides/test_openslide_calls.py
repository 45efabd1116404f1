"""Our calls of OpenSlide's library say what those of openslide-python say."""

import ctypes
import gc
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import openslide
import pytest
from openslide import lowlevel
from synthetic import FileForm, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.slides.lanes.openslide_lane import _read_region
from wsi_area.slides.stored import openslide_calls


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file, size = tmp_path_factory.mktemp("calls") / "schön.tif", Size(1200, 900)
    write_slide(file, size, {"tissue": disc(size, 300, 250, 100)}, FileForm(mpp=Mpp(0.25, 0.26)))
    return file


def test_a_slide_is_described_as_the_binding_describes_it(slide: Path) -> None:
    handle = openslide_calls.open_slide(slide)
    with openslide.OpenSlide(slide) as known:
        assert openslide_calls.properties_of(handle) == dict(known.properties)
        assert openslide_calls.level_sizes_px(handle) == list(known.level_dimensions)
        downsamples = [openslide_calls.level_downsample(handle, level) for level in range(known.level_count)]
        assert downsamples == list(known.level_downsamples)
        assert openslide_calls.property_of(handle, "openslide.vendor") == known.properties["openslide.vendor"]
    assert openslide_calls.property_of(handle, "no.such.property") is None
    assert openslide_calls.get_error(handle) is None
    openslide_calls.close(handle)
    assert openslide_calls.detect_vendor(slide) == openslide.OpenSlide.detect_format(slide)
    assert openslide_calls.library_version() == openslide.__library_version__


def test_what_openslide_refuses_is_refused_in_its_words(slide: Path, tmp_path: Path) -> None:
    whole, told = slide.read_bytes(), set[str]()
    for length in (0, 4, 100, *range(200, len(whole), len(whole) // 20)):
        (tmp_path / "cut.tif").write_bytes(whole[:length])
        for file in (tmp_path / "cut.tif", tmp_path / "none.tif"):
            assert openslide_calls.detect_vendor(file) == openslide.OpenSlide.detect_format(file)
            words = refusal(openslide_calls.open_slide, file)
            assert words == refusal(openslide.OpenSlide, file)
            told.add(words)
    assert len(told) > 1


def refusal(opened: Callable[[Path], object], file: Path) -> str:
    """The words in which a file is refused, "" where it is not."""
    try:
        opened(file)
    except (openslide.OpenSlideError, openslide_calls.OpenSlideCallError) as error:
        return str(error)
    return ""


def test_a_handle_that_died_says_so_in_the_words_of_the_library(slide: Path) -> None:
    handle, known = openslide_calls.open_slide(slide), lowlevel.open(str(slide))
    _read_region(handle, None, 0, 0, 0, -1, -1)  # no region has a negative width
    with pytest.raises(openslide.OpenSlideError) as found:
        lowlevel._read_region(known, None, 0, 0, 0, -1, -1)
    assert openslide_calls.get_error(handle) == str(found.value)
    for call in (openslide_calls.level_sizes_px, openslide_calls.properties_of):
        with pytest.raises(openslide_calls.OpenSlideCallError, match="negative width"):
            call(handle)
    openslide_calls.close(handle)


def test_a_closed_handle_is_refused_and_one_that_is_left_is_closed_once(slide: Path) -> None:
    gc.collect()  # what other tests have left
    (end,) = openslide_calls.Handle.__del__.__defaults__
    ended: list[int] = []
    with mock.patch.object(
        openslide_calls.Handle.__del__, "__defaults__", (lambda at: ended.append(at.value) or end(at),)
    ):
        handle = openslide_calls.open_slide(slide)
        address = handle._as_parameter_.value
        openslide_calls.close(handle)
        for call in (openslide_calls.get_error, openslide_calls.level_sizes_px, openslide_calls.close):
            with pytest.raises(ctypes.ArgumentError, match="the slide is closed"):
                call(handle)
        del handle
        gc.collect()
        assert address not in ended
        left = openslide_calls.open_slide(slide)
        address = left._as_parameter_.value
        del left
        gc.collect()
    assert ended.count(address) == 1
