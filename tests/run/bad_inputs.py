"""A batch of small inputs of which a tenth is bad, in every way there is, and what each must come to; a generator."""

import os
import random
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from synthetic import disc, write_slide

from wsi_area.model.geometry import Size

SIDE = Size(160, 128)

ROW, LINE = "a failed row", "a line"
"""What becomes of a bad input: a row of its own that says failed, or a place among what was left out."""


def _text(path: Path, good: Path) -> None:
    path.write_text("not a slide")


def _cut(share: float) -> Callable[[Path, Path], None]:
    return lambda path, good: path.write_bytes(good.read_bytes()[: int(good.stat().st_size * share)]) and None


def _link_to(target: str) -> Callable[[Path, Path], None]:
    return lambda path, good: path.symlink_to(target)


def _folder(path: Path, good: Path) -> None:
    path.mkdir()
    shutil.copy(good, path / "inside.tif")


def _deep_folder(path: Path, good: Path) -> None:
    (path / "deeper").mkdir(parents=True)


def _zarr(path: Path, good: Path) -> None:
    path.mkdir()
    (path / "zarr.json").write_text("{}")


def _socket(path: Path, good: Path) -> None:
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(os.path.relpath(path))
    bound.close()


def _random_bytes(path: Path, good: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(4000))


def _picture(path: Path, good: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(path, "GIF")


BAD: dict[str, tuple[str, Callable[[Path, Path], None], str]] = {
    # way: suffix, what makes it, what becomes of it
    "text": (".svs", _text, ROW),
    "empty": (".tif", lambda path, good: path.write_bytes(b"") and None, ROW),
    "cut in its header": (".tif", _cut(0.01), ROW),
    "zeros": (".svs", lambda path, good: path.write_bytes(bytes(5000)) and None, ROW),
    "random": (".ndpi", _random_bytes, ROW),
    "a dead link": (".svs", _link_to("nowhere.svs"), ROW),
    "a link to itself": (".tif", lambda path, good: path.symlink_to(path.name), ROW),
    "an mrxs without its folder": (".mrxs", _text, ROW),
    "a dicom that is none": (".dcm", _text, ROW),
    "a png of text": (".png", _text, ROW),
    "isyntax": (".isyntax", _text, LINE),
    "vsi": (".vsi", _text, LINE),
    "sdpc": (".sdpc", _text, LINE),
    "kfb": (".kfb", _text, LINE),
    "a gif": (".gif", _picture, LINE),
    "a pipe": (".svs", lambda path, good: os.mkfifo(path), LINE),
    "a socket": (".tif", _socket, LINE),
    "a folder inside": ("", _folder, LINE),
    "a folder in a folder": ("", _deep_folder, LINE),
    "a store": (".zarr", _zarr, LINE),
    "not finished": (".part", lambda path, good: shutil.copy(good, path) and None, LINE),
}


def written_batch(folder: Path, count: int, seed: int) -> dict[str, tuple[str, str]]:
    """Write ``count`` inputs of which a tenth is bad, each way in turn; return what becomes of each bad one, by name.

    Good ones have names of many kinds: of other scripts, bytes that are no UTF-8, orders to a terminal.
    """
    if count < 10 * len(BAD):
        raise ValueError(f"{count} inputs have too few bad ones for {len(BAD)} ways: ask for {10 * len(BAD)} or more")
    chance, ways = random.Random(seed), list(BAD)
    good = write_slide(folder / "template.tif", SIDE, {"tissue": disc(SIDE, 80, 64, 40)}).path
    places = chance.sample(range(count), count // 10)
    kinds = [os.fsdecode(b"caf\xe9"), "日本", "=1+1", "\x1b[2J", "Müller", "plain", "a b", "-dash"]
    bad = {}
    for number in range(count):
        if number in places:
            way = ways[places.index(number) % len(ways)]
            suffix, make, becomes = BAD[way]
            name = f"bad{number}{suffix}"
            make(folder / name, good)
            bad[name] = (way, becomes)
        else:
            content = good.read_bytes()
            (folder / f"{kinds[number % len(kinds)]} {number}.tif").write_bytes(
                content + bytes([number % 256]) * number
            )
    good.unlink()
    return bad
