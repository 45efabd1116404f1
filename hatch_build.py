"""The build: kernels are compiled while the package is built, so that its first run need not.

They go into the wheel, or for an editable installation into the source tree, where git ignores them. Whatever fails
here fails nothing else: the package is built without, and the first run on a machine compiles.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SHIPPED = "wsi_area/shipped_code"  # as wsi_area.compute.shipped_code has it
_LIMIT_S = 600


class KernelsHook(BuildHookInterface):
    """Bitcode of the kernels, for the wheel that is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add to the wheel; ``version`` is "editable" where the source tree is what is installed."""
        self._folder = tempfile.TemporaryDirectory(prefix="wsi-area-kernels-")
        made = Path(self._folder.name)
        if fault := _fault_of_compiling(Path(self.root), made):
            self.app.display_warning(f"kernels are not shipped, the first run compiles them: {fault}")
            return
        if version == "editable":
            self._put_into_the_tree(made)
        else:
            build_data["force_include"].update({str(file): f"{_SHIPPED}/{file.name}" for file in made.iterdir()})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take the temporary folder away."""
        self._folder.cleanup()

    def _put_into_the_tree(self, made: Path) -> None:
        """Put what was made in the place of what the tree has."""
        place = Path(self.root, _SHIPPED)
        try:
            place.mkdir(exist_ok=True)
            for file in made.iterdir():
                unfinished = place / f"{file.name}.unfinished"
                unfinished.write_bytes(file.read_bytes())
                unfinished.replace(place / file.name)
            for old in set(place.iterdir()) - {place / file.name for file in made.iterdir()}:
                old.unlink(missing_ok=True)
        except OSError as error:
            self.app.display_warning(f"kernels are not shipped, the first run compiles them: {error}")


def _fault_of_compiling(root: Path, folder: Path) -> str:
    """Return the reason why the kernels could not be compiled into a folder; "" where they were.

    In a process of its own: what it imports, and whatever a compiler may do, ends with it.
    """
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    settings["PYTHONPATH"] = os.pathsep.join(filter(None, (str(root), settings.get("PYTHONPATH"))))
    command = [sys.executable, "-B", "-m", "wsi_area.compute.shipping", str(folder)]
    try:
        ended = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    told = ended.stderr.strip().splitlines()
    return (told or ["no word"])[-1] if ended.returncode else ""
