"""slides: every claim about the pixel size that a slide's properties make; nothing is chosen here."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from wsi_area.compute.units import UM_PER_MM, positive_number, um_per_unit
from wsi_area.model.calibration import Mpp, MppCandidate, Quality, Rung, UnreadClaim
from wsi_area.model.geometry import Size

Properties = Mapping[str, str]

TRESTLE_PLAUSIBLE_UM = 60.0
"""Trestle means µm per pixel by its TIFF resolution; above this it can only be a density (40 000 per cm)."""

_TEXT_CHARS = 200
_PHILIPS_LEVEL = "PIIM_PIXEL_DATA_REPRESENTATION_"
_NO_UNITS = ("", "none", "pixel", "pixels", "px", "null", "unknown")
DICOM_SPACING = "dicom.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"


Claim = MppCandidate | UnreadClaim


def claim_of(
    x: str | float | None, y: str | float | None, source: str, rung: Rung, quality: Quality, note: str = ""
) -> Iterator[Claim]:
    """Yield a claim, or what cannot be read as one; nothing where neither axis says anything.

    >>> next(claim_of("0,25", "0.25", "aperio.MPP", "vendor", "A")).mpp
    Mpp(x=0.25, y=0.25)
    >>> next(claim_of("0.5 um", "0.5 um", "aperio.MPP", "vendor", "A"))
    UnreadClaim(source='aperio.MPP', text='0.5 um')
    """
    if x in (None, "") and y in (None, ""):
        return
    mpp_x, mpp_y = positive_number(x), positive_number(y)
    if mpp_x is None or mpp_y is None:
        yield UnreadClaim(source, (note or (f"{x}" if x == y else f"{x} × {y}"))[:_TEXT_CHARS])
        return
    yield MppCandidate(Mpp(mpp_x, mpp_y), source, rung, quality, note or f"{x} × {y}")


def slide_claims(vendor: str, properties: Properties, size_l0_px: Size) -> tuple[Claim, ...]:
    """Return every claim in OpenSlide's properties, the most direct first, and what cannot be read as one."""
    found = [
        *_openslide_claims(vendor, properties),
        *_vendor_claims(properties, size_l0_px),
        *_dicom_claims(properties),
    ]
    if vendor == "philips":
        full = _philips_frame(properties)
        found = [replace(claim, describes_px=full) if isinstance(claim, MppCandidate) else claim for claim in found]
    trestle_means_um = vendor == "trestle" and any(c.source == "openslide.mpp-x" for c in found)
    if not trestle_means_um:
        tags = [properties.get(f"tiff.{tag}") for tag in ("XResolution", "YResolution", "ResolutionUnit")]
        found += tiff_claims(tags[0], tags[1], tags[2] or "", properties.get("tiff.ImageDescription", ""))
    return tuple(found)


def _openslide_claims(vendor: str, properties: Properties) -> Iterator[Claim]:
    x, y = properties.get("openslide.mpp-x"), properties.get("openslide.mpp-y")
    if vendor == "trestle":
        if all((positive_number(v) or 0) <= TRESTLE_PLAUSIBLE_UM for v in (x, y)):
            yield from claim_of(x, y, "openslide.mpp-x", "vendor", "B", f"{x} × {y}, TIFF tag as µm")
        return
    # a generic TIFF has no vendor: there OpenSlide itself only reads the resolution tags
    rung: Rung = "tiff" if vendor == "generic-tiff" else "vendor"
    quality: Quality = "B" if vendor == "generic-tiff" else "A"
    yield from claim_of(x, y, "openslide.mpp-x", rung, quality)


def _vendor_claims(properties: Properties, size_l0_px: Size) -> Iterator[Claim]:
    aperio = properties.get("aperio.MPP")
    yield from claim_of(aperio, aperio, "aperio.MPP", "vendor", "A", aperio or "")
    pairs = {
        "hamamatsu.XResolution": ("hamamatsu.XResolution", "hamamatsu.YResolution"),
        "mirax.MICROMETER_PER_PIXEL": (
            "mirax.LAYER_0_LEVEL_0_SECTION.MICROMETER_PER_PIXEL_X",
            "mirax.LAYER_0_LEVEL_0_SECTION.MICROMETER_PER_PIXEL_Y",
        ),
    }
    for source, (key_x, key_y) in pairs.items():
        x, y = properties.get(key_x), properties.get(key_y)
        if source == "hamamatsu.XResolution":
            # pixels per unit, like the TIFF tags they mirror
            unit = properties.get("hamamatsu.ResolutionUnit", properties.get("tiff.ResolutionUnit", ""))
            yield from _density_claim(x, y, unit, source, "vendor", "A")
        else:
            yield from claim_of(x, y, source, "vendor", "A")
    scan = properties.get("ventana.ScanRes")
    yield from claim_of(scan, scan, "ventana.ScanRes", "vendor", "A", scan or "")
    yield from _hamamatsu_extent(properties, size_l0_px)
    yield from _philips_spacing(properties.get("philips.DICOM_PIXEL_SPACING", ""))


def _hamamatsu_extent(properties: Properties, size_l0_px: Size) -> Iterator[Claim]:
    """Yield what VMS and VMU say: the scanned extent in nm."""
    width_nm = positive_number(properties.get("hamamatsu.PhysicalWidth"))
    height_nm = positive_number(properties.get("hamamatsu.PhysicalHeight"))
    if width_nm and height_nm:
        x, y = width_nm * 1e-3 / size_l0_px.width_px, height_nm * 1e-3 / size_l0_px.height_px
        note = f"{width_nm} × {height_nm} nm"
        yield from claim_of(x, y, "hamamatsu.PhysicalWidth", "vendor", "A", note)
    elif stated := [t for t in map(properties.get, ("hamamatsu.PhysicalWidth", "hamamatsu.PhysicalHeight")) if t]:
        yield UnreadClaim("hamamatsu.PhysicalWidth", " × ".join(stated)[:_TEXT_CHARS])


def _philips_spacing(text: str) -> Iterator[Claim]:
    """Yield Philips's copy of the DICOM tag, ``"row" "column"`` in mm: y stands first."""
    parts = [positive_number(part) for part in text.replace('"', " ").replace("\\", " ").split()]
    if len(parts) == 2 and parts[0] and parts[1]:
        x, y = UM_PER_MM * parts[1], UM_PER_MM * parts[0]
        yield from claim_of(x, y, "philips.DICOM_PIXEL_SPACING", "vendor", "A", text)
    elif text.strip():
        yield UnreadClaim("philips.DICOM_PIXEL_SPACING", text[:_TEXT_CHARS])


def _philips_frame(properties: Properties) -> Size | None:
    """Return the size in pixels that Philips's own text states of its finest level; None where it states none."""
    levels = (key.removesuffix("NUMBER") for key in properties if key.endswith(_PHILIPS_LEVEL + "NUMBER"))
    finest = next((level for level in levels if properties[level + "NUMBER"].strip() == "0"), None)
    if finest is None:
        return None
    sides = [positive_number(properties.get(finest + side)) for side in ("COLUMNS", "ROWS")]
    return None if sides[0] is None or sides[1] is None else Size(int(sides[0]), int(sides[1]))


def _dicom_claims(properties: Properties) -> Iterator[Claim]:
    """Yield ``PixelSpacing``: mm, [between rows, between columns], so y stands first."""
    row = positive_number(properties.get(f"{DICOM_SPACING}[0]"))
    column = positive_number(properties.get(f"{DICOM_SPACING}[1]"))
    if row and column:
        note = f"[{properties[f'{DICOM_SPACING}[0]']}, {properties[f'{DICOM_SPACING}[1]']}] mm, row first"
        yield from claim_of(UM_PER_MM * column, UM_PER_MM * row, "dicom.PixelSpacing", "vendor", "A", note)
    elif stated := [text for axis in (0, 1) if (text := properties.get(f"{DICOM_SPACING}[{axis}]"))]:
        yield UnreadClaim("dicom.PixelSpacing", " × ".join(stated)[:_TEXT_CHARS])


def imaged_volume_mm(properties: Properties) -> tuple[float, float] | None:
    """Return the DICOM ImagedVolume (width, height) in mm, or None.

    >>> imaged_volume_mm({"dicom.ImagedVolumeWidth": "15", "dicom.ImagedVolumeHeight": "12"})
    (15.0, 12.0)
    """
    width = positive_number(properties.get("dicom.ImagedVolumeWidth"))
    height = positive_number(properties.get("dicom.ImagedVolumeHeight"))
    return None if width is None or height is None else (width, height)


def tiff_claims(
    x_per_unit: str | float | None, y_per_unit: str | float | None, unit: str, description: str = ""
) -> Iterator[Claim]:
    """Yield what the TIFF resolution tags say; nothing where the unit is ``none``, unless ImageJ names one.

    >>> [c.mpp for c in tiff_claims("40000", "20000", "centimeter")]
    [Mpp(x=0.25, y=0.5)]
    """
    source = "tiff.XResolution"
    if description.startswith("ImageJ="):
        # ImageJ writes pixels per its own unit into the tags and names the unit in the description
        lines = dict(line.partition("=")[::2] for line in description.splitlines())
        if "unit" in lines:
            unit, source = lines["unit"], "imagej.unit"
    yield from _density_claim(x_per_unit, y_per_unit, unit, source, "tiff", "B")


def _density_claim(
    x: str | float | None, y: str | float | None, unit: str, source: str, rung: Rung, quality: Quality
) -> Iterator[Claim]:
    if x is None or y is None or unit.strip().casefold() in _NO_UNITS:
        return
    per_x, per_y, um = positive_number(x), positive_number(y), um_per_unit(unit)
    note = f"{x} × {y} px per {unit}"
    if per_x and per_y and um:
        yield from claim_of(um / per_x, um / per_y, source, rung, quality, note)
    else:
        yield UnreadClaim(source, note[:_TEXT_CHARS])


def density_claim(x: float, y: float, unit: str, source: str) -> Iterator[Claim]:
    """Yield what an image's print density says: quality C, editors write it without meaning it."""
    yield from _density_claim(x, y, unit, source, "image", "C")
