"""storage: a lock in a bucket: an object that its holder puts anew every few seconds, so that a dead one is told.

Who wants it alone puts ``.lock``, which the server allows once (``If-None-Match: *``), and then looks whether others
share it; who shares it puts an object of its own below ``.lock.shared/``, and then looks whether somebody has it
alone. Each writes before it looks, so of two that meet at least one sees the other. Ages are told by the server's
clock. A holder that was killed on this machine is seen at once; one elsewhere after two minutes of silence.
"""

import _thread
import json
import logging
import os
import signal
import socket
import threading
import time
import uuid
from contextlib import suppress

from wsi_area.errors import ResultError
from wsi_area.storage.object_path import ObjectPath
from wsi_area.storage.processes import is_running, this_machine

_LOG = logging.getLogger(__name__)

RENEWED_EVERY_S = 20.0
DEAD_AFTER_S = 120.0
_LOOK_AGAIN_S = 0.5


class Lease:
    """One place in a bucket, held by this process alone or together with others."""

    def __init__(self, place: ObjectPath) -> None:
        self._alone, self._together = place, place.with_name(f"{place.name}.shared")
        self._token = uuid.uuid4().hex
        self._own = self._together / self._token
        self._guard, self._ended = threading.Lock(), threading.Event()
        self._tag: str | None = None  # of the object that says that this holds it alone
        self._shares = self._lost = False
        self._renewals = 0
        self._renewer: threading.Thread | None = None

    def take(self, *, shared: bool, waits: bool) -> bool:
        """Take it or change how it is held; return whether that worked.

        Raises
        ------
        OSError
            If the bucket cannot be written.
        """
        while True:
            with self._guard:
                taken = self._take_shared() if shared else self._take_alone()
            if taken:
                self._keep_alive()
                return True
            if not waits:
                return False
            time.sleep(_LOOK_AGAIN_S)

    def _take_alone(self) -> bool:
        tag = self._put_alone()
        if tag is None:
            self._let_go()
            return False
        self._tag = tag
        if any(self._is_alive(other) for other in list(self._together.iterdir()) if other != self._own):
            self._let_go()
            return False
        self._drop_share()
        return True

    def _put_alone(self) -> str | None:
        """Return the tag of the object put; None where somebody alive has it."""
        with suppress(FileExistsError):
            return self._alone.write_bytes(self._content(), only_new=True)
        try:
            content, tag = self._alone.read_bytes(), self._alone.stat().etag
        except FileNotFoundError:  # let go of meanwhile: whoever asks again gets it
            return None
        if json.loads(content).get("token") == self._token:  # ours: the answer to our first try was lost on the way
            return tag
        if self._is_alive(self._alone):
            return None
        with suppress(FileExistsError):  # another one that waited for the same dead holder was faster
            return self._alone.write_bytes(self._content(), over=tag)
        return None

    def _take_shared(self) -> bool:
        self._own.write_bytes(self._content())
        self._shares = True
        if self._tag is None and self._alone.is_file() and self._is_alive(self._alone):
            self._let_go()
            return False
        self._drop_alone()
        return True

    def _is_alive(self, holder: ObjectPath) -> bool:
        """Return True if a holder still says so; what a dead one of a shared lease left is taken away."""
        try:
            said, put_ns = json.loads(holder.read_bytes()), holder.stat().st_mtime_ns
        except FileNotFoundError:
            return False
        if said.get("machine") == this_machine():
            alive = is_running(int(said["pid"]))
        else:
            alive = (self._server_time_ns() - put_ns) / 1e9 < DEAD_AFTER_S
        if not alive:
            _LOG.warning("%s: its holder, process %s on %s, is dead", holder, said.get("pid"), said.get("host"))
            if holder != self._alone:
                holder.unlink(missing_ok=True)
        return alive

    def _server_time_ns(self) -> int:
        probe = self._alone.with_name(f"{self._alone.name}.clock-{self._token}")
        probe.write_bytes(b"")
        try:
            return probe.stat().st_mtime_ns
        finally:
            probe.unlink(missing_ok=True)

    def _content(self) -> bytes:
        said = {"token": self._token, "host": socket.gethostname(), "machine": this_machine(), "pid": os.getpid()}
        self._renewals += 1  # another content, another tag
        return json.dumps({**said, "renewals": self._renewals}).encode()

    def _keep_alive(self) -> None:
        if self._renewer is None:
            self._renewer = threading.Thread(target=self._renew, name="wsi-area-lease", daemon=True)
            self._renewer.start()

    def _renew(self) -> None:
        renewed = time.monotonic()
        while not self._ended.wait(RENEWED_EVERY_S):
            try:
                with self._guard:
                    if self._tag is not None:
                        self._tag = self._alone.write_bytes(self._content(), over=self._tag)
                    if self._shares:
                        self._own.write_bytes(self._content())
                renewed = time.monotonic()
            except (FileExistsError, FileNotFoundError):
                return self._give_up("another process took it")
            except OSError as error:
                if time.monotonic() - renewed > DEAD_AFTER_S:
                    return self._give_up(f"it could not be renewed for {DEAD_AFTER_S:.0f} s ({error.strerror})")
        return None

    def _give_up(self, why: str) -> None:
        """Stop the run as a signal would: what is measured is committed, nothing new begun."""
        self._lost = True
        _LOG.error("%s is not held any more (%s); the run is stopped", self._alone, why)
        _thread.interrupt_main(signal.SIGTERM)

    def close(self) -> None:
        """Let go of it.

        Raises
        ------
        ResultError
            If it was lost meanwhile, so that another run may have written beside this one.
        """
        self._ended.set()
        with self._guard:
            if not self._lost:
                self._let_go()
        if self._lost:
            raise ResultError(
                f"{self._alone.parent}: the lease was lost while this run wrote; run wsi-area verify, then the same "
                "command again"
            )

    def _let_go(self) -> None:
        self._drop_alone()
        self._drop_share()

    def _drop_alone(self) -> None:
        if self._tag is not None:
            self._tag = None
            with suppress(OSError):  # it grows old by itself
                self._alone.unlink(missing_ok=True)

    def _drop_share(self) -> None:
        if self._shares:
            self._shares = False
            with suppress(OSError):
                self._own.unlink(missing_ok=True)
