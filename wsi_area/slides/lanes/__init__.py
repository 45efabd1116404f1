"""lanes: the ways from a file to pixels, and the proof that they agree."""
