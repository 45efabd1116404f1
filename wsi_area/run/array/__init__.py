"""array: one run divided over the tasks of a job array, and merged."""
