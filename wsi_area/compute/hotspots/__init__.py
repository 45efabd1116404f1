"""compute: hot spots: windows of a stated area, on a grid of centres over a whole slide."""
