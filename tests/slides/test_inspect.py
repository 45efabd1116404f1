"""What ``inspect`` says of real and synthetic slides, and how it refuses what is none."""

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from tiff_files import APERIO, halved, tissue_like, write_tiled

from wsi_area.errors import SlideOpenError
from wsi_area.model.calibration import Mpp
from wsi_area.model.geometry import Size
from wsi_area.slides import LaneDecision, choose_lane, inspect

SMALL = tissue_like(300, 280)

# (keywords of the writer, vendor, mpp that OpenSlide itself reports): the table of components.md
OPENSLIDE_TABLE = [
    ({"resolution": (40_000, 40_000), "resolutionunit": "CENTIMETER"}, "generic-tiff", Mpp(0.25, 0.25)),
    ({"resolution": (101_600, 101_600), "resolutionunit": "INCH"}, "generic-tiff", Mpp(0.25, 0.25)),
    ({"resolution": (40_000, 40_000), "resolutionunit": "NONE"}, "generic-tiff", None),
    ({}, "generic-tiff", None),
    ({"resolution": (72, 72), "resolutionunit": "INCH"}, "generic-tiff", Mpp(25_400 / 72, 25_400 / 72)),
    ({"resolution": (40_000, 20_000), "resolutionunit": "CENTIMETER"}, "generic-tiff", Mpp(0.25, 0.5)),
    ({"description": "Aperio x|MPP = 0.25"}, "aperio", Mpp(0.25, 0.25)),
    ({"description": "Aperio x|MPP = 0,25"}, "aperio", Mpp(0.25, 0.25)),
    ({"description": "Aperio x|MPP = 250"}, "aperio", Mpp(250, 250)),
    ({"description": "Aperio x|MPP = 0"}, "aperio", None),
    ({"description": "Aperio x|MPP = abc"}, "aperio", None),
    ({"description": "Aperio x|MPP = "}, "aperio", None),
]


@pytest.mark.parametrize(("how", "vendor", "mpp"), OPENSLIDE_TABLE)
def test_the_pixel_size_of_each_kind_of_tag_is_read_and_nonsense_is_no_claim(
    tmp_path: Path, how: dict[str, object], vendor: str, mpp: Mpp | None
) -> None:
    info = inspect(write_tiled(tmp_path / "s.tif", [SMALL], **how))
    assert info.vendor == vendor
    if mpp is None:
        assert info.mpp_candidates == ()
    for claim in info.mpp_candidates:
        assert (claim.mpp.x, claim.mpp.y) == pytest.approx((mpp.x, mpp.y))
        assert claim.rung == ("vendor" if vendor == "aperio" else "tiff")
    assert bool(info.mpp_candidates) == (mpp is not None)


def test_an_aperio_slide_whose_tiff_tags_disagree_shows_both_claims(tmp_path: Path) -> None:
    path = write_tiled(
        tmp_path / "s.svs", [SMALL], description=APERIO.format(w=280, h=300),
        resolution=(10_000, 10_000), resolutionunit="CENTIMETER",
    )  # fmt: skip
    claims = {claim.source: claim.mpp.x for claim in inspect(path).mpp_candidates}
    assert claims == {"openslide.mpp-x": 0.5, "aperio.MPP": 0.5, "tiff.XResolution": 1.0}


def test_a_trestle_density_is_not_taken_for_a_pixel_size(tmp_path: Path) -> None:
    path = write_tiled(
        tmp_path / "s.tif", [SMALL], software="MedScan", description="Objective Power=20",
        resolution=(40_000, 40_000), resolutionunit="CENTIMETER",
    )  # fmt: skip
    info = inspect(path)
    assert info.vendor == "trestle"
    assert [(c.source, c.mpp) for c in info.mpp_candidates] == [("tiff.XResolution", Mpp(0.25, 0.25))]


def test_ome_xml_in_a_tiled_tiff_is_a_claim_of_its_own(tmp_path: Path) -> None:
    xml = '<OME><Image><Pixels PhysicalSizeX="0.5" PhysicalSizeY="0.25" PhysicalSizeYUnit="micron"/></Image></OME>'
    info = inspect(write_tiled(tmp_path / "s.tif", [SMALL], description=xml))
    assert [(c.source, c.mpp, c.rung) for c in info.mpp_candidates] == [("ome.PhysicalSizeX", Mpp(0.5, 0.25), "vendor")]


def test_real_slides_say_what_their_readme_says(testdata: Path) -> None:
    slides = testdata / "slides"
    small = inspect(slides / "CMU-1-Small-Region.svs")
    assert (small.size_l0_px, small.objective_power) == (Size(2220, 2967), 20)
    assert {(c.source, c.mpp) for c in small.mpp_candidates} == {
        ("openslide.mpp-x", Mpp(0.499, 0.499)),
        ("aperio.MPP", Mpp(0.499, 0.499)),
    }
    assert inspect(slides / "TCGA-CR-7395-01A-01-TS1.svs").mpp_candidates == ()
    ndpi = inspect(slides / "test3-DAPI-2-387.ndpi")
    assert (len(ndpi.levels), ndpi.mpp_candidates[0].mpp.x) == (7, pytest.approx(0.2281750559))
    boxes = inspect(slides / "boxes-72dpi.tiff")
    assert boxes.mpp_candidates[0].mpp.x == pytest.approx(352.78, abs=0.01)


def test_dicom_spacing_is_row_first_and_the_folder_stands_for_the_slide(testdata: Path) -> None:
    folder = testdata / "slides" / "camelyon16_tumor_072"
    info = inspect(folder)
    assert (info.slide_id, info.vendor, info.size_l0_px) == ("camelyon16_tumor_072", "dicom", Size(1152, 700))
    spacing = {c.source: c.mpp for c in info.mpp_candidates}["dicom.PixelSpacing"]
    assert (spacing.x, spacing.y) == pytest.approx((28.969, 28.968), abs=1e-9)
    assert info.imaged_volume_mm == pytest.approx((33.3724, 20.2779), abs=1e-4)
    by_file = inspect(next(folder.glob("*.dcm")), slide_id="camelyon16_tumor_072")
    assert by_file == info


def test_a_folder_without_a_slide_or_with_two_is_refused(tmp_path: Path, testdata: Path) -> None:
    with pytest.raises(SlideOpenError, match="without a DICOM slide"):
        inspect(tmp_path)
    for name in ("wsi2dcm_raw", "camelyon16_tumor_072"):
        source = next((testdata / "slides" / name).glob("*.dcm"))
        (tmp_path / source.name).write_bytes(source.read_bytes())
    with pytest.raises(SlideOpenError, match="2 DICOM slides"):
        inspect(tmp_path)


def test_levels_keep_each_axis_of_their_own(tmp_path: Path) -> None:
    fine = tissue_like(1501, 2001)
    coarse = np.ascontiguousarray(fine[:1500:4, :2000:4])
    info = inspect(write_tiled(tmp_path / "s.tif", [fine, coarse], tile_px=240))
    assert [(n.downsample_x, n.downsample_y) for n in info.levels] == [(1, 1), (2001 / 500, 1501 / 375)]
    assert info.levels[1].stored_tile_px == Size(240, 240)


def test_an_inspected_slide_and_a_decision_survive_pickling(tmp_path: Path) -> None:
    info = inspect(write_tiled(tmp_path / "s.tif", [SMALL]))
    decision = choose_lane(info, [0], "auto")
    assert pickle.loads(pickle.dumps(info)) == info
    assert pickle.loads(pickle.dumps(decision)) == decision == LaneDecision("direct", decision.reason)


def test_another_byte_another_time_another_fingerprint(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [SMALL, halved(SMALL)])
    first = inspect(path).fingerprint
    assert inspect(path).fingerprint == first
    status = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = inspect(path).fingerprint
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
    assert len({first, second, inspect(path).fingerprint}) == 3


def test_a_dicom_sibling_is_part_of_the_fingerprint(tmp_path: Path, testdata: Path) -> None:
    source = next((testdata / "slides" / "wsi2dcm_raw").glob("*.dcm"))
    path = tmp_path / source.name
    path.write_bytes(source.read_bytes())
    alone = inspect(path).fingerprint
    (tmp_path / "level1.dcm").write_bytes(b"not yet copied")
    assert inspect(path).fingerprint != alone


def test_nothing_personal_is_kept(testdata: Path) -> None:
    kept = inspect(testdata / "slides" / "CMU-1-Small-Region.svs").properties
    text = " ".join([*kept, *kept.values()])
    assert "2220x2967" in kept["openslide.comment"]
    for private in ("User", "Filename", "ImageID", "label", "macro", "b414003d"):
        assert private not in text


@pytest.mark.parametrize("content", [b"", b"this is a text file named .svs\n", b"\x00" * 5000])
def test_a_file_that_is_no_slide_is_refused_by_name_with_a_remedy(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "report.svs"
    path.write_bytes(content)
    with pytest.raises(SlideOpenError, match=r"report\.svs.*copy"):
        inspect(path)


def test_a_file_cut_before_its_directory_is_to_be_copied_again_and_nothing_of_pythons_shows(tmp_path: Path) -> None:
    path = tmp_path / "cut.svs"
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 1_000_000) + bytes(4000))  # the directory would be at 1 000 000
    with pytest.raises(SlideOpenError, match="cut short: copy it again") as told:
        inspect(path)
    assert "out of range" not in str(told.value)


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9])
def test_a_truncated_slide_is_refused_or_opens_as_what_is_left(tmp_path: Path, share: float) -> None:
    path = write_tiled(tmp_path / "cut.tif", [tissue_like(700, 800)])
    content = path.read_bytes()
    path.write_bytes(content[: max(20, int(len(content) * share))])
    with pytest.raises(SlideOpenError, match=r"cut\.tif"):
        inspect(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideOpenError, match="no such file"):
        inspect(tmp_path / "gone.svs")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = write_tiled(tmp_path / "s.tif", [SMALL])
    path.chmod(0)
    with pytest.raises(SlideOpenError, match="permission"):
        inspect(path)


def test_a_header_that_claims_two_to_the_31_pixels_a_side_is_refused_before_anything_is_allocated(
    tmp_path: Path,
) -> None:
    import tifffile

    path = write_tiled(tmp_path / "huge.tif", [SMALL], compression=None)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        for name in ("ImageWidth", "ImageLength"):
            tiff.pages[0].tags[name].overwrite(2**31 - 1)
    with pytest.raises(SlideOpenError, match=r"huge\.tif"):
        inspect(path)
    png = tmp_path / "huge.png"
    header = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    png.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + b"\0\0\0\0" * 4)
    with pytest.raises(SlideOpenError, match=r"huge\.png"):
        inspect(png)
