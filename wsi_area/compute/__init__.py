"""compute: the verbs; pure functions, value in, value out, no path and no handle."""
