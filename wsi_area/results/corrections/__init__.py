"""corrections: what is laid over a measured slide: the drawings of its amended versions, and the map they make."""
