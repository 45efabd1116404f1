"""finished: a slide that need not be looked at again: what its result rests on, and whether all is as it was."""
