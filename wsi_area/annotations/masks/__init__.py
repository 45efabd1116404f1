"""masks: what was drawn as pixels: PNG, TIFF and zarr, whole codes, bounded before anything is decoded."""
