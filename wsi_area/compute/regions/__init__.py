"""regions: what lies in named parts of a slide, which may lie over each other: counts, and the largest focus."""
