"""The cache of open readers: lent, counted, closed, never in the way."""

import multiprocessing
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiff_files import tissue_like, write_tiled

from wsi_area.errors import LaneError
from wsi_area.model.geometry import Region
from wsi_area.model.slide import SlideInfo
from wsi_area.slides import borrow_reader, close_readers, inspect
from wsi_area.slides.lanes.handles import ReaderCache

ALL = Region(0, 0, 64, 64)


@pytest.fixture
def infos(tmp_path: Path) -> Iterator[list[SlideInfo]]:
    yield [inspect(write_tiled(tmp_path / f"s{i}.tif", [tissue_like(64, 64, i)], tile_px=64)) for i in range(6)]
    close_readers()


def test_a_reader_is_opened_once_and_lent_again(infos: list[SlideInfo]) -> None:
    with borrow_reader(infos[0], "openslide") as first:
        pass
    with borrow_reader(infos[0], "openslide") as second, borrow_reader(infos[0], "openslide") as third:
        assert first is second is third
    with borrow_reader(infos[0], "direct") as other:
        assert other is not first


def test_the_oldest_idle_reader_goes_when_there_are_too_many(infos: list[SlideInfo]) -> None:
    cache = ReaderCache(capacity=2)
    opened = []
    for info in infos[:3]:
        with cache.borrow(info, "direct") as reader:
            opened.append(reader)
    assert len(cache) == 2
    with cache.borrow(infos[0], "direct") as again:
        assert again is not opened[0]
    with cache.borrow(infos[2], "direct") as kept:
        assert kept is opened[2]
    cache.close()


def test_a_lent_reader_is_not_closed_under_its_borrower(infos: list[SlideInfo]) -> None:
    cache = ReaderCache(capacity=1)
    with cache.borrow(infos[0], "direct") as reader:
        for info in infos[1:]:
            with cache.borrow(info, "direct"):
                pass
        cache.close()
        assert reader.read(0, ALL).valid.all()
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.close()  # the last borrower has closed it


def test_a_lane_that_cannot_be_opened_leaves_nothing_behind(infos: list[SlideInfo]) -> None:
    cache = ReaderCache()
    with pytest.raises(LaneError), cache.borrow(infos[0], "no such lane"):
        pass
    assert len(cache) == 0


def test_threads_that_come_together_share_one_reader(infos: list[SlideInfo]) -> None:
    cache, seen, gate = ReaderCache(), [], threading.Barrier(8)

    def borrow() -> None:
        gate.wait()
        with cache.borrow(infos[0], "openslide") as reader:
            seen.append((id(reader), reader.read(0, ALL).rgb.tobytes()))
            gate.wait()

    threads = [threading.Thread(target=borrow) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1
    cache.close()


def _mean_of(info: SlideInfo) -> float:
    with borrow_reader(info, "openslide") as reader:
        return float(reader.read(0, ALL).rgb.mean())


def test_a_slide_travels_to_a_new_process_and_is_opened_there(infos: list[SlideInfo]) -> None:
    assert pickle.loads(pickle.dumps(infos[0])) == infos[0]
    here = _mean_of(infos[0])
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(_mean_of, infos[:1]) == [here]
