"""training: a pixel classifier from annotated slides or image/mask pairs, with its measured accuracy."""
