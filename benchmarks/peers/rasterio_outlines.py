"""benchmarks/peers: rasterio's outlines of a class map, written as one feature of GeoJSON a line.

``python rasterio_outlines.py CODES.npy`` prints the CPU seconds and the number of outlines, as JSON.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from rasterio.features import shapes

codes = np.load(sys.argv[1])
began, count = time.process_time(), 0
with Path(sys.argv[1]).with_suffix(".geojsonl").open("w") as file:
    for geometry, code in shapes(codes, mask=codes > 0, connectivity=4):
        count += 1
        file.write(json.dumps({"type": "Feature", "geometry": geometry, "properties": {"code": int(code)}}) + "\n")
print(json.dumps({"cpu_s": time.process_time() - began, "outlines": count}))
