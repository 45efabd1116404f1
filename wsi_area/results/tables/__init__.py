"""tables: what people and programs read of a run, with a meaning for each column."""
