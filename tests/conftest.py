"""What the whole suite shares: where real slides are, if they are there, and a browser where there is one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).resolve().parent.parent


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
