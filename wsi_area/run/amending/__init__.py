"""amending: corrections laid over a measured slide, and every number of it made anew, as a version beside it."""
