"""A claim says which picture it is of; one of another picture is never chosen, and what cannot be read is on record."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image
from tiff_files import tissue_like

from wsi_area.compute.calibration.calibrate import CalibrationPolicy, calibrate
from wsi_area.model.calibration import Calibration
from wsi_area.slides import inspect

SCAN = tissue_like(256, 384)
TILED: dict[str, Any] = {"tile": (128, 128), "compression": "deflate", "photometric": "rgb", "metadata": None}
PLAIN = CalibrationPolicy(profile="plain")


def calibrated(path: Path, policy: CalibrationPolicy = CalibrationPolicy()) -> Calibration:  # noqa: B008
    return calibrate(inspect(path), policy=policy)


def codes(calibration: Calibration) -> list[str]:
    return [finding.code for finding in calibration.findings]


def ome(*images: tuple[int, int, str, int], unit: str = "µm") -> bytes:
    """OME-XML of images, each of width, height, size of a pixel, and directory."""
    parts = [
        f'<Image ID="Image:{n}"><Pixels DimensionOrder="XYCZT" Type="uint8" SizeX="{w}" SizeY="{h}" SizeC="3" '
        f'SizeZ="1" SizeT="1" PhysicalSizeX="{um}" PhysicalSizeXUnit="{unit}" PhysicalSizeY="{um}" '
        f'PhysicalSizeYUnit="{unit}">'
        f'<Channel SamplesPerPixel="3"/><TiffData IFD="{ifd}" PlaneCount="1"/></Pixels></Image>'
        for n, (w, h, um, ifd) in enumerate(images)
    ]
    return f'<?xml version="1.0" encoding="UTF-8"?><OME>{"".join(parts)}</OME>'.encode()


def write(path: Path, description: bytes | str, picture: Any = SCAN, **kwargs: Any) -> Path:
    tifffile.imwrite(path, picture, description=description, **{**TILED, **kwargs})
    return path


# ---- another picture of the same file


@pytest.mark.parametrize("macro_first", [True, False])
def test_the_size_of_the_macro_is_never_that_of_the_scan(tmp_path: Path, macro_first: bool) -> None:
    images = [(48, 32, "4.0", 1), (384, 256, "0.5", 0)]
    path = tmp_path / "s.ome.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(SCAN, description=ome(*(images if macro_first else images[::-1])), **TILED)
        writer.write(SCAN[::8, ::8], subfiletype=1, **TILED)
    calibration = calibrated(path)
    assert calibration.mpp is not None
    assert calibration.mpp.x == 0.5
    assert sorted(claim.mpp.x for claim in calibration.candidates if claim.source.startswith("ome")) == [0.5, 4.0]
    assert codes(calibration) == []


# ---- a picture that this one was made from


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_ome_xml_left_over_from_a_reduced_picture_is_refused_with_what_it_would_come_to(
    tmp_path: Path, factor: int
) -> None:
    text = ome((384 * factor, 256 * factor, f"{0.5 / factor}", 0))
    calibration = calibrated(write(tmp_path / "s.ome.tif", text))
    assert (calibration.mpp, codes(calibration)) == (None, ["MPP_OF_ANOTHER_PICTURE"])
    assert "If it was reduced, a pixel would be 0.5 µm" in calibration.findings[0].message


APERIO = "Aperio Image Library v11.2.1\n{frame} (128x128) JPEG/RGB Q=90|AppMag = 20|MPP = 0.25"


@pytest.mark.parametrize(
    "frame", ["768x512 [0,0 768x512]", "768x512", "9000x9000 [10,10 768x512]", "768x512 -> 384x256"]
)
def test_an_aperio_description_of_another_size_is_refused(tmp_path: Path, frame: str) -> None:
    calibration = calibrated(write(tmp_path / "s.svs", APERIO.format(frame=frame)))
    assert calibration.mpp is None
    assert "MPP_OF_ANOTHER_PICTURE" in codes(calibration)


@pytest.mark.parametrize(
    "frame", ["384x256 [0,0 384x256]", "384x256", "9000x9000 [10,10 384x256]", "9000x9000 [0,10,384x256]"]
)
def test_an_aperio_description_of_this_picture_or_of_its_crop_is_believed(tmp_path: Path, frame: str) -> None:
    calibration = calibrated(write(tmp_path / "s.svs", APERIO.format(frame=frame)))
    assert calibration.mpp is not None
    assert (calibration.mpp.x, "MPP_OF_ANOTHER_PICTURE" in codes(calibration)) == (0.25, False)


def test_a_resolution_that_was_kept_up_to_date_stands_and_one_that_was_not_is_a_conflict(tmp_path: Path) -> None:
    text = ome((768, 512, "0.25", 0))
    true = write(tmp_path / "a.ome.tif", text, resolution=(20_000, 20_000), resolutionunit="CENTIMETER")
    kept = write(tmp_path / "b.ome.tif", text, resolution=(40_000, 40_000), resolutionunit="CENTIMETER")
    calibration = calibrated(true)
    assert calibration.mpp is not None
    assert calibration.mpp.x == pytest.approx(0.5)
    assert [f.severity for f in calibration.findings] == ["info"]
    assert (calibrated(kept).mpp, codes(calibrated(kept))) == (None, ["MPP_OF_ANOTHER_PICTURE"])


@pytest.mark.parametrize("sizes", [("0.5", "0.25"), ("0.25", "0.5"), ("0.5", "0.5", "0.499", "2")])
def test_an_aperio_description_of_several_sizes_is_a_conflict(tmp_path: Path, sizes: tuple[str, ...]) -> None:
    text = "Aperio Image Library v1\n384x256 (128x128) RAW|" + "|".join(f"MPP = {size}" for size in sizes)
    calibration = calibrated(write(tmp_path / "s.svs", text))
    assert (calibration.mpp, codes(calibration)) == (None, ["MPP_CONFLICT"])


def test_an_aperio_description_that_repeats_its_size_is_believed(tmp_path: Path) -> None:
    text = "Aperio Image Library v1\n384x256 (128x128) RAW|MPP = 0.5|AppMag = 20|MPP = 0.50"
    calibration = calibrated(write(tmp_path / "s.svs", text))
    assert calibration.mpp is not None
    assert codes(calibration) == []


# ---- what cannot be read


@pytest.mark.parametrize("text", ["0.5 um", "-0.5", "nan", "about half", "0"])
def test_an_aperio_size_that_cannot_be_read_is_on_record_as_it_stands(tmp_path: Path, text: str) -> None:
    info = inspect(write(tmp_path / "s.svs", f"Aperio Image Library v1\n384x256 (128x128) RAW|MPP = {text}"))
    calibration = calibrate(info)
    assert [(claim.source, claim.text) for claim in info.unread_claims] == [("aperio.MPP", text)]
    assert codes(calibration) == ["MPP_MISSING"]
    assert text in calibration.findings[0].message
    assert "nothing in the file says" not in calibration.findings[0].message


@pytest.mark.parametrize(("um", "unit"), [("0.5", "Âµm"), ("0.5", "reference frame"), ("-0.5", "µm"), ("half", "µm")])
def test_an_ome_size_that_cannot_be_read_is_on_record_as_it_stands(tmp_path: Path, um: str, unit: str) -> None:
    calibration = calibrated(write(tmp_path / "s.ome.tif", ome((384, 256, um, 0), unit=unit)))
    assert codes(calibration) == ["MPP_MISSING"]
    assert f"{um} {unit}" in calibration.findings[0].message


def test_what_cannot_be_read_beside_a_size_that_can_is_on_record(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.ome.tif", ome((384, 256, "-1", 0)), resolution=(20_000, 20_000), resolutionunit="CENTIMETER"
    )
    calibration = calibrated(path)
    assert calibration.mpp is not None
    assert [(f.code, f.severity) for f in calibration.findings] == [("MPP_UNREADABLE", "info")]


def test_a_file_that_says_nothing_still_says_nothing(tmp_path: Path) -> None:
    Image.fromarray(SCAN).save(tmp_path / "s.png")
    assert "nothing in the file says" in calibrated(tmp_path / "s.png", PLAIN).findings[0].message


# ---- maps and instruments


def geo(path: Path, keys: tuple[int, ...], *, scale: tuple[float, ...] | None = (10.0, 20.0, 0.0)) -> Path:
    header = (1, 1, 0, len(keys) // 4)
    tags: list[Any] = [(34735, "H", len(keys) + 4, (*header, *keys), True)]
    if scale is not None:
        tags.append((33550, "d", 3, scale, True))
    else:  # turned by 90°, 10 m and 20 m a pixel
        matrix = (0.0, 20.0, 0.0, 5e5, 10.0, 0.0, 0.0, 5e6, *(0.0,) * 8)
        tags.append((34264, "d", 16, matrix, True))
    tifffile.imwrite(
        path, SCAN, photometric="rgb", metadata=None, extratags=tags, resolution=(72, 72), resolutionunit=2
    )
    return path


UTM, PROJECTED, DEGREES = (3072, 0, 1, 32633), (1024, 0, 1, 1), (1024, 0, 1, 2)


@pytest.mark.parametrize(
    ("keys", "scale", "um"),
    [
        (PROJECTED + UTM, (10.0, 20.0, 0.0), 10e6),
        ((*PROJECTED, 3072, 0, 1, 32767, 3076, 0, 1, 9001), (10.0, 20.0, 0.0), 10e6),
        ((*PROJECTED, 3076, 0, 1, 9002), (10.0, 20.0, 0.0), 3_048_000.0),
        ((*PROJECTED, 3076, 0, 1, 9003), (10.0, 20.0, 0.0), 10e6 * 1200 / 3937),
        (PROJECTED + UTM, None, 10e6),
    ],
)
def test_a_map_in_metres_or_feet_has_the_size_of_its_pixels_on_the_ground(
    tmp_path: Path, keys: tuple[int, ...], scale: tuple[float, ...] | None, um: float
) -> None:
    calibration = calibrated(geo(tmp_path / "s.tif", keys, scale=scale), CalibrationPolicy(
        profile="plain", anisotropy_confirmation=2.0
    ))  # fmt: skip
    assert calibration.mpp is not None
    assert (calibration.mpp.x, calibration.mpp.y) == pytest.approx((um, 2 * um))
    assert "MPP_DPI_DEFAULT" in codes(calibration)  # the 72 dpi beside it: on record, not used


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        (DEGREES, "in degrees"),
        ((*PROJECTED, 3072, 0, 1, 3857), "Web Mercator"),
        ((*PROJECTED, 3072, 0, 1, 2225), "not stated"),
        ((*PROJECTED, 3076, 0, 1, 9030), "EPSG:9030"),
    ],
)
def test_a_map_in_degrees_or_an_unknown_unit_is_refused_by_it(tmp_path: Path, keys: tuple[int, ...], says: str) -> None:
    path = geo(tmp_path / "s.tif", keys)
    info = inspect(path)
    assert says in info.unread_claims[0].text
    assert calibrate(info, policy=PLAIN).mpp is None


def sis_block(at: int, metres: float) -> bytes:
    """What Olympus writes: the header, one entry, and its data, of which the block of general data has the sizes."""
    head = struct.pack("<4s6xhhhhh6x32sH", b"SIS0", 0, 0, 1, 1, 120, b"x", 1)
    entry = struct.pack("<hhI", 1, 1, at + len(head) + 8)
    general = struct.pack("<10xhdd8xd2x34s32s", 0, metres, metres, 10.0, b"camera", b"type")
    return head + entry + general + bytes(120)


def instrument(path: Path, kind: str) -> Path:
    tags: list[Any] = {
        "fei": [(34682, "s", 0, "[Scan]\r\nPixelWidth=1.5e-9\r\nPixelHeight=1.5e-9\r\n", True)],
        "fei sfeg": [(34680, "s", 0, "[Scan]\r\nPixelWidth=1.5e-9\r\nPixelHeight=1.5e-9\r\n", True)],
        "zeiss": [(34118, "s", 0, "\r\nAP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size = 1.5 nm\r\n", True)],
        "gatan": [
            (65003, "s", 0, "nm", True), (65004, "s", 0, "nm", True),
            (65009, "d", 1, 1.5, True), (65010, "d", 1, 1.5, True),
        ],
    }.get(kind, [])  # fmt: skip
    if kind == "olympus":
        tags = [(33560, "I", 1, 0xDEADBEEF, True)]
    tifffile.imwrite(path, SCAN[..., 0], metadata=None, extratags=tags, resolution=(96, 96), resolutionunit=2)
    if kind == "olympus":
        content = path.read_bytes()
        place = struct.pack("<I", len(content))
        path.write_bytes(content.replace(struct.pack("<I", 0xDEADBEEF), place) + sis_block(len(content), 1.5e-9))
    return path


@pytest.mark.parametrize("kind", ["fei", "fei sfeg", "zeiss", "gatan", "olympus"])
def test_the_scale_of_a_microscope_is_believed_and_the_screen_density_beside_it_is_not(
    tmp_path: Path, kind: str
) -> None:
    calibration = calibrated(instrument(tmp_path / "s.tif", kind), PLAIN)
    assert calibration.mpp is not None
    assert (calibration.mpp.x, calibration.mpp.y) == pytest.approx((0.0015, 0.0015))
    assert [(f.code, f.severity) for f in calibration.findings] == [("MPP_DPI_DEFAULT", "info")]


def write_lsm(path: Path, um: tuple[float, float], *, magic: int = 0x0400494C, thumbnail: bool = True) -> Path:
    """Write what a Zeiss laser scanning microscope does: the size of a voxel in metres, and a thumbnail after it."""
    height, width = SCAN.shape[:2]
    sizes = (um[0] * 1e-6, um[1] * 1e-6, 1e-6)
    block = struct.pack("<Ii8i3d", magic, 64, width, height, 1, 1, 1, 1, 128, 128, *sizes)
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            SCAN[..., 0], metadata=None, extratags=[(34412, 1, len(block), block, True)], resolution=(96, 96),
            resolutionunit=2,
        )  # fmt: skip
        if thumbnail:
            writer.write(SCAN[::4, ::4].copy(), photometric="rgb", metadata=None, subfiletype=1)
    return path


@pytest.mark.parametrize("um", [(0.8, 0.8), (0.21, 0.21), (2.5, 2.4)])
@pytest.mark.parametrize("magic", [0x0300494C, 0x0400494C])
@pytest.mark.parametrize("thumbnail", [True, False])
def test_the_voxel_of_a_laser_scanning_microscope_is_believed_and_the_screen_density_is_not(
    tmp_path: Path, um: tuple[float, float], magic: int, thumbnail: bool
) -> None:
    calibration = calibrated(write_lsm(tmp_path / "s.tif", um, magic=magic, thumbnail=thumbnail), PLAIN)
    assert calibration.mpp is not None
    assert (calibration.mpp.x, calibration.mpp.y) == pytest.approx(um)
    assert [claim.source for claim in calibration.candidates] == ["zeiss.VoxelSizeX", "tiff.XResolution"]
    assert codes(calibration) == ["MPP_ANISOTROPIC"] * (um[0] != um[1]) + ["MPP_DPI_DEFAULT"]


@pytest.mark.parametrize(
    ("um", "magic"), [((0.0, 0.0), 0x0400494C), ((-0.5, 0.5), 0x0400494C), ((0.5, 0.5), 0x12345678)]
)
@pytest.mark.parametrize("thumbnail", [True, False])
def test_a_voxel_that_cannot_be_read_is_on_record_and_nothing_is_measured_by_it(
    tmp_path: Path, um: tuple[float, float], magic: int, thumbnail: bool
) -> None:
    info = inspect(write_lsm(tmp_path / "s.tif", um, magic=magic, thumbnail=thumbnail))
    assert [claim.source for claim in info.mpp_candidates] == ["tiff.XResolution"]
    assert [claim.source in ("zeiss.VoxelSizeX", "tiff.instrument") for claim in info.unread_claims] == [True]


@pytest.mark.parametrize("dpi", [72, 96])
@pytest.mark.parametrize("kind", ["png", "jpg", "tif"])
def test_a_screen_density_alone_is_withheld(tmp_path: Path, dpi: int, kind: str) -> None:
    path = tmp_path / f"s.{kind}"
    Image.fromarray(SCAN).save(path, dpi=(dpi, dpi))
    assert (calibrated(path, PLAIN).mpp, codes(calibrated(path, PLAIN))) == (None, ["MPP_DPI_DEFAULT"])


def test_a_print_density_of_a_scanner_is_believed(tmp_path: Path) -> None:
    Image.fromarray(np.asarray(SCAN)).save(tmp_path / "s.png", dpi=(300, 300))
    assert calibrated(tmp_path / "s.png", PLAIN).mpp is not None
