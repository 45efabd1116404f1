"""benchmarks: how often intervals hold what they claim to hold, on maps made from public data."""
