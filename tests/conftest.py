"""What the whole suite shares: where real slides are, if they are there, and a browser where there is one."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

REPO = Path(__file__).resolve().parent.parent

# The suite judges a change, so two runs of it must draw the same examples. New ones are looked for by `make nightly`.
# A slow machine is no fault of the code: neither profile has a deadline.
_ANY_MACHINE: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, database=None, **_ANY_MACHINE)
hypothesis.settings.register_profile("search", derandomize=False, print_blob=True, **_ANY_MACHINE)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The folder of public slides and ground truth; tests that need it are skipped where it is not."""
    found = Path(os.environ.get("WSI_AREA_TESTDATA", REPO.parent / "shared" / "data"))
    if not (found / "slides").is_dir():
        pytest.skip(f"no public test slides at {found}; set WSI_AREA_TESTDATA to where they are")
    return found


@pytest.fixture(scope="session")
def configs() -> Path:
    """The folder of settings that a lab would start from."""
    return REPO / "configs"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium, never with a connection to anything."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no Chromium on this machine")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core, as the package axe-playwright-python brings it, or from WSI_AREA_AXE."""
    named = os.environ.get("WSI_AREA_AXE")
    if named:
        return Path(named).read_text(encoding="utf-8")
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("no axe-core: pip install axe-playwright-python, or name axe.min.js in WSI_AREA_AXE")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def small_batches() -> Iterator[None]:
    """Batches of so few pixels that a small slide has several, for the length of a test file."""
    from measuring import SMALL_BATCH_PX

    from wsi_area.compute.cut import planning

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "BATCH_LEVEL_PX_MIN", SMALL_BATCH_PX)
        yield
