"""benchmarks/peers: large_image's TIFF source and its tile iterator, numpy for the rule."""

import large_image
import large_image_source_tiff
import numpy as np
from rule import RULES, box_mean, choose_level, run_peer

BLOCK_PX = 2048


def count_slide(path, args):
    rule = RULES[args.rule or "lut"]
    source = large_image_source_tiff.open(path)
    about = source.getMetadata()
    # its levels are powers of two; those with a directory in the file are stored, the others it would make up
    stored = [i for i, directory in enumerate(source._tiffDirectories) if directory is not None]
    downsamples = [2.0 ** (about["levels"] - 1 - i) for i in stored]
    level = choose_level(downsamples, about["mm_x"] * 1000, args.work_mpp)
    counts = np.zeros(4, np.int64)
    for tile in source.tileIterator(
        scale={"mm_x": about["mm_x"] * downsamples[level.index]},
        tile_size={"width": BLOCK_PX, "height": BLOCK_PX},
        format=large_image.constants.TILE_FORMAT_NUMPY,
    ):
        counts += rule(box_mean(tile["tile"][..., :3], level.reduce_factor))
    return counts, level.work_pixel_mm2


run_peer(["large-image", "large-image-source-tiff"], count_slide)
