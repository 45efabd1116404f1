"""benchmarks: where the public test data are, and the command that is measured."""

import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CONFIGS = REPO / "configs"


def testdata() -> Path:
    """The folder of public slides: ``WSI_AREA_TESTDATA``, else ``../shared/data`` beside the repository."""
    found = Path(os.environ.get("WSI_AREA_TESTDATA", REPO.parent / "shared" / "data"))
    if not (found / "slides").is_dir():
        sys.exit(f"no public test slides at {found}; set WSI_AREA_TESTDATA to where they are")
    return found


def wsi_area(*arguments: str | Path) -> str:
    """What the command printed; it runs in this environment, as a user would call it."""
    command = [sys.executable, "-c", "from wsi_area.cli.main import main; main()", *map(str, arguments)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        sys.exit(f"wsi-area {arguments[0]} ended with {ended.returncode}")
    return ended.stdout
