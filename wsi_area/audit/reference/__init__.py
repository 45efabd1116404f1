"""audit: reference points: drawn over a run, answered by a reader who does not see the map, and made into areas."""
