"""What tests of the command line share: `wsi-area` called in this process, with its exit code and its two outputs."""

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from wsi_area.cli.main import main


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


def wsi_area(*arguments: str | Path) -> Ended:
    """Call the command as a shell would; neither output is a terminal."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["wsi-area", *map(str, arguments)]
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            raise AssertionError("main() ended without an exit code")
    assert isinstance(code, int)
    return Ended(code, out.getvalue(), err.getvalue())
