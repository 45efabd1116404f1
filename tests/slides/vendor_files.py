"""Tiled TIFFs that OpenSlide knows as Philips', Trestle's, Ventana's and Leica's, from known pixels."""

from collections.abc import Iterable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (h, w, 3)
_SCN = "http://www.leica-microsystems.com/scn/2010/10/01"
_XML_PACKET, _BYTE = 700, 1


def _padded(picture: Picture, tile_px: int) -> Picture:
    """Return a picture made up to whole tiles, by its own last pixels."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, -height % tile_px), (0, -width % tile_px), (0, 0)), mode="edge")


def _write(path: Path, pages: Iterable[tuple[Picture, dict[str, Any]]], tile_px: int, **further: Any) -> Path:
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for picture, how in pages:
            writer.write(
                picture, tile=(tile_px, tile_px), compression="jpeg", compressionargs={"level": 85}, metadata=None,
                photometric="rgb", subsampling=(2, 2), **{"software": False, **further, **how},
            )  # fmt: skip
    return path


def write_philips(
    path: Path, levels: Sequence[Picture], *, tile_px: int = 256, mpp: float = 0.25, downsamples: Sequence[int] = ()
) -> Path:
    """Write the levels, the finest first, each made up to whole tiles: its directory states the size with them.

    ``downsamples`` are what the description says of the levels; 1, 2, 4 and so on if there are none.
    """

    def spacing(downsample: int) -> str:
        side_mm = f"&quot;{mpp * downsample / 1000:.7f}&quot;"
        return f'<Attribute Name="DICOM_PIXEL_SPACING">{side_mm} {side_mm}</Attribute>'

    parts = "".join(
        f'<DataObject ObjectType="PixelDataRepresentation">{spacing(n)}</DataObject>'
        for n in downsamples or [1 << level for level in range(len(levels))]
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8" ?><DataObject ObjectType="DPUfsImport">'
        '<Attribute Name="PIM_DP_SCANNED_IMAGES"><Array><DataObject ObjectType="DPScannedImage">'
        f'<Attribute Name="PIM_DP_IMAGE_TYPE">WSI</Attribute>{spacing(1)}'
        f'<Attribute Name="PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"><Array>{parts}</Array></Attribute>'
        "</DataObject></Array></Attribute></DataObject>"
    )
    pages = [
        (_padded(picture, tile_px), {"subfiletype": int(n > 0), "description": xml if n == 0 else None})
        for n, picture in enumerate(levels)
    ]
    return _write(path, pages, tile_px, software="Philips DP v1.0")


def write_trestle(path: Path, levels: Sequence[Picture], *, tile_px: int = 256, overlap_px: int = 0) -> Path:
    """Write the levels, the finest first, of which neighbouring tiles are said to share some pixels."""
    overlaps = " ".join([str(overlap_px)] * (2 * len(levels)))
    described = {"description": f"Objective Power=20;OverlapsXY= {overlaps}", "software": "MedScan"}
    return _write(path, [(picture, described) for picture in levels], tile_px)


def write_ventana(
    path: Path, levels: Sequence[Picture], *, tile_px: int = 256, overlap_px: int | Sequence[int] = 0,
    areas: Sequence[tuple[int, int, int, int]] = (), mpp: float = 0.25,
) -> Path:  # fmt: skip
    """Write the levels, the finest first, each half the one before, of whole tiles.

    ``overlap_px`` of all joints, or of one after the other, from the first again when they have been used up.
    ``areas`` were scanned: first column and row, and how many of each; all of it if there are none.
    """
    across, down = -(-levels[0].shape[1] // tile_px), -(-levels[0].shape[0] // tile_px)
    told = [_area(tile_px, overlap_px, *area) for area in areas or [(0, 0, across, down)]]
    origins = "".join(
        f'<AOI{n} OriginX="{area[0] * tile_px}" OriginY="{area[1] * tile_px}"/>'
        for n, area in enumerate(areas or [(0, 0, across, down)])
    )
    stitching = (
        f"<EncodeInfo><SlideStitchInfo>{''.join(told)}</SlideStitchInfo><AoiOrigin>{origins}</AoiOrigin></EncodeInfo>"
    )
    scan = f'<iScan Z-layers="1" Magnification="40" ScanRes="{mpp}"/>'
    pages = [(np.zeros((tile_px, tile_px, 3), np.uint8), {"description": "Label Image", **_packet(scan)})]
    for n, picture in enumerate(levels):
        described = {"description": f"level={n} mag={40 / 2**n:g} quality=90", "subfiletype": int(n > 0)}
        pages.append((_padded(picture, tile_px), described | (_packet(stitching) if n == 0 else {})))
    return _write(path, pages, tile_px)


def _packet(xml: str) -> dict[str, Any]:
    return {"extratags": [(_XML_PACKET, _BYTE, len(xml), xml.encode(), True)]}


def _area(tile_px: int, overlap_px: int | Sequence[int], column: int, row: int, across: int, down: int) -> str:
    """Return the words on a scanned area, and of the joints of its tiles, numbered from below, to and fro."""

    def number(x: int, y: int) -> int:
        from_below = down - 1 - y
        return from_below * across + (across - 1 - x if from_below % 2 else x) + 1

    overlaps_px = cycle([overlap_px] if isinstance(overlap_px, int) else overlap_px)

    def joint(direction: str, first: int, second: int) -> str:
        shared_px = next(overlaps_px)
        return (
            f'<TileJointInfo Direction="{direction}" Tile1="{first}" Tile2="{second}" OverlapX="{shared_px}" '
            f'OverlapY="{shared_px}" Confidence="99"/>'
        )

    right = [joint("RIGHT", number(x, y), number(x + 1, y)) for y in range(down) for x in range(across - 1)]
    up = [joint("UP", number(x, y), number(x, y - 1)) for y in range(1, down) for x in range(across)]
    return (
        f'<ImageInfo AOIScanned="1" Width="{tile_px}" Height="{tile_px}" NumRows="{down}" NumCols="{across}" '
        f'Pos-X="{column * tile_px}" Pos-Y="{row * tile_px}">{"".join(right + up)}</ImageInfo>'
    )


def write_leica(
    path: Path, levels: Sequence[Picture], *, tile_px: int = 256, left_px: int = 0, top_px: int = 0, mpp: float = 0.25
) -> Path:
    """Write the levels, the finest first, of one scan that lies so far from the corner of the glass."""
    height, width = levels[0].shape[:2]
    nm = round(mpp * 1000)
    glass = (width + 2 * left_px + tile_px) * nm, (height + 2 * top_px + tile_px) * nm
    sizes = "".join(
        f'<dimension sizeX="{p.shape[1]}" sizeY="{p.shape[0]}" r="{n}" ifd="{n}"/>' for n, p in enumerate(levels)
    )
    xml = (
        f'<?xml version="1.0"?><scn xmlns="{_SCN}"><collection name="c" sizeX="{glass[0]}" sizeY="{glass[1]}">'
        f'<image name="i"><device model="SCN400" version="1"/><pixels sizeX="{width}" sizeY="{height}">{sizes}</pixels>'
        f'<view sizeX="{width * nm}" sizeY="{height * nm}" offsetX="{left_px * nm}" offsetY="{top_px * nm}"/>'
        "<scanSettings><objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings>"
        "<numericalAperture>0.5</numericalAperture><illuminationSource>brightfield</illuminationSource>"
        "</illuminationSettings></scanSettings></image></collection></scn>"
    )
    pages = [
        (picture, {"subfiletype": int(n > 0), "description": xml if n == 0 else None})
        for n, picture in enumerate(levels)
    ]
    return _write(path, pages, tile_px, resolution=(1e4 / mpp, 1e4 / mpp), resolutionunit="CENTIMETER")
