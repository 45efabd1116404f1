"""benchmarks/peers: fastslide's read_region of blocks, numpy for the rule."""

import fastslide
import numpy as np
from rule import RULES, box_mean, choose_level, run_peer

BLOCK_PX = 2048


def count_slide(path, args):
    rule = RULES[args.rule or "lut"]
    slide = fastslide.FastSlide.from_file_path(path)
    level = choose_level(slide.level_downsamples, slide.mpp[0], args.work_mpp)
    width, height = slide.level_dimensions[level.index]
    counts = np.zeros(4, np.int64)
    for y in range(0, height, BLOCK_PX):
        for x in range(0, width, BLOCK_PX):
            size = (min(BLOCK_PX, width - x), min(BLOCK_PX, height - y))
            rgb = np.asarray(slide.read_region(location=(x, y), level=level.index, size=size).numpy())
            counts += rule(box_mean(rgb[..., :3], level.reduce_factor))
    return counts, level.work_pixel_mm2


run_peer(["fastslide"], count_slide)
