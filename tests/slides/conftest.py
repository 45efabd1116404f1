"""What the tests of reading share: no reader outlives its test, and what OpenSlide was asked for."""

from collections.abc import Iterator

import pytest

from wsi_area.model.geometry import Region
from wsi_area.slides import close_readers
from wsi_area.slides.lanes.openslide_lane import OpenSlideReader


@pytest.fixture(autouse=True)
def _closed_readers() -> Iterator[None]:
    yield
    close_readers()


@pytest.fixture
def asked_of_openslide(monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """The boxes that OpenSlide is asked for from now on, in their order."""
    asked: list[Region] = []
    read = OpenSlideReader.read
    monkeypatch.setattr(OpenSlideReader, "read", lambda self, n, box: (asked.append(box), read(self, n, box))[1])
    return asked
