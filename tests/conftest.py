"""What the whole suite shares: where real slides are, if they are there."""

import os
from pathlib import Path

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
