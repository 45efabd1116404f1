"""pixels: the pixel classifier: features, trees, probabilities."""
