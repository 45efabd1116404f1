"""slides: one compressed tile into memory that is already there."""

import math
import re

import imagecodecs
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from wsi_area.compute.machine_code import address_of
from wsi_area.model.pixels import RgbArray
from wsi_area.slides.stored.tiled_level import (
    DEFLATES,
    JPEG,
    JPEG2000_RGB,
    JPEG2000_YCBCR,
    JPEG_END,
    JPEG_START,
    LZW,
    TiledLevel,
)

CODEC_ERRORS = (ValueError, RuntimeError)
"""What decoders raise: each of imagecodecs' own errors is a RuntimeError, and asking for one by name loads its decoder,
which tiles of JPEG never need."""
_PADDING = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_UNKNOWN = re.compile("subsampling|Unsupported (JPEG|color)")


_VECTOR_BYTES = 64
"""As long as the longest vector of a processor, which is as long as a line of its cache."""
_OFF_VECTORS_BYTES = 8


class UnknownToDecoderError(ValueError):
    """A JPEG of a kind that our decoder does not know, whole or not."""


def decoding_room(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return memory to decode stored tiles into, uint8, that does not begin where a vector of the processor does.

    Where each row of a picture begins at a multiple of 32 bytes (16 with SSE2), libjpeg-turbo writes it past the cache
    (non-temporal stores, its ``simd/x86_64/jdcolext-avx2.asm``). The pixels are wanted at once, and would come back
    from memory.
    """
    size_bytes = math.prod(shape)
    room = np.empty(size_bytes + _VECTOR_BYTES, np.uint8)
    first = (_OFF_VECTORS_BYTES - address_of(room)) % _VECTOR_BYTES
    return room[first : first + size_bytes].reshape(shape)


def decode_tile(data: bytes, level: TiledLevel, out: RgbArray) -> None:
    """Fill ``out``, uint8 (tile h, tile w, 3) RGB, with one stored tile.

    Raises
    ------
    ValueError
        The data does not decode to a whole tile; the codecs add errors of their own (``CODEC_ERRORS``).
    """
    if level.compression == JPEG:
        _decode_jpeg(data, level, out)
    elif level.compression in (JPEG2000_YCBCR, JPEG2000_RGB):
        _decode_jpeg2000(data, level, out)
    else:
        _decode_lossless(data, level, out)


def check_tile(data: bytes, level: TiledLevel, scratch: RgbArray) -> None:
    """Refuse one stored tile that is not whole, at the least cost; ``scratch`` has the shape of a tile.

    Nothing checks the pixels of uncompressed tiles; of a JPEG 2000 codestream, only the markers: it is not decoded.

    Raises
    ------
    ValueError
        The data are not a whole tile; the codecs add errors of their own (``CODEC_ERRORS``).
    """
    if level.compression in (JPEG2000_YCBCR, JPEG2000_RGB):
        _check_jpeg2000(data, scratch)
    else:
        decode_tile(data, level, scratch)


def _decode_jpeg(data: bytes, level: TiledLevel, out: RgbArray) -> None:
    if level.is_interval:
        decode_whole_jpeg(level.jpeg_head + data[: -len(JPEG_END)] + JPEG_END, out)
        return
    if not data.startswith(JPEG_START):
        raise ValueError("it is no JPEG")
    decoded = strict_jpeg(level.jpeg_head + data[_behind_application_markers(data) :], out)
    if decoded.shape != out.shape:
        raise ValueError(f"the JPEG is {decoded.shape}, the tile {out.shape}")


def decode_whole_jpeg(data: bytes, out: RgbArray) -> None:
    """Fill ``out`` with the picture of a JPEG of restart intervals.

    Nothing pads an interval: zeros that are left over are what was lost.

    Raises
    ------
    ValueError
        It is damaged.
    """
    _decoded_strictly(data, out, "RGB")


def _behind_application_markers(data: bytes) -> int:
    """Return the place behind what programs wrote at a JPEG's begin; what its colours are, the slide knows.

    A JFIF marker there would make YCbCr of a JPEG that holds RGB.

    >>> _behind_application_markers(bytes.fromhex("ffd8 ffe0 0004 4a46 ffee 0003 41 ffdb"))
    13
    """
    at = len(JPEG_START)
    while data[at : at + 1] == b"\xff" and 0xE0 <= int.from_bytes(data[at + 1 : at + 2]) <= 0xEF:
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return at


def strict_jpeg(data: bytes, out: RgbArray | None = None, colours: str = "RGB") -> NDArray[np.uint8]:
    """Return the picture of a JPEG, uint8 (h, w, 3) RGB, in ``out`` if that is given; what is not whole is refused.

    ``colours`` may be GRAY: uint8 (h, w, 1).

    What libjpeg only warns of is damage: data that run out, markers out of place, data that are left over. Other
    decoders fill the gap with made-up grey, or shift what follows, and say nothing. Bytes of padding between a whole
    picture and its end are none: one byte again and again, 0 where it is short.

    Raises
    ------
    UnknownToDecoderError
        It is of a kind that the decoder does not know.
    ValueError
        It is damaged.
    """
    try:
        return _decoded_strictly(data, out, colours)
    except ValueError as warning:
        if _UNKNOWN.search(str(warning)):
            raise UnknownToDecoderError(str(warning)) from warning
        padding = _PADDING.search(str(warning))
        end = _end_of_picture(data)
        if padding is None or not _is_padding(data[end - int(padding[1]) : end]):
            raise
        return _decoded_strictly(data[: end - int(padding[1])] + JPEG_END, out, colours)


def _is_padding(left_over: bytes) -> bool:
    r"""Return True if bytes between a picture and its end hold nothing.

    >>> [_is_padding(some) for some in (bytes(2), 8 * b"\x55", b"\x55", b"abcdefgh")]
    [True, True, False, False]
    """
    return not any(left_over) or (len(left_over) >= 8 and len(set(left_over)) == 1)


def _end_of_picture(data: bytes) -> int:
    """Return the place of the marker that ends the first picture of a JPEG (ITU T.81, B.1.1): others may follow it.

    >>> _end_of_picture(bytes.fromhex("ffd8 ffda 0003 00 aaff00aa ffd9 ffd8 ffd9"))
    11
    """
    at = len(JPEG_START)
    while (at := data.find(b"\xff", at)) >= 0 and at + 2 <= len(data):
        marker = data[at + 1]
        if marker == 0xD9:
            return at
        # entropy-coded data, restarts and fill bytes have no length; every other marker has a segment to be leapt over
        at += 1 if marker == 0xFF else 2
        if marker not in (0x00, 0x01, 0xFF, *range(0xD0, 0xD8)):
            at += int.from_bytes(data[at : at + 2], "big")
    return data.rfind(JPEG_END)


def _decoded_strictly(data: bytes, out: RgbArray | None, colours: str) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colours, buffer=out, strict=True)
    return pixels


def _decode_jpeg2000(data: bytes, level: TiledLevel, out: RgbArray) -> None:
    _check_jpeg2000(data, out)
    decoded = imagecodecs.jpeg2k_decode(data, out=out)
    if decoded.shape != out.shape:
        raise ValueError(f"the JPEG 2000 picture is {decoded.shape}, the tile {out.shape}")
    if level.compression == JPEG2000_YCBCR:
        _ycbcr_to_rgb(out)


def _check_jpeg2000(data: bytes, out: RgbArray) -> None:
    """Refuse a JPEG 2000 codestream of another size than its tile, or part of which was lost."""
    from wsi_area.slides.stored.codestream import claimed_size_px, refuse_torn, refuse_zeroed

    claimed = claimed_size_px(data)
    if claimed != (out.shape[1], out.shape[0]):  # before the decoder makes room for what is claimed
        raise ValueError(f"the JPEG 2000 picture claims {claimed} px, the tile has {out.shape[1]} × {out.shape[0]}")
    refuse_zeroed(data)
    refuse_torn(data)


def _rounded(values: NDArray[np.floating]) -> NDArray[np.int32]:
    """Return values rounded half away from zero, as C rounds."""
    rounded: NDArray[np.int32] = (np.sign(values) * np.floor(np.abs(values) + 0.5)).astype(np.int32)
    return rounded


def _ycbcr_tables() -> tuple[NDArray[np.int32], ...]:
    """Return the parts of Cr in R, of Cb and Cr in G (in 1/65536), of Cb in B: JFIF's matrix, OpenSlide's rounding."""
    chroma = np.arange(-128, 128, dtype=np.float64)
    one = 1 << 16
    return (
        _rounded(1.402 * chroma),
        _rounded(one * (0.5 - 0.34414 * chroma)),
        _rounded(one * -0.71414 * chroma),
        _rounded(1.772 * chroma),
    )


_R_CR, _G_CB, _G_CR, _B_CB = _ycbcr_tables()


def _ycbcr_to_rgb(samples: RgbArray) -> None:
    """Turn uint8 (h, w, 3) YCbCr into RGB in place."""
    luma, cb, cr = samples[..., 0].astype(np.int32), samples[..., 1], samples[..., 2]
    green = luma + ((_G_CB[cb] + _G_CR[cr]) >> 16)
    red, blue = luma + _R_CR[cr], luma + _B_CB[cb]
    for channel, values in enumerate((red, green, blue)):
        samples[..., channel] = np.clip(values, 0, 255)


def _decode_lossless(data: bytes, level: TiledLevel, out: RgbArray) -> None:
    if level.compression == LZW:
        raw = imagecodecs.lzw_decode(data, out=out.nbytes)
    elif level.compression in DEFLATES:
        raw = imagecodecs.zlib_decode(data, out=out.nbytes)
    else:
        raw = data
    if len(raw) < out.nbytes:
        raise ValueError(f"{len(raw)} bytes where a tile has {out.nbytes}")
    samples = np.frombuffer(raw, np.uint8, out.nbytes).reshape(out.shape)
    if level.predictor == 2:
        # differences along a row, modulo 256
        np.cumsum(samples, axis=1, dtype=np.uint8, out=out)
    else:
        out[...] = samples
