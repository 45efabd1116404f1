"""tests: files that are no slides, or broken ones; test_synthetic checks what OpenSlide makes of each."""

from pathlib import Path

from synthetic_shapes import disc, everything
from synthetic_slides import Compression, FileForm, SyntheticSlide, write_slide

from wsi_area.model.geometry import Region, Size


def write_text_slide(path: Path) -> Path:
    """A text that somebody named .svs; OpenSlide does not open it."""
    path.write_text("This is a note about a slide, not a slide.\n" * 40, encoding="utf-8")
    return path


def write_empty_file(path: Path) -> Path:
    """A file of no bytes; OpenSlide does not open it."""
    path.write_bytes(b"")
    return path


def write_truncated_slide(path: Path, *, opens: bool) -> Path:
    """The first 60 % of a slide, as a broken copy leaves it.

    A pyramid loses the directory of its second level, and OpenSlide refuses to open it. One level of more
    than 5 MB, which OpenSlide does not hash, has its directory in front of the pixels: it ``opens``, and the
    tiles in the end cannot be read.
    """
    size = Size(1536, 1536)
    form = FileForm(
        "aperio",
        downsamples=(1,) if opens else (1, 4),
        compression="none" if opens else "jpeg",
    )
    write_slide(path, size, {"tissue": disc(size, 768, 768, 600)}, form)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    return path


def write_slide_with_garbage_tile(path: Path, *, compression: Compression = "jpeg") -> SyntheticSlide:
    """A 1280 × 1280 slide, all tissue, that opens; its tile in row 2, column 2 is not an image."""
    size = Size(1280, 1280)
    form = FileForm("aperio", compression=compression)
    return write_slide(path, size, {"tissue": everything(size)}, form, garbage=[Region(512, 512, 256, 256)])
