"""The report of an estimate: it has no class map, which is no fault, and what was not drawn is not called unscanned."""

from pathlib import Path

import pytest
from command_line import wsi_area
from read_html import Tags, written
from synthetic import FileForm, disc, write_slide

from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size


@pytest.mark.parametrize("radius", [200.0, 450.0])
def test_an_estimate_is_shown_without_classes_and_says_why(tmp_path: Path, radius: float) -> None:
    size = Size(1600, 1200)
    slide = write_slide(
        tmp_path / "s.tiff", size, {"tissue": disc(size, 800, 600, radius)}, FileForm(mpp=Mpp(1.0, 1.0))
    )
    out = tmp_path / "out"
    run = wsi_area("run", slide.path, "--out", out, "--estimate", "20%", "--set", "tiling.tile_px=128")
    assert run.code == 0, run.err
    text = " ".join("".join(Tags(written(out)).text).split())
    assert "≈ estimated" in text
    assert "An estimate leaves no class map" in text
    assert "cannot be shown" not in text
    assert "not scanned:" not in text.replace("not drawn, or not scanned:", "")
    assert "of the one estimated slide" in text
    assert "no final number" not in text
