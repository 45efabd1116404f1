"""preparing: the overview of a slide: read, by all workers where it is large, and judged before anything is fitted."""
