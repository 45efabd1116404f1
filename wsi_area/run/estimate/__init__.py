"""run: one slide estimated: a coarse look at all of it, then random spots until the interval is narrow enough."""
