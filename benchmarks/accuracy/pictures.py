"""benchmarks: pictures to look at: the classes of a run and, if there is one, the true outline, drawn on the slide.

``python -m benchmarks.accuracy.pictures --run RUN --slide SLIDE --out PICTURE.png [--truth MASK.png] [--box X,Y,W,H]``
draws each class of the map in its own colour over the slide, and the outline of the truth in black. ``--report MODEL``
takes the pictures out of a model's ``report.html`` instead: its best and worst cases. Made for small slides: level 0 is
read whole. Pictures of research-only images must not be committed.
"""

import argparse
import base64
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.segmentation import find_boundaries

from wsi_area.model.geometry import Region
from wsi_area.results.opened_run import open_run
from wsi_area.slides import borrow_reader, inspect

LARGEST_PX, SIDE_PX = 60_000_000, 1400
SHARE = 0.45  # of a class's colour in the picture


def resized(codes: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The code that lies under the centre of each pixel of another grid."""
    rows, cols = ((np.arange(n) * 2 + 1) * m // (2 * n) for n, m in zip(shape, codes.shape, strict=True))
    return codes[np.ix_(rows, cols)]


def drawn(run: Path, slide: Path, truth: Path | None, box: Region | None) -> Image.Image:
    opened = open_run(run)
    (slide_id,) = opened
    record = opened[slide_id].result.model_dump(mode="json")
    colors = {c["id"]: tuple(c["color_rgb"]) for c in record["classes"]}
    info = inspect(str(slide), slide_id=slide_id)
    size = info.size_l0_px
    if size.area_px > LARGEST_PX:
        raise SystemExit(f"{slide} has {size.area_px} px; pictures are made of {LARGEST_PX} at most")
    with borrow_reader(info, "openslide") as reader:
        rgb = reader.read(0, Region(0, 0, size.width_px, size.height_px)).rgb.astype(np.float64)
    codes = resized(opened[slide_id].class_map(), rgb.shape[:2])
    for class_id, color in colors.items():
        if class_id:
            rgb[codes == class_id] = (1 - SHARE) * rgb[codes == class_id] + SHARE * np.array(color)
    if truth is not None:
        with Image.open(truth) as mask:
            true = resized(np.asarray(mask.convert("L")), rgb.shape[:2]) > 0
        rgb[find_boundaries(true)] = 0
    at = box or Region(0, 0, size.width_px, size.height_px)
    cut = rgb[at.y_px : at.bottom_px, at.x_px : at.right_px].round().astype(np.uint8)
    scale = SIDE_PX / max(cut.shape)
    return Image.fromarray(cut).resize((round(cut.shape[1] * scale), round(cut.shape[0] * scale)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--slide", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--box", help="X,Y,W,H in level-0 px: show only this part")
    parser.add_argument("--report", type=Path, help="the folder of a model")
    parser.add_argument("--out", type=Path, required=True, help="a picture; with --report a folder")
    chosen = parser.parse_args()
    if chosen.report is not None:
        chosen.out.mkdir(parents=True, exist_ok=True)
        page = (chosen.report / "report.html").read_text(encoding="utf-8")
        for number, found in enumerate(re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)):
            (chosen.out / f"{number}.png").write_bytes(base64.b64decode(found))
    else:
        box = None if chosen.box is None else Region(*map(int, chosen.box.split(",")))
        drawn(chosen.run, chosen.slide, chosen.truth, box).save(chosen.out)


if __name__ == "__main__":
    main()
