"""run: whether a script may start worker processes, each of which imports it and so runs it once more."""

import ast
import sys
import threading
from pathlib import Path
from types import FrameType

from wsi_area.errors import SettingsError


def refuse_unguarded_script() -> None:
    """Refuse worker processes to a script that would start them again in each of them.

    Raises
    ------
    SettingsError
        With the line, and what to write above it.
    """
    main = sys.modules.get("__main__")
    file, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    if main is None or file is None or (spec is not None and spec.name.endswith("__main__")):
        return  # a prompt, a notebook, or what Python does not import again
    line = _line_of_script(vars(main))
    if line is None:
        return
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):  # no Python source: what starts it is a program of its own
        return
    if not any(_asks_for_name(node) and node.lineno <= line for node in tree.body):
        raise SettingsError(
            f"{file}, line {line}: each worker process imports this script and would run it from its first line "
            'again; put what it does below a line `if __name__ == "__main__":`, or choose run.executor=threads'
        )


def _asks_for_name(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(
        isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
    )


def _line_of_script(names: dict[str, object]) -> int | None:
    """Return the line of the script that the main thread is at; None where it is at none of the script itself."""
    frame: FrameType | None = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if frame.f_globals is names and frame.f_code.co_name == "<module>":
            return frame.f_lineno
        frame = frame.f_back
    return None
