"""A SLURM of one node for the tests beside this, slides to measure there, and their result without it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from one_node import one_node
from slurm_site import LINE, SIZE, call
from synthetic import disc, write_slide


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with one_node(tmp_path_factory.mktemp("slurm"), cpus=2, memory_mib=4096) as environment:
        yield environment


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place of work")
    (folder / "slides").mkdir()
    for n in range(4):
        write_slide(folder / "slides" / f"s{n}.tif", SIZE, {"tissue": disc(SIZE, 1500, 1200, 500 + 100 * n)})
    return folder


@pytest.fixture(scope="session")
def undisturbed(place: Path, slurm: dict[str, str]) -> Path:
    assert call(place, slurm, "run", "slides", "--out=alone", "--no-report", *LINE).returncode == 0
    return place / "alone"
