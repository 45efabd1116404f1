"""exports: a measured slide in the formats of other tools: GeoJSON for QuPath, labels as OME-Zarr."""
