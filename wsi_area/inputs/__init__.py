"""inputs: which slides were asked for, what was drawn on them, and their own settings."""
