"""count: class maps to integers of level-0 pixels, and these to mm²."""
