"""benchmarks/peers: cuCIM's reader on the CPU, numpy for the rule."""

import numpy as np
from cucim import CuImage
from rule import RULES, box_mean, choose_level, run_peer

BLOCK_PX = 2048


def count_slide(path, args):
    rule = RULES[args.rule or "lut"]
    slide = CuImage(path)
    mpp_um = float(slide.metadata["aperio"]["MPP"])
    downsamples = slide.resolutions["level_downsamples"]
    level = choose_level(downsamples, mpp_um, args.work_mpp)
    width, height = slide.resolutions["level_dimensions"][level.index]
    counts = np.zeros(4, np.int64)
    for y in range(0, height, BLOCK_PX):
        for x in range(0, width, BLOCK_PX):
            size = (min(BLOCK_PX, width - x), min(BLOCK_PX, height - y))
            corner = (round(x * downsamples[level.index]), round(y * downsamples[level.index]))
            rgb = np.asarray(slide.read_region(corner, size, level.index, num_workers=args.workers))
            counts += rule(box_mean(rgb, level.reduce_factor))
    return counts, level.work_pixel_mm2


run_peer(["cucim-cu12"], count_slide)
