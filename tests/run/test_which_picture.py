"""Which picture of a file was measured: by number, name or manifest, part of its result, turned as it is shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from measuring import measure
from numpy.typing import NDArray
from PIL import Image, ImageOps

from wsi_area.audit.verify import verify_run
from wsi_area.model.picture import PictureChoice
from wsi_area.notebook.notebook_run import open_run as open_notebook_run
from wsi_area.reports.report import write_report
from wsi_area.results.documents import read_result
from wsi_area.results.layout import RunLayout
from wsi_area.settings.run_settings import load

UM = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}
GLASS, TISSUE = (243, 241, 244), (190, 110, 170)


def disc(radius_px: int, side_px: int = 384, x_px: int = 192, y_px: int = 192) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:side_px, :side_px]
    return np.asarray((columns - x_px) ** 2 + (rows - y_px) ** 2 < radius_px**2)


def stained(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(mask[..., None], np.array(TISSUE, np.uint8), np.array(GLASS, np.uint8))


def write_channels(path: Path, radii: tuple[int, ...], dtype: type, names: list[str] | None = None) -> Path:
    top, low = (200, 10) if dtype is np.uint8 else (3000, 150)
    planes = np.stack([np.where(disc(radius), top, low).astype(dtype) for radius in radii])
    metadata: dict[str, Any] = {"axes": "CYX", **UM} | ({} if names is None else {"Channel": {"Name": names}})
    tifffile.imwrite(
        path, planes, ome=True, tile=(128, 128), photometric="minisblack", compression="deflate", metadata=metadata
    )
    return path


DARK = ("segmenter.background=dark", "segmenter.threshold=80")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("channel", "radius"), [("1", 70), ("FITC", 70), ("Cy5", 120)])
def test_one_channel_of_fluorescence_has_the_area_that_was_painted(
    tmp_path: Path, dtype: type, channel: str, radius: int
) -> None:
    path = write_channels(tmp_path / "s.ome.tif", (30, 70, 120), dtype, ["DAPI", "FITC", "Cy5"])
    outcome = measure(path, tmp_path / "out", *DARK, f"reader.channel={channel}")
    record = outcome.documents[0]
    assert (record["status"], record["reader"]) == ("complete", "stored")
    assert record["tissue"]["n_px"] == disc(radius).sum()


def test_three_grey_planes_of_a_stained_slide_are_measured_as_its_colours(tmp_path: Path) -> None:
    colours = stained(disc(100))
    tifffile.imwrite(
        tmp_path / "planes.ome.tif", np.moveaxis(colours, -1, 0).copy(), ome=True, tile=(128, 128),
        photometric="minisblack", metadata={"axes": "CYX", **UM},
    )  # fmt: skip
    record = measure(tmp_path / "planes.ome.tif", tmp_path / "out").documents[0]
    assert (record["status"], record["tissue"]["n_px"]) == ("complete", disc(100).sum())


def test_three_grey_planes_of_a_dark_field_are_refused(tmp_path: Path) -> None:
    path = write_channels(tmp_path / "s.ome.tif", (30, 70, 120), np.uint8)
    record = measure(path, tmp_path / "out", *DARK).documents[0]
    assert record["status"] == "failed"
    assert "reader.channel" in record["reason"]


def test_another_picture_is_another_result_and_the_old_one_is_never_continued(tmp_path: Path) -> None:
    path = write_channels(tmp_path / "s.ome.tif", (30, 70, 120, 20), np.uint8)
    first = measure(path, tmp_path / "a", *DARK, "reader.channel=1").documents[0]
    other = measure(path, tmp_path / "b", *DARK, "reader.channel=2").documents[0]
    assert first["key"] != other["key"]
    hashes = [load(None, [f"reader.{key}=1"]).measurement_hash for key in ("picture", "channel", "plane")]
    assert len({load(None).measurement_hash, *hashes}) == 4
    assert load(None, ["reader.lane=openslide"]).measurement_hash == load(None).measurement_hash


def test_a_manifest_names_the_picture_of_each_slide(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_channels(tmp_path / f"{name}.ome.tif", (30, 70, 120, 20), np.uint8)
    (tmp_path / "m.csv").write_text("path,slide_id,reader.channel\na.ome.tif,a,1\nb.ome.tif,b,2\n")
    outcome = measure([], tmp_path / "out", *DARK, manifest=tmp_path / "m.csv")
    found = {record["slide_id"]: record["tissue"]["n_px"] for record in outcome.documents}
    assert found == {"a": disc(70).sum(), "b": disc(120).sum()}


# ---- turned pictures

WOUND = disc(50, 400, 300, 110)[:320]  # not in the middle, and not square


def ring(path: Path, mask: NDArray[np.bool_], radius_px: int) -> Path:
    rows, columns = np.nonzero(mask)
    turn = np.linspace(0, 2 * np.pi, 90)
    points = np.c_[columns.mean() + radius_px * np.cos(turn), rows.mean() + radius_px * np.sin(turn)]
    points[-1] = points[0]
    feature = {
        "type": "Feature",
        "properties": {"classification": "ROI"},
        "geometry": {"type": "Polygon", "coordinates": [points.tolist()]},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


PLAIN = ("calibration.profile=plain", "segmenter.threshold=60")


def as_shown(orientation: int) -> tuple[NDArray[np.bool_], Image.Exif]:
    exif = Image.Exif()
    exif[274] = orientation
    image = Image.fromarray((WOUND * 255).astype(np.uint8))
    image.getexif()[274] = orientation
    return np.asarray(ImageOps.exif_transpose(image)) > 127, exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png", "tif"])
def test_a_region_drawn_in_what_is_shown_finds_its_feature(tmp_path: Path, orientation: int, kind: str) -> None:
    shown, exif = as_shown(orientation)
    path = tmp_path / f"s.{kind}"
    if kind == "png":
        Image.fromarray(stained(WOUND)).save(path, exif=exif, dpi=(300, 300))
    else:
        tags = [(274, "H", 1, orientation, True)]
        density = {"resolution": (300, 150), "resolutionunit": 2}
        tifffile.imwrite(path, stained(WOUND), photometric="rgb", metadata=None, extratags=tags, **density)
    roi = ring(tmp_path / "s.geojson", shown, 70)
    record = measure(path, tmp_path / "out", *PLAIN, "calibration.anisotropy_confirmation=2", roi=roi).documents[0]
    assert (record["status"], record["tissue"]["n_px"]) == ("complete", WOUND.sum())
    assert (record["width_px"], record["height_px"]) == shown.shape[::-1]
    codes = [finding["code"] for finding in record["findings"]]
    assert ("ORIENTATION" in codes) == (orientation != 1)
    if kind == "tif":
        sizes = record["calibration"]["mpp_x_um"], record["calibration"]["mpp_y_um"]
        assert sizes == pytest.approx((84.667, 169.333) if orientation < 5 else (169.333, 84.667), abs=1e-3)


def test_a_tiled_slide_that_is_shown_turned_takes_no_drawing(tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    picture = stained(disc(100))
    tags = [(274, "H", 1, 6, True)]
    density = {"resolution": (20_000, 20_000), "resolutionunit": 3}
    tifffile.imwrite(path, picture, tile=(128, 128), photometric="rgb", metadata=None, extratags=tags, **density)
    free = measure(path, tmp_path / "free").documents[0]
    assert (free["status"], free["tissue"]["n_px"]) == ("complete", disc(100).sum())
    assert "ORIENTATION" in [finding["code"] for finding in free["findings"]]
    drawn = measure(path, tmp_path / "drawn", roi=ring(tmp_path / "s.geojson", disc(100), 120)).documents[0]
    assert drawn["status"] == "failed"
    assert "orientation" in drawn["reason"]


def test_report_notebook_and_documents_say_which_picture_was_measured_and_open_it_again(tmp_path: Path) -> None:
    path = write_channels(tmp_path / "s.ome.tif", (30, 70, 120, 20), np.uint8, ["DAPI", "FITC", "Cy5", "TRITC"])
    outcome = measure(path, tmp_path / "out", *DARK, "reader.channel=Cy5", "tiling.tile_px=128", "tiling.work_mpp=0.5")
    record = outcome.documents[0]
    pictures = record["pictures"]
    assert (pictures["asked_channel"], pictures["count"]) == ("Cy5", 4)
    assert [picture["index"] for picture in pictures["listed"] if picture["taken"]] == [2]
    assert read_result(RunLayout(tmp_path / "out").slide(record["slide_id"])).choice == PictureChoice(channel="Cy5")
    write_report(tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    slide = open_notebook_run(tmp_path / "out")[record["slide_id"]]
    for told in (page, slide._repr_html_()):
        assert "channel 2 Cy5" in told
        assert "channel 0 DAPI" in told
    assert verify_run(tmp_path / "out").disagreements == ()
    tile = slide.tile(1, 1)
    assert tile.rgb.max() == 200  # the channel that was measured is what is shown
