"""An S3 server on loopback (moto's), with a gate in front that counts requests and can refuse, delay or kill."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

logging.getLogger("werkzeug").setLevel(logging.ERROR)
Reply = tuple[str, str] | None
"""Status line and S3's own code, in the place of an answer; None: ask the server."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked."""

    method: str
    path: str  # /bucket/key
    if_none_match: str | None


class Server:
    """The server, its gate, and one bucket for each test."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self.asked: list[Request] = []
        self.gate: Callable[[Request], Reply] = lambda request: None
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_IF_NONE_MATCH"))
        self.asked.append(request)
        reply = self.gate(request)
        if reply is None:
            return self._application(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, code = reply
        start_response(status, [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>".encode()]

    def puts(self, part: str) -> list[Request]:
        """The objects put whose path has this in it."""
        return [request for request in self.asked if request.method == "PUT" and part in request.path]

    def new_bucket(self, client: Any) -> str:
        """Make a bucket that nobody else has, and forget what was asked before."""
        name = f"lab-{uuid.uuid4().hex[:12]}"
        self.gate = lambda request: None
        client.create_bucket(Bucket=name)
        self.asked.clear()
        return name

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
