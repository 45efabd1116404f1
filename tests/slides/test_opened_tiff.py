"""What tifffile says of a file that it cannot follow, and who hears it."""

import logging
from contextlib import ExitStack
from threading import Thread

import pytest

from wsi_area.slides.stored.opened_tiff import quiet_tifffile

TIFFFILE = logging.getLogger("tifffile")


def said_by_another_thread(text: str) -> None:
    thread = Thread(target=TIFFFILE.warning, args=(text,))
    thread.start()
    thread.join()


def test_only_the_thread_that_asked_for_quiet_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    with quiet_tifffile():
        TIFFFILE.warning("here")
        said_by_another_thread("elsewhere")
    assert caplog.messages == ["elsewhere"]


def test_tifffile_is_heard_again_in_whatever_order_threads_end_their_quiet(caplog: pytest.LogCaptureFixture) -> None:
    first, second = ExitStack(), ExitStack()
    for begun in (first, second):
        asking = Thread(target=begun.enter_context, args=(quiet_tifffile(),))
        asking.start()
        asking.join()
    first.close()
    second.close()
    TIFFFILE.warning("afterwards")
    said_by_another_thread("elsewhere")
    assert caplog.messages == ["afterwards", "elsewhere"]
    assert not TIFFFILE.disabled


def test_it_is_heard_again_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="torn"), quiet_tifffile():
        raise ValueError("torn")
    TIFFFILE.warning("afterwards")
    assert caplog.messages == ["afterwards"]
