"""results: an estimate made from the stores of a slide: what a coarse look says of each spot, and the totals."""
