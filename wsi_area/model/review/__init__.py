"""model: what a person decided on the slides of a run: events as they are written, verdicts as they stand."""
