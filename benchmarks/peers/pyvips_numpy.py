"""benchmarks/peers: pyvips loads strips of the level, numpy applies the rule."""

import os

import numpy as np
import pyvips
from rule import RULES, box_mean, choose_level, run_peer

STRIP_ROWS = 256  # the height of the stored tiles


def count_slide(path, args):
    rule = RULES[args.rule or "lut"]
    pages = [pyvips.Image.tiffload(path, page=i) for i in range(pyvips.Image.tiffload(path).get("n-pages"))]
    described = dict(part.split(" = ") for part in pages[0].get("image-description").split("|")[1:])
    downsamples = [pages[0].width / page.width for page in pages]
    level = choose_level(downsamples, float(described["MPP"]), args.work_mpp)
    image = pyvips.Image.tiffload(path, page=level.index, access="sequential")
    counts = np.zeros(4, np.int64)
    for top in range(0, image.height, STRIP_ROWS):
        rgb = image.crop(0, top, image.width, min(STRIP_ROWS, image.height - top)).numpy()
        counts += rule(box_mean(rgb, level.reduce_factor))
    return counts, level.work_pixel_mm2


os.environ.setdefault("VIPS_CONCURRENCY", "1")
run_peer(["pyvips", "pyvips-binary"], count_slide)
