"""objects: connected parts of a class map, merged over the seams of tiles."""
