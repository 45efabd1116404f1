"""results: the run directory, written and read; the stores, the documents and the tables."""
