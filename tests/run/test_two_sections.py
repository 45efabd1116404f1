"""Two sections in one file: a manifest lists the file twice, each row with the picture that it is of."""

import csv
from pathlib import Path

import numpy as np
import pytest
import tifffile
from measuring import measure
from numpy.typing import NDArray

from wsi_area.errors import SettingsError
from wsi_area.inputs.manifest import read_manifest

UM = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def disc(radius_px: int) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:384, :384]
    return np.asarray((columns - 192) ** 2 + (rows - 192) ** 2 < radius_px**2)


def stained(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(mask[..., None], np.array((190, 110, 170), np.uint8), np.array((243, 241, 244), np.uint8))


SECTIONS = [((0, 1), (60, 100)), ((1, 2), (40, 90, 130)), ((2, 0), (120, 70, 30))]


@pytest.mark.parametrize(("asked", "radii"), SECTIONS)
def test_a_manifest_may_list_a_file_twice_with_another_section_each(
    tmp_path: Path, asked: tuple[int, int], radii: tuple[int, ...]
) -> None:
    path = tmp_path / "s.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as writer:
        for radius in radii:
            writer.write(stained(disc(radius)), tile=(128, 128), photometric="rgb", metadata={"axes": "YXS", **UM})
    rows = [f"{path},section_{number},{number}" for number in asked]
    (tmp_path / "m.csv").write_text("\n".join(["path,slide_id,reader.picture", *rows]) + "\n", encoding="utf-8")
    outcome = measure([], tmp_path / "out", manifest=tmp_path / "m.csv")
    found = {record["slide_id"]: record["tissue"]["n_px"] for record in outcome.documents}
    assert not {flag["code"] for flag in csv_rows(tmp_path / "out" / "flags.csv")} & {"SLIDE_TWICE"}
    assert found == {f"section_{number}": disc(radii[number]).sum() for number in asked}


@pytest.mark.parametrize("key", ["picture", "channel", "plane"])
def test_rows_of_one_file_need_another_picture_and_a_name_each(tmp_path: Path, key: str) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text(f"path,slide_id,reader.{key}\ns.tif,a,1\ns.tif,b,1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=rf"lines 2 and 3 have the same path .*reader\.{key} = 1"):
        read_manifest(manifest)
    manifest.write_text(f"path,slide_id,reader.{key}\ns.tif,a,1\ns.tif,,2\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"line 3: 2 lines name .*give each of them a slide_id"):
        read_manifest(manifest)
    manifest.write_text(f"path,slide_id,reader.{key}\ns.tif,a,1\ns.tif,b,2\n", encoding="utf-8")
    assert [row.slide_id for row in read_manifest(manifest)] == ["a", "b"]


def test_the_same_picture_twice_and_two_channels_of_one_field_are_still_told(tmp_path: Path) -> None:
    sections, copy, channels = (tmp_path / name for name in ("s.ome.tif", "copy.ome.tif", "c.ome.tif"))
    with tifffile.TiffWriter(sections, ome=True) as writer:
        for radius in (60, 100):
            writer.write(stained(disc(radius)), tile=(128, 128), photometric="rgb", metadata={"axes": "YXS", **UM})
    copy.write_bytes(sections.read_bytes())
    planes = np.stack([np.where(disc(radius), 200, 10).astype(np.uint8) for radius in (50, 80)])
    tifffile.imwrite(
        channels, planes, ome=True, tile=(128, 128), photometric="minisblack", metadata={"axes": "CYX", **UM}
    )
    rows = [f"{sections},a,1,", f"{copy},b,1,", f"{channels},d,,0", f"{channels},e,,1"]
    header = "path,slide_id,reader.picture,reader.channel"
    (tmp_path / "m.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    measure([], tmp_path / "out", manifest=tmp_path / "m.csv")
    flagged = {row["slide_id"] for row in csv_rows(tmp_path / "out" / "flags.csv") if row["code"] == "SLIDE_TWICE"}
    assert flagged == {"a", "b", "d", "e"}
