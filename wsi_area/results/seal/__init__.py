"""results: the seal of a run: one hash of what was measured, and the digest of each file that somebody reads."""
