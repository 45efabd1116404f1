"""slides: pixel sizes that a TIFF states besides its resolution: OME-XML, GeoTIFF, electron and light microscopes."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import tifffile

from wsi_area.compute.units import UM_PER_M, positive_number, um_per_unit
from wsi_area.model.calibration import MppCandidate, UnreadClaim
from wsi_area.slides.header.mpp_sources import Claim, claim_of
from wsi_area.slides.header.ome import OmeImage
from wsi_area.slides.header.tiff_directories import (
    DM_SCALES,
    DM_UNITS,
    GEO_KEYS,
    GEO_TRANSFORM,
    INSTRUMENTS,
    PIXEL_SCALE,
    Directory,
)
from wsi_area.slides.stored.opened_tiff import opened_tiff, quiet_tifffile

_MODEL_TYPE, _CRS, _LINEAR_UNITS = 1024, 3072, 3076
_PROJECTED, _GEOGRAPHIC = 1, 2
_UM_PER_GEO_UNIT = {9001: UM_PER_M, 9002: 304_800.0, 9003: UM_PER_M * 1200 / 3937, 9036: 1000 * UM_PER_M}
_STRETCHED = (3857, 3785, 900913, 102100, 102113)  # Web Mercator: a metre of it is a metre at the equator only
_METRES = (
    *(range(32601, 32661), range(32701, 32761), range(25828, 25839), range(26901, 26924), range(28348, 28359)),
    *(range(31466, 31470), (2056, 2154, 2193, 3031, 3034, 3035, 3413, 3995, 5514, 21781, 27700, 28992)),
)
"""Codes of projected coordinates in metres: UTM, and the national ones that are met most."""

_LSM = 34412
_TEXT_CHARS = 200


def ome_claims(images: tuple[OmeImage, ...], picture_of_image: Mapping[int, int]) -> Iterator[Claim]:
    """Yield what OME-XML says of each of its images, with the picture that it says it of.

    ``picture_of_image`` is, by an image's number, the number of its first picture in the list of the file.
    """
    for image in images:
        texts = [image.sizes.get(f"PhysicalSize{axis}", "") for axis in "XY"]
        if not any(texts):
            continue
        units = [image.sizes.get(f"PhysicalSize{axis}Unit", "µm") for axis in "XY"]  # the schema's default
        um = [_um(text, unit) for text, unit in zip(texts, units, strict=True)]
        note = " × ".join(f"{text or 'nothing'} {unit}" for text, unit in zip(texts, units, strict=True))
        for claim in claim_of(um[0] or "?", um[1] or "?", "ome.PhysicalSizeX", "vendor", "A", note):
            yield (
                replace(claim, describes_px=image.size_px, picture=picture_of_image.get(image.number))
                if isinstance(claim, MppCandidate)
                else claim
            )


def _um(text: str, unit: str) -> float | None:
    value, um = positive_number(text), um_per_unit(unit)
    return None if value is None or um is None else positive_number(value * um)


def scale_claims(file: Path, directory: Directory) -> Iterator[Claim]:
    """Yield what the fields of instruments and of maps say of the pixels of one directory."""
    yield from _geo(directory)
    yield from _digital_micrograph(directory)
    if directory.tags & INSTRUMENTS:
        yield from _instruments(file)


def _geo(directory: Directory) -> Iterator[Claim]:
    """Yield what a GeoTIFF says (OGC 19-008r4): the size of a pixel on the ground, where its units are a length."""
    scale, matrix = directory.numbers(PIXEL_SCALE), directory.numbers(GEO_TRANSFORM)
    if len(scale) >= 2:
        x, y, source = scale[0], scale[1], "geotiff.ModelPixelScale"
    elif len(matrix) == 16:
        x, y = (sum(matrix[row + axis] ** 2 for row in (0, 4)) ** 0.5 for axis in (0, 1))
        source = "geotiff.ModelTransformation"
    else:
        return
    keys = _geo_keys(directory.numbers(GEO_KEYS))
    um, why = _ground_unit(keys)
    if um is None:
        yield UnreadClaim(source, f"{x} × {y}, {why}")
    else:
        yield from claim_of(x * um, y * um, source, "vendor", "A", f"{x} × {y} units of {um / UM_PER_M:g} m")


def _geo_keys(numbers: tuple[float, ...]) -> dict[int, int]:
    """Return the keys whose value stands in the directory of keys itself."""
    rows = [tuple(map(int, numbers[at : at + 4])) for at in range(4, len(numbers) - 3, 4)]
    return {key: value for key, place, _, value in rows if place == 0}


def _ground_unit(keys: Mapping[int, int]) -> tuple[float | None, str]:
    """Return µm per unit of a map, or None and why a unit is no length that is known."""
    if keys.get(_MODEL_TYPE) == _GEOGRAPHIC:
        return None, "in degrees: how long a degree is depends on the place; project it to metres"
    crs = keys.get(_CRS, 0)
    if crs in _STRETCHED:
        return None, f"in Web Mercator (EPSG:{crs}), whose metres are stretched away from the equator"
    if keys.get(_MODEL_TYPE) != _PROJECTED:
        return None, "in units that nothing names (no projected coordinates)"
    if (unit := keys.get(_LINEAR_UNITS)) is not None and unit in _UM_PER_GEO_UNIT:
        return _UM_PER_GEO_UNIT[unit], ""
    if unit is None and any(crs in known for known in _METRES):
        return UM_PER_M, ""
    return None, f"in a unit that is not stated (EPSG:{crs})" if unit is None else f"in the unit EPSG:{unit}"


def _digital_micrograph(directory: Directory) -> Iterator[Claim]:
    """Yield what Gatan DigitalMicrograph writes: a scale and its unit for each axis."""
    scales = [directory.values.get(tag) for tag in DM_SCALES]
    if not all(isinstance(scale, int | float) for scale in scales):
        return
    units = [directory.text(tag) for tag in DM_UNITS]
    um = [_um(str(scale), unit) for scale, unit in zip(scales, units, strict=True)]
    note = " × ".join(f"{scale} {unit}" for scale, unit in zip(scales, units, strict=True))
    yield from claim_of(um[0] or "?", um[1] or "?", "digitalmicrograph.scale", "vendor", "A", note)


def _instruments(file: Path) -> Iterator[Claim]:
    try:
        with quiet_tifffile(), opened_tiff(file) as tiff:
            yield from _fei(tiff.fei_metadata or {})
            yield from _zeiss(tiff.sem_metadata or {})
            yield from _sis(tiff.sis_metadata or {})
            yield from _lsm(tiff.pages.first.tags.valueof(_LSM) or {})
    except (tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, TypeError, ArithmeticError) as error:
        yield UnreadClaim("tiff.instrument", f"fields of an instrument that cannot be read ({error})"[:_TEXT_CHARS])


def _fei(told: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield what FEI and Thermo Fisher write, in metres; of several sections the one of the scan goes first."""
    for section in ("Scan", "EScan", "IScan", "Image"):
        found = told.get(section)
        if isinstance(found, Mapping) and "PixelWidth" in found:
            x, y = (_metres(found.get(key)) for key in ("PixelWidth", "PixelHeight"))
            note = f"{found.get('PixelWidth')} × {found.get('PixelHeight')} m"
            yield from claim_of(x, y, "fei.PixelWidth", "vendor", "A", note)
            return


def _zeiss(told: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield what Zeiss electron microscopes write: a number with a unit, the same for both axes."""
    for key in ("ap_image_pixel_size", "ap_pixel_size"):
        found = told.get(key)
        if isinstance(found, tuple) and len(found) >= 3:
            um = _um(str(found[1]), str(found[2]))
            yield from claim_of(um or "?", um or "?", "zeiss.ImagePixelSize", "vendor", "A", f"{found[1]} {found[2]}")
            return


def _sis(told: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield what Olympus SIS writes, in metres."""
    if "pixelsizex" in told or "pixelsizey" in told:
        x, y = told.get("pixelsizex"), told.get("pixelsizey")
        yield from claim_of(_metres(x), _metres(y), "olympus.pixelsize", "vendor", "A", f"{x} × {y} m")


def _lsm(told: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield what Zeiss laser scanning microscopes write, in metres."""
    if "VoxelSizeX" in told:
        x, y = told.get("VoxelSizeX"), told.get("VoxelSizeY")
        yield from claim_of(_metres(x), _metres(y), "zeiss.VoxelSizeX", "vendor", "A", f"{x} × {y} m")


def _metres(value: Any) -> float | str:
    number = positive_number(value if isinstance(value, int | float) else str(value))
    return "?" if number is None else number * UM_PER_M
