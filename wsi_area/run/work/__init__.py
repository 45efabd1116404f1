"""work: what a worker does with one batch of tiles."""
