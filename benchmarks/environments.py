"""benchmarks: one virtual environment a peer, made from its requirement file; standard library only.

``peers/<peer>.txt`` is installed first, ``peers/<peer>.nodeps.txt``, where there is one, after it without
dependencies. A stamp holds the text of both: an environment is made afresh when they change, and what could not be
installed is reported with pip's last line. ``python -m benchmarks.environments NAME...`` makes those named, or all.
"""

import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import last_line

HERE = Path(__file__).resolve().parent
VENVS = HERE / "work" / "venvs"


@dataclass(frozen=True)
class Environment:
    """A Python to run a peer with, or why there is none."""

    python: Path
    failure: str  # "" where it is ready


def ensure(name: str, folder: Path = HERE / "peers", install: bool = True) -> Environment:
    """Return the environment of a peer, made now if it is not there."""
    files = [f for f in (folder / f"{name}.txt", folder / f"{name}.nodeps.txt") if f.exists()]
    wanted = "\n".join(f.read_text() for f in files)
    root = VENVS / name
    stamp, python = root / "installed.txt", root / "bin" / "python"
    if stamp.exists() and stamp.read_text() == wanted:
        return Environment(python, "")
    if not install:
        return Environment(python, f"not installed; python -m benchmarks.environments {name} does so")
    print(f"installing {name}", file=sys.stderr)
    shutil.rmtree(root, ignore_errors=True)
    venv.create(root, with_pip=True, symlinks=True)
    for file in files:
        alone = ["--no-deps"] if file.name.endswith(".nodeps.txt") else []
        command = [str(python), "-m", "pip", "install", "-q", "--no-input", *alone, "-r", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return Environment(python, f"pip: {_pip_error(done.stderr)}")
    stamp.write_text(wanted)
    return Environment(python, "")


def main() -> None:
    for name in sys.argv[1:] or sorted(file.stem for file in (HERE / "peers").glob("*.py") if file.stem != "rule"):
        print(f"{name}: {ensure(name).failure or 'ready'}")


def _pip_error(text: str) -> str:
    errors = [line for line in text.splitlines() if "ERROR" in line]
    return last_line("\n".join(errors) or text)


if __name__ == "__main__":
    main()
