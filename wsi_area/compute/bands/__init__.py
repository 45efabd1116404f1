"""compute: bands round the border of a class, by the exact distance to it."""
