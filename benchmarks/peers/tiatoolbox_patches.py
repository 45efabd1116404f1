"""benchmarks/peers: TIAToolbox's sliding-window patch extractor at the asked mpp, numpy for the rule."""

import numpy as np
from rule import RULES, run_peer
from tiatoolbox.tools.patchextraction import SlidingWindowPatchExtractor
from tiatoolbox.wsicore.wsireader import WSIReader

PATCH_PX = 1024


def count_slide(path, args):
    rule = RULES[args.rule or "lut"]
    reader = WSIReader.open(path)
    # patches over the right and lower edge are filled up with white, which the rule takes for glass
    patches = SlidingWindowPatchExtractor(
        reader, patch_size=PATCH_PX, resolution=args.work_mpp, units="mpp", pad_constant_values=255
    )
    counts = np.zeros(4, np.int64)
    for patch in patches:
        counts += rule(patch[..., :3])
    return counts, args.work_mpp**2 * 1e-6


run_peer(["tiatoolbox", "torch"], count_slide)
