"""results: the run directory, written and read; the only room that knows zarr and the tables' formats."""
