"""benchmarks/peers: the plain way, OpenSlide's ``read_region`` to numpy, scikit-image's ``rgb2hed``, a dask map."""

import dask
import numpy as np
import openslide
from rule import RULES, box_mean, choose_level, run_peer

BLOCK_PX = 2048


def count_slide(path, args):
    rule = RULES[args.rule or "skimage"]
    slide = openslide.OpenSlide(path)
    mpp_um = float(slide.properties["openslide.mpp-x"])
    level = choose_level(slide.level_downsamples, mpp_um, args.work_mpp)
    width, height = slide.level_dimensions[level.index]
    downsample = slide.level_downsamples[level.index]

    @dask.delayed
    def count_block(x, y):
        size = (min(BLOCK_PX, width - x), min(BLOCK_PX, height - y))
        corner = (round(x * downsample), round(y * downsample))
        rgb = np.asarray(slide.read_region(corner, level.index, size).convert("RGB"))
        return rule(box_mean(rgb, level.reduce_factor))

    blocks = [count_block(x, y) for y in range(0, height, BLOCK_PX) for x in range(0, width, BLOCK_PX)]
    scheduler = "threads" if args.workers > 1 else "synchronous"
    return sum(dask.compute(*blocks, scheduler=scheduler, num_workers=args.workers)), level.work_pixel_mm2


run_peer(["openslide-python", "scikit-image", "dask"], count_slide)
