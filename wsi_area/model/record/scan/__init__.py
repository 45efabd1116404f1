"""model: the file of a slide, as its result says it."""
