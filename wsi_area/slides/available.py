"""slides: what this installation can read with: OpenSlide's library and the codecs of the direct lane."""

import importlib.util

import imagecodecs

from wsi_area.slides.stored.openslide_calls import library_version

_CODECS = {"JPEG 2000": "JPEG2K", "Deflate": "ZLIB", "LZW": "LZW"}  # ours: name in imagecodecs


def openslide_library_version() -> str:
    """Return the version of the OpenSlide library itself, not of its Python binding.

    >>> int(openslide_library_version().split(".")[0]) >= 4
    True
    """
    return library_version()


def available_codecs() -> dict[str, bool]:
    """Return, for each compression that the direct lane decodes, whether its codec is there.

    >>> all(available_codecs().values())
    True
    """
    jpeg = importlib.util.find_spec("simplejpeg") is not None
    return {"JPEG": jpeg} | {name: bool(getattr(imagecodecs, codec).available) for name, codec in _CODECS.items()}
